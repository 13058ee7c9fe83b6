/**
 * Operators that make tensors from numbers and sizes.
 *
 * @packageDocumentation
 */
import { isFloating, isLowPrecision, staticShape } from '../../../model';
import type { DType, IValue } from '../../../model';
import type { Call, Size } from '../call';
import { rule } from '../rule';
import type { IRule } from '../rule';

const FACTORY =
  '*, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None';
const FACTORY_LIKE = `${FACTORY}, MemoryFormat? memory_format=None`;

/** A tensor of one value: Expand of a scalar. */
function filled(c: Call, value: IValue, sizes: readonly Size[]): IValue {
  return c.emit('Expand', [value, c.sizeVector(sizes)]);
}

/** The fill value in the result's type. Rounded, as the tensor holds values of that type. */
function fill(c: Call, value: number): IValue {
  return c.roundedScalar(value, c.outType);
}

function fillArgument(c: Call, name: string): IValue {
  return c.isValue(name) ? c.toType(c.tensor(name), c.outType) : fill(c, c.number(name));
}

/** A tensor of one value with the shape of another. */
function filledLike(c: Call, value: IValue): IValue {
  const self = c.tensor('self');
  const known = staticShape(self.shape);
  const shape =
    known === null
      ? c.emit('Shape', [self], {}, { dtype: 'int64', shape: [c.rank(self)] })
      : c.int64s(known);
  return c.emit('Expand', [value, shape]);
}

/** Range, in a type it exists for, then Cast. */
function range(c: Call, start: string | null, end: string, step: string | null): IValue {
  const type = rangeType(c.outType);
  const bound = (name: string | null, otherwise: number): IValue =>
    name === null ? c.scalar(otherwise, type) : c.scalarArgument(name, type);
  const values = c.emit(
    'Range',
    [bound(start, 0), bound(end, 0), bound(step, 1)],
    {},
    { dtype: type }
  );
  return c.outType === type ? values : c.castTo(values, c.outType);
}

function rangeType(dtype: DType): DType {
  if (isFloating(dtype)) {
    return isLowPrecision(dtype) ? 'float32' : dtype;
  }
  return 'int64';
}

function scalarOnly(name: string): (c: Call) => IValue {
  return c => c.emit('Identity', [fillArgument(c, name)], {}, { shape: [] });
}

/** Rules of this file. */
export const CREATE_RULES: readonly IRule[] = [
  /** Range. */
  rule(`arange(Scalar end, ${FACTORY}) -> Tensor`, c => range(c, null, 'end', null)),
  rule(`arange.start(Scalar start, Scalar end, ${FACTORY}) -> Tensor`, c =>
    range(c, 'start', 'end', null)
  ),
  rule(`arange.start_step(Scalar start, Scalar end, Scalar step=1, ${FACTORY}) -> Tensor`, c =>
    range(c, 'start', 'end', 'step')
  ),
  /** Expand. */
  rule(`full(SymInt[] size, Scalar fill_value, ${FACTORY}) -> Tensor`, c =>
    filled(c, fillArgument(c, 'fill_value'), c.sizes('size'))
  ),
  rule(`zeros(SymInt[] size, ${FACTORY}) -> Tensor`, c => filled(c, fill(c, 0), c.sizes('size'))),
  rule(`ones(SymInt[] size, ${FACTORY}) -> Tensor`, c => filled(c, fill(c, 1), c.sizes('size'))),
  rule(`new_full(Tensor self, SymInt[] size, Scalar fill_value, ${FACTORY}) -> Tensor`, c =>
    filled(c, fillArgument(c, 'fill_value'), c.sizes('size'))
  ),
  rule(`new_zeros(Tensor self, SymInt[] size, ${FACTORY}) -> Tensor`, c =>
    filled(c, fill(c, 0), c.sizes('size'))
  ),
  rule(`new_ones(Tensor self, SymInt[] size, ${FACTORY}) -> Tensor`, c =>
    filled(c, fill(c, 1), c.sizes('size'))
  ),
  /** Shape, Expand. */
  rule(`full_like(Tensor self, Scalar fill_value, ${FACTORY_LIKE}) -> Tensor`, c =>
    filledLike(c, fillArgument(c, 'fill_value'))
  ),
  rule(`zeros_like(Tensor self, ${FACTORY_LIKE}) -> Tensor`, c => filledLike(c, fill(c, 0))),
  rule(`ones_like(Tensor self, ${FACTORY_LIKE}) -> Tensor`, c => filledLike(c, fill(c, 1))),
  /** Identity. */
  rule(`scalar_tensor(Scalar s, ${FACTORY}) -> Tensor`, scalarOnly('s'))
];
