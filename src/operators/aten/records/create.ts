/**
 * Operators that make tensors from numbers and sizes.
 *
 * @packageDocumentation
 */
import { isFloating, isLowPrecision, staticShape } from '../../../model';
import type { DType, IValue } from '../../../model';
import type { Call, Size } from '../call';
import * as dtypes from '../dtypes';
import { limit, operator } from '../operator';
import type { IOperator } from '../operator';
import { roundTo } from '../../numbers';

const FACTORY =
  '*, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None';
const INT64_FACTORY = FACTORY.replace('dtype=None', 'dtype=long');
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

/** Equal steps between two ends, both included. */
function linspace(c: Call): IValue {
  const [start, end, steps] = [c.number('start'), c.number('end'), c.int('steps')];
  const step = steps > 1 ? (end - start) / (steps - 1) : 0;
  // As PyTorch computes it: the second half counted back from the end.
  const values = Array.from({ length: steps }, (_, i) =>
    i < steps / 2 ? start + step * i : end - step * (steps - 1 - i)
  );
  const type = isFloating(c.outType) ? c.outType : 'int64';
  const rounded = isFloating(type)
    ? values.map(value => roundTo(type, value))
    : values.map(Math.trunc);
  return c.castTo(c.constantOf(type, rounded, [steps]), c.outType);
}

/** Ones on the diagonal. */
function eye(c: Call, rows: Size, columns: Size): IValue {
  const zeros = filled(c, fill(c, 0), [rows, columns]);
  return c.emit('EyeLike', [zeros]);
}

/** Row and column of every element on one side of a diagonal, in row-major order. */
function triangleIndices(upper: boolean): (c: Call) => IValue {
  return c => {
    const [rows, columns, offset] = [c.int('row'), c.int('col'), c.int('offset')];
    const places: [number, number][] = [];
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        if (upper ? column - row >= offset : column - row <= offset) {
          places.push([row, column]);
        }
      }
    }
    const values = [...places.map(([row]) => row), ...places.map(([, column]) => column)];
    return c.castTo(c.int64Tensor(values, [2, places.length]), c.outType);
  };
}

