/**
 * Which variants the panel talks about.
 *
 * @packageDocumentation
 */
import { CACHE_MODES, PASSES, REFERENCES } from '../protocol';
import type {
  CacheMode,
  ICompareResult,
  IForwardCasts,
  IModelInfo,
  IPlan,
  IRunResult,
  IVariant,
  PassName,
  Reference
} from '../protocol';

/** A cache mode or reference: one row of the comparison. */
export type VariantCache = CacheMode | Reference;

/** Every row of the comparison, in the order of the ladder, references last. */
export const VARIANT_CACHES: readonly VariantCache[] = [...CACHE_MODES, ...REFERENCES];

/** Whether `value` names a cache mode. */
export function isCacheMode(value: unknown): value is CacheMode {
  return CACHE_MODES.some(mode => mode === value);
}

/** Whether `value` names a cache mode or a reference. */
export function isVariantCache(value: unknown): value is VariantCache {
  return VARIANT_CACHES.some(cache => cache === value);
}

/** Whether `value` names a pass. */
export function isPassName(value: unknown): value is PassName {
  return PASSES.some(pass => pass === value);
}

/** Equal for equal variants; passes count as a set. */
export function variantKey(variant: IVariant): string {
  return [variant.cache, variant.device, ...PASSES.filter(p => variant.passes.includes(p))].join(
    ' '
  );
}

/** `passes` with `pass` switched over, in the order of {@link PASSES}. */
export function togglePass(passes: readonly PassName[], pass: PassName): readonly PassName[] {
  return PASSES.filter(name => (name === pass) !== passes.includes(name));
}

/**
 * Planned weight casts of one row.
 *
 * @returns the plan's figures where it was planned, those of the census where they must be the same (a cache mode without
 *   passes), null where nothing is known yet.
 */
export function plannedCasts(
  info: IModelInfo,
  plans: ReadonlyMap<string, IPlan>,
  variant: IVariant
): IForwardCasts | null {
  const plan = plans.get(variantKey(variant));
  if (plan) {
    return plan;
  }
  return isCacheMode(variant.cache) && variant.passes.length === 0
    ? info.census.perForward[variant.cache]
    : null;
}

/** What was executed for a variant, and by what. */
export interface IExecuted {
  readonly weightCasts: number;
  readonly plannedWeightCasts: number;
  readonly runtime: string;
  /** Forwards timed; 1 for a single run. */
  readonly runs: number;
  readonly latencyMs: number;
}

/** The executed census of `variant`: of its last run, else of the last comparison; null where it has not been run. */
export function executedCasts(
  variant: IVariant,
  run: IRunResult | null,
  compare: ICompareResult | null
): IExecuted | null {
  const key = variantKey(variant);
  if (run && variantKey(run.variant) === key) {
    return {
      weightCasts: run.executedWeightCasts,
      plannedWeightCasts: run.planned.weightCasts,
      runtime: run.runtime,
      runs: 1,
      latencyMs: run.latencyMs
    };
  }
  const compared = compare?.variants.find(result => variantKey(result) === key);
  return compared
    ? {
        weightCasts: compared.executedWeightCasts,
        plannedWeightCasts: compared.plannedWeightCasts,
        runtime: compared.runtime,
        runs: compared.runs,
        latencyMs: compared.medianMs
      }
    : null;
}

/** The variant of one row: `cache` with the passes and device of `variant`. References run without passes. */
export function rowVariant(cache: VariantCache, variant: IVariant): IVariant {
  return { cache, device: variant.device, passes: isCacheMode(cache) ? variant.passes : [] };
}
