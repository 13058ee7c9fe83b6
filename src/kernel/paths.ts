/**
 * Paths in requests.
 *
 * @packageDocumentation
 */
import { resolve } from 'node:path';
import type { JsonObject } from './message';
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
  const made = resolveOwn(params, cwd);
  return isJsonObject(made.inputs) ? { ...made, inputs: resolveOwn(made.inputs, cwd) } : made;
}

/** The paths of an object, not of what is in it. Empty ones are the engine's to refuse. */
function resolveOwn(params: JsonObject, cwd: string): Record<string, unknown> {
  const made: Record<string, unknown> = { ...params };
  for (const key of PATHS) {
    const named = made[key];
    if (typeof named === 'string' && named !== '') {
      made[key] = resolve(cwd, named);
    }
  }
  return made;
}
