/**
 * What the code is generated from: the outcome of a fix plan as plain data.
 *
 * @packageDocumentation
 */
import type { DType, IWeight } from '../model';

/** A weight and the lower precision its casts ask for. */
export interface ICodeWeight {
  /** Every name of the storage: tied weights are listed under each. */
  readonly names: readonly string[];
  readonly kind: IWeight['kind'];
  readonly to: DType;
}

/** A model, by what its weights are to become. */
export interface ICodeFacts {
  /** Name of the file, without its folder. */
  readonly file: string;
  readonly format: 'pt2' | 'onnx';
  /** `torch 2.13.0+cpu`, ... */
  readonly producer: string;
  /** Weight casts of one forward, as exported. */
  readonly weightCasts: number;
  /** Weights that every use casts: they need be stored in the lower precision only. */
  readonly converted: readonly ICodeWeight[];
  /** Weights that get a second, converted copy beside the original. */
  readonly copied: readonly ICodeWeight[];
  /**
   * Operators whose casts are inside of them, so that decomposing the program loses them, each with the names of the weights among its
   * operands.
   */
  readonly composites: ReadonlyMap<string, readonly string[]>;
  /** Weights that are cast and stay as they are. */
  readonly left: readonly { readonly weight: string; readonly reason: string }[];
}
