/**
 * What castlens says about a model's casts: the JSON of `castlens census --json`, of the panel and of the notebook API.
 *
 * @packageDocumentation
 */
import type { RegionOverrides } from './regions';

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

/** What a weight cast reads: a tensor of the file, or what is computed from such tensors alone. */
export type WeightCastKind = 'stored' | 'computed';

/** One weight cast to one dtype. */
export interface IWeightCast {
  /** Name of the weight; of a computed one, the value in the graph. */
  readonly weight: string;
  readonly kind: WeightCastKind;
  /** For a computed weight: names of the weights it comes from. Else empty. */
  readonly computedFrom: readonly string[];
  /** Other names of the same storage. */
  readonly aliases: readonly string[];
  readonly from: string;
  readonly to: string;
  /** Casts in one forward in mode `off`. */
  readonly uses: number;
  /** Bytes read plus bytes written by those casts. */
  readonly bytesMoved: number;
  readonly shape: readonly number[];
  /** Bytes of the weight as stored; of a computed one, of the value. */
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

/** What the confidence interval of a ratio to `off` says: below 1, above 1, holding 1; unknown with too few rounds. */
export type Verdict = 'faster' | 'slower' | 'no-difference' | 'unknown';

/** Time that something costs, from a comparison: one variant that has it against one that has not. */
export interface IMeasuredTime {
  /** The modes compared, both without passes. */
  readonly with: CacheMode;
  readonly without: CacheMode;
  /** Median of `with` less median of `without`, milliseconds per forward. */
  readonly differenceMs: number;
  /** 95 % bootstrap interval of the difference; null where there are too few runs to say. */
  readonly lowMs: number | null;
  readonly highMs: number | null;
  /** What the comparison says of `without` against `with`. */
  readonly verdict: Verdict;
  readonly device: string;
  /** Timed forwards of each. */
  readonly runs: number;
}

/** What a finding costs, as far as it is known. */
export interface IFindingCost {
  /** Bytes read plus bytes written by its casts in one forward. Counted, not measured. */
  readonly bytesMoved?: number;
  /** Whether some of the casts have sizes that are only known in a run, and `bytesMoved` leaves them out. */
  readonly isLowerBound?: boolean;
  /** Only where a comparison has been run that says. */
  readonly time?: IMeasuredTime;
}

/** Something castlens found in a model. Codes are stable; docs/findings has a page for each. */
export interface IFinding {
  readonly code: string;
  readonly severity: 'info' | 'warning' | 'error';
  readonly message: string;
  /** Weights it is about, by name. */
  readonly weights?: readonly string[];
  /** Operator calls it is about, by name. */
  readonly nodes?: readonly string[];
  /** The line to look at first. */
  readonly source?: ISourceRef | null;
  /** Every line it is about, that one included, each once. */
  readonly sources?: readonly ISourceRef[];
  readonly cost?: IFindingCost;
  /** What to do about it, where something can be done. */
  readonly remedy?: string;
}

/** The casts in the file; with `overrides`, those of the file under these regions. */
export interface ICensus {
  readonly file: string;
  readonly format: 'pt2' | 'onnx';
  readonly dialect: 'TRAINING' | 'ATEN' | 'ONNX';
  readonly producer: string;
  /** As recorded, whatever is overridden. */
  readonly regions: readonly IRegionInfo[];
  /** Where regions are overridden, and only there: all else is about the program that is then run. */
  readonly overrides?: RegionOverrides;
  readonly weightCasts: readonly IWeightCast[];
  /** Dtype-changing casts of activations in one forward. */
  readonly activationCasts: number;
  readonly perForward: Readonly<Record<CacheMode, IForwardCasts>>;
  readonly findings: readonly IFinding[];
}
