/**
 * The conversation between panel, kernel and engine: one map from request name to parameters and result.
 *
 * The same map serves the comm (panel to kernel), the process channel (kernel to engine) and the command line. Requests name
 * their model by path: the engine keeps what it has read, and reads again when the file has changed, so a restarted engine
 * answers the next request without being told anything.
 *
 * @packageDocumentation
 */
import type {
  CacheMode,
  ICensus,
  IFinding,
  IForwardCasts,
  ISourceRef,
  PassName,
  Reference,
  Verdict
} from './census';
import type { IAutocastDevice, RegionOverrides } from './regions';

/** One thing that is run and compared: cache mode (or reference), passes, device, overridden regions. */
export interface IVariant {
  readonly cache: CacheMode | Reference;
  readonly passes: readonly PassName[];
  /** `cpu`, `cuda`, `cuda:1`, ... */
  readonly device: string;
  /**
   * Regions that are not run as recorded. Results give it in normal form, see `normalizeOverrides`: absent where nothing is
   * overridden, and in the reference `float32`, which switches all regions off.
   */
  readonly regions?: RegionOverrides;
}

/** An input or output of the model. */
export interface IPortInfo {
  readonly name: string;
  readonly dtype: string | null;
  /** Sizes; symbolic ones as text. */
  readonly shape: readonly (number | string)[] | null;
  /** A literal that export baked in, where this is no tensor. */
  readonly literal?: string;
}

/** An operator castlens cannot lower. */
export interface IUnsupportedOperator {
  readonly op: string;
  readonly count: number;
  /** Name of the first call. */
  readonly node: string;
  readonly source: ISourceRef | null;
  /** What is not supported, where the operator itself is known and only these arguments are not. */
  readonly reason?: string;
}

/** A module of the model and the weight casts below it. */
export interface IModuleInfo {
  readonly path: string;
  readonly type: string | null;
  readonly weightCasts: number;
  readonly bytesMoved: number;
}

/** A file in one of its states. */
export interface IFileVersion {
  /** Absolute path. */
  readonly path: string;
  readonly version: string;
}

/** What opening a model tells: its structure and the casts in the file. */
export interface IModelInfo {
  /** As the user named it. */
  readonly file: string;
  /** Absolute path. */
  readonly path: string;
  /** Names the state of all files that was read; see {@link IModelRef}. */
  readonly version: string;
  /** What the model is read from: its file, external data, the file of other weights. Versions as `versionOf` computes them. */
  readonly files: readonly IFileVersion[];
  /** Bytes of all files of the model. */
  readonly sizeBytes: number;
  readonly nodeCount: number;
  readonly weightCount: number;
  /** Bytes of all weights as stored. */
  readonly weightBytes: number;
  readonly inputs: readonly IPortInfo[];
  readonly outputs: readonly IPortInfo[];
  /** Symbols in shapes with their allowed values. */
  readonly symbols: readonly {
    readonly name: string;
    readonly min: number | null;
    readonly max: number | null;
  }[];
  readonly modules: readonly IModuleInfo[];
  /** What regions can be overridden with, for the device types of this file whose policies are known. */
  readonly autocastDevices: readonly IAutocastDevice[];
  readonly census: ICensus;
  /** Empty where the model can be run on the CPU. */
  readonly unsupported: readonly IUnsupportedOperator[];
  readonly warnings: readonly string[];
}

/** What one pass did to the graph of a variant. */
export interface IPassReport {
  readonly pass: PassName;
  /** Rewrites done. */
  readonly applied: number;
  /** One line for the reader. */
  readonly summary: string;
  /** Where it declined, and why. */
  readonly declined: readonly { readonly node: string; readonly reason: string }[];
}

/** The casts in the graph castlens hands to the runtime for a variant. */
export interface IPlan extends IForwardCasts {
  readonly variant: IVariant;
  readonly activationCasts: number;
  /** Casts of one forward that castlens adds for operators without kernels in low precision; in neither of the counts above. */
  readonly loweringCasts: number;
  /** Weights converted once, when the variant is loaded (`folded`) or ahead of time (`frozen`). */
  readonly convertedWeights: number;
  readonly passes: readonly IPassReport[];
  readonly findings: readonly IFinding[];
}

