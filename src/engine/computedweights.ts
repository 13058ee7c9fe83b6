/**
 * Weights that are computed from others when a variant is loaded.
 *
 * @packageDocumentation
 */
import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { writeOnnx } from '../formats';
import type { IWeight } from '../model';
import { contiguousStrides, withWeights } from '../model';
import type { ITensor } from '../numerics';
import { bytesOf, castBytes } from '../numerics';
import type { IMaterializedGraph, WeightConverter } from '../runtime';
import { privateFolder, RuntimeSession, temporaryFailure } from '../runtime';
import { sessionOptions } from './sessionoptions';
import type { IPreparedVariant } from './variant';

/** What computing weights at load costs. */
export interface IComputedCost {
  /** Weights computed. */
  readonly count: number;
  /** Bytes of the results, which are held while the variant is loaded. */
  readonly sizeBytes: number;
  /** Time from converting their operands to the results, milliseconds. */
  readonly ms: number;
}

/** A graph whose weights are all plain, and what computing some of them cost. */
export interface IComputedGraph extends IMaterializedGraph {
  readonly computed: IComputedCost | null;
}

/**
 * The graph of a variant with all its weights plain: those in another form converted, and those that are computed from others computed,
 * by the runtime, on the variant's device.
 *
 * @returns what the caller disposes after the sessions made of it.
 *
 * @throws CastlensError where a weight cannot be read, the disk is full, or the runtime refuses what computes them.
 */
export async function computeWeights(
  converter: WeightConverter,
  prepared: IPreparedVariant,
  options: WeightConverter.IMaterializeOptions
): Promise<IComputedGraph> {
  const { computed, legal } = prepared;
  if (computed === null) {
    return { ...(await converter.materialize(legal.graph, options)), computed: null };
  }
  const start = performance.now();
  const operands = await converter.materialize(computed.graph, options);
  const weights = new Map<string, IWeight>();
  const path = join(privateFolder(), `computed-${randomBytes(6).toString('hex')}.bin`);
  const remove = (): void => rmSync(path, { force: true });
  let sizeBytes = 0;
  try {
    const session = await RuntimeSession.create(
      writeOnnx(operands.graph),
      sessionOptions(prepared.variant)
    );
    try {
      const results = await session.run(new Map());
      const parts: Uint8Array[] = [];
      for (const { output, weight } of computed.results) {
        const tensor = results.get(output.name)!;
        const bytes = storedAs(tensor, weight.dtype);
        const range = { file: path, offset: sizeBytes, length: bytes.length };
        weights.set(weight.storage, {
          ...weight,
          shape: tensor.shape,
          strides: contiguousStrides(tensor.shape),
          data: { kind: 'range', range }
        });
        const padding = (ALIGNMENT - (bytes.length % ALIGNMENT)) % ALIGNMENT;
        parts.push(bytes, new Uint8Array(padding));
        sizeBytes += bytes.length + padding;
      }
      write(path, parts);
    } finally {
      await session.dispose();
    }
  } catch (error) {
    remove();
    throw error;
  } finally {
    operands.dispose();
  }
  const ms = performance.now() - start;
  try {
    const graph = withWeights(legal.graph, weight => weights.get(weight.storage) ?? weight);
    const rest = await converter.materialize(graph, options);
    return {
      ...rest,
      convertedWeights: rest.convertedWeights + operands.convertedWeights,
      takenWeights: rest.takenWeights + operands.takenWeights,
      bytesRead: rest.bytesRead + operands.bytesRead,
      bytesWritten: rest.bytesWritten + operands.bytesWritten,
      ms: rest.ms + ms,
      computed: { count: computed.results.length, sizeBytes, ms },
      dispose: () => {
        rest.dispose();
        remove();
      }
    };
  } catch (error) {
    remove();
    throw error;
  }
}

const ALIGNMENT = 64;

function write(path: string, parts: readonly Uint8Array[]): void {
  try {
    parts.forEach(bytes => writeFileSync(path, bytes, { flag: 'a', mode: 0o600 }));
  } catch (cause) {
    throw temporaryFailure('computed weights', path, cause);
  }
}

function storedAs({ dtype, data }: ITensor, wanted: ITensor['dtype']): Uint8Array {
  const bytes = bytesOf(data);
  return dtype === wanted ? bytes : castBytes(bytes, dtype, wanted);
}
