/** @jest-environment ./test/support/ortenvironment.cjs */
import { CPU_CAPABILITIES, legalize } from '../../../src/lowering';
import type { ICapabilities } from '../../../src/lowering';
import type { IGraph, IValue, IWeight } from '../../../src/model';
import { elementCount } from '../../../src/model';
import { bytesOf } from '../../../src/numerics';
import type { ITensor } from '../../../src/numerics';
import { runOnCpu } from './device';
import { HandmadeGraph, derived, inlineWeight, ints, noise, noiseTensor } from './handmade';

/** Results are float32, for rounding to bfloat16 would hide most differences. */

/** Where the cast of the weight happens: when the model runs, or ahead of time. */
type Weighting = (make: HandmadeGraph, weight: IWeight) => IValue;

const ON_EVERY_RUN: Weighting = (make, weight) =>
  make.cast('cast', make.weight(weight), 'bfloat16');
const AHEAD: Weighting = (make, weight) => make.weight(derived(weight, 'bfloat16'));

const K = 300;
const N = 70;

function weightOf(shape: readonly number[], name = 'w'): IWeight {
  return inlineWeight(name, 'float32', shape, noise(elementCount(shape)));
}

interface ICase {
  readonly name: string;
  readonly x: readonly number[];
  readonly build: (make: HandmadeGraph, x: IValue, cast: Weighting) => IValue;
}

const CASES: readonly ICase[] = [
  {
    name: 'MatMul',
    x: [3, K],
    build: (make, x, cast) => make.node('y', 'MatMul', [x, cast(make, weightOf([K, N]))], 'float32')
  },
  {
    name: 'MatMul of one row',
    x: [1, K],
    build: (make, x, cast) => make.node('y', 'MatMul', [x, cast(make, weightOf([K, N]))], 'float32')
  },
  {
    name: 'MatMul of rank 3',
    x: [2, 3, K],
    build: (make, x, cast) => make.node('y', 'MatMul', [x, cast(make, weightOf([K, N]))], 'float32')
  },
  {
    name: 'MatMul of a transposed weight',
    x: [3, K],
    build: (make, x, cast) => {
      const w = cast(make, weightOf([N, K]));
      return make.node('y', 'MatMul', [x, make.transpose('t', w, [1, 0])], 'float32');
    }
  },
  {
    name: 'MatMul of a weight transposed before its cast',
    x: [3, K],
    build: (make, x, cast) => {
      const weight = weightOf([N, K]);
      if (cast === AHEAD) {
        return make.node(
          'y',
          'MatMul',
          [x, make.transpose('t', cast(make, weight), [1, 0])],
          'float32'
        );
      }
      const t = make.transpose('t', make.weight(weight), [1, 0]);
      return make.node('y', 'MatMul', [x, make.cast('cast', t, 'bfloat16')], 'float32');
    }
  },
  {
    name: 'Gemm with bias, factors and a transposed left side',
    x: [K, 3],
    build: (make, x, cast) =>
      make.node(
        'y',
        'Gemm',
        [x, cast(make, weightOf([N, K])), make.weight(weightOf([N], 'b'))],
        'float32',
        {
          transA: { kind: 'int', value: 1 },
          transB: { kind: 'int', value: 1 },
          alpha: { kind: 'float', value: 0.75 },
          beta: { kind: 'float', value: 0.5 }
        }
      )
  },
  {
    name: 'MatMul of three-dimensional weights',
    x: [2, 3, K],
    build: (make, x, cast) =>
      make.node('y', 'MatMul', [x, cast(make, weightOf([2, K, N]))], 'float32')
  },
  {
    name: 'MatMul of a vector weight',
    x: [3, K],
    build: (make, x, cast) => make.node('y', 'MatMul', [x, cast(make, weightOf([K]))], 'float32')
  },
  {
    name: 'MatMul of two weights',
    x: [1],
    build: (make, _x, cast) => {
      const right = cast(make, weightOf([K, N]));
      const left = make.cast('left', make.weight(weightOf([5, K], 'v')), 'bfloat16');
      return make.node('y', 'MatMul', [left, right], 'float32');
    }
  },
  {
    name: 'MatMul of a weight by itself',
    x: [1],
    build: (make, _x, cast) => {
      const both = cast(make, weightOf([K, K]));
      return make.node('y', 'MatMul', [both, both], 'float32');
    }
  },
  {
    name: 'Conv',
    x: [1, 32, 9, 9],
    build: (make, x, cast) =>
      make.node('y', 'Conv', [x, cast(make, weightOf([48, 32, 3, 3]))], 'float32', {
        kernel_shape: ints([3, 3])
      })
  },
  {
    name: 'depthwise Conv',
    x: [1, 32, 9, 9],
    build: (make, x, cast) =>
      make.node('y', 'Conv', [x, cast(make, weightOf([32, 1, 3, 3]))], 'float32', {
        kernel_shape: ints([3, 3]),
        group: { kind: 'int', value: 32 }
      })
  },
  {
    name: 'pointwise Conv',
    x: [1, 160, 9, 9],
    build: (make, x, cast) =>
      make.node('y', 'Conv', [x, cast(make, weightOf([48, 160, 1, 1]))], 'float32', {
        kernel_shape: ints([1, 1])
      })
  },
  {
    name: 'ConvTranspose',
    x: [1, 160, 9, 9],
    build: (make, x, cast) =>
      make.node('y', 'ConvTranspose', [x, cast(make, weightOf([160, 24, 3, 3]))], 'float32', {
        kernel_shape: ints([3, 3])
      })
  },
  {
    name: 'LSTM',
    x: [4, 2, 150],
    build: (make, x, cast) =>
      make.node(
        'y',
        'LSTM',
        [x, cast(make, weightOf([1, 4 * 140, 150])), make.weight(weightOf([1, 4 * 140, 140], 'r'))],
        'float32',
        { hidden_size: { kind: 'int', value: 140 } }
      )
  },
  {
    name: 'LayerNormalization',
    x: [3, K],
    build: (make, x, cast) =>
      make.node('y', 'LayerNormalization', [x, cast(make, weightOf([K]))], 'float32')
  }
];

