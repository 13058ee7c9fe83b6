/**
 * Operators that raise where the dtypes of their operands differ.
 *
 * Autocast is why such calls work in a program: take it from some operators and not from others, and they no longer do.
 *
 * @packageDocumentation
 */
import type { Attr, DType, INode } from '../model';
import { isFloating } from '../model';
import { dtypeDemand, promoteTypes } from '../operators';

/** Operands that PyTorch refuses together. */
export interface IDisagreement {
  /** Dtypes found, each once. */
  readonly dtypes: readonly DType[];
  /** The dtype that they have in common, or that of the tensor written to. */
  readonly common: DType;
  /** Positions in `node.inputs` of operands with another dtype. */
  readonly others: readonly number[];
}

/**
 * The operands of a call that PyTorch refuses for their dtypes; null where there are none.
 *
 * Floating-point tensors alone are looked at: no region changes the dtype of another one. So are 0-d tensors not, which some
 * of these operators take as numbers.
 */
export function dtypeDisagreement(node: INode): IDisagreement | null {
  const demand = dtypeDemand(node.op);
  if (demand === null) {
    return null;
  }
  const { args, isIntoFirst } = demand;
  const operands = args.flatMap(arg => positionsOf(node.attrs[arg] as Attr | undefined));
  const found = new Map<number, DType>();
  for (const index of operands) {
    const value = node.inputs[index];
    if (value?.kind === 'tensor' && value.dtype !== null) {
      if (isFloating(value.dtype) && value.shape?.length !== 0) {
        found.set(index, value.dtype);
      }
    }
  }
  const dtypes = [...new Set(found.values())];
  if (dtypes.length < 2) {
    return null;
  }
  const common = isIntoFirst
    ? dtypes[0]
    : dtypes.reduce((wide: DType | null, dtype) => wide && promoteTypes(wide, dtype), dtypes[0]);
  return common === null
    ? null
    : { dtypes, common, others: [...found.keys()].filter(index => found.get(index) !== common) };
}

/** Positions in `node.inputs` of the operands of an argument. */
function positionsOf(attr: Attr | undefined): number[] {
  switch (attr?.kind) {
    case 'input':
      return [attr.index];
    case 'list':
      return attr.items.flatMap(positionsOf);
    default:
      return [];
  }
}
