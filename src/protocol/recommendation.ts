/**
 * What a comparison says one should do.
 *
 * @packageDocumentation
 */
import type { IVariantResult } from './contract/requests/compare';
import type { RuntimeName } from './contract/words';
import { REFERENCES, RUNTIMES } from './contract/words';
import { formatRatio } from './figures';
import type { RuntimeMode } from './runtimes';
import { isOff, modeOf, RUNTIME_LABELS, runtimeOf } from './runtimes';

/** A recommendation, for one runtime. */
export interface IRecommendation {
  /** `act` where a mode is faster, `keep` where none is, `unmeasured` where the comparison does not say. */
  readonly kind: 'act' | 'keep' | 'unmeasured';
  readonly text: string;
  /** The variant that is recommended. */
  readonly variant: IVariantResult | null;
}

/** What a comparison says of each runtime in which `off` and another mode were compared, a text per runtime. */
export function recommendations(results: readonly IVariantResult[]): string[] {
  return RUNTIMES.map(runtime => recommend(results, runtime)).flatMap(({ kind, text }) =>
    kind === 'unmeasured' ? [] : [text]
  );
}

/**
 * Draw a recommendation from the figures of one runtime alone: what another one measures does not transfer.
 *
 * #### Notes
 * Recommended is the mode with the smallest ratio to `off` among those whose 95 % interval lies below 1. Of modes whose interval overlaps
 * its own, one with the outputs of the reference to the last bit comes first.
 */
export function recommend(
  results: readonly IVariantResult[],
  runtime: RuntimeName
): IRecommendation {
  const label = RUNTIME_LABELS[runtime];
  const own = results.filter(result => runtimeOf(result) === runtime);
  const off = own.find(isOff);
  const others = own.filter(result => result !== off && !isReference(result));
  if (off === undefined || others.length === 0) {
    const text = `${label}, which you deploy with, was not compared: what other runtimes measure does not transfer to it.`;
    return { kind: 'unmeasured', text, variant: null };
  }
  if (off.executedWeightCasts === 0) {
    const text = `${label} casts no weight on a forward: there is nothing to save.`;
    return { kind: 'keep', text, variant: null };
  }
  const best = choose(others.filter(({ verdict }) => verdict === 'faster'));
  if (best === null) {
    const isUnknown = others.every(({ verdict }) => verdict === 'unknown');
    return {
      kind: isUnknown ? 'unmeasured' : 'keep',
      text: isUnknown
        ? `Too few forwards were timed in ${label} to say which mode is faster.`
        : `In ${label} no mode is faster than off beyond the noise: leave it as it is.`,
      variant: null
    };
  }
  const { ratioToOff, ratioLow, ratioHigh } = best;
  const figures =
    ratioLow === null || ratioHigh === null
      ? formatRatio(ratioToOff ?? 1)
      : `${formatRatio(ratioToOff ?? 1)} (${bare(ratioLow)}–${bare(ratioHigh)})`;
  const text = [
    `In ${label}, ${modeOf(best)} takes ${figures} of the time of off.`,
    bitsOf(best),
    REMEDIES[runtime][modeOf(best)] ?? ''
  ];
  return { kind: 'act', text: text.filter(Boolean).join(' '), variant: best };
}

function choose(faster: readonly IVariantResult[]): IVariantResult | null {
  const sorted = [...faster].sort((a, b) => (a.ratioToOff ?? 1) - (b.ratioToOff ?? 1));
  if (sorted.length === 0) {
    return null;
  }
  const limit = sorted[0].ratioHigh ?? sorted[0].ratioToOff ?? 1;
  const close = sorted.filter(({ ratioLow }) => ratioLow !== null && ratioLow <= limit);
  return close.find(({ bitIdenticalToOff }) => bitIdenticalToOff === true) ?? sorted[0];
}

function bitsOf({ bitIdenticalToOff, maxRelativeDifferenceToOff }: IVariantResult): string {
  if (bitIdenticalToOff === null) {
    return '';
  }
  return bitIdenticalToOff
    ? 'Outputs are the same to the last bit.'
    : `Outputs differ by ${(maxRelativeDifferenceToOff ?? NaN).toExponential(1)} of the largest.`;
}

function bare(ratio: number): string {
  return formatRatio(ratio).replace('×', '');
}

function isReference({ cache, repaired }: IVariantResult): boolean {
  return repaired !== true && REFERENCES.some(name => name === cache);
}

/** How one gets a mode. */
const REMEDIES: Readonly<Record<RuntimeName, Partial<Record<RuntimeMode, string>>>> = {
  onnxruntime: {
    folded: 'Save the repaired model, or let the runtime fold constants when it loads the model.',
    frozen: 'Save the repaired model.'
  },
  eager: {
    autocast: 'Set cache_enabled of the autocast regions: castlens code --strategy export-pass.',
    repaired: 'Save the repaired model.'
  },
  aotinductor: {
    folded: 'Compile with aot_inductor.use_runtime_constant_folding: weights can still be updated.',
    frozen: 'Compile with freezing under torch.no_grad: weights cannot be updated afterwards.',
    repaired: 'Save the repaired model and compile that one.'
  },
  compile: {
    frozen: 'Call torch.compile with freezing under torch.no_grad.',
    repaired: 'Save the repaired model and compile that one.'
  }
};
