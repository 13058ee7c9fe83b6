import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { DType, IGraph, IWeight } from '../../../src/model';
import { contiguousStrides, elementCount, makeValue, sizeInBytes } from '../../../src/model';

/** A folder for one test file, removed after its tests. */
export function testFolder(): { path: string; write(name: string, bytes: Uint8Array): string } {
  const path = mkdtempSync(join(tmpdir(), 'castlens-test-'));
  afterAll(() => rmSync(path, { recursive: true, force: true }));
  return {
    path,
    write: (name, bytes) => {
      const file = join(path, name);
      writeFileSync(file, bytes);
      return file;
    }
  };
}

/** A weight stored in a file; contiguous from `offset` on where nothing else is said. */
export function storedWeight(
  file: string,
  dtype: DType,
  shape: number[],
  options: { offset?: number; length?: number; strides?: number[]; storageOffset?: number } = {}
): IWeight {
  const offset = options.offset ?? 0;
  const length = options.length ?? sizeInBytes(dtype, elementCount(shape));
  return {
    storage: `${file}:${offset}:${length}`,
    names: ['w'],
    kind: 'parameter',
    dtype,
    shape,
    strides: options.strides ?? contiguousStrides(shape),
    storageOffset: options.storageOffset ?? 0,
    requiresGrad: true,
    data: { kind: 'range', range: { file, offset, length } }
  };
}

/** The values of `source`, contiguous and cast. */
export function derivedWeight(source: IWeight, steps: DType[]): IWeight {
  return {
    ...source,
    storage: `${source.storage}->${steps.join('->')}`,
    dtype: steps.at(-1) ?? source.dtype,
    strides: contiguousStrides(source.shape),
    storageOffset: 0,
    data: { kind: 'derived', source, steps }
  };
}

/** A graph of weights alone. */
export function graphOf(...weights: IWeight[]): IGraph {
  return {
    name: 'g',
    inputs: [],
    outputs: [],
    nodes: [],
    weights: weights.map((weight, i) => ({
      value: makeValue(`w${i}`, weight.dtype, weight.shape),
      weight
    })),
    opsets: { '': 21 }
  };
}
