/**
 * The elements of weights, in bounded chunks, whatever their layout.
 *
 * @packageDocumentation
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

import type { IByteRange, IWeight } from '../model';
import { CastlensError, DTYPES, elementCount, isContiguous, sizeInBytes } from '../model';
import type { IGatherTile } from '../numerics';
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
 * The elements of a weight in row-major order.
 *
 * @param chunkBytes - upper limit of a chunk; a multiple of 16.
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
  const bits = DTYPES[weight.dtype].bits;
  const count = elementCount(weight.shape);
  checkExtent(weight);
  const source = openStorage(weight);
  try {
    const base = (weight.storageOffset * bits) / 8;
    if (isContiguous(weight)) {
      const total = sizeInBytes(weight.dtype, count);
      const buffer = new Uint8Array(Math.min(chunkBytes, total));
      for (let start = 0; start < total; start += buffer.length) {
        const chunk = buffer.subarray(0, Math.min(buffer.length, total - start));
        source.read(base + start, chunk);
        yield chunk;
      }
      return;
    }
    const itemSize = bits / 8;
    const buffer = new Uint8Array(Math.min(chunkBytes, count * itemSize));
    let scratch = new Uint8Array(0);
    const chunks = planGather(weight.shape, weight.strides, Math.floor(chunkBytes / itemSize));
    for (const { count: size, tiles } of chunks) {
      const chunk = buffer.subarray(0, size * itemSize);
      for (const tile of tiles) {
        const length = tile.sourceCount * itemSize;
        if (scratch.length < length) {
          scratch = new Uint8Array(length);
        }
        readTile(source, base, tile, scratch.subarray(0, length), chunk, itemSize);
      }
      yield chunk;
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

function readTile(
  source: IByteSource,
  base: number,
  tile: IGatherTile,
  run: Uint8Array,
  chunk: Uint8Array,
  itemSize: number
): void {
  source.read(base + tile.sourceStart * itemSize, run);
  copyTile(tile, run, chunk, itemSize);
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
          throw shortFile(offset + position + target.length, offset + position + done);
        }
        done += got;
      }
    },
    close: () => closeSync(fd)
  };
}
