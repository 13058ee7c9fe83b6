/**
 * What a policy does to one operator call, decided from the dtypes of its operands.
 *
 * @packageDocumentation
 */
import type { Attr, DType, INode, IValue, Reach } from '../model';
import { isFloating } from '../model';
import { innerOperator, operandsCastInside } from './policy';
import type { IActingRegion } from './regions';

/** A cast of one operand. */
export interface IOperandCast {
  /** Position in `node.inputs`. */
  readonly index: number;
  readonly to: DType;
  /** How the operand comes to the cast, where that is inside of a composite operator. */
  readonly reach?: Reach;
}

/** The changes autocast makes to one operator call. */
export interface IPolicyEffect {
  readonly casts: readonly IOperandCast[];
  /** Operator to call instead, and arguments to add. Null where the call stays as it is. */
  readonly redispatch: {
    readonly op: string;
    readonly attrs: Readonly<Record<string, Attr>>;
  } | null;
  /** Why PyTorch raises an error here; null where it does not. Nothing is cast then. */
  readonly error: string | null;
  /** Whether the policy is that of operators inside a composite one. */
  readonly composite: boolean;
}

/**
 * The effect of a region on one call; null where its policies do not name the operator.
 *
 * Rules: `WrapFunction_` and `promote_type` in torch/include/ATen/autocast_mode.h (2.13.0). Of the operands that the region acts on
 * only real floating-point tensors other than float64 are eligible.
 */
export function policyEffect(
  node: INode,
  { active, operands }: IActingRegion
): IPolicyEffect | null {
  const casts = (to: DType): IOperandCast[] => castsTo(node, to, operands);
  const inner = innerOperator(node);
  const policy = active.policies?.get(inner ?? node.op);
  if (policy === undefined) {
    return null;
  }
  const effect = {
    casts: [],
    redispatch: null,
    error: null,
    composite: policy.composite || inner !== null
  };
  switch (policy.policy) {
    case 'lower_precision_fp':
      return { ...effect, casts: castsInside(node, casts(active.dtype), effect.composite) };
    case 'fp32':
      return { ...effect, casts: casts('float32') };
    case 'fp32_set_opt_dtype': {
      const given = node.attrs.dtype as Attr | undefined;
      if (!isFirstEligible(node, operands) || (given !== undefined && given.kind !== 'none')) {
        return effect;
      }
      return { ...effect, redispatch: { op: node.op, attrs: { dtype: FLOAT32 } } };
    }
    case 'fp32_append_dtype':
      return { ...effect, redispatch: appendDtype(node, operands) };
    case 'promote': {
      const target = promotionTarget(node, active.dtype, operands);
      return target === null
        ? {
            ...effect,
            error: `autocast to ${active.dtype} cannot promote operands of other 16-bit types`
          }
        : { ...effect, casts: casts(target) };
    }
    case 'banned':
      return {
        ...effect,
        error: `${node.op} is unsafe to autocast and raises on ${active.region.device}`
      };
  }
}

/** Whether autocast may cast a value on the device it acts on. */
export function isEligible(value: IValue | null): boolean {
  return (
    value !== null &&
    value.kind === 'tensor' &&
    value.dtype !== null &&
    isFloating(value.dtype) &&
    value.dtype !== 'float64'
  );
}

const FLOAT32: Attr = { kind: 'dtype', value: 'float32' };

function castsTo(node: INode, to: DType, operands: ReadonlySet<number>): IOperandCast[] {
  const casts: IOperandCast[] = [];
  node.inputs.forEach((value, index) => {
    if (operands.has(index) && isEligible(value) && value!.dtype !== to) {
      casts.push({ index, to });
    }
  });
  return casts;
}

/** Of a composite operator's operands, those that reach an operator inside which has the policy. */
function castsInside(node: INode, casts: IOperandCast[], composite: boolean): IOperandCast[] {
  if (!composite) {
    return casts;
  }
  const inside = operandsCastInside(node);
  return casts.flatMap(cast => {
    const reach = inside.get(cast.index);
    return reach === undefined ? [] : [{ ...cast, reach }];
  });
}

function isFirstEligible(node: INode, operands: ReadonlySet<number>): boolean {
  return operands.has(0) && isEligible(node.inputs[0]);
}

/** `prioritize` of autocast_mode.h over all operands; null where it raises. */
function promotionTarget(node: INode, lower: DType, operands: ReadonlySet<number>): DType | null {
  let target = lower;
  for (const [index, value] of node.inputs.entries()) {
    if (!operands.has(index) || !isEligible(value)) {
      continue;
    }
    if (target === 'float32' || value!.dtype === 'float32') {
      target = 'float32';
    } else if (value!.dtype !== lower) {
      return null;
    }
  }
  return target;
}

/** `norm.Scalar` becomes `norm.ScalarOpt_dtype`, `norm.ScalarOpt_dim` becomes `norm.ScalarOpt_dim_dtype`. */
function appendDtype(node: INode, operands: ReadonlySet<number>): IPolicyEffect['redispatch'] {
  const own = node.inputs[0]?.dtype;
  if (!own) {
    return null;
  }
  const dtype: Attr = isFirstEligible(node, operands) ? FLOAT32 : { kind: 'dtype', value: own };
  if (node.op === 'aten.norm.Scalar') {
    const p = (node.attrs.p as Attr | undefined) ?? { kind: 'int', value: 2 };
    return { op: 'aten.norm.ScalarOpt_dtype', attrs: { p, dtype } };
  }
  const keepdim = (node.attrs.keepdim as Attr | undefined) ?? { kind: 'bool', value: false };
  return { op: 'aten.norm.ScalarOpt_dim_dtype', attrs: { keepdim, dtype } };
}
