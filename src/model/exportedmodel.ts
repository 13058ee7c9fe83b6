/**
 * An exported model: a graph with byte-range weights, and what the file says around it.
 *
 * @packageDocumentation
 */
import type { DType } from './dtype';
import type { IDimRange, Shape } from './dim';
import type { IGraph, ISourceLocation, IValue } from './graph';
import type { IGuard } from './guard';
import type { IWeight } from './weight';

/** `TRAINING`: regions, no casts visible. `ATEN`: regions decomposed to explicit casts. `ONNX`: explicit Cast nodes. */
export type Dialect = 'TRAINING' | 'ATEN' | 'ONNX';

/** The operators under one autocast context, as recorded. */
export interface IAutocastRegion {
  readonly id: string;
  /** Enclosing region, or null for an outermost one. */
  readonly parent: string | null;
  /** Device type, `cpu`, `cuda`, ... */
  readonly device: string;
  /** Lower-precision dtype; null where the file leaves the device's default. */
  readonly dtype: DType | null;
  readonly enabled: boolean;
  /** As recorded: false from non-strict export, null from strict, true from the decorator form. */
  readonly cacheEnabled: boolean | null;
  readonly module: string | null;
  readonly source: ISourceLocation | null;
}

/** An input or output as the caller of the model sees it. */
export interface IPort {
  readonly name: string;
  /** The graph's value; null for a literal (a None or a number that export baked in). */
  readonly value: IValue | null;
  readonly dtype: DType | null;
  readonly shape: Shape | null;
  /** What the value is, where it is no tensor: `seq(tensor(float32))`. */
  readonly type?: string;
  /** A literal's text, where `value` is null. */
  readonly literal?: string;
}

/** A model as read from its file. Holds no weight bytes. */
export interface IExportedModel {
  /** Absolute path of the file that was opened. */
  readonly path: string;
  readonly format: 'pt2' | 'onnx';
  /** Names of the program that was read and of the others, where the file holds several. */
  readonly programs?: { readonly chosen: string; readonly others: readonly string[] };
  readonly dialect: Dialect;
  /** `torch 2.13.0+cpu`, `pytorch 2.13.0+cpu`, ... */
  readonly producer: string;
  /** Torch version of the export, `2.13.0`, where known: policy tables depend on it. */
  readonly torchVersion: string | null;
  readonly graph: IGraph;
  readonly regions: readonly IAutocastRegion[];
  readonly inputs: readonly IPort[];
  readonly outputs: readonly IPort[];
  /** Every tensor stored, also those the graph does not use. */
  readonly weights: readonly IWeight[];
  /** Module paths with their Python class, root `''` first, where recorded. */
  readonly modules: readonly { readonly path: string; readonly type: string | null }[];
  /** Allowed values of the symbols in shapes. */
  readonly ranges: ReadonlyMap<string, IDimRange>;
  /** Conditions on the inputs, where the file records any. */
  readonly guards?: readonly IGuard[];
  /**
   * Tensors the file keeps as an example of what the model takes, by name of the input: those it was exported with. They may
   * be absent for any input, and have the sizes of the export where sizes are symbolic.
   */
  readonly sampleInputs?: ReadonlyMap<string, IWeight>;
  /** Values that inputs have where the caller gives none, by name of the input: initializers of ONNX that callers may override. */
  readonly defaults?: ReadonlyMap<string, IWeight>;
  /** Every file the model's bytes lie in, `path` first. */
  readonly files: readonly IModelFile[];
  /** Remarks of the reader about the file. */
  readonly warnings: readonly string[];
}

/** A file that bytes of a model lie in, as it was when it was read. */
export interface IModelFile {
  /** Absolute path. */
  readonly path: string;
  readonly sizeBytes: number;
  /** Changes whenever the file does, and where another file takes its name. */
  readonly version: string;
}
