// Starts JupyterLab from .venv on a free port; `npm run test:browser` makes .venv and finds the browser. What the server
// says is in test-results/jupyterlab.log.
import { createServer } from 'node:net';
import { join } from 'node:path';
import baseConfig from '@jupyterlab/galata/lib/playwright-config.js';
import { findBrowser } from '../../scripts/browser.mjs';
import { jupyterVariables, venvProgram } from '../../scripts/python.mjs';
import { root } from '../../scripts/sidecar.mjs';

const venv = join(root, '.venv');

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

// The workers read this file again and inherit the variable.
process.env.TARGET_URL ??= `http://127.0.0.1:${await freePort()}`;
const url = process.env.TARGET_URL;

export default {
  ...baseConfig,
  testDir: '.',
  outputDir: join(root, 'test-results', 'browser'),
  reporter: [
    ['list'],
    ['json', { outputFile: join(root, 'test-results', 'reports', 'browser.json') }]
  ],
  forbidOnly: true,
  // A test that passes only when repeated is counted, and said to be so.
  retries: process.env.CI ? 1 : 0,
  workers: 1,
  timeout: 120_000,
  expect: { timeout: 20_000 },
  use: {
    ...baseConfig.use,
    baseURL: url,
    viewport: { width: 1280, height: 900 },
    video: 'off',
    trace: 'retain-on-failure',
    launchOptions: {
      executablePath: findBrowser(),
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        '--no-first-run'
      ]
    }
  },
  webServer: {
    command: [
      `"${venvProgram(venv, 'jupyter-lab')}"`,
      '--config=test/browser/jupyter_server_test_config.py',
      `--port=${new URL(url).port}`,
      process.getuid?.() === 0 ? '--allow-root' : '',
      '> test-results/jupyterlab.log 2>&1'
    ].join(' '),
    cwd: root,
    env: jupyterVariables(venv, join(root, 'test-results', 'home')),
    url: `${url}/lab`,
    timeout: 120_000,
    reuseExistingServer: false
  }
};