/** Input tensors of a run. */
export interface IRunInputs {
  /** `.safetensors` with tensors by input name or `input_0`, ... by position. Inputs not given are the file's samples, or random. */
  readonly inputsFile?: string;
  /** Values of symbolic sizes. */
  readonly dims?: Readonly<Record<string, number>>;
  /** Seed of random inputs. Where it is given, the samples of the file are not used. */
  readonly seed?: number;
}

/** An output tensor, summarised. */
export interface IOutputInfo {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly min: number | null;
  readonly max: number | null;
  readonly mean: number | null;
  readonly nanCount: number;
}

/** One forward of one variant. */
export interface IRunResult {
  readonly variant: IVariant;
  /** `random, seed 0; sizes chosen by castlens: batch=4`, ... */
  readonly inputs?: string;
  /** What actually ran: `CPUExecutionProvider, onnxruntime 1.30.0, graph optimisations disabled`. */
  readonly runtime: string;
  /** Wall time of the forward, milliseconds. */
  readonly latencyMs: number;
  /** What loading took, milliseconds: now, or where `reused` when the variant was loaded. */
  readonly loadMs: number;
  /** Whether the variant was loaded already. */
  readonly reused: boolean;
  readonly planned: IForwardCasts;
  /** Counted in the runtime's profile. */
  readonly executedWeightCasts: number;
  /** What the passes of the variant did. */
  readonly passReports: readonly IPassReport[];
  readonly outputs: readonly IOutputInfo[];
  /** Where the outputs were written. */
  readonly outputsFile?: string;
  readonly findings: readonly IFinding[];
}

/**
 * Growth of the engine's memory while a variant was loaded and ran for the first time, in bytes; null where nobody says, and
 * where variants were given up for it. Other work of the process in that time counts too: right to within some megabytes.
 */
export interface IVariantMemory {
  /** Mapped pages of the model's file and of converted weights: the system can drop them and read them again. */
  readonly fileBackedBytes: number | null;
  /** The rest of the resident set: activations, weights that the runtime copied. */
  readonly hostBytes: number | null;
  /**
   * Device memory as the driver counts it; null on the CPU. For the first variant of a process the context of CUDA and its
   * libraries are in it. Where the driver does not tell programs apart, what other programs did to the GPU in that time counts too.
   */
  readonly deviceBytes: number | null;
}

/** One variant of a comparison. */
export interface IVariantResult {
  readonly cache: CacheMode | Reference;
  readonly passes: readonly PassName[];
  readonly device: string;
  readonly regions?: RegionOverrides;
  readonly runtime: string;
  /** Median wall time of one forward, milliseconds. */
  readonly medianMs: number;
  /** First and third quartile. */
  readonly lowMs: number;
  readonly highMs: number;
  /** Every timed forward in order, milliseconds. */
  readonly samplesMs: readonly number[];
  readonly runs: number;
  /** medianMs of this variant over that of the baseline, `off`; null where `off` is not among the variants. */
  readonly ratioToOff: number | null;
  /** 95 % bootstrap confidence interval of the ratio. */
  readonly ratioLow: number | null;
  readonly ratioHigh: number | null;
  /** Null for `off` itself and where it is not among the variants. */
  readonly verdict: Verdict | null;
  readonly plannedWeightCasts: number;
  readonly plannedBytesMoved: number;
  /** Counted in the runtime's profile of one forward. */
  readonly executedWeightCasts: number;
  /** Session creation, weight conversion of `folded` included, milliseconds: now, or where `reused` when it was loaded. */
  readonly loadMs: number;
  /** Whether the variant was loaded already. */
  readonly reused: boolean;
  /** Bytes of weights the session refers to. */
  readonly weightBytes: number;
  /** Memory that the variant holds. */
  readonly memory: IVariantMemory;
  /**
   * Peak resident set of the process since it started, in bytes, read after this variant's first forwards: a high-water mark that
   * never falls from one variant to the next, not the memory of the variant alone.
   */
  readonly peakRssBytes: number;
  /** Null where there is no `off` run to compare with. */
  readonly bitIdenticalToOff: boolean | null;
  /** Largest absolute difference of any output to `off`'s, relative to off's largest absolute output. */
  readonly maxRelativeDifferenceToOff: number | null;
  /** What the passes of the variant did. */
  readonly passReports: readonly IPassReport[];
  readonly findings: readonly IFinding[];
}

