/**
 * Pooling.
 *
 * @packageDocumentation
 */
import { elementCount } from '../../../model';
import type { Attr, IValue } from '../../../model';
import { intAttr, intsAttr } from '../../builder';
import type { Arguments } from '../arguments';
import type { Call, Size } from '../call';
import * as dtypes from '../dtypes';
import { limit, operator } from '../operator';
import type { ILimit, IOperator, Lowered } from '../operator';
import { batched, pads } from './convolution';

function windows(c: Call, n: number): { kernel: number[]; attrs: Record<string, Attr> } {
  const kernel = c.ints('kernel_size', n);
  const stride = c.ints('stride', n);
  return {
    kernel,
    attrs: {
      kernel_shape: intsAttr(kernel),
      strides: intsAttr(stride.length === 0 ? kernel : stride),
      pads: pads(c.ints('padding', n)),
      ceil_mode: intAttr(c.bool('ceil_mode') ? 1 : 0)
    }
  };
}

function maxPool(n: number): (c: Call) => IValue {
  return c => {
    const attrs = { ...windows(c, n).attrs, dilations: intsAttr(c.ints('dilation', n)) };
    return batched(c, 'self', n + 2, input => c.emit('MaxPool', [input], attrs));
  };
}

/** ONNX counts the places of the largest elements through the whole tensor, ATen through one plane. */
function maxPoolWithIndices(n: number): (c: Call) => Lowered {
  return c => {
    const attrs = { ...windows(c, n).attrs, dilations: intsAttr(c.ints('dilation', n)) };
    const self = c.toType(c.tensor('self'), c.outType);
    const rank = c.rank(self);
    const input = rank === n + 2 ? self : c.unsqueeze(self, [0]);
    const [values, places] = c.emitMany('MaxPool', [input], attrs, [{}, { dtype: 'int64' }]);
    const plane = planeSize(
      c,
      Array.from({ length: n }, (_, i) => c.sizeOf(self, rank - n + i))
    );
    const indices = c.emit('Mod', [places, plane], {}, { dtype: 'int64' });
    return rank === n + 2 ? [values, indices] : [c.squeeze(values, [0]), c.squeeze(indices, [0])];
  };
}

function planeSize(c: Call, sizes: readonly Size[]): IValue {
  return sizes.every(size => typeof size === 'number')
    ? c.sizeScalar(elementCount(sizes as number[]))
    : sizes
        .map(size => c.sizeScalar(size))
        .reduce((a, b) => c.emit('Mul', [a, b], {}, { dtype: 'int64', shape: [] }));
}

/** With a divisor of its own, the mean over windows counts padding, and is scaled from the window's size to the divisor. */
function averagePool(n: number): (c: Call) => Lowered {
  return c => {
    const { kernel, attrs } = windows(c, n);
    const divisor = hasDivisor(c) ? c.int('divisor_override') : null;
    const counting = divisor !== null || c.bool('count_include_pad');
    const pool = (input: IValue): IValue =>
      c.emit('AveragePool', [input], { ...attrs, count_include_pad: intAttr(counting ? 1 : 0) });
    return batched(c, 'self', n + 2, input =>
      divisor === null
        ? pool(input)
        : c.emit('Mul', [pool(input), c.scalar(elementCount(kernel) / divisor)])
    );
  };
}

function hasDivisor(c: Arguments): boolean {
  return c.schema.args.some(arg => arg.name === 'divisor_override') && c.has('divisor_override');
}

/** With ceil_mode the last window may be cut off, and is then averaged over what is left of it. */
const wholeWindows = limit('no divisor_override together with ceil_mode', c =>
  hasDivisor(c) && c.bool('ceil_mode') ? 'divisor_override together with ceil_mode' : null
);

/** The windows of an adaptive pool along one dimension: where each starts and ends. */
function adaptiveWindows(input: number, output: number): [number, number][] {
  return Array.from({ length: output }, (_, i) => [
    Math.floor((i * input) / output),
    Math.ceil(((i + 1) * input) / output)
  ]);
}

/** Sizes of the input of an adaptive pool that it reduces, and the sizes it makes. */
function adaptiveSizes(c: Arguments, n: number): { input: (number | null)[]; output: number[] } {
  const shape = c.shape(c.tensor('self')).slice(-n);
  return {
    input: shape.map(size => (typeof size === 'number' ? size : null)),
    output: c.ints('output_size', n)
  };
}

/**
 * A pool of equal windows where the sizes divide, the mean of all where the result is one element. Uneven windows are products
 * of intervals: the mean over them is a product with a matrix of means for each dimension.
 */
