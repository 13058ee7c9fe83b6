/**
 * What castlens says about a model's casts: the JSON of `castlens census --json`, of the panel and of the notebook API.
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

/** Passes that can be switched on their own. */
export const PASSES = ['share-casts', 'hoist-casts', 'remove-cast-pairs'] as const;

/** One rewrite of the graph. */
export type PassName = (typeof PASSES)[number];

/** One place in the user's Python source. */
export interface ISourceRef {
  readonly file: string;
  readonly line: number;
  readonly code?: string;
}

/** The operators under one autocast context, as recorded. */
export interface IRegionInfo {
  readonly id: string;
  readonly parent: string | null;
  readonly device: string;
  readonly dtype: string | null;
  readonly enabled: boolean;
  readonly cacheEnabled: boolean | null;
  readonly module: string | null;
  readonly source: ISourceRef | null;
}

/** One weight cast to one dtype. */
export interface IWeightCast {
  /** Name of the weight. */
  readonly weight: string;
  /** Other names of the same storage. */
  readonly aliases: readonly string[];
  readonly from: string;
  readonly to: string;
  /** Casts in one forward in mode `off`. */
  readonly uses: number;
  /** Bytes read plus bytes written by those casts. */
  readonly bytesMoved: number;
  readonly shape: readonly number[];
  /** Bytes of the weight as stored. */
  readonly sizeBytes: number;
  readonly module: string | null;
  /** Where the first use stands. */
  readonly source: ISourceRef | null;
  /** Whether eager PyTorch's own cache would keep the cast: parameter, float32, requires_grad, not a view. */
  readonly cacheEligible: boolean;
  readonly origin: 'region' | 'explicit' | 'runtime';
}

/** Weight casts of one forward. */
export interface IForwardCasts {
  readonly weightCasts: number;
  /** Bytes read plus bytes written by them. */
  readonly bytesMoved: number;
}

/** Something castlens found in a model. Codes are stable; docs/findings has a page for each. */
export interface IFinding {
  readonly code: string;
  readonly severity: 'info' | 'warning' | 'error';
  readonly message: string;
  readonly weights?: readonly string[];
  readonly nodes?: readonly string[];
  readonly source?: ISourceRef | null;
  readonly remedy?: string;
}

/** The casts in the file. */
export interface ICensus {
  readonly file: string;
  readonly format: 'pt2' | 'onnx';
  readonly dialect: 'TRAINING' | 'ATEN' | 'ONNX';
  readonly producer: string;
  readonly regions: readonly IRegionInfo[];
  readonly weightCasts: readonly IWeightCast[];
  /** Dtype-changing casts of activations in one forward. */
  readonly activationCasts: number;
  readonly perForward: Readonly<Record<CacheMode, IForwardCasts>>;
  readonly findings: readonly IFinding[];
}
