/**
 * Paths in requests.
 *
 * @packageDocumentation
 */
import { resolve } from 'node:path';
import { isJsonObject } from './message';

/** Names of parameters that are paths, of requests and of their `inputs`. */
const PATHS = ['path', 'weights', 'inputsFile', 'outputsFile', 'outputFile', 'output', 'codeFile'];

/**
 * Parameters with every path made absolute.
 *
 * #### Notes
 * The engine's working directory is not the user's to know; relative paths start from the kernel's.
 */
export function resolvePaths(params: unknown, cwd: string): unknown {
  if (!isJsonObject(params)) {
    return params;
  }
  const made: Record<string, unknown> = { ...params };
  for (const key of PATHS) {
    if (typeof made[key] === 'string') {
      made[key] = resolve(cwd, made[key]);
    }
  }
  if (isJsonObject(made.inputs)) {
    made.inputs = resolvePaths(made.inputs, cwd);
  }
  return made;
}
