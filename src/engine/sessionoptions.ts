/**
 * How the runtime is asked to run a variant.
 *
 * @packageDocumentation
 */
import type { IVariant } from '../protocol';
import type { RuntimeSession } from '../runtime';
import { parseDevice } from '../runtime';

/** Options of the session that a variant's graph is loaded into. */
export function sessionOptions(variant: IVariant): RuntimeSession.IOptions {
  return {
    device: parseDevice(variant.device),
    ...(variant.threads === undefined ? {} : { threads: variant.threads }),
    level: variant.cache === 'onnxruntime' ? 'default' : 'planned'
  };
}
