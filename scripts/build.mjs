// Builds everything: the panel's modules, the sidecar's bundles, the JupyterLab extension.
import { npm, run } from './process.mjs';
import { hashBuildInputs, recordBuild } from './prepare.mjs';

// Taken before the build: a source that changes meanwhile makes the next build necessary.
const inputs = hashBuildInputs();
for (const part of ['build:lib', 'build:sidecar', 'build:labextension']) {
  const code = await run(...npm(['run', '--silent', part]));
  if (code !== 0) {
    process.exit(code);
  }
}
recordBuild(inputs);
