/**
 * Convolution and pooling.
 *
 * @packageDocumentation
 */
import type { Attr, IValue } from '../../../model';
import { intAttr, intsAttr, stringAttr } from '../../builder';
import type { Call } from '../call';
import { rule } from '../rule';
import type { IRule, Lowered } from '../rule';

/** Number of spatial dimensions, from the weight. */
function spatial(c: Call): number {
  return c.rank(c.tensor('weight')) - 2;
}

/** Padding before and after every dimension. */
function pads(padding: readonly number[]): Attr {
  return intsAttr([...padding, ...padding]);
}

/** An input without batch dimension gets one, and loses it again. */
function batched(c: Call, name: string, rank: number, body: (input: IValue) => IValue): IValue {
  const input = c.toType(c.tensor(name), c.outType);
  if (c.rank(input) === rank) {
    return body(input);
  }
  return c.squeeze(body(c.unsqueeze(input, [0])), [0]);
}

function convolve(c: Call, transposed: boolean, padding: Record<string, Attr>): IValue {
  const n = spatial(c);
  const attrs: Record<string, Attr> = {
    ...padding,
    strides: intsAttr(c.ints('stride', n)),
    dilations: intsAttr(c.ints('dilation', n)),
    group: intAttr(c.int('groups'))
  };
  if (transposed) {
    attrs.output_padding = intsAttr(c.ints('output_padding', n));
  }
  const operands = [c.toType(c.tensor('weight'), c.outType)];
  if (c.has('bias')) {
    operands.push(c.toType(c.tensor('bias'), c.outType));
  }
  return batched(c, 'input', n + 2, input =>
    c.emit(transposed ? 'ConvTranspose' : 'Conv', [input, ...operands], attrs)
  );
}

function convolution(c: Call): Lowered {
  return convolve(c, c.bool('transposed'), { pads: pads(c.ints('padding', spatial(c))) });
}

function plain(transposed: boolean): (c: Call) => Lowered {
  return c => convolve(c, transposed, { pads: pads(c.ints('padding', spatial(c))) });
}

/** `padding='same'` pads the end more where the total is odd, as ONNX's SAME_UPPER does. */
function byName(c: Call): Lowered {
  const n = spatial(c);
  if (c.string('padding') === 'valid') {
    return convolve(c, false, { pads: pads(new Array<number>(n).fill(0)) });
  }
  const kernel = c.staticShape(c.tensor('weight'))!.slice(2);
  const total = c.ints('dilation', n).map((step, i) => step * (kernel[i] - 1));
  const before = total.map(size => Math.floor(size / 2));
  return convolve(c, false, {
    pads: intsAttr([...before, ...total.map((size, i) => size - before[i])])
  });
}

function maxPool(n: number): (c: Call) => Lowered {
  return c => {
    const kernel = c.ints('kernel_size', n);
    const stride = c.ints('stride', n);
    const attrs = {
      kernel_shape: intsAttr(kernel),
      strides: intsAttr(stride.length === 0 ? kernel : stride),
      pads: pads(c.ints('padding', n)),
      dilations: intsAttr(c.ints('dilation', n)),
      ceil_mode: intAttr(c.bool('ceil_mode') ? 1 : 0)
    };
    return batched(c, 'self', n + 2, input => c.emit('MaxPool', [input], attrs));
  };
}

function averagePool(n: number): (c: Call) => Lowered {
  return c => {
    const kernel = c.ints('kernel_size', n);
    const stride = c.ints('stride', n);
    return batched(c, 'self', n + 2, input =>
      c.emit('AveragePool', [input], {
        kernel_shape: intsAttr(kernel),
        strides: intsAttr(stride.length === 0 ? kernel : stride),
        pads: pads(c.ints('padding', n)),
        ceil_mode: intAttr(c.bool('ceil_mode') ? 1 : 0),
        count_include_pad: intAttr(c.bool('count_include_pad') ? 1 : 0)
      })
    );
  };
}

function noDivisor(c: Call): string | null {
  const given = c.schema.args.some(arg => arg.name === 'divisor_override');
  return given && c.has('divisor_override') ? 'divisor_override' : null;
}

/** Sizes of the input of an adaptive pool that it reduces, and the sizes it makes. */
function adaptiveSizes(c: Call, n: number): { input: (number | null)[]; output: number[] } {
  const shape = c.shape(c.tensor('self')).slice(-n);
  return {
    input: shape.map(size => (typeof size === 'number' ? size : null)),
    output: c.ints('output_size', n)
  };
}

