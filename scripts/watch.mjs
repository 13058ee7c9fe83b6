// Rebuilds whatever changes: the panel's modules, the sidecar's bundles, the JupyterLab extension. Ctrl-C ends it.
import { spawn } from 'node:child_process';
import { npm, say } from './process.mjs';
import { root } from './sidecar.mjs';

const parts = [
  ['run', '--silent', 'build:lib', '--', '--watch', '--preserveWatchOutput'],
  ['run', '--silent', 'build:sidecar', '--', '--watch'],
  ['run', '--silent', 'build:labextension:dev', '--', '--watch']
];
const children = parts.map(args => {
  const [command, rest] = npm(args);
  return spawn(command, rest, { cwd: root, stdio: ['pipe', 'inherit', 'inherit'] });
});

const stop = () => children.forEach(child => child.kill());
process.on('SIGINT', stop);
process.on('SIGTERM', stop);
for (const child of children) {
  child.on('exit', code => {
    if (code) {
      say(`a watcher ended with exit code ${code}`);
    }
    stop();
  });
}
