/**
 * Operators that raise where the dtypes of their operands differ.
 *
 * Seen by calling each with float32 and bfloat16 operands in torch 2.13.0. Autocast is why such calls work in a program: take
 * it from some operators and not from others, and they no longer do.
 *
 * @packageDocumentation
 */
import type { Attr, DType, INode } from '../model';
import { isFloating, perOperator } from '../model';
import { promoteTypes } from '../operators';

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
  const demand = demandOf(node.op);
  if (demand === null) {
    return null;
  }
  const { args, isIntoFirst } = demand;
  const operands = args === ALL ? node.inputs.keys() : args.map(arg => positionOf(node, arg));
  const found = new Map<number, DType>();
  for (const index of operands) {
    const value = index === null ? null : node.inputs[index];
    if (index !== null && value?.kind === 'tensor' && value.dtype !== null) {
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

/** What an operator demands of the dtypes of its operands; null for most. */
interface IDemand {
  /** Arguments that must have one dtype. */
  readonly args: readonly string[];
  /** Whether that is the dtype of the first one, which the others are written into. */
  readonly isIntoFirst: boolean;
}

const demandOf = perOperator((op): IDemand | null => {
  if (!op.startsWith('aten.')) {
    return null;
  }
  const [name, overload] = op.slice('aten.'.length).split('.');
  const base = name.endsWith('_') ? name.slice(0, -1) : name;
  const into = INTO_FIRST.get(base);
  const args = into ?? AMONG.get(base);
  // The overloads named `dtype` accumulate in the dtype they are given.
  return args === undefined || overload === 'dtype'
    ? null
    : { args, isIntoFirst: into !== undefined };
});

function positionOf(node: INode, arg: string): number | null {
  const attr = node.attrs[arg] as Attr | undefined;
  return attr?.kind === 'input' ? attr.index : null;
}

const ALL: readonly string[] = [];

/** Arguments that must have one dtype, by base name; in-place variants included. */
const AMONG: ReadonlyMap<string, readonly string[]> = new Map([
  ...entries(
    `linear matmul mm bmm mv dot vdot inner tensordot addmm addmv addbmm baddbmm bilinear
    conv1d conv2d conv3d conv_tbc conv_transpose1d conv_transpose2d conv_transpose3d convolution _convolution
    prelu lerp grid_sampler grid_sampler_2d grid_sampler_3d`,
    ALL
  ),
  ...entries('scaled_dot_product_attention', ['query', 'key', 'value'])
]);

/** The same for operators that write one tensor into another, which comes first. */
const INTO_FIRST: ReadonlyMap<string, readonly string[]> = new Map([
  ...entries('scatter scatter_add scatter_reduce', ['self', 'src']),
  ...entries('index_add index_copy masked_scatter', ['self', 'source']),
  ...entries('index_put', ['self', 'values'])
]);

function entries(names: string, args: readonly string[]): [string, readonly string[]][] {
  return names.split(/\s+/).map(name => [name, args]);
}