/** A comparison. Variants are timed interleaved. */
export interface ICompareResult {
  readonly file: string;
  /** The version of the model that was compared; see {@link IModelRef}. */
  readonly version: string;
  readonly device: string;
  /** Processor, cores, operating system. */
  readonly machine: string;
  readonly runtime: string;
  readonly runs: number;
  readonly warmup: number;
  /** `random, seed 0`, `sample inputs of the file` or the inputs file. */
  readonly inputs: string;
  readonly variants: readonly IVariantResult[];
  /** Findings about the file whose cost in time this comparison measured. */
  readonly findings: readonly IFinding[];
  /** Variants that could not be run, with the reason. */
  readonly failed: readonly { readonly variant: IVariant; readonly message: string }[];
}

/** What probing a model's values cost, beside one plain forward of the same variant. */
export interface IProbeCost {
  /** Wall time of one plain forward, milliseconds. */
  readonly plainMs: number;
  /** Wall time of loading it before, milliseconds. */
  readonly plainLoadMs: number;
  /** Wall time of all runs for the table with loading, milliseconds: those of the variant and those of the reference. */
  readonly probedMs: number;
  /** Wall time of everything, loading and planning included, milliseconds. */
  readonly totalMs: number;
  /** Weights and computed values of a plain forward, at most at a time, counted by their sizes; bytes. */
  readonly plainBytes: number;
  /**
   * The same of the run for the table that takes most, be it of the variant or of the reference, with what is held of the reference.
   * Runs are cut to at most 1.3 times what the larger one of the plain forwards of both takes, or 64 MiB more: it can be more than
   * 1.3 times `plainBytes`, which is of the variant alone.
   */
  readonly probedBytes: number;
  /** Largest resident set of the process while it loaded and ran the plain forward, bytes; null where it cannot be measured. */
  readonly plainPeakRssBytes: number | null;
  /** The same of the batch that took most. */
  readonly probedPeakRssBytes: number | null;
}

/** Statistics of the values inside a model, beside the table itself. */
export interface IActivationStatsResult {
  readonly variant: IVariant;
  readonly runtime: string;
  /** `random, seed 0`, `sample inputs of the file` or the inputs file. */
  readonly inputs: string;
  /** Rows of the table. */
  readonly rows: number;
  /** Runs it took. */
  readonly batches: number;
  /** Whether values were compared with the `float32` program. */
  readonly reference: boolean;
  /** Values computed from the inputs that the table leaves out, and why: those of nested graphs among them. */
  readonly skipped: readonly { readonly name: string; readonly reason: string }[];
  readonly cost: IProbeCost;
}

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

/** Python that does in the user's own export script what `fix` does to the file. */
export interface ICodeResult {
  /** The model, as the user named it. */
  readonly file: string;
  /** What the code holds, a function each. */
  readonly strategies: readonly CodeStrategyName[];
  readonly code: string;
  /** Absolute path of the file it was written to. */
  readonly codeFile?: string;
}

/** A repaired model, written. */
export interface IFixResult {
  /** The source, as the user named it. */
  readonly file: string;
  /** Absolute path of the new file. */
  readonly output: string;
  /** Absolute paths of all files written, `output` first. */
  readonly files: readonly string[];
  /** Absolute path of the Python file written beside it. */
  readonly codeFile?: string;
  /** Bytes of all files of the source, and of all files written, without code. */
  readonly sizeBefore: number;
  readonly sizeAfter: number;
  /** Weights stored in a lower precision now. `copy` names the second weight where the original is kept beside it. */
  readonly converted: readonly {
    readonly weight: string;
    readonly from: string;
    readonly to: string;
    readonly copy?: string;
  }[];
  /** Weights that are still cast, and why. */
  readonly left: readonly { readonly weight: string; readonly reason: string }[];
  /** The program that was repaired and those that were copied as they are, where the archive holds several. */
  readonly programs?: { readonly repaired: string; readonly others: readonly string[] };
  /** Regions that the new file records otherwise than the source. Its outputs are then other ones. */
  readonly regions?: RegionOverrides;
  /** Where types were repaired: what was changed, and what is still wrong in the new file, in words. */
  readonly types?: { readonly changes: readonly string[]; readonly left: readonly string[] };
  /** Weight casts of one forward in mode `off`, of the source as it is and of the new file. */
  readonly weightCastsBefore: number;
  readonly weightCastsAfter: number;
}

