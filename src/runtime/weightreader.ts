/**
 * The elements of weights, in bounded chunks, whatever their layout.
 *
 * @packageDocumentation
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

import type { IByteRange, IWeight } from '../model';
import { CastlensError, DTYPES, elementCount, isContiguous, sizeInBytes } from '../model';
import type { IGatherChunk, IGatherPlan } from '../numerics';
import { copyTile, planGather, viewExtent } from '../numerics';

/** The most bytes read at a time. */
export const CHUNK_BYTES = 8 * 1024 * 1024;

/** Bytes at hand, read by position. */
export interface IByteSource {
  /** Copy `target.length` bytes from position `offset` of the storage. */
  read(offset: number, target: Uint8Array): void;
  close(): void;
}

/**
 * Open the storage of a weight.
 *
 * @throws CastlensError where the file is missing, or shorter than the range says.
 */
export function openStorage(weight: IWeight): IByteSource {
  const { data } = weight;
  switch (data.kind) {
    case 'inline':
      return {
        read: (offset, target) => target.set(data.bytes.subarray(offset, offset + target.length)),
        close: () => undefined
      };
    case 'range':
      return openRange(data.range, weight.names[0]);
    case 'derived':
      throw new CastlensError('bad-argument', 'a derived weight has no bytes of its own', {
        entry: weight.names[0]
      });
  }
}

/**
 * The elements of a weight in row-major order, divided into chunks that can be read in any order.
 *
 * @throws CastlensError where the view reaches beyond its storage.
 */
export class WeightChunks {
  /** @param chunkBytes - upper limit of a chunk; a multiple of 16. */
  constructor(
    readonly weight: IWeight,
    chunkBytes = CHUNK_BYTES
  ) {
    checkExtent(weight);
    const { dtype, shape, strides } = weight;
    const { bits } = DTYPES[dtype];
    this._totalBytes = sizeInBytes(dtype, elementCount(shape));
    this._chunkBytes = chunkBytes;
    this._base = (weight.storageOffset * bits) / 8;
    this._itemSize = bits / 8;
    this._plan = isContiguous(weight)
      ? null
      : planGather(shape, strides, Math.floor(chunkBytes / this._itemSize));
    this.count = this._plan?.count ?? Math.ceil(this._totalBytes / chunkBytes);
  }

  /** Number of chunks. */
  readonly count: number;

  /** Elements before a chunk. */
  elementsBefore(index: number): number {
    return this._plan?.chunk(index).start ?? (index * this._chunkBytes) / this._itemSize;
  }

  /** Bytes of a chunk; packed elements may leave a rest in the last one. */
  sizeBytes(index: number): number {
    return this._plan === null
      ? Math.min(this._chunkBytes, this._totalBytes - index * this._chunkBytes)
      : this._plan.size(index) * this._itemSize;
  }

  /**
   * Read a chunk in pieces.
   *
   * @param buffer - its size is that of a piece; a multiple of the element size.
   *
   * #### Notes
   * Every piece is a view on the buffer, valid until the next one is asked for. Contiguous elements are read into it directly.
   */
  *read(source: IByteSource, index: number, buffer: Uint8Array): Generator<Uint8Array, void> {
    const total = this.sizeBytes(index);
    const gathered = this._plan === null ? null : this._gather(source, this._plan.chunk(index));
    const start = this._base + index * this._chunkBytes;
    for (let done = 0; done < total; done += buffer.length) {
      const piece = buffer.subarray(0, Math.min(buffer.length, total - done));
      if (gathered === null) {
        source.read(start + done, piece);
      } else {
        piece.set(gathered.subarray(done, done + piece.length));
      }
      yield piece;
    }
  }

  private _gather(source: IByteSource, { count, tiles }: IGatherChunk): Uint8Array {
    const itemSize = this._itemSize;
    const chunk = new Uint8Array(count * itemSize);
    let scratch = new Uint8Array(0);
    for (const tile of tiles) {
      const length = tile.sourceCount * itemSize;
      if (scratch.length < length) {
        scratch = new Uint8Array(length);
      }
      const run = scratch.subarray(0, length);
      source.read(this._base + tile.sourceStart * itemSize, run);
      copyTile(tile, run, chunk, itemSize);
    }
    return chunk;
  }

