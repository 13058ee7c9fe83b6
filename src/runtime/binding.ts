/**
 * onnxruntime, loaded when first needed: reading a model and counting its casts must work where its native library does not.
 *
 * @packageDocumentation
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import type * as ort from 'onnxruntime-node';

import { CastlensError } from '../model';

/** The module `onnxruntime-node`. */
export type Ort = typeof ort;

let loading: Promise<Ort> | null = null;

/**
 * The module.
 *
 * @throws CastlensError where the native library cannot be loaded on this machine.
 */
export function loadOrt(): Promise<Ort> {
  loading ??= initialize().catch((cause: unknown) => {
    loading = null;
    throw new CastlensError('runtime', 'onnxruntime cannot be loaded', {
      found: String((cause as Error | undefined)?.message ?? cause),
      hint: 'Install the packages again with npm ci; onnxruntime-node needs glibc 2.28 or later on Linux',
      cause
    });
  });
  return loading;
}

/**
 * Load the library and make a session of the smallest model there is: what onnxruntime sets up once per process is then not
 * counted as the load time of the first model.
 */
async function initialize(): Promise<Ort> {
  // Official builds report models and sessions to their maker, by way of a database below ~/.cache that another thread writes to
  // while models are timed. The library reads this when it is loaded; whoever has set it is obeyed.
  process.env.ORT_DISABLE_TELEMETRY ??= '1';
  const loaded = await import('onnxruntime-node');
  // Failures are thrown with their text; onnxruntime need not print them too.
  loaded.env.logLevel = 'fatal';
  const session = await loaded.InferenceSession.create(Buffer.from(IDENTITY_MODEL, 'base64'));
  await session.release();
  return loaded;
}

/** An ONNX model of one Identity node: IR version 8, opset 13, `y[1] = x[1]` in float32. */
const IDENTITY_MODEL =
  'CAg6NwoQCgF4EgF5IghJZGVudGl0eRIBZ1oPCgF4EgoKCAgBEgQKAggBYg8KAXkSCgoICAESBAoCCAFCBAoAEA0=';

/** `1.30.0`. */
export function ortVersion(loaded: Ort): string {
  return loaded.env.versions.node ?? loaded.env.versions.common;
}

/** Version of the package `onnxruntime-node`, without loading it: `unknown` where it is not installed. */
export function ortPackageVersion(): string {
  try {
    const path = require.resolve('onnxruntime-node/package.json');
    return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
  } catch {
    return 'unknown';
  }
}

/** Folder of the native libraries of `onnxruntime-node`, or null where the package or its build for this machine is missing. */
export function ortLibraryFolder(): string | null {
  try {
    const root = dirname(require.resolve('onnxruntime-node/package.json'));
    const folder = join(root, 'bin', 'napi-v6', process.platform, process.arch);
    return existsSync(folder) ? folder : null;
  } catch {
    // The package is not installed.
    return null;
  }
}
