// The browser of the browser tests.
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { capture, Failure, runQuietly, say, windows } from './process.mjs';
import { root } from './sidecar.mjs';

const names = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome', 'chrome'];
const fixedPlaces = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe'
];

/** The path of an installed Chromium or Chrome, or undefined; `CHROMIUM_PATH` comes first. */
export function findBrowser() {
  const suffix = windows ? '.exe' : '';
  const onPath = (process.env.PATH ?? '')
    .split(delimiter)
    .flatMap(folder => names.map(name => join(folder, name + suffix)));
  return [process.env.CHROMIUM_PATH, ...onPath, ...fixedPlaces].find(
    path => path && existsSync(path)
  );
}

/**
 * Makes sure that there is a browser: an installed one, else Debian's package, else Playwright's own download. Returns
 * its path, or undefined for Playwright's.
 */
export async function ensureBrowser() {
  const installed = findBrowser();
  if (installed) {
    return installed;
  }
  const isRoot = process.getuid?.() === 0;
  if (isRoot && (await capture('apt-get', ['--version'])).code === 0) {
    say('installing chromium (apt-get)');
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    await capture('apt-get', ['update', '-qq'], { env });
    const args = ['install', '-y', '-qq', '--no-install-recommends', 'chromium'];
    await capture('apt-get', args, { env });
    const debian = findBrowser();
    if (debian) {
      return debian;
    }
  }
  say("installing Playwright's chromium");
  const cli = join(root, 'node_modules', '@playwright', 'test', 'cli.js');
  try {
    await runQuietly('playwright install', process.execPath, [
      cli,
      'install',
      '--only-shell',
      'chromium'
    ]);
  } catch (error) {
    throw new Failure(
      `no Chromium or Chrome was found and none could be installed; install one or set CHROMIUM_PATH\n${error.message}`
    );
  }
  return undefined;
}
