/**
 * Casts, copies and checks: operators that change no value, or only its type.
 *
 * @packageDocumentation
 */
import { castTarget, DTYPES } from '../../../model';
import type { Call } from '../call';
import * as dtypes from '../dtypes';
import { limit, operator } from '../operator';
import type { IOperator, Lowered } from '../operator';

/** Cast where the dtype changes, else nothing: the operand itself is the result. */
function cast(c: Call): Lowered {
  const self = c.tensor(c.schema.args[0].name);
  const target = castTarget(c.node) ?? self.dtype;
  return target === null || target === self.dtype ? self : c.ownCast(self, target);
}

/** The operand itself. */
function same(c: Call): Lowered {
  return c.tensor(c.schema.args[0].name);
}

const nothing = (): Lowered => [];

/** Of a real number these are the number itself. */
const onlyReal = limit('real numbers', c => {
  const { dtype } = c.tensor('self');
  return dtype !== null && DTYPES[dtype].kind === 'complex' ? 'complex numbers' : null;
});

const onlyOutsideTraining = limit('outside training only', c =>
  c.bool('train') ? 'dropout in training mode is random' : null
);

/** Records of this file. */
export const CAST: readonly IOperator[] = [
  /** Cast. */
  operator(
    '_to_copy(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None, bool non_blocking=False, MemoryFormat? memory_format=None) -> Tensor',
    { dtype: dtypes.castTo, lower: cast }
  ),
  /** Cast. */
  operator(
    'to.dtype(Tensor(a) self, ScalarType dtype, bool non_blocking=False, bool copy=False, MemoryFormat? memory_format=None) -> Tensor(a)',
    { dtype: dtypes.castTo, lower: cast }
  ),
  /** Cast. */
  operator(
    'to.dtype_layout(Tensor(a) self, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None, bool non_blocking=False, bool copy=False, MemoryFormat? memory_format=None) -> Tensor(a)',
    { dtype: dtypes.castTo, lower: cast }
  ),
  /** Cast. */
  operator(
    'to.device(Tensor(a) self, Device device, ScalarType dtype, bool non_blocking=False, bool copy=False, MemoryFormat? memory_format=None) -> Tensor(a)',
    { dtype: dtypes.castTo, lower: cast }
  ),
  /** Cast. */
  operator(
    'to.other(Tensor(a) self, Tensor other, bool non_blocking=False, bool copy=False, MemoryFormat? memory_format=None) -> Tensor(a)',
    { dtype: dtypes.castTo, lower: cast }
  ),
  /** Cast. */
  operator('type_as(Tensor self, Tensor other) -> Tensor', {
    dtype: dtypes.castTo,
    mayReturnOperand: true,
    lower: cast
  }),
  /** Cast. */
  operator('prims::convert_element_type.default(Tensor a, ScalarType dtype) -> Tensor', {
    dtype: dtypes.givenDtype,
    lower: cast
  }),
  /** Nothing. */
  operator('alias(Tensor(a) self) -> Tensor(a)', {
    dtype: dtypes.likeFirst,
    arrangement: 'whole',
    lower: same
  }),
  operator('clone(Tensor self, *, MemoryFormat? memory_format=None) -> Tensor', {
    dtype: dtypes.likeFirst,
    arrangement: 'whole',
    lower: same
  }),
  operator('contiguous(Tensor(a) self, *, MemoryFormat memory_format=0) -> Tensor(a)', {
    dtype: dtypes.likeFirst,
    arrangement: 'whole',
    lower: same
  }),
  operator('detach(Tensor(a) self) -> Tensor(a)', {
    dtype: dtypes.likeFirst,
    arrangement: 'whole',
    lower: same
  }),
  operator('detach_(Tensor(a!) self) -> Tensor(a!)', {
    dtype: dtypes.likeFirst,
    arrangement: 'whole',
    lower: same
  }),
  operator('lift_fresh(Tensor(a) self) -> Tensor(a)', {
    dtype: dtypes.likeFirst,
    arrangement: 'whole',
    lower: same
  }),
  operator('lift_fresh_copy(Tensor self) -> Tensor', {
    dtype: dtypes.likeFirst,
    arrangement: 'whole',
    lower: same
  }),
  operator('positive(Tensor(a) self) -> Tensor(a)', {
    dtype: dtypes.likeFirst,
    arrangement: 'whole',
    lower: same
  }),
  /** Nothing: the numbers are real. */
  ...['real', 'conj', 'resolve_conj', 'resolve_neg'].map(name =>
    operator(`${name}(Tensor(a) self) -> Tensor(a)`, {
      dtype: name === 'real' ? dtypes.realPart : dtypes.likeFirst,
      arrangement: 'whole',
      limits: [onlyReal],
      lower: same
    })
  ),
  operator('conj_physical(Tensor self) -> Tensor', {
    dtype: dtypes.likeFirst,
    limits: [onlyReal],
    lower: same
  }),
  /** Nothing: outside training dropout is the identity. */
  operator('dropout(Tensor input, float p, bool train) -> Tensor', {
    dtype: dtypes.likeFirst,
    arrangement: 'outside training',
    mayReturnOperand: true,
    limits: [onlyOutsideTraining],
    lower: same
  }),
  operator('dropout_(Tensor(a!) self, float p, bool train) -> Tensor(a!)', {
    dtype: dtypes.likeFirst,
    arrangement: 'outside training',
    limits: [onlyOutsideTraining],
    lower: same
  }),
  operator('feature_dropout(Tensor input, float p, bool train) -> Tensor', {
    dtype: dtypes.likeFirst,
    arrangement: 'outside training',
    mayReturnOperand: true,
    limits: [onlyOutsideTraining],
    lower: same
  }),
  operator('native_dropout(Tensor input, float p, bool? train) -> (Tensor, Tensor)', {
    dtype: dtypes.withMask,
    limits: [onlyOutsideTraining],
    makes: 1,
    lower: same
  }),
  /** Checks of export: dropped. */
  operator(
    '_assert_tensor_metadata(Tensor a, SymInt[]? size=None, SymInt[]? stride=None, ScalarType? dtype=None, *, Device? device=None, Layout? layout=None) -> ()',
    { lower: nothing }
  ),
  operator('_assert_scalar(Scalar self, str assert_msg) -> ()', { lower: nothing }),
  operator('_assert_async.msg(Tensor self, str assert_msg) -> ()', { lower: nothing }),
  operator('sym_constrain_range(Scalar size, *, int? min=None, int? max=None) -> ()', {
    lower: nothing
  }),
  operator('sym_constrain_range_for_size(Scalar size, *, int? min=None, int? max=None) -> ()', {
    lower: nothing
  })
];
