/**
 * Convolution.
 *
 * @packageDocumentation
 */
import type { Attr, IValue } from '../../../model';
import { intAttr, intsAttr } from '../../builder';
import type { Call } from '../call';
import * as dtypes from '../dtypes';
import { operator } from '../operator';
import type { IOperator, Lowered } from '../operator';

/** Number of spatial dimensions, from the weight. */
function spatial(c: Call): number {
  return c.rank(c.tensor('weight')) - 2;
}

/** Padding before and after every dimension. */
export function pads(padding: readonly number[]): Attr {
  return intsAttr([...padding, ...padding]);
}

/** An input without batch dimension gets one, and loses it again. */
export function batched(
  c: Call,
  name: string,
  rank: number,
  body: (input: IValue) => IValue
): IValue {
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

const CONV_ARGS = 'Tensor input, Tensor weight, Tensor? bias=None, SymInt[] stride=1';

/** Records of this file. */
export const CONVOLUTION: readonly IOperator[] = [
  /** Conv, ConvTranspose. */
  operator(
    'convolution(Tensor input, Tensor weight, Tensor? bias, SymInt[] stride, SymInt[] padding, SymInt[] dilation, bool transposed, SymInt[] output_padding, SymInt groups) -> Tensor',
    { agree: 'all', dtype: dtypes.likeFirst, lower: convolution }
  ),
  /** Conv. */
  ...[1, 2, 3].flatMap(n => [
    operator(
      `conv${n}d(${CONV_ARGS}, SymInt[${n}] padding=0, SymInt[${n}] dilation=1, SymInt groups=1) -> Tensor`,
      { agree: 'all', dtype: dtypes.likeFirst, lower: plain(false) }
    ),
    operator(
      `conv${n}d.padding(${CONV_ARGS}, str padding="valid", SymInt[${n}] dilation=1, SymInt groups=1) -> Tensor`,
      { agree: 'all', dtype: dtypes.likeFirst, lower: byName }
    )
  ]),
  /** ConvTranspose. */
  ...['conv_transpose1d', 'conv_transpose2d.input', 'conv_transpose3d.input'].map(name =>
    operator(
      `${name}(${CONV_ARGS}, SymInt[] padding=0, SymInt[] output_padding=0, SymInt groups=1, SymInt[] dilation=1) -> Tensor`,
      { agree: 'all', dtype: dtypes.likeFirst, lower: plain(true) }
    )
  )
];