/** A device that can be chosen. */
export interface IDeviceInfo {
  readonly id: string;
  readonly label: string;
  readonly available: boolean;
  /** Why not, and what to do about it. */
  readonly reason?: string;
}

/** Which model a request is about. */
export interface IModelRef {
  readonly path: string;
  /** Name of the program, of a `.pt2` archive with several; where left out the one called `model`, else the first, with a warning. */
  readonly program?: string;
  /** Take the weights from this file instead: `.safetensors`, or another export of the model. Weights it has not stay. */
  readonly weights?: string;
  /**
   * The version the request is about, from `IModelInfo`. Where the files are in another state by now, or change before the answer,
   * the request fails with code `file-changed`. Without it the request is about the files as they are.
   */
  readonly version?: string;
}

/** Other weights, checked and loaded. */
export interface IWeightUpdateResult {
  /** The file they come from, as the user named it. */
  readonly weights: string;
  /** Weights whose bytes are others than the model's own. */
  readonly changed: readonly string[];
  readonly unchangedCount: number;
  readonly variant: IVariant;
  /** Casts of weights that loading the variant did again, and those it kept. */
  readonly castsDone: number;
  readonly castsKept: number;
  /** Time of those casts, and of making the session, milliseconds. */
  readonly castMs: number;
  readonly loadMs: number;
}

/** Names, parameters and results of all requests. Requests that answer with binary data say so; it travels beside the result. */
export interface IRequests {
  /** Read a model: structure and census. */
  open: { params: IModelRef; result: IModelInfo };
  /** The casts in the file, or in the program it becomes under overridden regions. */
  census: { params: IModelRef & { regions?: RegionOverrides }; result: ICensus };
  /** Planned census of a variant; runs nothing. */
  plan: { params: IModelRef & { variant: IVariant }; result: IPlan };
  run: {
    params: IModelRef & { variant: IVariant; inputs?: IRunInputs; outputsFile?: string };
    result: IRunResult;
  };
  compare: {
    params: IModelRef & {
      variants: readonly IVariant[];
      /** Timed forwards per variant. */
      runs?: number;
      warmup?: number;
      inputs?: IRunInputs;
    };
    result: ICompareResult;
  };
  /**
   * Check that the weights of another file fit the model, and load a variant with them. Later requests ask for them by naming the
   * file; until then, and where this fails, everything stays as it was.
   */
  updateWeights: {
    params: {
      path: string;
      program?: string;
      /** The version of the model without these weights. */
      version?: string;
      weights: string;
      variant: IVariant;
    };
    result: IWeightUpdateResult;
  };
  /** Weight statistics. One buffer: an Arrow IPC stream, see `stats.ts`. */
  weightStats: {
    params: IModelRef & {
      /** Write the table to this file too. */
      outputFile?: string;
    };
    /** `findings` are those that only the values of weights show. */
    result: { rows: number; findings: readonly IFinding[] };
  };
  /** Statistics of computed values, reduced on the device. One buffer: an Arrow IPC stream, see `stats.ts`. */
  activationStats: {
    params: IModelRef & {
      /** Any but the reference `onnxruntime`, whose values the runtime may fuse away. */
      variant: IVariant;
      inputs?: IRunInputs;
      /** Only these values, and those of these modules and of what is inside them. All where neither is given. */
      values?: readonly string[];
      modules?: readonly string[];
      /** Compare with the `float32` program on the same inputs; true where left out. */
      reference?: boolean;
      /** Write the table to this file too. */
      outputFile?: string;
    };
    result: IActivationStatsResult;
  };
  /** Write the model with its weights in the precision they are used in, and its regions as wanted. Never over a file of the model. */
  fix: {
    params: {
      path: string;
      program?: string;
      version?: string;
      output: string;
      mixed?: MixedWeights;
      regions?: RegionOverrides;
      /** Of an `.onnx` file: put wrong types right, and change nothing else. Not with `mixed`, `regions` or `codeFile`. */
      types?: boolean;
      /** Write the code of all strategies to this file too. It is about the program as recorded: not with `regions`. */
      codeFile?: string;
      /** Replace files of these names; without it they are refused with code `file-exists`. */
      overwrite?: boolean;
    };
    result: IFixResult;
  };
  /** The PyTorch side of `fix`. */
  code: {
    params: {
      path: string;
      program?: string;
      version?: string;
      mixed?: MixedWeights;
      /** All that apply to the model by default. */
      strategies?: readonly CodeStrategyName[];
      /** Write the code to this file too; see `fix` for `overwrite`. */
      codeFile?: string;
      overwrite?: boolean;
    };
    result: ICodeResult;
  };
  /** The page of docs/findings for a code. */
  explain: { params: { code: string }; result: { markdown: string } };
  devices: { params: Record<string, never>; result: { devices: readonly IDeviceInfo[] } };
  /** Results of the last comparison of this version in this kernel, for a panel that was reloaded. */
  lastCompare: {
    params: IModelRef & { version: string };
    result: { compare: ICompareResult | null };
  };
}

