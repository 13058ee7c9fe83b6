/**
 * What calls make of their options: the parameters of a request.
 *
 * @packageDocumentation
 */
import type { Params } from '.';
import { overrideOf } from '../regions';
import type { OptionsOf } from './options';
import {
  ACTIVATIONS,
  APPLIED_PASSES,
  CODE,
  COMPARED_CACHES,
  DEVICE,
  FOLD_COMPUTED,
  INPUT_OPTIONS,
  LOADED_CACHE,
  MIXED,
  MODULES,
  OUTPUTS,
  OVERWRITE,
  PROGRAM,
  REFERENCE,
  REGIONS,
  RUNS,
  STRATEGIES,
  TYPES,
  VALUES,
  VARIANT_OPTIONS,
  WARMUP
} from './options';
import type { IRegionOverride, IRunInputs, IVariant, RegionOverrides } from './variant';
import { CACHE_MODES, VARIANT_CACHES } from './words';

/** The options that calls honor, in notebooks and on the command line alike. */
export const CALL_OPTIONS = {
  open: [PROGRAM],
  census: [REGIONS],
  plan: VARIANT_OPTIONS,
  run: [...VARIANT_OPTIONS, ...INPUT_OPTIONS, OUTPUTS],
  compare: [COMPARED_CACHES, APPLIED_PASSES, DEVICE, REGIONS, ...INPUT_OPTIONS, RUNS, WARMUP],
  update: [LOADED_CACHE, APPLIED_PASSES, DEVICE, REGIONS],
  /** Without `activations` that one alone. */
  stats: [ACTIVATIONS, ...VARIANT_OPTIONS, ...INPUT_OPTIONS, VALUES, MODULES, REFERENCE],
  fix: [MIXED, FOLD_COMPUTED, CODE, REGIONS, TYPES, OVERWRITE],
  code: [MIXED, STRATEGIES]
} as const;

/** Name of a call. */
export type CallName = keyof typeof CALL_OPTIONS;

/** Options of a call. */
export type CallOptions<C extends CallName> = OptionsOf<(typeof CALL_OPTIONS)[C]>;

/** What parameters say beside the model. */
type Rest<K extends 'run' | 'compare' | 'activationStats' | 'fix' | 'code'> = Omit<
  Params<K>,
  'path' | 'program' | 'version' | 'weights' | 'output'
>;

/** The variant that options ask for. */
export function variantOf(options: OptionsOf<typeof VARIANT_OPTIONS>): IVariant {
  const { cache = 'off', passes = [], device = 'cpu', regions } = options;
  return regions === undefined
    ? { cache, passes, device }
    : { cache, passes, device, regions: overridesOf(regions) };
}

/** Overrides as requests take them: words become overrides. */
export function overridesOf(
  regions: NonNullable<OptionsOf<[typeof REGIONS]>['regions']>
): RegionOverrides {
  return Object.fromEntries(
    Object.entries(regions).map(([id, wanted]): [string, IRegionOverride] => [
      id,
      typeof wanted === 'string' ? overrideOf(wanted) : wanted
    ])
  );
}

/** Parameters of `run`. */
export function runParams(options: CallOptions<'run'>): Rest<'run'> {
  return {
    variant: variantOf(options),
    inputs: inputsOf(options),
    ...given({ outputsFile: options.outputs })
  };
}

/** Parameters of `compare`: the four cache modes where none are named. */
export function compareParams(options: CallOptions<'compare'>): Rest<'compare'> {
  const { cache = CACHE_MODES, runs, warmup } = options;
  const caches = cache === 'all' ? VARIANT_CACHES : cache;
  return {
    variants: caches.map(each => variantOf({ ...options, cache: each })),
    inputs: inputsOf(options),
    ...given({ runs, warmup })
  };
}

/** Parameters of `activationStats`. */
export function activationParams(options: CallOptions<'stats'>): Rest<'activationStats'> {
  const { values, modules, reference } = options;
  return {
    variant: variantOf(options),
    inputs: inputsOf(options),
    ...given({ values, modules, reference })
  };
}

/** Parameters of `fix`. */
export function fixParams(options: CallOptions<'fix'>): Rest<'fix'> {
  const { mixed = 'leave', foldComputed, types, regions, code, overwrite } = options;
  return {
    mixed,
    ...given({ foldComputed, types, codeFile: code, overwrite }),
    ...(regions === undefined ? {} : { regions: overridesOf(regions) })
  };
}

/** Parameters of `code`. */
export function codeParams(options: CallOptions<'code'>): Rest<'code'> {
  const { mixed = 'leave', strategies } = options;
  return { mixed, ...given({ strategies }) };
}

function inputsOf(options: OptionsOf<typeof INPUT_OPTIONS>): IRunInputs {
  const { inputs, dims, seed } = options;
  return given({ inputsFile: inputs, dims, seed });
}

/** What is given of some fields. */
function given<T extends object>(fields: T): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}
