/**
 * What is done to a chunk of a weight, on whichever thread.
 *
 * @packageDocumentation
 */
import { closeSync, openSync, writeSync } from 'node:fs';

import type { DType, IWeight } from '../model';
import { DTYPES, elementCount, sizeInBytes } from '../model';
import type { IStatsPart } from '../numerics';
import { castThrough, TensorStats } from '../numerics';
import { temporaryFailure } from './temporaryfailure';
import type { KernelType, WeightKernels } from './weightkernels';
import { hasKernels } from './weightkernels';
import { openStorage, WeightChunks } from './weightreader';

/** Summarise a chunk. The weight's dtype is one that `hasStats`. */
export interface IStatsTask {
  readonly kind: 'stats';
  /** A weight with bytes of its own. */
  readonly weight: IWeight;
  /** Number of the chunk among the weight's WeightChunks. */
  readonly chunk: number;
}

/** Cast a chunk through types in order and give the elements back. */
export interface ICastTask {
  readonly kind: 'cast';
  readonly weight: IWeight;
  readonly chunk: number;
  readonly steps: readonly DType[];
}

/** Cast a chunk through types in order and write the elements to a file. */
export interface IWriteTask {
  readonly kind: 'write';
  readonly weight: IWeight;
  readonly chunk: number;
  readonly steps: readonly DType[];
  /** An existing file, and the position of the weight's first element in it. */
  readonly target: { readonly file: string; readonly position: number };
}

/** One piece of work. Plain data. */
export type WeightTask = IStatsTask | ICastTask | IWriteTask;

/** What comes of a task: statistics, elements in memory of their own, or bytes written. */
export type WeightTaskResult<T extends WeightTask> = T extends IStatsTask
  ? IStatsPart
  : T extends ICastTask
    ? Uint8Array
    : number;

/** Bytes of a piece where the kernels do not set its size. */
const PLAIN_PIECE_BYTES = 512 * 1024;

/**
 * Does tasks, synchronously.
 *
 * #### Notes
 * A chunk goes through in pieces that stay in the second-level cache. Types that the kernels do not know take the plain path of
 * src/numerics.
 *
 * @throws CastlensError where the file is missing or too short, a cast is not supported, or the disk refuses.
 */
export class WeightWork {
  constructor(private readonly _kernels: WeightKernels) {}

  do<T extends WeightTask>(task: T): WeightTaskResult<T>;
  do(task: WeightTask): WeightTaskResult<WeightTask> {
    switch (task.kind) {
      case 'stats':
        return this._summarise(task);
      case 'cast':
        return this._cast(task);
      case 'write':
        return this._write(task);
    }
  }

  private _summarise({ weight, chunk }: IStatsTask): IStatsPart {
    const { dtype } = weight;
    if (hasKernels(dtype)) {
      const itemSize = DTYPES[dtype].bits / 8;
      this._kernels.beginStats();
      for (const piece of this._pieces(weight, chunk)) {
        this._kernels.scan(piece.length / itemSize, dtype);
      }
      return this._kernels.endStats();
    }
    const stats = new TensorStats(dtype);
    const chunks = new WeightChunks(weight);
    // Packed elements may leave a rest in the last byte.
    let left = elementCount(weight.shape) - chunks.elementsBefore(chunk);
    for (const piece of this._pieces(weight, chunk)) {
      stats.add(piece, left);
      left -= (piece.length * 8) / DTYPES[dtype].bits;
    }
    return stats.part();
  }

  private _cast({ weight, chunk, steps }: ICastTask): Uint8Array {
    const { dtype } = weight;
    const count = (new WeightChunks(weight).sizeBytes(chunk) * 8) / DTYPES[dtype].bits;
    const result = new Uint8Array(sizeInBytes(steps.at(-1) ?? dtype, count));
    let done = 0;
    for (const piece of this._converted(weight, chunk, steps)) {
      result.set(piece, done);
      done += piece.length;
    }
    return result;
  }

  private _write({ weight, chunk, steps, target }: IWriteTask): number {
    const { file } = target;
    const before = new WeightChunks(weight).elementsBefore(chunk);
    let position = target.position + sizeInBytes(steps.at(-1) ?? weight.dtype, before);
    let written = 0;
    const fd = attempt(file, () => openSync(file, 'r+'));
    try {
      for (const piece of this._converted(weight, chunk, steps)) {
        for (let done = 0; done < piece.length;) {
          const rest = piece.length - done;
          done += attempt(file, () => writeSync(fd, piece, done, rest, position + done));
        }
        position += piece.length;
        written += piece.length;
      }
    } finally {
      closeSync(fd);
    }
    return written;
  }

  /** The elements of a chunk, cast; each piece is valid until the next. */
  private *_converted(
    weight: IWeight,
    chunk: number,
    steps: readonly DType[]
  ): Generator<Uint8Array> {
    const { dtype } = weight;
    const itemSize = DTYPES[dtype].bits / 8;
    const isKnown = hasKernels(dtype) && steps.every(hasKernels);
    for (const piece of this._pieces(weight, chunk)) {
      yield isKnown
        ? this._kernels.cast(piece.length / itemSize, dtype, steps as readonly KernelType[])
        : castThrough(piece, dtype, steps);
    }
  }

  /** The elements of a chunk as stored; where there are kernels for them, in the kernels' input. */
  private *_pieces(weight: IWeight, chunk: number): Generator<Uint8Array> {
    const { dtype } = weight;
    const source = openStorage(weight);
    try {
      const buffer = hasKernels(dtype) ? this._kernels.input(dtype) : this._plainPiece();
      yield* new WeightChunks(weight).read(source, chunk, buffer);
    } finally {
      source.close();
    }
  }

  private _plainPiece(): Uint8Array {
    this._plain ??= new Uint8Array(PLAIN_PIECE_BYTES);
    return this._plain;
  }

  private _plain: Uint8Array | null = null;
}

function attempt<T>(file: string, write: () => T): T {
  try {
    return write();
  } catch (cause) {
    throw temporaryFailure('converted weights', file, cause);
  }
}
