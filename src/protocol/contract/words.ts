/**
 * The words that requests, options and settings are made of.
 *
 * @packageDocumentation
 */

/** When weights are cast; see docs/concepts.md. */
export const CACHE_MODES = ['off', 'autocast', 'folded', 'frozen'] as const;

/** When weights are cast. */
export type CacheMode = (typeof CACHE_MODES)[number];

/** References that are always on offer beside the cache modes. */
export const REFERENCES = ['float32', 'onnxruntime'] as const;

/** A reference variant. */
export type Reference = (typeof REFERENCES)[number];

/** Every cache mode and reference, in the order of the ladder, references last. */
export const VARIANT_CACHES = [...CACHE_MODES, ...REFERENCES] as const;

/** A cache mode or reference. */
export type VariantCache = (typeof VARIANT_CACHES)[number];

/**
 * What can run a model: `onnxruntime`; `eager`, the exported program run operator by operator by PyTorch; `aotinductor`, the program compiled to
 * a package; `compile`, `torch.compile`.
 */
export const RUNTIMES = ['onnxruntime', 'eager', 'aotinductor', 'compile'] as const;

/** A cache mode or reference, or the repaired model as PyTorch runs it. */
export const RUNTIME_CACHES = [...VARIANT_CACHES, 'repaired'] as const;

/** What runs a variant. */
export type RuntimeName = (typeof RUNTIMES)[number];

/** Passes that can be switched on their own. */
export const PASSES = ['share-casts', 'hoist-casts', 'remove-cast-pairs'] as const;

/** One rewrite of the graph. */
export type PassName = (typeof PASSES)[number];

/** Dtypes that a region can be given. */
export const REGION_DTYPES = ['bfloat16', 'float16', 'float32'] as const;

/** A dtype that a region can be given. */
export type RegionDtype = (typeof REGION_DTYPES)[number];

/** One override in one word, as users write it: on in the recorded dtype, off, or on in this dtype. */
export const REGION_CHOICES = ['on', 'off', ...REGION_DTYPES] as const;

/** One override in one word. */
export type RegionChoice = (typeof REGION_CHOICES)[number];

/** What to do with weights that are used in a low precision and as they are stored: nothing, or store both. */
export const MIXED_WEIGHTS = ['leave', 'keep-both'] as const;

/** One of these. */
export type MixedWeights = (typeof MIXED_WEIGHTS)[number];

/** Ways to be rid of weight casts in PyTorch itself, as `castlens code` writes them. The last is for `.onnx`. */
export const CODE_STRATEGIES = [
  'preconvert',
  'export-pass',
  'runtime-folding',
  'freezing',
  'onnx-folding'
] as const;

/** Name of such a way. */
export type CodeStrategyName = (typeof CODE_STRATEGIES)[number];

/** What the confidence interval of a ratio to `off` says: below 1, above 1, holding 1; unknown with too few rounds. */
export const VERDICTS = ['faster', 'slower', 'no-difference', 'unknown'] as const;

/** One of these. */
export type Verdict = (typeof VERDICTS)[number];

/** Timed forwards per variant of a comparison, where the user does not say. */
export const DEFAULT_RUNS = 20;

/** Forwards per variant before timing starts, where the user does not say. */
export const DEFAULT_WARMUP = 3;

/** Forwards that a comparison may ask for, per variant: timed ones, and those before. */
export const MAX_FORWARDS = 1_000_000;
