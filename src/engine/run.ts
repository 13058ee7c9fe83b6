/**
 * One forward of one variant.
 *
 * @packageDocumentation
 */
import { invalidTypesFinding } from '../autocast';
import { writeSafetensors } from '../formats';
import { bytesOf } from '../numerics';
import type { Params, IRunResult } from '../protocol';
import type { IJob } from '../runtime';
import { breathe } from '../runtime';
import { executionFindings, outputsNotShown } from './executionfindings';
import { bindInputs, withChosenSizes } from './inputs';
import type { LoadedModel } from './modelstore';
import { summarise } from './outputs';
import { outputTarget } from './outputtarget';
import type { VariantSessions } from './sessions';
import { planFindings } from './variant';

/**
 * Run a variant once, after loading it, and count the casts that ran.
 *
 * #### Notes
 * The forward that is timed is not the one that is profiled: profiling costs time.
 *
 * @throws CastlensError where the model has operators that cannot be lowered, or the runtime refuses it.
 */
export async function runVariant(
  loaded: LoadedModel,
  sessions: VariantSessions,
  params: Params<'run'>,
  job: IJob
): Promise<IRunResult> {
  const { variant, inputs: wanted = {}, outputsFile } = params;
  const { inputsFile } = wanted;
  const target =
    outputsFile === undefined
      ? null
      : await outputTarget(loaded.model, outputsFile, inputsFile === undefined ? [] : [inputsFile]);
  const inputs = await bindInputs(loaded.model, wanted);
  job.progress?.({ text: `Loading ${variant.cache}` });
  await breathe(job);
  const lease = await sessions.take(loaded, variant, job);
  const session = lease.item;
  try {
    job.progress?.({ text: `Running ${variant.cache}` });
    await breathe(job);
    const start = performance.now();
    const outputs = await session.run(inputs.tensors).catch((error: unknown) => {
      throw withChosenSizes(error, inputs);
    });
    const latencyMs = performance.now() - start;
    await breathe(job);
    const executed = await session.executedCasts(inputs.tensors);
    await loaded.checkFiles();
    if (target !== null) {
      await writeSafetensors(
        target,
        outputs.map(({ tensor }, i) => ({
          name: `output_${i}`,
          dtype: tensor.dtype,
          shape: tensor.shape,
          data: bytesOf(tensor.data)
        }))
      );
    }
    return {
      variant,
      inputs: inputs.label,
      runtime: session.describe(),
      latencyMs,
      loadMs: session.loadMs,
      reused: lease.reused,
      planned: session.prepared.forward,
      executedWeightCasts: executed.total,
      passReports: session.prepared.passes,
      outputs: outputs.map(summarise),
      ...(outputsFile === undefined ? {} : { outputsFile }),
      findings: [
        ...invalidTypesFinding(loaded.typeErrors),
        ...planFindings(loaded, variant),
        ...session.findings,
        ...outputsNotShown(
          loaded.model.outputs.filter(({ value }) => value !== null),
          session.prepared.legal
        ),
        ...executionFindings(session.prepared, executed)
      ]
    };
  } finally {
    await lease.release();
  }
}