function adaptiveAverage(n: number): (c: Call) => Lowered {
  return c => {
    const { input, output } = adaptiveSizes(c, n);
    const self = c.toType(c.tensor('self'), c.outType);
    const rank = c.rank(self);
    if (output.every(size => size === 1)) {
      const axes = Array.from({ length: n }, (_, i) => rank - n + i);
      return c.emit('ReduceMean', [self, c.int64s(axes)], { keepdims: intAttr(1) });
    }
    if (output.every((size, i) => input[i]! % size === 0)) {
      const kernel = intsAttr(output.map((size, i) => input[i]! / size));
      return batched(c, 'self', n + 2, value =>
        c.emit('AveragePool', [value], { kernel_shape: kernel, strides: kernel })
      );
    }
    const last = rank - 1;
    return output.reduce((value, size, i) => {
      const perm = Array.from({ length: rank }, (_, axis) => axis);
      [perm[rank - n + i], perm[last]] = [last, rank - n + i];
      const product = c.emit('MatMul', [c.transpose(value, perm), means(c, input[i]!, size)]);
      return c.emit('Transpose', [product], { perm: intsAttr(perm) });
    }, self);
  };
}

/** `[input, output]`: column i averages window i. */
function means(c: Call, input: number, output: number): IValue {
  const all = adaptiveWindows(input, output);
  const values = Array.from({ length: input }, (_, row) =>
    all.map(([start, end]) => (row >= start && row < end ? 1 / (end - start) : 0))
  );
  return c.constant(values.flat(), [input, output]);
}

/** Uneven windows are gathered, short ones with their last element repeated, and the largest taken of each. */
function adaptiveMax(n: number): (c: Call) => Lowered {
  return c => {
    const { input, output } = adaptiveSizes(c, n);
    const self = c.toType(c.tensor('self'), c.outType);
    const rank = c.rank(self);
    return output.reduce((value, size, i) => {
      const axis = rank - n + i;
      const all = adaptiveWindows(input[i]!, size);
      const widest = Math.max(...all.map(([start, end]) => end - start));
      const places = all.flatMap(([start, end]) =>
        Array.from({ length: widest }, (_, k) => Math.min(start + k, end - 1))
      );
      const read = c.emit('Gather', [value, c.int64Tensor(places, [size, widest])], {
        axis: intAttr(axis)
      });
      return c.emit('ReduceMax', [read, c.int64s([axis + 1])], { keepdims: intAttr(0) });
    }, self);
  };
}

function staticSizes(n: number, whole: boolean): ILimit {
  const words = `sizes are static${whole ? ', unless every result is one element' : ''}`;
  return limit(words, c => {
    const { input, output } = adaptiveSizes(c, n);
    return input.every(size => size !== null && size > 0) ||
      (whole && output.every(size => size === 1))
      ? null
      : `sizes that are not static (to ${output.join('x')})`;
  });
}

const MAX_ARGS = (n: number): string =>
  `Tensor self, int[${n}] kernel_size, int[${n}] stride=[], int[${n}] padding=0, int[${n}] dilation=1, bool ceil_mode=False`;
const MEAN_ARGS = (n: number): string =>
  `Tensor self, int[${n}] kernel_size, int[${n}] stride=[], int[${n}] padding=0, bool ceil_mode=False, bool count_include_pad=True`;

/** Records of this file. */
export const POOLING: readonly IOperator[] = [
  /** MaxPool. */
  ...[1, 2, 3].map(n =>
    operator(`max_pool${n}d(${MAX_ARGS(n)}) -> Tensor`, {
      dtype: dtypes.likeFirst,
      lower: maxPool(n)
    })
  ),
  /** MaxPool, Mod. */
  ...[1, 2, 3].map(n =>
    operator(`max_pool${n}d_with_indices(${MAX_ARGS(n)}) -> (Tensor, Tensor)`, {
      dtype: dtypes.withIndices,
      lower: maxPoolWithIndices(n)
    })
  ),
  /** AveragePool. */
  operator(`avg_pool1d(${MEAN_ARGS(1)}) -> Tensor`, {
    dtype: dtypes.likeFirst,
    lower: averagePool(1)
  }),
  /** AveragePool, Mul. */
  ...[2, 3].map(n =>
    operator(`avg_pool${n}d(${MEAN_ARGS(n)}, int? divisor_override=None) -> Tensor`, {
      dtype: dtypes.likeFirst,
      limits: [wholeWindows],
      lower: averagePool(n)
    })
  ),
  /** ReduceMean, AveragePool; Transpose, MatMul. */
  operator('adaptive_avg_pool1d(Tensor self, int[1] output_size) -> Tensor', {
    dtype: dtypes.likeFirst,
    limits: [staticSizes(1, true)],
    lower: adaptiveAverage(1)
  }),
  ...[2, 3].flatMap(n =>
    [`adaptive_avg_pool${n}d`, `_adaptive_avg_pool${n}d`].map(name =>
      operator(`${name}(Tensor self, SymInt[${n}] output_size) -> Tensor`, {
        dtype: dtypes.likeFirst,
        limits: [staticSizes(n, true)],
        lower: adaptiveAverage(n)
      })
    )
  ),
  /** Gather, ReduceMax. */
  ...[1, 2, 3].map(n =>
    operator(`adaptive_max_pool${n}d(Tensor self, int[${n}] output_size) -> (Tensor, Tensor)`, {
      dtype: dtypes.withIndices,
      limits: [staticSizes(n, false)],
      makes: 1,
      lower: adaptiveMax(n)
    })
  )
];
