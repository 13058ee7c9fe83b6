/**
 * Which model a request is about, what is run, and on what.
 *
 * @packageDocumentation
 */
import type { Of } from './schema';
import { closed, listOf, oneOf, optional, path, tableOf, text, truth, whole } from './schema';
import { PASSES, REGION_DTYPES, RUNTIMES, VARIANT_CACHES } from './words';

/** Threads that can be asked for. */
export const MAX_THREADS = 1024;

const FILE = {
  path: path('the model, .pt2 or .onnx'),
  program: optional(
    text(
      'name of the program, of a .pt2 archive with several; where left out the one called `model`, else the first, with a warning'
    )
  )
};

const VERSION = {
  version: optional(
    text(
      'the version the request is about, as `open` tells it: where the files are in another state by now, or change before the answer, the request fails with code `file-changed`; without it the request is about the files as they are'
    )
  )
};

/** A model with the weights of its own file. */
export const OWN_MODEL = { ...FILE, ...VERSION };

/** A model, with other weights where they are named. */
export const MODEL = {
  ...FILE,
  weights: optional(
    path(
      'take the weights from this file instead: .safetensors, or another export of the model; weights it has not stay'
    )
  ),
  ...VERSION
};

/** Which model a request is about. */
export const MODEL_REF = closed(MODEL);

/** Which model a request is about. */
export type IModelRef = Of<typeof MODEL_REF>;

/** What is wanted of one region. */
export const REGION_OVERRIDE = closed(
  {
    enabled: optional(truth('whether the region is on')),
    dtype: optional(oneOf(REGION_DTYPES, 'dtype of a region that is on'))
  },
  'what is wanted of one region; parts left out stay as recorded'
);

/** What is wanted of one region. Parts left out stay as recorded; a dtype says nothing of a region that is off. */
export type IRegionOverride = Of<typeof REGION_OVERRIDE>;

/** Overrides by region id. */
export const REGIONS = tableOf(
  REGION_OVERRIDE,
  'autocast regions that are not run as recorded, by id'
);

/** Overrides by region id. */
export type RegionOverrides = Of<typeof REGIONS>;

/** The parts of a variant. */
export const VARIANT_FIELDS = {
  cache: oneOf(VARIANT_CACHES, 'cache mode or reference'),
  passes: listOf(oneOf(PASSES), 'passes that are applied'),
  device: text('`cpu`, `cuda`, `cuda:1`, ...'),
  regions: optional(REGIONS),
  runtimeName: optional(oneOf(RUNTIMES, 'what runs it; `onnxruntime` where left out')),
  repaired: optional(
    truth('whether the repaired model is run, as `fix` writes it, instead of the model itself')
  ),
  threads: optional(
    whole(1, MAX_THREADS, 'threads within an operator; the choice of the runtime where left out')
  )
};

/** One thing that is run and compared. */
export const VARIANT = closed(VARIANT_FIELDS, 'what is run');

/**
 * One thing that is run and compared: cache mode (or reference), passes, device, overridden regions. Results give the regions in
 * normal form, see `normalizeOverrides`: absent where nothing is overridden, and in the reference `float32`, which switches all
 * regions off.
 */
export type IVariant = Of<typeof VARIANT>;

/** Input tensors of a run. */
export const RUN_INPUTS = closed(
  {
    inputsFile: optional(
      path(
        '.safetensors with tensors by input name or `input_0`, ... by position; inputs not given are the samples of the file, or random'
      )
    ),
    dims: optional(tableOf(whole(0), 'values of symbolic sizes')),
    seed: optional(
      whole(
        Number.MIN_SAFE_INTEGER,
        Number.MAX_SAFE_INTEGER,
        'seed of random inputs; where it is given, the samples of the file are not used'
      )
    )
  },
  'input tensors'
);

/** Input tensors of a run. */
export type IRunInputs = Of<typeof RUN_INPUTS>;
