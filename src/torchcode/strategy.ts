/**
 * One way to be rid of the weight casts, as Python.
 *
 * @packageDocumentation
 */
import type { ICodeFacts } from './facts';

/** Part of a Python file: a function with what it needs. */
export interface ICodePart {
  /** How the function is called, for the overview. */
  readonly call: string;
  /** What it does and what it costs, in a line. */
  readonly about: string;
  /** Import statements. */
  readonly imports: readonly string[];
  /** Whether it refers to the tables of weights. */
  readonly usesTables: boolean;
  /** Top-level definitions, the function last. */
  readonly source: string;
}

/** Makes the part of a strategy for one model. */
export type CodeStrategy = (facts: ICodeFacts) => ICodePart;