/** A pool of equal windows where the sizes divide, the mean of all where the result is one element. */
function adaptiveAverage(n: number): (c: Call) => Lowered {
  return c => {
    const { input, output } = adaptiveSizes(c, n);
    const self = c.toType(c.tensor('self'), c.outType);
    const rank = c.rank(self);
    if (output.every(size => size === 1)) {
      const axes = Array.from({ length: n }, (_, i) => rank - n + i);
      return c.emit('ReduceMean', [self, c.int64s(axes)], { keepdims: intAttr(1) });
    }
    const kernel = output.map((size, i) => input[i]! / size);
    return batched(c, 'self', n + 2, value =>
      c.emit('AveragePool', [value], {
        kernel_shape: intsAttr(kernel),
        strides: intsAttr(kernel),
        auto_pad: stringAttr('NOTSET')
      })
    );
  };
}

function divides(n: number): (c: Call) => string | null {
  return c => {
    const { input, output } = adaptiveSizes(c, n);
    const fits = output.every(
      (size, i) => size === 1 || (input[i] !== null && input[i]! % size === 0)
    );
    return fits || output.every(size => size === 1)
      ? null
      : `sizes ${input.join('x')} that do not divide into ${output.join('x')}`;
  };
}

const CONV_ARGS = 'Tensor input, Tensor weight, Tensor? bias=None, SymInt[] stride=1';

/** Rules of this file. */
export const CONVOLUTION_RULES: readonly IRule[] = [
  /** Conv, ConvTranspose. */
  rule(
    'convolution(Tensor input, Tensor weight, Tensor? bias, SymInt[] stride, SymInt[] padding, SymInt[] dilation, bool transposed, SymInt[] output_padding, SymInt groups) -> Tensor',
    convolution
  ),
  /** Conv. */
  ...[1, 2, 3].flatMap(n => [
    rule(
      `conv${n}d(${CONV_ARGS}, SymInt[${n}] padding=0, SymInt[${n}] dilation=1, SymInt groups=1) -> Tensor`,
      plain(false)
    ),
    rule(
      `conv${n}d.padding(${CONV_ARGS}, str padding="valid", SymInt[${n}] dilation=1, SymInt groups=1) -> Tensor`,
      byName
    )
  ]),
  /** ConvTranspose. */
  ...['conv_transpose1d', 'conv_transpose2d.input', 'conv_transpose3d.input'].map(name =>
    rule(
      `${name}(${CONV_ARGS}, SymInt[] padding=0, SymInt[] output_padding=0, SymInt groups=1, SymInt[] dilation=1) -> Tensor`,
      plain(true)
    )
  ),
  /** MaxPool. */
  ...[1, 2, 3].map(n =>
    rule(
      `max_pool${n}d(Tensor self, int[${n}] kernel_size, int[${n}] stride=[], int[${n}] padding=0, int[${n}] dilation=1, bool ceil_mode=False) -> Tensor`,
      maxPool(n)
    )
  ),
  rule(
    'max_pool2d_with_indices(Tensor self, int[2] kernel_size, int[2] stride=[], int[2] padding=0, int[2] dilation=1, bool ceil_mode=False) -> (Tensor, Tensor)',
    maxPool(2),
    () => null,
    1
  ),
  /** AveragePool. */
  rule(
    'avg_pool1d(Tensor self, int[1] kernel_size, int[1] stride=[], int[1] padding=0, bool ceil_mode=False, bool count_include_pad=True) -> Tensor',
    averagePool(1)
  ),
  rule(
    'avg_pool2d(Tensor self, int[2] kernel_size, int[2] stride=[], int[2] padding=0, bool ceil_mode=False, bool count_include_pad=True, int? divisor_override=None) -> Tensor',
    averagePool(2),
    noDivisor
  ),
  /** ReduceMean, AveragePool. */
  rule(
    'adaptive_avg_pool1d(Tensor self, int[1] output_size) -> Tensor',
    adaptiveAverage(1),
    divides(1)
  ),
  rule(
    'adaptive_avg_pool2d(Tensor self, SymInt[2] output_size) -> Tensor',
    adaptiveAverage(2),
    divides(2)
  ),
  rule(
    '_adaptive_avg_pool2d(Tensor self, SymInt[2] output_size) -> Tensor',
    adaptiveAverage(2),
    divides(2)
  )
];
