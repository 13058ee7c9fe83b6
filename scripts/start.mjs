// npm start: brings everything up to date, starts JupyterLab and opens the example. Arguments go to `jupyter lab`.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ensureBuilt, ensureNodeModules, requireNode } from './prepare.mjs';
import { npm, runMain, runQuietly, say } from './process.mjs';
import { ensureVenv, installExtension, jupyterVariables, venvProgram } from './python.mjs';
import { root } from './sidecar.mjs';

const examples = join(root, 'examples');
const example = 'mlp.pt2';

/** Writes the example that is too large for the repository. */
async function ensureLargeExample() {
  if (!existsSync(join(examples, 'large-mlp.pt2'))) {
    say('writing examples/large-mlp.pt2 (npm run example)');
    await runQuietly('npm run example', ...npm(['run', '--silent', 'example']));
  }
}

/** The arguments of `jupyter lab`: the user's own, and ours where the user says nothing. */
function labArguments(given) {
  const has = pattern => given.some(argument => pattern.test(argument));
  const args = ['--ServerApp.answer_yes=True'];
  if (!has(/^--(notebook-dir|ServerApp\.root_dir|ServerApp\.notebook_dir|preferred-dir)\b/)) {
    args.push(`--ServerApp.root_dir=${examples}`);
    if (!has(/^--LabApp\.default_url\b/) && existsSync(join(examples, example))) {
      args.push(`--LabApp.default_url=/lab/tree/${example}`);
    }
  }
  if (process.getuid?.() === 0 && !has(/^--allow-root$/)) {
    args.push('--allow-root');
  }
  return [...args, ...given];
}

await runMain(async () => {
  requireNode();
  await ensureNodeModules();
  await ensureBuilt();
  const venv = await ensureVenv('.venv', ['lab.txt']);
  installExtension(venv);
  await ensureLargeExample();

  say('starting JupyterLab, Ctrl-C ends it');
  const server = spawn(venvProgram(venv, 'jupyter-lab'), labArguments(process.argv.slice(2)), {
    cwd: root,
    env: jupyterVariables(venv),
    stdio: 'inherit'
  });
  const stop = () => server.kill('SIGTERM');
  process.on('SIGTERM', stop);
  // Ctrl-C reaches the server by itself; a signal that was sent to this process alone does not.
  process.on('SIGINT', () => setTimeout(stop, 3000).unref());
  await new Promise((resolve, reject) => {
    server.on('error', reject);
    server.on('exit', (code, signal) => {
      process.exitCode = signal ? 0 : code;
      resolve();
    });
  });
});
