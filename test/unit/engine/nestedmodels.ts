/** Parts of small ONNX models with nested graphs, for tests. */
import type { Field } from '../formats/proto';
import { attribute, graph, node, port, tensor, TYPES } from '../formats/proto';

/** A square weight whose elements bfloat16 has not; another one for another seed. */
export function weight(name: string, seed = 0, width = 4): Field[] {
  const numbers = Float32Array.from({ length: width ** 2 }, (_, i) => Math.sin(i + 1 + seed) / 2);
  return tensor(name, TYPES.float, [width, width], [9, new Uint8Array(numbers.buffer)]);
}

/** The same, stored in bfloat16: the upper halves of the elements. */
export function lowWeight(name: string, width: number): Field[] {
  const halves = Uint16Array.from(
    { length: width ** 2 },
    (_, i) => new Uint32Array(Float32Array.of(Math.sin(i + 1) / 2).buffer)[0] >>> 16
  );
  return tensor(name, TYPES.bfloat16, [width, width], [9, new Uint8Array(halves.buffer)]);
}

export const number = (name: string, value: bigint): Field[] =>
  tensor(name, TYPES.int64, [], [9, new Uint8Array(BigInt64Array.of(value).buffer)]);

export const truth = (name: string, value: boolean): Field[] =>
  tensor(name, TYPES.bool, [], [9, Uint8Array.of(value ? 1 : 0)]);

/** `result = state @ float32(bfloat16(weight))`; one cast that counts, as the device holds bfloat16 in float32. */
export function product(state: string, from: string, result: string): Field[][] {
  return [
    node('Cast', [from], [`${result}_low`], attribute('to', 2, [3, TYPES.bfloat16])),
    node('Cast', [`${result}_low`], [`${result}_high`], attribute('to', 2, [3, TYPES.float])),
    node('MatMul', [state, `${result}_high`], [result])
  ];
}

export const body = (name: string, value: Field[]): Field => attribute(name, 5, [6, value]);

/** A body that multiplies its state once; `condition` is what it returns for it. */
export function loopBody(from: string, inner: readonly Field[][] = [], condition = 'go'): Field[] {
  return graph({
    inputs: [
      port('i', TYPES.int64, []),
      port('go', TYPES.bool, []),
      port('state', TYPES.float, [2, 4])
    ],
    nodes: [
      ...(inner.length > 0 ? inner : product('state', from, 'next')),
      condition === 'go'
        ? node('Identity', ['go'], ['again'])
        : node('Less', ['i', condition], ['again'])
    ],
    outputs: [port('again', TYPES.bool, []), port('next', TYPES.float, [2, 4])],
    initializers: from === 'inner' ? [weight('inner')] : []
  });
}

export const X = port('x', TYPES.float, [2, 4]);
export const Y = port('y', TYPES.float, [2, 4]);
