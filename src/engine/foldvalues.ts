/**
 * The elements of computed weights, computed once.
 *
 * @packageDocumentation
 */
import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { writeOnnx } from '../formats';
import { CPU_CAPABILITIES, legalize, lowerToOnnx } from '../lowering';
import type { IByteRange, IExportedModel, IGraph } from '../model';
import { CastlensError, cloneGraph, contiguousStrides, DTYPES, isFloating } from '../model';
import type { ITensor } from '../numerics';
import { bytesOf, copyTile, decodeFloat64, planGather } from '../numerics';
import type { IJob, WeightWorkers } from '../runtime';
import {
  breathe,
  privateFolder,
  RuntimeSession,
  temporaryFailure,
  WeightConverter
} from '../runtime';
import type { IFoldedWeight } from './foldplan';
import { inLogicalDtype } from './outputs';

/** A result: where its bytes are, and its sizes. */
export interface IComputedValue {
  readonly range: IByteRange;
  readonly shape: readonly number[];
}

/**
 * Computes weights by onnxruntime, on the CPU, one after the other, and keeps their bytes in a temporary file.
 *
 * #### Notes
 * Memory holds one result with what it is computed from.
 */
export class FoldedValues {
  /** @param workers - convert what the runtime cannot take as it is stored; the caller's. */
  constructor(
    private readonly _model: IExportedModel,
    workers: WeightWorkers
  ) {
    this._converter = new WeightConverter(workers, { keepBytes: 0 });
  }

  /**
   * The bytes of a result, laid out by its strides; or why it cannot be stored.
   *
   * @throws CastlensError where the disk is full, a file of the model changed, or the job was cancelled.
   */
  async compute(folded: IFoldedWeight, job: IJob): Promise<IComputedValue | string> {
    const key = folded.casts[0].name;
    const known = this._values.get(key);
    if (known !== undefined) {
      return known;
    }
    await breathe(job);
    job.progress?.({ text: `Computing ${folded.operand.name}` });
    const tensor = await this._run(folded, job);
    if (typeof tensor === 'string') {
      return tensor;
    }
    const isOfShape = folded.shape === null || tensor.shape.join() === folded.shape.join();
    if (tensor.dtype !== folded.to || !isOfShape) {
      return `castlens computes ${tensor.dtype} [${tensor.shape.join(', ')}] for it`;
    }
    if (
      isFloating(folded.to) &&
      decodeFloat64(bytesOf(tensor.data), folded.to).some(Number.isNaN)
    ) {
      return 'it holds NaN, whose bits differ between processors';
    }
    const bytes = folded.shape === null ? bytesOf(tensor.data) : arranged(tensor, folded.strides);
    try {
      writeFileSync(this._path, bytes, { flag: 'a', mode: 0o600 });
    } catch (cause) {
      throw temporaryFailure('computed weights', this._path, cause);
    }
    const range = { file: this._path, offset: this._end, length: bytes.length };
    this._end += bytes.length;
    const computed = { range, shape: tensor.shape };
    this._values.set(key, computed);
    return computed;
  }

  /** Remove the temporary file. Idempotent. */
  dispose(): void {
    rmSync(this._path, { force: true });
  }

  private async _run(folded: IFoldedWeight, job: IJob): Promise<ITensor | string> {
    let legal;
    try {
      const { graph } = cloneGraph(this._graphOf(folded));
      legal = legalize(lowerToOnnx(graph, this._model.path), CPU_CAPABILITIES);
    } catch (error) {
      return reasonOf(error);
    }
    const operands = await this._converter.materialize(legal.graph, { ...job, reuse: false });
    try {
      const session = await RuntimeSession.create(writeOnnx(operands.graph), {
        device: { kind: 'cpu' },
        level: 'planned'
      });
      try {
        const [{ value, dtype }] = legal.outputs;
        const results = await session.run(new Map());
        return inLogicalDtype(results.get(value.name)!, dtype);
      } finally {
        await session.dispose();
      }
    } catch (error) {
      return reasonOf(error);
    } finally {
      operands.dispose();
    }
  }

  /** A graph of its own that computes the result. */
  private _graphOf({ nodes, casts, roots }: IFoldedWeight): IGraph {
    return {
      name: 'computed',
      inputs: [],
      outputs: [casts[0].outputs[0]!],
      nodes: [...nodes],
      weights: [...roots].map(([value, weight]) => ({ value, weight })),
      opsets: { ...this._model.graph.opsets }
    };
  }

  private readonly _converter: WeightConverter;
  private readonly _path = join(privateFolder(), `folded-${randomBytes(6).toString('hex')}.bin`);
  private readonly _values = new Map<string, IComputedValue>();
  private _end = 0;
}

/** Why a result cannot be computed. Errors of the machine are no reasons: they are thrown. */
function reasonOf(error: unknown): string {
  if (error instanceof CastlensError && REASONS.has(error.code)) {
    return `castlens cannot compute it: ${error.message}`;
  }
  throw error;
}

const REASONS: ReadonlySet<string> = new Set(['unsupported-operator', 'runtime']);

/** Elements of a contiguous tensor in the order that dense strides give them in memory. */
function arranged({ data, shape, dtype }: ITensor, strides: readonly number[]): Uint8Array {
  const bytes = bytesOf(data);
  const itemSize = DTYPES[dtype].bits / 8;
  // Memory row by row is the tensor with its dimensions in the order of their strides.
  const order = shape
    .map((_, i) => i)
    .sort((a, b) => strides[b] - strides[a] || shape[b] - shape[a] || a - b);
  if (order.every((dim, i) => dim === i)) {
    return bytes;
  }
  const rows = contiguousStrides(shape);
  const plan = planGather(
    order.map(dim => shape[dim]),
    order.map(dim => rows[dim]),
    1 << 20
  );
  const target = new Uint8Array(bytes.length);
  for (let i = 0; i < plan.count; i++) {
    const { start, tiles } = plan.chunk(i);
    for (const tile of tiles) {
      copyTile(
        tile,
        bytes.subarray(
          tile.sourceStart * itemSize,
          (tile.sourceStart + tile.sourceCount) * itemSize
        ),
        target.subarray(start * itemSize),
        itemSize
      );
    }
  }
  return target;
}