function graphOf({ x, build }: ICase, cast: Weighting): IGraph {
  const make = new HandmadeGraph();
  const input = make.input('x', 'bfloat16', x);
  return make.output(build(make, input, cast));
}

async function outputOf(
  one: ICase,
  cast: Weighting,
  capabilities: ICapabilities
): Promise<ITensor> {
  const x = noiseTensor(one.x);
  const { outputs } = await runOnCpu(graphOf(one, cast), [x], capabilities);
  return outputs[0];
}

describe('when a weight is cast', () => {
  it.each(CASES)('changes no bit of $name', async one => {
    const off = await outputOf(one, ON_EVERY_RUN, CPU_CAPABILITIES);
    const frozen = await outputOf(one, AHEAD, CPU_CAPABILITIES);
    expect(off.data.length).toBeGreaterThan(0);
    expect(Buffer.compare(bytesOf(frozen.data), bytesOf(off.data))).toBe(0);
  });

  it('would change bits with weights on the right', async () => {
    const onRight = { ...CPU_CAPABILITIES, weightSide: null };
    const wide: ICase = { ...CASES[0], x: [37, K] };
    const off = await outputOf(wide, ON_EVERY_RUN, onRight);
    const frozen = await outputOf(wide, AHEAD, onRight);
    expect(Buffer.compare(bytesOf(frozen.data), bytesOf(off.data))).not.toBe(0);
  });

  it('takes batches without elements, known or not', async () => {
    for (const shape of [[2, 0, K], null]) {
      const make = new HandmadeGraph();
      const x = make.input(
        'x',
        'float32',
        shape ?? [0, 1, 2].map(i => ({ kind: 'symbol', name: `s${i}` }))
      );
      const y = make.node('y', 'MatMul', [x, make.weight(weightOf([K, N]))], 'float32');
      const { outputs } = await runOnCpu(make.output(y), [noiseTensor([2, 0, K])]);
      expect(outputs[0].shape).toEqual([2, 0, N]);
    }
  });

  it('reads weights in the orientation in which they are stored', () => {
    for (const one of CASES.slice(0, 6)) {
      const flags = [ON_EVERY_RUN, AHEAD].map(cast => {
        const { graph } = legalize(graphOf(one, cast), CPU_CAPABILITIES);
        return graph.nodes.filter(node => node.op === 'onnx.Gemm').map(node => node.attrs);
      });
      expect(flags[0]).toHaveLength(1);
      expect(flags[0]).toEqual(flags[1]);
    }
  });
});
