/**
 * What findings about a file cost in time, as far as a comparison says.
 *
 * @packageDocumentation
 */
import { differenceOfMedians, ratioOfMedians, verdictOf } from '../numerics';
import type { CacheMode, IFinding, IMeasuredTime, IVariantResult } from '../protocol';
import { isOff, runtimeOf } from '../protocol';

/**
 * The modes that lack what a finding is about and are as `off` in all else, by its code; the first that was compared counts.
 * Passes are left out: they rewrite casts of activations too. So are overridden regions: the findings are about the file.
 */
const REMEDIES: Readonly<Record<string, readonly CacheMode[]>> = {
  'weights-cast-every-forward': ['folded', 'frozen'],
  'cached-in-eager-only': ['autocast']
};

/**
 * The findings whose cost a comparison measured, with that cost: the medians of the model as exported (`off`, no passes) less
 * those of the variant that has the remedy and is the same in all else.
 *
 * @param findings - those of the file.
 * @param variants - timed in the same rounds.
 */
export function measureFindings(
  findings: readonly IFinding[],
  variants: readonly IVariantResult[]
): IFinding[] {
  return findings.flatMap(finding => {
    const time = measure(finding.code, variants);
    return time === null ? [] : [{ ...finding, cost: { ...finding.cost, time } }];
  });
}

function measure(code: string, variants: readonly IVariantResult[]): IMeasuredTime | null {
  const plain = variants.filter(
    ({ passes, regions, repaired }) =>
      passes.length === 0 && regions === undefined && repaired !== true
  );
  const pairs = plain
    .filter(isOff)
    .flatMap(exported => (REMEDIES[code] ?? []).map(mode => ({ exported, mode })));
  for (const { exported, mode } of pairs) {
    const other = plain.find(
      result =>
        result.cache === mode &&
        result.device === exported.device &&
        runtimeOf(result) === runtimeOf(exported)
    );
    if (other) {
      const { samplesMs, device, runs } = exported;
      const { difference, low, high } = differenceOfMedians(samplesMs, other.samplesMs);
      return {
        with: 'off',
        without: mode,
        differenceMs: difference,
        lowMs: low,
        highMs: high,
        verdict: verdictOf(ratioOfMedians(other.samplesMs, samplesMs)),
        device,
        runs: Math.min(runs, other.runs)
      };
    }
  }
  return null;
}