/** Name of a request. */
export type RequestName = keyof IRequests;

/** Parameters of request `K`. */
export type Params<K extends RequestName> = IRequests[K]['params'];

/** Result of request `K`. */
export type Result<K extends RequestName> = IRequests[K]['result'];

/** Progress of a request that takes long. */
export interface IProgress {
  /** What is being done, for the reader. */
  readonly text: string;
  /** Share done, 0 to 1; absent where it is not known. */
  readonly fraction?: number;
}

/** An error as it travels. */
export interface IErrorInfo {
  /** See ErrorCode in the model layer; `internal` for a defect of castlens. */
  readonly code: string;
  readonly message: string;
  readonly file?: string;
  readonly entry?: string;
  readonly expected?: string;
  readonly found?: string;
  readonly hint?: string;
}

/** From the asking side. `id` is unique per channel. */
export type ClientMessage =
  | {
      readonly type: 'request';
      readonly id: number;
      readonly method: RequestName;
      readonly params: unknown;
    }
  /** Give up request `id`; its answer is then an error with code `cancelled`. */
  | { readonly type: 'cancel'; readonly id: number };

/** From the answering side. `result` and `error` are the last message of a request. Binary data travels beside `result`. */
export type ServerMessage =
  | { readonly type: 'result'; readonly id: number; readonly result: unknown }
  | { readonly type: 'error'; readonly id: number; readonly error: IErrorInfo }
  | { readonly type: 'progress'; readonly id: number; readonly progress: IProgress }
  /** The engine process died or was replaced; running requests have been answered with errors. */
  | { readonly type: 'engine'; readonly state: 'started' | 'lost'; readonly message: string }
  /**
   * A file of the model that was opened over this comm is another one than was read: `changing` while it is being written, `changed`
   * when it has been at rest for a moment, `gone` where there is none.
   */
  | { readonly type: 'files'; readonly state: FileChange; readonly file: string };

/** What has become of a file. */
export type FileChange = 'changing' | 'changed' | 'gone';

/** Timed forwards per variant of a comparison, where the user does not say. */
export const DEFAULT_RUNS = 20;

/** Forwards per variant before timing starts, where the user does not say. */
export const DEFAULT_WARMUP = 3;

/** Forwards that a comparison may ask for, per variant: timed ones, and those before. */
export const MAX_FORWARDS = 1_000_000;

/** Comm target of the kernel. */
export const COMM_TARGET = 'castlens';

/** Name of the kernelspec. */
export const KERNEL_NAME = 'castlens';
