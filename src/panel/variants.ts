/**
 * Which variants the panel talks about.
 *
 * @packageDocumentation
 */
import {
  CACHE_MODES,
  formatOverrides,
  modeOf,
  normalizeOverrides,
  overrideOf,
  PASSES,
  REFERENCES,
  runtimeOf
} from '../protocol';
import type {
  CacheMode,
  ICompareResult,
  IForwardCasts,
  IModelInfo,
  IPlan,
  IRunResult,
  IVariant,
  PassName,
  Reference,
  RegionChoice,
  RegionOverrides
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

/** Equal for equal variants; passes count as a set, overridden regions are in normal form. */
export function variantKey(variant: IVariant): string {
  const { device, passes, regions } = variant;
  return [
    runtimeOf(variant),
    modeOf(variant),
    device,
    ...PASSES.filter(pass => passes.includes(pass)),
    formatOverrides(regions)
  ].join(' ');
}

/** Overrides in normal form with another choice for one region; `recorded` takes its override back. */
export function chooseRegion(
  overrides: RegionOverrides | undefined,
  region: string,
  choice: RegionChoice | 'recorded',
  info: IModelInfo
): RegionOverrides | undefined {
  const wanted = new Map(Object.entries(overrides ?? {}));
  wanted.delete(region);
  if (choice !== 'recorded') {
    wanted.set(region, overrideOf(choice));
  }
  return validOverrides(Object.fromEntries(wanted), info);
}

/** The overrides that mean something for a model, in normal form: what was set may have been set for another file. */
export function validOverrides(
  overrides: RegionOverrides | undefined,
  { census, autocastDevices }: IModelInfo
): RegionOverrides | undefined {
  return normalizeOverrides(overrides, census.regions, autocastDevices);
}

/** `passes` with `pass` switched over, in the order of {@link PASSES}. */
export function togglePass(passes: readonly PassName[], pass: PassName): readonly PassName[] {
  return PASSES.filter(name => (name === pass) !== passes.includes(name));
}

/**
 * Planned weight casts of one row.
 *
 * @returns the plan's figures where it was planned, those of the census where they must be the same (a cache mode without
 *   passes or overridden regions), null where nothing is known yet.
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
  return isCacheMode(variant.cache) && variant.passes.length === 0 && variant.regions === undefined
    ? info.census.perForward[variant.cache]
    : null;
}

/** What was executed for a variant, and by what. */
export interface IExecuted {
  readonly weightCasts: number;
  /** Null where castlens does not plan the graph. */
  readonly plannedWeightCasts: number | null;
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

/**
 * The variant of one row: `cache` with the passes, device and overridden regions of `variant`. References run without passes,
 * `float32` with all regions off anyway.
 */
export function rowVariant(cache: VariantCache, variant: IVariant): IVariant {
  const { device, passes, regions } = variant;
  return withRegions(
    { cache, device, passes: isCacheMode(cache) ? passes : [] },
    cache === 'float32' ? undefined : regions
  );
}

/** `variant` with these regions overridden. */
export function withRegions(variant: IVariant, regions: RegionOverrides | undefined): IVariant {
  const { cache, device, passes } = variant;
  return regions === undefined ? { cache, device, passes } : { cache, device, passes, regions };
}
