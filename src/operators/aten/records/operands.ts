/**
 * Operands that may be tensors or Python numbers.
 *
 * @packageDocumentation
 */
import type { DType, IValue } from '../../../model';
import { DTYPES, isLowPrecision } from '../../../model';
import type { Call } from '../call';
import type { IOperandType } from '../promotion';
import { promoteOperands } from '../promotion';

/** An operand in the type the operator computes in. */
export function operand(c: Call, name: string, type: DType = c.outType): IValue {
  return c.isValue(name) ? c.toType(c.tensor(name), type) : c.scalar(c.number(name), type);
}

/**
 * Operands of a comparison: both in their common type. Types that runtimes have no comparisons for are widened, which changes no
 * comparison.
 */
export function comparands(c: Call, left: string, right: string): [IValue, IValue] {
  const common =
    promoteOperands([operandType(c, left), operandType(c, right)]) ??
    c.fail('the operands have no common dtype');
  const type = comparable(common);
  const make = (name: string): IValue => {
    if (c.isValue(name)) {
      return c.castTo(c.tensor(name), type);
    }
    return isLowPrecision(common)
      ? c.roundedScalar(c.number(name), common)
      : c.scalar(c.number(name), type);
  };
  return [make(left), make(right)];
}

/** What promotion needs to know of an operand. */
function operandType(c: Call, name: string): IOperandType {
  if (!c.isValue(name)) {
    return {
      dtype: c.numberType(name) ?? c.fail(`argument ${name} is no number`),
      strength: 'number'
    };
  }
  const value = c.tensor(name);
  return {
    dtype: value.dtype ?? c.fail(`the dtype of ${value.name} is not known`),
    strength: value.shape?.length === 0 ? 'scalar' : 'tensor'
  };
}

/** A type that comparisons exist for and that holds every value of `dtype`. */
function comparable(dtype: DType): DType {
  const info = DTYPES[dtype];
  switch (info.kind) {
    case 'float':
      return dtype === 'float64' ? 'float64' : 'float32';
    case 'int':
    case 'uint':
      return 'int64';
    case 'bool':
      return 'int32';
    case 'complex':
    case 'string':
      return dtype;
  }
}
