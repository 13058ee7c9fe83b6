/**
 * Casts, copies and checks: operators that change no value, or only its type.
 *
 * @packageDocumentation
 */
import { castTarget, DTYPES } from '../../../model';
import type { Call } from '../call';
import { rule } from '../rule';
import type { IRule, Lowered } from '../rule';

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
function onlyReal(c: Call): string | null {
  const { dtype } = c.tensor('self');
  return dtype !== null && DTYPES[dtype].kind === 'complex' ? 'complex numbers' : null;
}

function onlyOutsideTraining(c: Call): string | null {
  return c.bool('train') ? 'dropout in training mode is random' : null;
}

/** Rules of this file. */
export const CAST_RULES: readonly IRule[] = [
  /** Cast. */
  rule(
    '_to_copy(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None, bool non_blocking=False, MemoryFormat? memory_format=None) -> Tensor',
    cast
  ),
  /** Cast. */
  rule(
    'to.dtype(Tensor self, ScalarType dtype, bool non_blocking=False, bool copy=False, MemoryFormat? memory_format=None) -> Tensor',
    cast
  ),
  /** Cast. */
  rule(
    'to.dtype_layout(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None, bool non_blocking=False, bool copy=False, MemoryFormat? memory_format=None) -> Tensor',
    cast
  ),
  /** Cast. */
  rule(
    'to.device(Tensor self, Device device, ScalarType dtype, bool non_blocking=False, bool copy=False, MemoryFormat? memory_format=None) -> Tensor',
    cast
  ),
  /** Cast. */
  rule(
    'to.other(Tensor self, Tensor other, bool non_blocking=False, bool copy=False, MemoryFormat? memory_format=None) -> Tensor',
    cast
  ),
  /** Cast. */
  rule('type_as(Tensor self, Tensor other) -> Tensor', cast),
  /** Cast. */
  rule('prims::convert_element_type.default(Tensor a, ScalarType dtype) -> Tensor', cast),
  /** Nothing. */
  rule('alias(Tensor self) -> Tensor', same),
  rule('clone(Tensor self, *, MemoryFormat? memory_format=None) -> Tensor', same),
  rule('contiguous(Tensor self, *, MemoryFormat memory_format=contiguous_format) -> Tensor', same),
  rule('detach(Tensor self) -> Tensor', same),
  rule('detach_(Tensor self) -> Tensor', same),
  rule('lift_fresh(Tensor self) -> Tensor', same),
  rule('lift_fresh_copy(Tensor self) -> Tensor', same),
  rule('positive(Tensor self) -> Tensor', same),
  /** Nothing: the numbers are real. */
  ...['real', 'conj', 'conj_physical', 'resolve_conj', 'resolve_neg'].map(name =>
    rule(`${name}(Tensor self) -> Tensor`, same, onlyReal)
  ),
  /** Nothing: outside training dropout is the identity. */
  rule('dropout(Tensor input, float p, bool train) -> Tensor', same, onlyOutsideTraining),
  rule('dropout_(Tensor self, float p, bool train) -> Tensor', same, onlyOutsideTraining),
  rule('feature_dropout(Tensor input, float p, bool train) -> Tensor', same, onlyOutsideTraining),
  rule(
    'native_dropout(Tensor input, float p, bool? train) -> (Tensor, Tensor)',
    same,
    onlyOutsideTraining,
    1
  ),
  /** Checks of export: dropped. */
  rule(
    '_assert_tensor_metadata(Tensor a, SymInt[]? size=None, SymInt[]? stride=None, ScalarType? dtype=None, *, Device? device=None, Layout? layout=None) -> ()',
    nothing
  ),
  rule('_assert_scalar(Scalar self, str assert_msg) -> ()', nothing),
  rule('_assert_async.msg(Tensor self, str assert_msg) -> ()', nothing),
  rule('sym_constrain_range(Scalar size, *, int? min=None, int? max=None) -> ()', nothing),
  rule('sym_constrain_range_for_size(Scalar size, *, int? min=None, int? max=None) -> ()', nothing)
];
