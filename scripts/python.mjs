// Private Python environments, and the extension inside of them.
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createHash } from 'node:crypto';
import { capture, Failure, runQuietly, say, windows } from './process.mjs';
import { root } from './sidecar.mjs';

const oldestPython = [3, 10];

/** The path of a program of a virtual environment. */
export function venvProgram(venv, name) {
  return windows ? join(venv, 'Scripts', `${name}.exe`) : join(venv, 'bin', name);
}

/** The command of a Python that is recent enough. */
async function findPython() {
  const candidates = [
    process.env.PYTHON,
    'python3',
    'python',
    'python3.13',
    'python3.12',
    'python3.11'
  ];
  let found = '';
  for (const command of candidates.filter(Boolean)) {
    const { code, output } = await capture(command, [
      '-c',
      'import sys; print(*sys.version_info[:2])'
    ]);
    if (code !== 0) {
      continue;
    }
    const [major, minor] = output.trim().split(' ').map(Number);
    if (major > oldestPython[0] || (major === oldestPython[0] && minor >= oldestPython[1])) {
      return command;
    }
    found = `; ${command} is ${major}.${minor}`;
  }
  throw new Failure(`Python ${oldestPython.join('.')} or later is needed${found}`);
}

/** The files, what they ask for as a hash, and the file that tells which hash an environment holds. */
function requirementsOf(venv, requirementFiles) {
  const files = requirementFiles.map(file => join(root, 'requirements', file));
  return {
    files,
    hash: createHash('sha256').update(files.map(readRequirements).join('\0')).digest('hex'),
    stamp: join(venv, `castlens-${requirementFiles.join('-')}.sha256`)
  };
}

/** Whether the environment `name` holds what the requirement files ask for. */
export function hasVenv(name, requirementFiles) {
  const { hash, stamp } = requirementsOf(join(root, name), requirementFiles);
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === hash;
}

/**
 * Makes the environment `name` hold what the requirement files ask for and returns its folder. Does nothing when it did
 * so before with the same files.
 */
export async function ensureVenv(name, requirementFiles, { timeoutMs = 0 } = {}) {
  const venv = join(root, name);
  const { files, hash, stamp } = requirementsOf(venv, requirementFiles);
  if (hasVenv(name, requirementFiles)) {
    return venv;
  }

  const python = venvProgram(venv, 'python');
  if ((await capture(python, ['-m', 'pip', '--version'])).code !== 0) {
    say(`making the Python environment ${name}`);
    rmSync(venv, { recursive: true, force: true });
    const system = await findPython();
    const { code, output } = await capture(system, ['-m', 'venv', venv]);
    if (code !== 0) {
      rmSync(venv, { recursive: true, force: true });
      throw new Failure(
        /ensurepip|No module named venv/.test(output)
          ? `${system} has no venv module: install it (Debian and Ubuntu: apt-get install python3-venv) and start again`
          : `${system} -m venv failed:\n${output.trim()}`
      );
    }
  }
  say(`installing ${requirementFiles.join(' and ')} into ${name} (pip)`);
  await runQuietly(
    'pip install',
    python,
    [
      '-m',
      'pip',
      'install',
      '--quiet',
      '--disable-pip-version-check',
      ...files.flatMap(file => ['-r', file])
    ],
    { timeoutMs }
  );
  writeFileSync(stamp, hash);
  return venv;
}

/** The text of a requirement file and of those it includes. */
function readRequirements(file) {
  const text = readFileSync(file, 'utf8');
  const included = [...text.matchAll(/^-r (.+)$/gm)].map(([, name]) =>
    readRequirements(join(file, '..', name))
  );
  return [text, ...included].join('\n');
}

/** Makes the environment's JupyterLab use the checkout's extension and kernel. */
export function installExtension(venv) {
  const jupyter = join(venv, 'share', 'jupyter');
  const extension = join(jupyter, 'labextensions', 'castlens');
  rmSync(extension, { recursive: true, force: true });
  mkdirSync(join(extension, '..'), { recursive: true });
  symlinkSync(join(root, 'castlens', 'labextension'), extension, 'junction');

  const kernel = join(jupyter, 'kernels', 'castlens');
  mkdirSync(kernel, { recursive: true });
  const spec = JSON.parse(readFileSync(join(root, 'kernelspec', 'kernel.json'), 'utf8'));
  spec.argv = [process.execPath, join(root, 'dist', 'sidecar', 'kernel.js'), '{connection_file}'];
  writeFileSync(join(kernel, 'kernel.json'), JSON.stringify(spec, null, 2));
  writeFileSync(
    join(kernel, 'logo-svg.svg'),
    readFileSync(join(root, 'kernelspec', 'logo-svg.svg'))
  );

  // A private environment has no use for news and update notices.
  const settings = join(jupyter, 'lab', 'settings');
  mkdirSync(settings, { recursive: true });
  writeFileSync(
    join(settings, 'overrides.json'),
    JSON.stringify({
      '@jupyterlab/apputils-extension:notification': { fetchNews: 'false', checkForUpdates: false }
    })
  );
}

/**
 * The variables under which the environment's Jupyter neither reads nor writes anything of the user's own Jupyter:
 * configuration, kernels, settings, workspaces, history.
 */
export function jupyterVariables(venv, home = join(venv, 'home')) {
  const env = { ...process.env };
  for (const name of Object.keys(env)) {
    if (/^(JUPYTER|IPYTHON|JPY_)|^PYTHON(PATH|HOME|STARTUP)$/.test(name)) {
      delete env[name];
    }
  }
  mkdirSync(home, { recursive: true });
  return {
    ...env,
    IPYTHONDIR: join(home, 'ipython'),
    JUPYTERLAB_SETTINGS_DIR: join(home, 'settings'),
    JUPYTERLAB_WORKSPACES_DIR: join(home, 'workspaces'),
    JUPYTER_CONFIG_DIR: join(home, 'config'),
    JUPYTER_DATA_DIR: join(home, 'data'),
    JUPYTER_PREFER_ENV_PATH: '1',
    JUPYTER_RUNTIME_DIR: join(home, 'runtime'),
    PATH: `${join(venvProgram(venv, 'python'), '..')}${windows ? ';' : ':'}${env.PATH}`,
    VIRTUAL_ENV: venv
  };
}
