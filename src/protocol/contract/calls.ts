/**
 * What calls make of their options: the parameters of a request.
 *
 * @packageDocumentation
 */
import type { Params } from '.';
import { overrideOf } from '../regions';
import { RUNTIME_MODES } from '../runtimes';
import type { OptionsOf } from './options';
import {
  ACTIVATIONS,
  AGAINST,
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
  PYTHON,
  REFERENCE,
  REGIONS,
  RUNS,
  RUNTIME,
  STRATEGIES,
  THREADS,
  TRUST,
  TYPES,
  VALUES,
  VARIANT_OPTIONS,
  WARMUP
} from './options';
import type { IRegionOverride, IRunInputs, IVariant, RegionOverrides } from './variant';
import { CACHE_MODES } from './words';

/** The options that calls honor, in notebooks and on the command line alike. */
export const CALL_OPTIONS = {
  open: [PROGRAM],
  census: [REGIONS],
  package: [AGAINST, PROGRAM],
  plan: VARIANT_OPTIONS,
  run: [...VARIANT_OPTIONS, ...INPUT_OPTIONS, OUTPUTS],
  compare: [
    COMPARED_CACHES,
    RUNTIME,
    APPLIED_PASSES,
    DEVICE,
    REGIONS,
    ...INPUT_OPTIONS,
    RUNS,
    WARMUP,
    THREADS,
    PYTHON,
    TRUST
  ],
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

/**
 * Parameters of `compare`: of every runtime the modes that are named. Where none are, the four cache modes in onnxruntime, and all that a
 * runtime of PyTorch has.
 */
export function compareParams(options: CallOptions<'compare'>): Rest<'compare'> {
  const { cache, runtimes = ['onnxruntime'], threads, runs, warmup, python, trust } = options;
  const variants = runtimes.flatMap(runtime => {
    const isOrt = runtime === 'onnxruntime';
    const standard = isOrt ? CACHE_MODES : RUNTIME_MODES[runtime];
    const modes = cache === undefined ? standard : cache === 'all' ? RUNTIME_MODES[runtime] : cache;
    return modes.map(mode => ({
      ...variantOf({ ...options, cache: mode === 'repaired' ? 'off' : mode }),
      ...(mode === 'repaired' ? { repaired: true } : {}),
      ...(isOrt ? {} : { runtimeName: runtime }),
      ...given({ threads })
    }));
  });
  return { variants, inputs: inputsOf(options), ...given({ runs, warmup, python, trust }) };
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
