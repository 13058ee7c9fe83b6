/**
 * Several variants of one model against each other.
 *
 * @packageDocumentation
 */
import { CastlensError } from '../model';
import { ratioOfMedians, spreadOf, verdictOf } from '../numerics';
import type { ICompareResult, IFinding, IVariant, IVariantResult, Params } from '../protocol';
import { DEFAULT_RUNS, DEFAULT_WARMUP } from '../protocol';
import type { IExecutedCasts, IJob } from '../runtime';
import { breathe, describeMachine, peakRssBytes, timeInterleaved } from '../runtime';
import { executionFindings } from './executionfindings';
import type { IBoundInputs } from './inputs';
import { bindInputs, withChosenSizes } from './inputs';
import { measureFindings } from './measuredcost';
import type { LoadedModel } from './modelstore';
import type { INamedTensor } from './outputs';
import { bitIdentical, maxRelativeDifference } from './outputs';
import type { ILease } from './pool';
import type { VariantSession, VariantSessions } from './sessions';
import { planFindings } from './variant';

/** A variant that was loaded and ran. */
interface ICandidate {
  readonly variant: IVariant;
  readonly lease: ILease<VariantSession>;
  readonly session: VariantSession;
  readonly outputs: readonly INamedTensor[];
  readonly executed: IExecutedCasts;
  /** What was found before it ran. */
  readonly findings: readonly IFinding[];
  readonly peakRssBytes: number;
}

/**
 * Load every variant, run it once, count its casts in a profile, compare its outputs with those of `off`, then time all of them
 * interleaved.
 *
 * #### Notes
 * A variant that cannot be run is reported with its reason and does not stop the others. Cancellation stops all.
 *
 * @throws CastlensError where no variant at all can be run, the inputs do not fit, or a file of the model changed meanwhile.
 */
export async function compareVariants(
  loaded: LoadedModel,
  sessions: VariantSessions,
  params: Params<'compare'>,
  job: IJob
): Promise<ICompareResult> {
  const { variants, runs = DEFAULT_RUNS, warmup = DEFAULT_WARMUP } = params;
  const inputs = await bindInputs(loaded.model, params.inputs ?? {});
  const candidates: ICandidate[] = [];
  const failed: { variant: IVariant; message: string }[] = [];
  let firstError: unknown = null;
  try {
    for (const [i, variant] of variants.entries()) {
      job.progress?.({ text: `Loading ${variant.cache}`, fraction: i / variants.length / 2 });
      await breathe(job);
      try {
        candidates.push(await tryOut(loaded, sessions, variant, inputs, job));
      } catch (error) {
        if (
          !(error instanceof CastlensError) ||
          error.code === 'cancelled' ||
          error.code === 'file-changed' ||
          error.code === 'device-lost'
        ) {
          throw error;
        }
        firstError ??= error;
        failed.push({ variant, message: error.message });
      }
    }
    if (candidates.length === 0) {
      throw firstError;
    }
    const samples = await timeInterleaved(
      candidates.map(({ variant, session }) => ({
        name: variant.cache,
        run: session.prepareRun(inputs.tensors)
      })),
      {
        runs,
        warmup,
        signal: job.signal,
        // Weights are mapped: a file that becomes shorter under the runtime would take the process along.
        check: () => loaded.checkFiles(),
        progress: progress =>
          job.progress?.({ ...progress, fraction: 0.5 + (progress.fraction ?? 0) / 2 })
      }
    );
    await loaded.checkFiles();
    const baseline = Math.max(
      0,
      candidates.findIndex(({ variant }) => variant.cache === 'off')
    );
    const results = candidates.map((candidate, i) =>
      variantResult(candidate, samples[i], candidates[baseline], samples[baseline])
    );
    return {
      file: params.path,
      version: loaded.version,
      device: variants[0].device,
      machine: describeMachine(),
      runtime: candidates[0].session.describe(),
      runs,
      warmup,
      inputs: inputs.label,
      variants: results,
      findings: measureFindings(loaded.census(params.path).findings, results),
      failed
    };
  } finally {
    for (const { lease } of candidates) {
      await lease.release();
    }
  }
}

async function tryOut(
  loaded: LoadedModel,
  sessions: VariantSessions,
  variant: IVariant,
  inputs: IBoundInputs,
  job: IJob
): Promise<ICandidate> {
  const lease = await sessions.take(loaded, variant, job);
  const session = lease.item;
  try {
    await breathe(job);
    const outputs = await session.run(inputs.tensors).catch((error: unknown) => {
      throw withChosenSizes(error, inputs);
    });
    await breathe(job);
    const executed = await session.executedCasts(inputs.tensors);
    const findings = [...planFindings(loaded, variant), ...session.findings];
    return { variant, lease, session, outputs, executed, findings, peakRssBytes: peakRssBytes() };
  } catch (error) {
    await lease.release();
    throw error;
  }
}

function variantResult(
  candidate: ICandidate,
  samplesMs: readonly number[],
  baseline: ICandidate,
  baselineMs: readonly number[]
): IVariantResult {
  const { variant, lease, session, outputs, executed, findings } = candidate;
  const { forward } = session.prepared;
  const { low, median, high } = spreadOf(samplesMs);
  const hasOff = baseline.variant.cache === 'off';
  const ratio = ratioOfMedians(samplesMs, baselineMs);
  return {
    cache: variant.cache,
    passes: variant.passes,
    device: variant.device,
    ...(variant.regions === undefined ? {} : { regions: variant.regions }),
    runtime: session.describe(),
    medianMs: median,
    lowMs: low,
    highMs: high,
    samplesMs,
    runs: samplesMs.length,
    ratioToOff: hasOff ? ratio.ratio : null,
    ratioLow: hasOff ? ratio.low : null,
    ratioHigh: hasOff ? ratio.high : null,
    verdict: hasOff && candidate !== baseline ? verdictOf(ratio) : null,
    plannedWeightCasts: forward.weightCasts,
    plannedBytesMoved: forward.bytesMoved,
    executedWeightCasts: executed.total,
    loadMs: session.loadMs,
    reused: lease.reused,
    memory: session.memory,
    weightBytes: session.weightBytes,
    peakRssBytes: candidate.peakRssBytes,
    bitIdenticalToOff: hasOff ? bitIdentical(baseline.outputs, outputs) : null,
    maxRelativeDifferenceToOff: hasOff ? maxRelativeDifference(baseline.outputs, outputs) : null,
    passReports: session.prepared.passes,
    findings: [...findings, ...executionFindings(session.prepared, executed)]
  };
}
