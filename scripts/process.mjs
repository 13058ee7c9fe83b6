// Running programs and saying so.
import { spawn } from 'node:child_process';
import { root } from './sidecar.mjs';

export const windows = process.platform === 'win32';

/** A failure whose message is all that the reader needs. */
export class Failure extends Error {}

/** Prints one line about a step that takes a while. */
export function say(text) {
  console.log(`castlens: ${text}`);
}

/** Runs `main` and turns a `Failure` into its message and exit code 1. */
export async function runMain(main) {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof Failure)) {
      throw error;
    }
    console.error(`castlens: ${error.message}`);
    process.exitCode = 1;
  }
}

/** Runs a program with this terminal; resolves to its exit code, rejects when it cannot be started. */
export function run(
  command,
  args,
  { env = process.env, cwd = root, timeoutMs = 0, stdio = 'inherit' } = {}
) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio, timeout: timeoutMs });
    child.on('error', reject);
    child.on('close', (code, signal) => resolve(signal ? 1 : code));
  });
}

/** Runs a program without showing anything; resolves to its exit code and what it printed, never rejects. */
export function capture(command, args, { env = process.env, cwd = root, timeoutMs = 0 } = {}) {
  return new Promise(resolve => {
    let output = '';
    const child = spawn(command, args, {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: timeoutMs
    });
    child.stdout.on('data', data => (output += data));
    child.stderr.on('data', data => (output += data));
    child.on('error', error => resolve({ code: 127, output: error.message }));
    child.on('close', (code, signal) => resolve({ code: signal ? 1 : code, output }));
  });
}

/** Runs a program silently; throws a `Failure` with the end of its output when it fails. */
export async function runQuietly(what, command, args, options) {
  const { code, output } = await capture(command, args, options);
  if (code !== 0) {
    const end = output.trim().split('\n').slice(-20).join('\n');
    throw new Failure(`${what} failed (exit code ${code}):\n${end}`);
  }
  return output;
}

/** Runs npm with this Node, wherever npm lies. */
export function npm(args) {
  const cli = process.env.npm_execpath;
  return cli && /\.c?js$/.test(cli)
    ? [process.execPath, [cli, ...args]]
    : [windows ? 'npm.cmd' : 'npm', args];
}
