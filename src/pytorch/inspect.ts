/**
 * What a Python has that castlens needs.
 *
 * @packageDocumentation
 */
import { execFile } from 'node:child_process';

import type { IInterpreter } from './interpreters';
import { workerScript } from './script';

/** What was found in one Python. */
export interface IPythonEnvironment extends IInterpreter {
  /** Version of Python; null where it could not be started. */
  readonly python: string | null;
  readonly torch: string | null;
  /** Version of CUDA that PyTorch was built for; null for builds without. */
  readonly cuda: string | null;
  /** Names of the CUDA devices that PyTorch can use. */
  readonly devices: readonly string[];
  /** The C++ compiler that Inductor would use; null where there is none. */
  readonly compiler: string | null;
  /** What is missing, one sentence each. */
  readonly problems: readonly string[];
}

/** Importing PyTorch from a cold disk takes long. */
const TIME_LIMIT_MS = 120_000;

const MAX_OUTPUT_BYTES = 1 << 20;

/**
 * Start a Python and ask it. Never rejects: what goes wrong is a problem of that Python.
 */
export async function inspectPython(
  interpreter: IInterpreter,
  signal?: AbortSignal
): Promise<IPythonEnvironment> {
  try {
    const output = await askPython(interpreter.path, signal);
    const found = JSON.parse(output) as Omit<IPythonEnvironment, keyof IInterpreter>;
    const { python, torch, cuda, devices, compiler, problems } = found;
    return { ...interpreter, python, torch, cuda, devices, compiler, problems };
  } catch (error) {
    return {
      ...interpreter,
      python: null,
      torch: null,
      cuda: null,
      devices: [],
      compiler: null,
      problems: [`it cannot be started: ${firstLine(error)}`]
    };
  }
}

function askPython(path: string, signal?: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(
      path,
      [workerScript(), '--describe'],
      {
        env: process.env,
        timeout: TIME_LIMIT_MS,
        maxBuffer: MAX_OUTPUT_BYTES,
        signal,
        windowsHide: true
      },
      (error, stdout, stderr) => {
        if (error === null) {
          // Libraries may print while they are imported; the answer is the last line.
          resolve(stdout.trim().split('\n').at(-1) ?? '');
        } else {
          reject(new Error(stderr.trim().split('\n').at(-1) || error.message));
        }
      }
    );
  });
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0];
}
