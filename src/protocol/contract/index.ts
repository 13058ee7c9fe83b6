/**
 * The contract: what can be asked for, with which parameters, and what is answered.
 *
 * The same requests are made over the comm (panel to kernel), the process channel (kernel to engine) and by the command line.
 * Requests name their model by path: the engine keeps what it has read, and reads again when the file has changed, so a restarted
 * engine answers the next request without being told anything.
 *
 * @packageDocumentation
 */
import type { Of } from './schema';
import { CENSUS } from './requests/census';
import { CODE } from './requests/code';
import { COMPARE, LAST_COMPARE } from './requests/compare';
import { DEVICES } from './requests/devices';
import { EXPLAIN } from './requests/explain';
import { FIX } from './requests/fix';
import { OPEN } from './requests/open';
import { PACKAGE } from './requests/package';
import { PLAN } from './requests/plan';
import { PYTHONS } from './requests/pythons';
import { RUN } from './requests/run';
import { ACTIVATION_STATS, WEIGHT_STATS } from './requests/stats';
import { UPDATE_WEIGHTS } from './requests/weights';

/** Every request by its name. */
export const CONTRACT = {
  open: OPEN,
  census: CENSUS,
  plan: PLAN,
  run: RUN,
  compare: COMPARE,
  updateWeights: UPDATE_WEIGHTS,
  weightStats: WEIGHT_STATS,
  activationStats: ACTIVATION_STATS,
  fix: FIX,
  code: CODE,
  explain: EXPLAIN,
  devices: DEVICES,
  pythons: PYTHONS,
  package: PACKAGE,
  lastCompare: LAST_COMPARE
} as const;

/** Name of a request. */
export type RequestName = keyof typeof CONTRACT;

/** Parameters of request `K`. */
export type Params<K extends RequestName> = Of<(typeof CONTRACT)[K]['params']>;

/** Result of request `K`. */
export type Result<K extends RequestName> = Of<(typeof CONTRACT)[K]['result']>;

/** Whether a request has this name. */
export function isRequestName(value: unknown): value is RequestName {
  return typeof value === 'string' && Object.hasOwn(CONTRACT, value);
}
