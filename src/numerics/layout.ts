/**
 * Reading strided tensors as contiguous ones, in bounded pieces.
 *
 * A plan says which runs of the storage to read and where their elements go. It is made from sizes and strides alone, so the
 * same plan serves files and memory.
 *
 * @packageDocumentation
 */
import { contiguousStrides, elementCount } from '../model';

/** A part of one chunk that lies in one bounded run of the storage. Units are elements. */
export interface IGatherTile {
  /** First element of the run, from the tensor's first element (strides are not negative). */
  readonly sourceStart: number;
  /** Elements in the run, gaps included. */
  readonly sourceCount: number;
  readonly shape: readonly number[];
  readonly sourceStrides: readonly number[];
  /** First element in the chunk. */
  readonly targetStart: number;
  readonly targetStrides: readonly number[];
}

/** Consecutive elements of the result, in row-major order. */
export interface IGatherChunk {
  /** Index of the first element in the result. */
  readonly start: number;
  readonly count: number;
  readonly tiles: Iterable<IGatherTile>;
}

/**
 * Elements from the first to the last one that a view touches, gaps included; 0 for an empty view.
 */
export function viewExtent(shape: readonly number[], strides: readonly number[]): number {
  let extent = 1;
  for (let i = 0; i < shape.length; i++) {
    if (shape[i] === 0) {
      return 0;
    }
    extent += (shape[i] - 1) * strides[i];
  }
  return extent;
}

/** How a strided tensor is read: consecutive chunks, which come one by one or by their number. */
export interface IGatherPlan {
  /** Number of chunks. */
  readonly count: number;
  /** Elements in a chunk. */
  size(index: number): number;
  /** A chunk by its number, from 0. */
  chunk(index: number): IGatherChunk;
}

/**
 * Plan the reading of a strided tensor.
 *
 * @param chunkElements - the most elements of the result at a time, and the most elements of the storage per read.
 *
 * #### Notes
 * Chunks cover the result once. A chunk whose elements lie far apart (a transposed matrix) is read in
 * several tiles: a run is split along its largest stride until it is short enough and at least an eighth of it is used, or
 * until it is small enough for gaps not to matter.
 */
export function planGather(
  shape: readonly number[],
  strides: readonly number[],
  chunkElements: number
): IGatherPlan {
  const dims = coalesce(shape, strides);
  // Chunks take whole blocks of the inner dimensions, and a part of dimension `split`.
  const targetStrides = contiguousStrides(dims.shape);
  let split = 0;
  while (split < dims.shape.length - 1 && targetStrides[split] > chunkElements) {
    split++;
  }
  const inner = targetStrides[split];
  const perChunk = Math.max(1, Math.floor(chunkElements / inner));
  const perBlock = Math.ceil(dims.shape[split] / perChunk);
  const outer = dims.shape.slice(0, split);
  const rows = (index: number): number =>
    Math.min(perChunk, dims.shape[split] - (index % perBlock) * perChunk);
  return {
    count: elementCount(shape) === 0 ? 0 : elementCount(outer) * perBlock,
    size: index => rows(index) * inner,
    chunk: index => {
      const block = Math.floor(index / perBlock);
      const first = (index % perBlock) * perChunk;
      let rest = block;
      let base = first * dims.strides[split];
      for (let i = outer.length - 1; i >= 0; i--) {
        base += (rest % outer[i]) * dims.strides[i];
        rest = Math.floor(rest / outer[i]);
      }
      const tileShape = [rows(index), ...dims.shape.slice(split + 1)];
      const sourceStrides = dims.strides.slice(split);
      return {
        start: (block * dims.shape[split] + first) * inner,
        count: rows(index) * inner,
        tiles: splitTile(
          {
            sourceStart: base,
            sourceCount: viewExtent(tileShape, sourceStrides),
            shape: tileShape,
            sourceStrides,
            targetStart: 0,
            targetStrides: targetStrides.slice(split)
          },
          chunkElements
        )
      };
    }
  };
}

/**
 * Copy the elements of a tile.
 *
 * @param source - the bytes of the tile's run.
 * @param target - the bytes of the chunk.
 * @param itemSize - bytes of an element.
 */