  private readonly _totalBytes: number;
  private readonly _chunkBytes: number;
  private readonly _itemSize: number;
  /** Position of the first element in the storage. */
  private readonly _base: number;
  private readonly _plan: IGatherPlan | null;
}

/**
 * The elements of a weight in row-major order, chunk by chunk.
 *
 * #### Notes
 * Every chunk is a view on the same buffer, valid until the next one is asked for. Reading is synchronous; the caller yields
 * between chunks where others must be heard.
 *
 * @throws CastlensError where the view reaches beyond its storage or the file ends early.
 */
export function* readElements(
  weight: IWeight,
  chunkBytes = CHUNK_BYTES
): Generator<Uint8Array, void> {
  const chunks = new WeightChunks(weight, chunkBytes);
  const source = openStorage(weight);
  try {
    const buffer = new Uint8Array(chunks.count === 0 ? 0 : chunkBytes);
    for (let index = 0; index < chunks.count; index++) {
      yield* chunks.read(source, index, buffer);
    }
  } finally {
    source.close();
  }
}

/** Check that every element of a view lies in its storage. */
export function checkExtent(weight: IWeight): void {
  const { data, dtype, shape, strides, storageOffset } = weight;
  const entry = weight.names[0];
  const file = data.kind === 'range' ? data.range.file : undefined;
  if (DTYPES[dtype].bits === 0) {
    throw new CastlensError('bad-argument', 'tensors of strings cannot be read', { file, entry });
  }
  if (storageOffset < 0 || strides.some(stride => stride < 0)) {
    throw new CastlensError('bad-file', 'strides and storage offset must not be negative', {
      file,
      entry,
      found: `strides [${strides.join(', ')}], storage offset ${storageOffset}`
    });
  }
  if (DTYPES[dtype].bits % 8 !== 0 && (!isContiguous(weight) || storageOffset !== 0)) {
    throw new CastlensError('bad-file', 'packed elements must be contiguous', { file, entry });
  }
  const extent = isContiguous(weight) ? elementCount(shape) : viewExtent(shape, strides);
  const needed = extent === 0 ? 0 : sizeInBytes(dtype, storageOffset + extent);
  const held =
    data.kind === 'range'
      ? data.range.length
      : data.kind === 'inline'
        ? data.bytes.length
        : Infinity;
  if (!(needed <= held)) {
    throw new CastlensError('bad-file', 'the tensor reaches beyond its storage', {
      file,
      entry,
      expected: `${needed} bytes for ${dtype} [${shape.join(', ')}]`,
      found: `${held} bytes`
    });
  }
}

function openRange(range: IByteRange, entry: string): IByteSource {
  const { file, offset, length } = range;
  let fd: number;
  try {
    fd = openSync(file, 'r');
  } catch (cause) {
    throw new CastlensError('file-not-found', 'the file with the weight cannot be opened', {
      file,
      entry,
      found: (cause as Error).message,
      cause
    });
  }
  const shortFile = (end: number, size: number): CastlensError =>
    new CastlensError('bad-file', 'the file ends before the weight does', {
      file,
      entry,
      expected: `at least ${end} bytes`,
      found: `${size} bytes`
    });
  const size = fstatSync(fd).size;
  if (offset < 0 || length < 0 || offset + length > size) {
    closeSync(fd);
    throw shortFile(offset + length, size);
  }
  return {
    read: (position, target) => {
      for (let done = 0; done < target.length;) {
        const got = readSync(fd, target, done, target.length - done, offset + position + done);
        if (got === 0) {
          throw shortFile(offset + position + target.length, fstatSync(fd).size);
        }
        done += got;
      }
    },
    close: () => closeSync(fd)
  };
}
