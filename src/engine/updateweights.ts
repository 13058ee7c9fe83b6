/**
 * Loading a variant with other weights.
 *
 * @packageDocumentation
 */
import type { IWeightUpdateResult, Params } from '../protocol';
import type { IJob } from '../runtime';
import type { ModelStore } from './modelstore';
import type { VariantSessions } from './sessions';

/**
 * Check the weights of another file and load a variant with them.
 *
 * #### Notes
 * The swap is atomic because nothing is swapped here: a model with other weights is another model, whose casts are taken from
 * those of the first where the bytes are the same. Runs in flight hold the session of the weights they started with, and
 * whoever asked goes over to the new weights by naming the file in the next request, which only happens when this succeeded.
 *
 * @throws CastlensError where the weights do not fit, or the runtime refuses the variant.
 */
export async function updateWeights(
  store: ModelStore,
  sessions: VariantSessions,
  params: Params<'updateWeights'>,
  job: IJob
): Promise<IWeightUpdateResult> {
  const { path, program, weights, variant } = params;
  const loaded = await store.load({ path, program, weights }, job);
  const lease = await sessions.take(loaded, variant, job);
  try {
    const session = lease.item;
    const { changed, unchangedCount } = loaded.update!;
    const { done, taken, ms } = session.conversions;
    return {
      weights,
      changed,
      unchangedCount,
      variant,
      castsDone: lease.reused ? 0 : done,
      castsKept: lease.reused ? done + taken : taken,
      castMs: lease.reused ? 0 : ms,
      loadMs: session.loadMs
    };
  } finally {
    await lease.release();
  }
}
