/**
 * What is known of one ATen operator: its record.
 *
 * @packageDocumentation
 */
import type { IValue } from '../../model';
import type { Arguments } from './arguments';
import type { Call } from './call';
import { likeFirst } from './dtypes';
import type { DtypeRule } from './dtypes';
import { operatorName, parseSchema } from './schema';
import type { ISchema } from './schema';

/** What a lowering makes of an operator: one value, or one per result (null where it is left out). */
export type Lowered = IValue | readonly (IValue | null)[];

/** How the results hold the elements of the first operand. */
export type Arrangement =
  /** All of them, in their order. */
  | 'whole'
  /** All of them, in an order of its own. */
  | 'reordered'
  /** Some of them: the result may be smaller. */
  | 'cut'
  /** Every result is a part; one after the other along a dimension. */
  | 'parts'
  /** All of them where the argument `train` is false: dropout. */
  | 'outside training';

/**
 * Why every runtime finds the same bits.
 *
 * - `moved`: elements are moved, chosen, compared, or given by the arguments;
 * - `counted`: so, where they are integers; in floating point they are computed;
 * - `operation`: one operation of IEEE 754 per element, rounded once, where `alpha` and the like have their defaults;
 * - `quotient`: the same, of floating-point numbers only: quotients and square roots.
 */
export type Exactness = 'moved' | 'counted' | 'operation' | 'quotient';

/** What a lowering does not support. */
export interface ILimit {
  /** What is supported, in words, for the page of operators. */
  readonly words: string;
  /**
   * Whether a call is outside of the limit. Reads arguments only.
   *
   * @returns null, or what is not supported, for the reader.
   */
  readonly refuse: (args: Arguments) => string | null;
}

/** Make a limit. */
export function limit(words: string, refuse: ILimit['refuse']): ILimit {
  return { words, refuse };
}

/** Why no rule tells the dtypes of an operator's results. */
export interface IUnknownDtype {
  readonly reason: string;
}

/** What a record says of an operator besides its schema. */
export interface IFacts {
  /** The dtypes of its results; absent where no result is a tensor. */
  readonly dtype?: DtypeRule | IUnknownDtype;
  /** Absent where results hold other elements, or elements of several operands. */
  readonly arrangement?: Arrangement;
  /** Whether a result may be an operand, or a view of one, though the schema does not say so: some composites. */
  readonly mayReturnOperand?: true;
  /** Whether it finds elements by their place in memory, which the strides of its first operand tell. */
  readonly addressesMemory?: true;
  /**
   * The same operator under other names: those of other operators, which have this overload, or of overloads
   * (`special_softmax.default`). Source: each is CompositeImplicitAutograd and calls this one (`torch._C._dispatch_dump`, 2.13.0).
   */
  readonly names?: readonly string[];
  /** Absent where results depend on the order of sums or on a library's approximation. */
  readonly exact?: Exactness;
  /**
   * Arguments whose floating-point tensors must have one dtype, else PyTorch refuses the call. Absent where dtypes are promoted. Source:
   * a test holds this against calls of PyTorch.
   */
  readonly agree?: readonly string[] | 'all';
  /** Whether that dtype is the one of the first of these arguments, which the others are written into. */
  readonly writesInto?: true;
  /**
   * Arguments that are multiplied by `matmul`, as the operator's batch rule for `torch.vmap` does; others are added afterwards. Absent
   * where the operator has another batch rule. Source: aten/src/ATen/functorch, seen by running each under `torch.vmap` and autocast.
   */
  readonly factors?: readonly string[] | 'all';
  /** What the lowering does not support. */
  readonly limits?: readonly ILimit[];
  /** How many of the results the lowering makes, counted from the first, where it makes not all; the others must not be used. */
  readonly makes?: number;
  /** Emit ONNX operators that compute the results, in the order of the schema. Absent where castlens cannot run the operator. */
  readonly lower?: (call: Call) => Lowered;
}

/** The record of one overload. */
export interface IOperator extends IFacts {
  /** As graphs name it: `aten.add.Tensor`. */
  readonly op: string;
  /** The schema as PyTorch writes it, alias annotations included. */
  readonly text: string;
  /** The schema, parsed when first asked for. */
  readonly schema: ISchema;
}

/** A record that can be lowered. */
export type LoweredOperator = IOperator & Required<Pick<IFacts, 'lower'>>;

/**
 * Make a record.
 *
 * @param text - the schema as PyTorch prints it (`torch.ops.aten.add.Tensor._schema`), without `aten::`.
 */
export function operator(text: string, facts: IFacts): IOperator {
  let schema: ISchema | undefined;
  return {
    ...facts,
    op: operatorName(text),
    text,
    get schema() {
      return (schema ??= parseSchema(text));
    }
  };
}

/** Records of operators that differ by their schemas alone. */
export function operators(facts: IFacts, texts: readonly string[]): IOperator[] {
  return texts.map(text => operator(text, facts));
}

/** A record, and that of the operator that writes its result over its first operand: `relu_` of `relu`. */
export function withInPlace(record: IOperator): readonly IOperator[] {
  const { agree, writesInto, limits, lower } = record;
  const facts = { dtype: likeFirst, agree, writesInto, limits, lower };
  return [record, operator(inPlaceSchema(record.text), facts)];
}

/** The records of the same operator under its other names. Training IR keeps the name the author wrote. */
export function otherNames(record: IOperator): IOperator[] {
  const { text } = record;
  const overload = /^\w+(\.\w+)?/.exec(text)![1] ?? '';
  const rest = text.slice(text.indexOf('('));
  return (record.names ?? []).map(name => {
    const full = name.includes('.') ? name.replace(/\.default$/, '') : name + overload;
    return operator(full + rest, factsOf(record));
  });
}

/** The schema of the operator that writes its result over its first operand. */
function inPlaceSchema(text: string): string {
  return text
    .replace(/^(\w+)/, '$1_')
    .replace('(Tensor self', '(Tensor(a!) self')
    .replace(/-> Tensor$/, '-> Tensor(a!)');
}

/** Without the schema, and without the other names. */
function factsOf(record: IOperator): IFacts {
  const { dtype, arrangement, mayReturnOperand, exact, agree, writesInto, factors } = record;
  const { addressesMemory, limits, makes, lower } = record;
  return {
    ...{ dtype, arrangement, mayReturnOperand, exact, agree, writesInto, factors },
    ...{ addressesMemory, limits, makes, lower }
  };
}
