/**
 * A variant that onnxruntime runs, in a comparison.
 *
 * @packageDocumentation
 */
import type { IVariant } from '../protocol';
import type { IJob } from '../runtime';
import { breathe, peakRssBytes } from '../runtime';
import type { IContender } from './contender';
import { executionFindings } from './executionfindings';
import type { IBoundInputs } from './inputs';
import { withChosenSizes } from './inputs';
import type { LoadedModel } from './modelstore';
import type { VariantSessions } from './sessions';
import { planFindings } from './variant';

/** Load a variant, run it once and count its casts in a profile. */
export async function prepareOrtVariant(
  loaded: LoadedModel,
  sessions: VariantSessions,
  variant: IVariant,
  inputs: IBoundInputs,
  job: IJob
): Promise<IContender> {
  const lease = await sessions.take(loaded, variant, job);
  const session = lease.item;
  try {
    await breathe(job);
    const outputs = await session.run(inputs.tensors).catch((error: unknown) => {
      throw withChosenSizes(error, inputs);
    });
    await breathe(job);
    const executed = await session.executedCasts(inputs.tensors);
    const before = [...planFindings(loaded, variant), ...session.findings];
    const peak = peakRssBytes();
    const { forward } = session.prepared;
    return {
      variant,
      outputs,
      process: 'engine',
      run: session.prepareRun(inputs.tensors),
      release: () => lease.release(),
      describe: () => ({
        ...variant,
        runtime: session.describe(),
        plannedWeightCasts: forward.weightCasts,
        plannedBytesMoved: forward.bytesMoved,
        executedWeightCasts: executed.total,
        executedBy: 'counted in the profile of the runtime',
        loadMs: session.loadMs,
        reused: lease.reused,
        memory: session.memory,
        weightBytes: session.weightBytes,
        peakRssBytes: peak,
        passReports: session.prepared.passes,
        findings: [...before, ...executionFindings(session.prepared, executed)]
      })
    };
  } catch (error) {
    await lease.release();
    throw error;
  }
}