/** Records of this file. */
export const CREATE: readonly IOperator[] = [
  /** Range. */
  operator(`arange(Scalar end, ${FACTORY}) -> Tensor`, {
    exact: 'counted',
    dtype: dtypes.counted,
    lower: c => range(c, null, 'end', null)
  }),
  operator(`arange.start(Scalar start, Scalar end, ${FACTORY}) -> Tensor`, {
    exact: 'counted',
    dtype: dtypes.counted,
    lower: c => range(c, 'start', 'end', null)
  }),
  operator(`arange.start_step(Scalar start, Scalar end, Scalar step=1, ${FACTORY}) -> Tensor`, {
    exact: 'counted',
    dtype: dtypes.counted,
    lower: c => range(c, 'start', 'end', 'step')
  }),
  /** Expand. */
  operator(`full(SymInt[] size, Scalar fill_value, ${FACTORY}) -> Tensor`, {
    exact: 'moved',
    dtype: dtypes.filled,
    lower: c => filled(c, fillArgument(c, 'fill_value'), c.sizes('size'))
  }),
  operator(`zeros(SymInt[] size, ${FACTORY}) -> Tensor`, {
    exact: 'moved',
    dtype: dtypes.givenOrFloat,
    lower: c => filled(c, fill(c, 0), c.sizes('size'))
  }),
  operator(`ones(SymInt[] size, ${FACTORY}) -> Tensor`, {
    exact: 'moved',
    dtype: dtypes.givenOrFloat,
    lower: c => filled(c, fill(c, 1), c.sizes('size'))
  }),
  operator(`new_full(Tensor self, SymInt[] size, Scalar fill_value, ${FACTORY}) -> Tensor`, {
    exact: 'moved',
    dtype: dtypes.likeFirstOrDtype,
    lower: c => filled(c, fillArgument(c, 'fill_value'), c.sizes('size'))
  }),
  operator(`new_zeros(Tensor self, SymInt[] size, ${FACTORY}) -> Tensor`, {
    exact: 'moved',
    dtype: dtypes.likeFirstOrDtype,
    lower: c => filled(c, fill(c, 0), c.sizes('size'))
  }),
  operator(`new_ones(Tensor self, SymInt[] size, ${FACTORY}) -> Tensor`, {
    exact: 'moved',
    dtype: dtypes.likeFirstOrDtype,
    lower: c => filled(c, fill(c, 1), c.sizes('size'))
  }),
  /** Shape, Expand. */
  operator(`full_like(Tensor self, Scalar fill_value, ${FACTORY_LIKE}) -> Tensor`, {
    exact: 'moved',
    dtype: dtypes.likeFirstOrDtype,
    lower: c => filledLike(c, fillArgument(c, 'fill_value'))
  }),
  operator(`zeros_like(Tensor self, ${FACTORY_LIKE}) -> Tensor`, {
    exact: 'moved',
    dtype: dtypes.likeFirstOrDtype,
    lower: c => filledLike(c, fill(c, 0))
  }),
  operator(`ones_like(Tensor self, ${FACTORY_LIKE}) -> Tensor`, {
    exact: 'moved',
    dtype: dtypes.likeFirstOrDtype,
    lower: c => filledLike(c, fill(c, 1))
  }),
  /** Expand: contents that nothing defines are zeros here. */
  operator(
    `empty.memory_format(SymInt[] size, ${FACTORY}, MemoryFormat? memory_format=None) -> Tensor`,
    { dtype: dtypes.givenOrFloat, lower: c => filled(c, fill(c, 0), c.sizes('size')) }
  ),
  operator(`empty_permuted(SymInt[] size, int[] physical_layout, ${FACTORY}) -> Tensor`, {
    dtype: dtypes.givenOrFloat,
    lower: c => filled(c, fill(c, 0), c.sizes('size'))
  }),
  operator(`new_empty(Tensor self, SymInt[] size, ${FACTORY}) -> Tensor`, {
    dtype: dtypes.likeFirstOrDtype,
    lower: c => filled(c, fill(c, 0), c.sizes('size'))
  }),
  operator(`empty_like(Tensor self, ${FACTORY_LIKE}) -> Tensor`, {
    dtype: dtypes.likeFirstOrDtype,
    lower: c => filledLike(c, fill(c, 0))
  }),
  /** A constant. */
  operator(`linspace(Scalar start, Scalar end, int steps, ${FACTORY}) -> Tensor`, {
    dtype: dtypes.givenOrFloat,
    limits: [
      limit('ends are numbers', c =>
        c.numberType('start') !== null && c.numberType('end') !== null
          ? null
          : 'ends that are computed'
      )
    ],
    lower: linspace
  }),
  operator(`tril_indices(int row, int col, int offset=0, ${INT64_FACTORY}) -> Tensor`, {
    dtype: dtypes.int64,
    lower: triangleIndices(false)
  }),
  operator(`triu_indices(int row, int col, int offset=0, ${INT64_FACTORY}) -> Tensor`, {
    dtype: dtypes.int64,
    lower: triangleIndices(true)
  }),
  /** Expand, EyeLike. */
  operator(`eye(SymInt n, ${FACTORY}) -> Tensor`, {
    dtype: dtypes.givenOrFloat,
    lower: c => eye(c, c.size('n'), c.size('n'))
  }),
  operator(`eye.m(SymInt n, SymInt m, ${FACTORY}) -> Tensor`, {
    dtype: dtypes.givenOrFloat,
    lower: c => eye(c, c.size('n'), c.size('m'))
  }),
  /** Identity. */
  operator(`scalar_tensor(Scalar s, ${FACTORY}) -> Tensor`, {
    exact: 'moved',
    dtype: dtypes.givenOrFloat,
    lower: scalarOnly('s')
  })
];
