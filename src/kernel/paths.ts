/**
 * Paths in requests.
 *
 * @packageDocumentation
 */
import { resolve } from 'node:path';
import { isRequestName, mapPaths } from '../protocol';

/**
 * Parameters with every path made absolute.
 *
 * #### Notes
 * The engine's working directory is not the user's to know; relative paths start from the kernel's. Parameters of a request that
 * does not exist are for the engine to refuse and stay as they are.
 */
export function resolvePaths(method: string, params: unknown, cwd: string): unknown {
  return isRequestName(method) ? mapPaths(method, params, path => resolve(cwd, path)) : params;
}