export function copyTile(
  tile: IGatherTile,
  source: Uint8Array,
  target: Uint8Array,
  itemSize: number
): void {
  const rank = tile.shape.length;
  const innerCount = tile.shape[rank - 1];
  const sourceStep = tile.sourceStrides[rank - 1] * itemSize;
  const targetStep = tile.targetStrides[rank - 1] * itemSize;
  const outer = tile.shape.slice(0, rank - 1);
  const index = new Array<number>(outer.length).fill(0);
  const rows = elementCount(outer);
  let from = 0;
  let to = tile.targetStart * itemSize;
  for (let row = 0; row < rows; row++) {
    if (sourceStep === itemSize && targetStep === itemSize) {
      target.set(source.subarray(from, from + innerCount * itemSize), to);
    } else {
      copyStrided(source, from, sourceStep, target, to, targetStep, innerCount, itemSize);
    }
    for (let i = outer.length - 1; i >= 0; i--) {
      from += tile.sourceStrides[i] * itemSize;
      to += tile.targetStrides[i] * itemSize;
      if (++index[i] < outer[i]) {
        break;
      }
      from -= outer[i] * tile.sourceStrides[i] * itemSize;
      to -= outer[i] * tile.targetStrides[i] * itemSize;
      index[i] = 0;
    }
  }
}

/** Runs of at most this many elements are read whole, however little of them is used. */
const SMALL_RUN = 1024;

function copyStrided(
  source: Uint8Array,
  from: number,
  sourceStep: number,
  target: Uint8Array,
  to: number,
  targetStep: number,
  count: number,
  itemSize: number
): void {
  for (let i = 0; i < count; i++) {
    for (let byte = 0; byte < itemSize; byte++) {
      target[to + byte] = source[from + byte];
    }
    from += sourceStep;
    to += targetStep;
  }
}

/** Dimensions of size 1 dropped, and neighbours that lie without gap merged. At least one dimension is left. */
function coalesce(
  shape: readonly number[],
  strides: readonly number[]
): { shape: number[]; strides: number[] } {
  const sizes: number[] = [];
  const steps: number[] = [];
  for (let i = 0; i < shape.length; i++) {
    if (shape[i] === 1) {
      continue;
    }
    const last = sizes.length - 1;
    if (last >= 0 && steps[last] === strides[i] * shape[i]) {
      sizes[last] *= shape[i];
      steps[last] = strides[i];
    } else {
      sizes.push(shape[i]);
      steps.push(strides[i]);
    }
  }
  return sizes.length === 0 ? { shape: [1], strides: [1] } : { shape: sizes, strides: steps };
}

function* splitTile(whole: IGatherTile, chunkElements: number): Generator<IGatherTile> {
  const pending = [whole];
  while (pending.length > 0) {
    const tile = pending.pop()!;
    const used = elementCount(tile.shape);
    let widest = -1;
    for (let i = 0; i < tile.shape.length; i++) {
      if (
        tile.shape[i] > 1 &&
        tile.sourceStrides[i] > 0 &&
        (widest < 0 || tile.sourceStrides[i] > tile.sourceStrides[widest])
      ) {
        widest = i;
      }
    }
    const dense = tile.sourceCount <= chunkElements && used * 8 >= tile.sourceCount;
    if (widest < 0 || dense || tile.sourceCount <= Math.min(SMALL_RUN, chunkElements)) {
      yield tile;
      continue;
    }
    const half = Math.ceil(tile.shape[widest] / 2);
    pending.push(part(tile, widest, half, tile.shape[widest] - half), part(tile, widest, 0, half));
  }
}

/** The part of a tile with indices `first` to `first + size` of a dimension. */
function part(tile: IGatherTile, dim: number, first: number, size: number): IGatherTile {
  const shape = tile.shape.map((length, i) => (i === dim ? size : length));
  return {
    ...tile,
    shape,
    sourceStart: tile.sourceStart + first * tile.sourceStrides[dim],
    sourceCount: viewExtent(shape, tile.sourceStrides),
    targetStart: tile.targetStart + first * tile.targetStrides[dim]
  };
}
