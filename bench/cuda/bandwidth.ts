/**
 * How fast a device moves memory.
 *
 * @packageDocumentation
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { writeOnnx } from '../../src/formats';
import type { Attr, IGraph, INode, IValue } from '../../src/model';
import { contiguousStrides, makeValue } from '../../src/model';
import { median } from '../../src/numerics';
import { parseDevice, RuntimeSession } from '../../src/runtime';

/** Operators that each read and write all elements, in the shorter and in the longer of two graphs. */
const [FEW, MANY] = [2, 10];
const ROUNDS = 15;
/** The first runs of a device allocate, load code and raise clocks. */
const WARMUP = 3;

/**
 * Bytes per second that an element-wise operator reads and writes on a device: the time of `MANY` of them less that of `FEW`, so that
 * nothing but them counts. The median of several rounds; null where the longer graph was not slower.
 */
export async function copyBandwidth(device: string, elements: number): Promise<number | null> {
  const folder = mkdtempSync(join(tmpdir(), 'castlens-bandwidth-'));
  const file = join(folder, 'zeros');
  try {
    writeFileSync(file, new Float32Array(elements));
    const differencesMs = await withSession(session(file, elements, FEW, device), few =>
      withSession(session(file, elements, MANY, device), many => timedDifferences(few, many))
    );
    const bytes = 2 * elements * Float32Array.BYTES_PER_ELEMENT * (MANY - FEW);
    return bandwidthOf(bytes, differencesMs);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Bytes per second where moving so many took the median of these times; null where that is no time. */
export function bandwidthOf(bytes: number, differencesMs: readonly number[]): number | null {
  const ms = median(differencesMs);
  return ms > 0 ? bytes / (ms / 1000) : null;
}

/** Run with a session, and dispose it whatever happens. */
async function withSession<T>(
  created: Promise<RuntimeSession>,
  work: (session: RuntimeSession) => Promise<T>
): Promise<T> {
  const session = await created;
  try {
    return await work(session);
  } finally {
    await session.dispose();
  }
}

/** How much longer the longer graph took, round by round, in milliseconds. */
async function timedDifferences(few: RuntimeSession, many: RuntimeSession): Promise<number[]> {
  const differencesMs: number[] = [];
  for (let round = 0; round < WARMUP + ROUNDS; round++) {
    const differenceMs = (await timed(many)) - (await timed(few));
    if (round >= WARMUP) {
      differencesMs.push(differenceMs);
    }
  }
  return differencesMs;
}

async function timed(session: RuntimeSession): Promise<number> {
  const start = performance.now();
  await session.run(new Map());
  return performance.now() - start;
}

/** A chain of negations of a stored tensor, of which the first element is the result. */
function session(
  file: string,
  elements: number,
  count: number,
  device: string
): Promise<RuntimeSession> {
  const shape = [elements];
  const stored = makeValue('x', 'float32', shape);
  const node = (name: string, op: string, inputs: IValue[], attrs = {}): INode => ({
    name,
    op: `onnx.${op}`,
    inputs,
    attrs,
    outputs: [makeValue(`${name}:out`, 'float32', null)],
    region: null,
    module: null,
    source: null
  });
  const nodes: INode[] = [];
  let current = stored;
  for (let i = 0; i < count; i++) {
    nodes.push(node(`neg_${i}`, 'Neg', [current]));
    current = nodes[i].outputs[0]!;
  }
  const ints = (value: number): Attr => ({
    kind: 'list',
    items: [{ kind: 'int', value }]
  });
  nodes.push(node('first', 'Slice', [current], { starts: ints(0), ends: ints(1), axes: ints(0) }));
  const graph: IGraph = {
    name: 'bandwidth',
    inputs: [],
    outputs: [nodes[count].outputs[0]!],
    nodes,
    weights: [
      {
        value: stored,
        weight: {
          storage: file,
          names: ['x'],
          kind: 'initializer',
          dtype: 'float32',
          shape,
          strides: contiguousStrides(shape),
          storageOffset: 0,
          requiresGrad: null,
          data: { kind: 'range', range: { file, offset: 0, length: 4 * elements } }
        }
      }
    ],
    // The last version in which Slice takes attributes.
    opsets: { '': 9 }
  };
  return RuntimeSession.create(writeOnnx(graph), { device: parseDevice(device), level: 'planned' });
}
