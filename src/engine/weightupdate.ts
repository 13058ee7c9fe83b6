/**
 * Other weights for a model: the same graph, with the tensors of another file.
 *
 * @packageDocumentation
 */
import { readWeights } from '../formats';
import type { IExportedModel, IWeight } from '../model';
import { CastlensError, DTYPES, elementCount, withWeights } from '../model';
import type { IJob } from '../runtime';
import { breathe, CHUNK_BYTES, readElements } from '../runtime';

/** A model with other weights. */
export interface IUpdatedModel {
  /** The file that the weights come from. */
  readonly source: string;
  /** Its graph is the source's, node by node; weights that did not change are the very same objects. */
  readonly model: IExportedModel;
  /** Weights whose bytes are others now, by the name the graph uses. */
  readonly changed: readonly string[];
  /** Weights that keep their bytes: the file does not hold them, or holds the same elements. */
  readonly unchangedCount: number;
}

/**
 * Take the weights of another file.
 *
 * #### Notes
 * Everything is checked before anything is taken: the file must hold no tensor the model does not know, and every tensor must
 * have the dtype and shape of the model's own. It need not hold all of them. Elements are compared in bounded chunks, so that
 * weights with the same elements stay what they are, and with them their casts.
 *
 * @param path - a `.safetensors` file, or another export of the model.
 * @throws CastlensError `bad-input` that lists every tensor that does not fit.
 */
export async function takeWeights(
  model: IExportedModel,
  path: string,
  job: IJob
): Promise<IUpdatedModel> {
  const source = await readWeights(path);
  const replacements = matchWeights(model, source.weights, path);
  const changed = new Map<IWeight, IWeight>();
  const totalBytes = [...replacements.keys()].reduce((sum, weight) => sum + sizeOf(weight), 0);
  let doneBytes = 0;
  for (const [own, other] of replacements) {
    await breathe(job);
    const same = await hasSameElements(own, other, job, bytes => {
      doneBytes += bytes;
      const text = `Comparing ${own.names[0]}`;
      job.progress?.({ text, done: doneBytes, total: totalBytes, unit: 'bytes' });
    });
    if (!same) {
      const { storage, strides, storageOffset, data } = other;
      changed.set(own, { ...own, storage, strides, storageOffset, data });
    }
  }
  const change = (weight: IWeight): IWeight => changed.get(weight) ?? weight;
  return {
    source: path,
    model: {
      ...model,
      graph: withWeights(model.graph, change),
      weights: model.weights.map(change),
      files: [...model.files, ...source.files]
    },
    changed: [...changed.keys()].map(weight => weight.names[0]),
    unchangedCount: model.weights.length - changed.size
  };
}

/** The tensor that takes the place of each weight the file holds. */
function matchWeights(
  model: IExportedModel,
  others: readonly IWeight[],
  path: string
): Map<IWeight, IWeight> {
  const own = new Map<string, IWeight>();
  for (const weight of model.weights) {
    weight.names.forEach(name => own.set(name, weight));
  }
  const matched = new Map<IWeight, IWeight>();
  const unknown: string[] = [];
  const misfits: string[] = [];
  for (const other of others) {
    const name = other.names.find(candidate => own.has(candidate));
    if (name === undefined) {
      // Exports number their lifted constants anew: one more or less of those says nothing.
      if (other.kind !== 'constant') {
        unknown.push(other.names[0]);
      }
      continue;
    }
    const weight = own.get(name)!;
    if (weight.dtype !== other.dtype || !sameSizes(weight.shape, other.shape)) {
      misfits.push(`${name} is ${describe(other)}, not ${describe(weight)}`);
      continue;
    }
    const earlier = matched.get(weight);
    if (earlier !== undefined && earlier.storage !== other.storage) {
      misfits.push(
        `${name} and ${earlier.names[0]} are one weight in the model and two in the file`
      );
      continue;
    }
    matched.set(weight, other);
  }
  if (unknown.length > 0 || misfits.length > 0 || matched.size === 0) {
    throw misfit(path, unknown, misfits);
  }
  return matched;
}

function misfit(
  path: string,
  unknown: readonly string[],
  misfits: readonly string[]
): CastlensError {
  const parts = [
    ...misfits,
    ...(unknown.length > 0 ? [`the model has no weight ${list(unknown)}`] : [])
  ];
  return new CastlensError('bad-input', 'these weights do not fit the model; nothing was changed', {
    file: path,
    expected: 'tensors with the names, dtypes and shapes of the model’s weights',
    found: parts.length > 0 ? parts.join('; ') : 'none of them'
  });
}

const MOST_NAMES = 20;

function list(names: readonly string[]): string {
  const shown = names.slice(0, MOST_NAMES).join(', ');
  return names.length > MOST_NAMES ? `${shown} and ${names.length - MOST_NAMES} more` : shown;
}

function describe({ dtype, shape }: IWeight): string {
  return `${dtype} [${shape.join(', ')}]`;
}

function sameSizes(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i]);
}

function sizeOf({ dtype, shape }: IWeight): number {
  return Math.ceil((elementCount(shape) * DTYPES[dtype].bits) / 8);
}

/** Elements that are looked at first. */
const FIRST_LOOK_BYTES = 64 * 1024;

/** Whether two weights of one dtype and shape hold the same bits. */
async function hasSameElements(
  a: IWeight,
  b: IWeight,
  job: IJob,
  progress: (bytes: number) => void
): Promise<boolean> {
  if (a.storage === b.storage && a.storageOffset === b.storageOffset) {
    return sameSizes(a.strides, b.strides);
  }
  // Most weights that differ do so in their first elements: a look at those spares reading a whole chunk of each.
  return (
    (await areEqual(a, b, FIRST_LOOK_BYTES, true, job, () => undefined)) &&
    (await areEqual(a, b, CHUNK_BYTES, false, job, progress))
  );
}

/** Whether two weights, or their first pieces, hold the same bits. */
async function areEqual(
  a: IWeight,
  b: IWeight,
  chunkBytes: number,
  firstOnly: boolean,
  job: IJob,
  progress: (bytes: number) => void
): Promise<boolean> {
  // Chunks end at different elements where layouts differ.
  const left = new ElementReader(a, chunkBytes);
  const right = new ElementReader(b, chunkBytes);
  try {
    for (let more = true; more;) {
      const length = Math.min(left.available(), right.available());
      if (!left.take(length).equals(right.take(length))) {
        return false;
      }
      progress(length);
      more = length > 0 && !firstOnly;
      await breathe(job);
    }
    return true;
  } finally {
    left.close();
    right.close();
  }
}

/** The elements of a weight, in pieces of any length. */
class ElementReader {
  constructor(weight: IWeight, chunkBytes: number) {
    this._chunks = readElements(weight, chunkBytes);
  }

  /** Bytes that can be taken at once; 0 at the end. */
  available(): number {
    if (this._rest.length === 0) {
      const { done, value } = this._chunks.next();
      this._rest = done ? Buffer.alloc(0) : asBuffer(value);
    }
    return this._rest.length;
  }

  /** The next bytes, valid until the chunk they are of is used up. */
  take(length: number): Buffer {
    const taken = this._rest.subarray(0, length);
    this._rest = this._rest.subarray(length);
    return taken;
  }

  close(): void {
    this._chunks.return();
  }

  private _rest: Buffer = Buffer.alloc(0);
  private readonly _chunks: Generator<Uint8Array, void>;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
