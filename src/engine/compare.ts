/**
 * Several variants of one model against each other.
 *
 * @packageDocumentation
 */
import { CastlensError } from '../model';
import { ratioOfMedians, spreadOf, verdictOf } from '../numerics';
import type { ICompareResult, IVariant, IVariantResult, Params } from '../protocol';
import { DEFAULT_RUNS, DEFAULT_WARMUP, shareOf, isOff, modeOf, runtimeOf } from '../protocol';
import type { IJob } from '../runtime';
import { breathe, describeMachine, timeInterleaved } from '../runtime';
import { isTorchVariant } from './checkvariant';
import type { IContender } from './contender';
import { bindInputs } from './inputs';
import { measureFindings } from './measuredcost';
import type { LoadedModel } from './modelstore';
import { prepareOrtVariant } from './ortcontender';
import { bitIdentical, maxRelativeDifference } from './outputs';
import type { VariantSessions } from './sessions';
import { TorchContenders } from './torchcontenders';
import type { TorchHost } from './torchhost';

/** What a comparison is made with. */
export interface ICompareMeans {
  readonly sessions: VariantSessions;
  readonly torch: TorchHost;
  /** Write the repaired model to this path. */
  readonly repair: (path: string, job: IJob) => Promise<void>;
}

/**
 * Load every variant, run it once, count its casts, compare its outputs with those of `off`, then time all of them interleaved,
 * runtimes of different processes too.
 *
 * #### Notes
 * A variant that cannot be run is reported with its reason and does not stop the others. Cancellation stops all.
 *
 * @throws CastlensError where no variant at all can be run, the inputs do not fit, a file of the model changed meanwhile, or PyTorch is
 * asked for without trust.
 */
export async function compareVariants(
  loaded: LoadedModel,
  { sessions, torch, repair }: ICompareMeans,
  params: Params<'compare'>,
  job: IJob
): Promise<ICompareResult> {
  const { variants, runs = DEFAULT_RUNS, warmup = DEFAULT_WARMUP } = params;
  const inputs = await bindInputs(loaded.model, params.inputs ?? {});
  const ofTorch = new TorchContenders(torch, loaded, params, inputs, repair);
  const contenders: IContender[] = [];
  const failed: ICompareResult['failed'][number][] = [];
  let firstError: unknown = null;
  try {
    for (const [i, variant] of variants.entries()) {
      const share = (text: string): void =>
        job.progress?.({
          text,
          done: i,
          total: variants.length,
          fraction: i / variants.length / 2
        });
      share(`Loading ${nameOf(variant)}`);
      await breathe(job);
      const own: IJob = {
        signal: job.signal,
        progress: ({ text }) => share(`${nameOf(variant)}: ${text}`)
      };
      try {
        contenders.push(
          isTorchVariant(variant)
            ? await ofTorch.prepare(variant, own)
            : await prepareOrtVariant(loaded, sessions, variant, inputs, own)
        );
      } catch (error) {
        if (!(error instanceof CastlensError) || ENDS_ALL.has(error.code)) {
          throw error;
        }
        firstError ??= error;
        failed.push({ variant, message: error.message, error: error.info });
      }
    }
    if (contenders.length === 0) {
      throw firstError;
    }
    const samples = await timeInterleaved(
      contenders.map(contender => ({
        name: nameOf(contender.variant),
        process: contender.process,
        run: () => contender.run()
      })),
      {
        runs,
        warmup,
        signal: job.signal,
        // Weights are mapped: a file that becomes shorter under the runtime would take the process along.
        check: () => loaded.checkFiles(),
        progress: progress =>
          job.progress?.({ ...progress, fraction: 0.5 + (shareOf(progress) ?? 0) / 2 })
      }
    );
    await loaded.checkFiles();
    const results = new Comparison(contenders, samples);
    const described = contenders.map((_, i) => results.resultOf(i));
    return {
      file: params.path,
      version: loaded.version,
      device: variants[0].device,
      machine: describeMachine(),
      runtime: described[0].runtime,
      runs,
      warmup,
      inputs: inputs.label,
      outputsComparedWith: results.reference && runtimeOf(results.reference.variant),
      variants: described,
      findings: measureFindings(loaded.census(params.path).findings, described),
      failed
    };
  } finally {
    for (const contender of contenders) {
      await contender.release();
    }
    ofTorch.dispose();
  }
}

/** Errors that are not about one variant. */
const ENDS_ALL: ReadonlySet<string> = new Set([
  'cancelled',
  'file-changed',
  'device-lost',
  'untrusted',
  'internal'
]);

/** `off`, `aotinductor folded`, `eager repaired`. */
function nameOf(variant: IVariant): string {
  const mode = modeOf(variant);
  return isTorchVariant(variant) ? `${variant.runtimeName} ${mode}` : mode;
}

/** What follows from comparing contenders with each other. */
class Comparison {
  constructor(
    private readonly _contenders: readonly IContender[],
    private readonly _samples: readonly (readonly number[])[]
  ) {
    const offs = _contenders.filter(({ variant }) => isOff(variant));
    // PyTorch's own execution of the program says what is right.
    this.reference = offs.find(({ variant }) => variant.runtimeName === 'eager') ?? offs[0] ?? null;
  }

  /** Whose outputs the others are compared with. */
  readonly reference: IContender | null;

  resultOf(index: number): IVariantResult {
    const contender = this._contenders[index];
    const samplesMs = this._samples[index];
    const { low, median, high } = spreadOf(samplesMs);
    const baseline = this._contenders.findIndex(
      ({ variant }) => isOff(variant) && runtimeOf(variant) === runtimeOf(contender.variant)
    );
    const ratio = baseline < 0 ? null : ratioOfMedians(samplesMs, this._samples[baseline]);
    const { reference } = this;
    return {
      ...contender.describe(),
      medianMs: median,
      lowMs: low,
      highMs: high,
      samplesMs,
      runs: samplesMs.length,
      ratioToOff: ratio?.ratio ?? null,
      ratioLow: ratio?.low ?? null,
      ratioHigh: ratio?.high ?? null,
      verdict: ratio !== null && baseline !== index ? verdictOf(ratio) : null,
      bitIdenticalToOff: reference && bitIdentical(reference.outputs, contender.outputs),
      maxRelativeDifferenceToOff:
        reference && maxRelativeDifference(reference.outputs, contender.outputs)
    };
  }
}
