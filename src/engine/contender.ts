/**
 * What takes part in a comparison: a variant that is loaded and has run, whatever runs it.
 *
 * @packageDocumentation
 */
import type { IVariant, IVariantResult } from '../protocol';
import type { INamedTensor } from './outputs';

/** What is known of a contender beside its times and what follows from comparing it. */
export type Described = Omit<
  IVariantResult,
  | 'medianMs'
  | 'lowMs'
  | 'highMs'
  | 'samplesMs'
  | 'runs'
  | 'ratioToOff'
  | 'ratioLow'
  | 'ratioHigh'
  | 'verdict'
  | 'bitIdenticalToOff'
  | 'maxRelativeDifferenceToOff'
>;

/** A variant that was loaded and ran once. */
export interface IContender {
  readonly variant: IVariant;
  /** Of its first forward. */
  readonly outputs: readonly INamedTensor[];
  /** In which process it runs: times of others are taken after this one is at rest. */
  readonly process: string;
  /** One forward; resolves with its time in milliseconds where the process measures it itself. */
  run(): Promise<number | void>;
  /** Called when it has been timed. */
  describe(): Described;
  release(): Promise<void>;
}
