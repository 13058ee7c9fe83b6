/** Runs lowered graphs on onnxruntime's CPU provider, for tests. */
import { CPU_CAPABILITIES, legalize, lowerToOnnx } from '../../../src/lowering';
import type { ICapabilities, ILegalGraph } from '../../../src/lowering';
import { writeOnnx } from '../../../src/formats';
import type { DType, IGraph } from '../../../src/model';
import { castBytes, bytesOf, elementsOf } from '../../../src/numerics';
import type { ITensor } from '../../../src/numerics';
import { RuntimeSession, WeightConverter, WeightWorkers, parseDevice } from '../../../src/runtime';

/** A device with CPU settings. */
const CPU = parseDevice('cpu');

/** Lower, legalise, convert weights, run once. Inputs by position; outputs as the device gives them. */
export async function runOnCpu(
  graph: IGraph,
  inputs: readonly ITensor[],
  capabilities: ICapabilities = CPU_CAPABILITIES
): Promise<{ outputs: ITensor[]; legal: ILegalGraph; casts: string[] }> {
  const legal = legalize(lowerToOnnx(graph), capabilities);
  const { outputs, casts } = await run(legal, inputs);
  return { outputs, legal, casts };
}

/** Run a legal graph once, on the CPU provider whatever it was made for. */
export async function runLegal(legal: ILegalGraph, inputs: readonly ITensor[]): Promise<ITensor[]> {
  return (await run(legal, inputs)).outputs;
}

async function run(
  legal: ILegalGraph,
  inputs: readonly ITensor[]
): Promise<{ outputs: ITensor[]; casts: string[] }> {
  const converted = await new WeightConverter(new WeightWorkers()).materialize(legal.graph, {
    reuse: false
  });
  try {
    const session = await RuntimeSession.create(writeOnnx(converted.graph), {
      device: CPU,
      level: 'planned',
      profile: true,
      threads: 2
    });
    try {
      const feeds = new Map<string, ITensor>();
      legal.inputs.forEach(({ value }, i) =>
        feeds.set(value.name, toDtype(inputs[i], value.dtype!))
      );
      const results = await session.run(feeds);
      const outputs = legal.outputs.map(({ value }) => results.get(value.name)!);
      const casts = session
        .endProfile()
        .kernels.filter(kernel => kernel.op === 'Cast')
        .map(kernel => kernel.node);
      return { outputs, casts };
    } finally {
      await session.dispose();
    }
  } finally {
    converted.dispose();
  }
}

/** The tensor in another element type. */
export function toDtype(tensor: ITensor, dtype: DType): ITensor {
  return tensor.dtype === dtype
    ? tensor
    : {
        dtype,
        shape: tensor.shape,
        data: elementsOf(dtype, castBytes(bytesOf(tensor.data), tensor.dtype, dtype))
      };
}

/** Elements as numbers. */
export function numbersOf(tensor: ITensor): number[] {
  const wide =
    tensor.dtype.includes('int') || tensor.dtype === 'bool' ? tensor : toDtype(tensor, 'float64');
  return Array.from(wide.data as ArrayLike<number | bigint>, Number);
}

/** Largest difference, relative to the largest element. */
export function relativeDifference(actual: readonly number[], expected: readonly number[]): number {
  const scale = Math.max(...expected.map(Math.abs).filter(Number.isFinite), Number.MIN_VALUE);
  return actual.reduce((worst, x, i) => {
    const y = expected[i];
    const same = Object.is(x, y) || (Number.isNaN(x) && Number.isNaN(y)) || x === y;
    const difference = same ? 0 : Math.abs(x - y) / scale;
    return Number.isNaN(difference) ? Infinity : Math.max(worst, difference);
  }, 0);
}
