/**
 * Guards: conditions on inputs under which an exported program means what the model meant.
 *
 * @packageDocumentation
 */

/** Operations of Python that a guard may use, by meaning; comparisons and logic yield 1 or 0. */
export type GuardFunction =
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  | 'floordiv'
  | 'mod'
  | 'neg'
  | 'min'
  | 'max'
  | 'floor'
  | 'ceil'
  | 'trunc'
  | 'identity'
  | '=='
  | '!='
  | '<'
  | '<='
  | '>'
  | '>='
  | 'and'
  | 'or'
  | 'not';

/** A condition, or a number within one. `input` is a position in `IExportedModel.inputs`. */
export type GuardExpr =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'size'; readonly input: number; readonly dim: number }
  | { readonly kind: 'value'; readonly input: number }
  | { readonly kind: 'call'; readonly fn: GuardFunction; readonly args: readonly GuardExpr[] };

/** A guard as the file writes it, with what it means. */
export interface IGuard {
  /** Python. */
  readonly text: string;
  readonly condition: GuardExpr;
}

/** What is known of the inputs: null where an input has no such size or value. */
export interface IGuardFacts {
  size(input: number, dim: number): number | null;
  value(input: number): number | null;
}

/**
 * Whether a guard holds, as Python decides it.
 *
 * @returns false also where Python would raise (a division by zero); null where it takes a fact that is not known.
 */
export function holds(guard: IGuard, facts: IGuardFacts): boolean | null {
  const value = evaluate(guard.condition, facts);
  return value === null ? null : truthy(value);
}

/** Positions of the inputs a guard is about, in order. */
export function inputsOfGuard(guard: IGuard): number[] {
  const found = new Set<number>();
  const stack = [guard.condition];
  while (stack.length > 0) {
    const expr = stack.pop()!;
    if (expr.kind === 'call') {
      stack.push(...expr.args);
    } else if (expr.kind !== 'number') {
      found.add(expr.input);
    }
  }
  return [...found].sort((a, b) => a - b);
}

/** NaN stands for an exception. */
function truthy(value: number): boolean {
  return value !== 0 && !Number.isNaN(value);
}

function evaluate(expr: GuardExpr, facts: IGuardFacts): number | null {
  switch (expr.kind) {
    case 'number':
      return expr.value;
    case 'size':
      return facts.size(expr.input, expr.dim);
    case 'value':
      return facts.value(expr.input);
    case 'call':
      return evaluateCall(expr.fn, expr.args, facts);
  }
}

function evaluateCall(
  fn: GuardFunction,
  operands: readonly GuardExpr[],
  facts: IGuardFacts
): number | null {
  const args: number[] = [];
  for (const operand of operands) {
    const value = evaluate(operand, facts);
    if (value === null || Number.isNaN(value)) {
      return value;
    }
    // What stands behind a decided condition is not evaluated.
    if ((fn === 'and' && !truthy(value)) || (fn === 'or' && truthy(value))) {
      return value;
    }
    args.push(value);
  }
  return apply(fn, args);
}

function apply(fn: GuardFunction, args: readonly number[]): number {
  const [a, b] = args;
  switch (fn) {
    case 'add':
      return a + b;
    case 'sub':
      return a - b;
    case 'mul':
      return a * b;
    case 'div':
      return b === 0 ? NaN : a / b;
    case 'floordiv':
      return b === 0 ? NaN : Math.floor(a / b);
    case 'mod':
      return b === 0 ? NaN : a - b * Math.floor(a / b);
    case 'neg':
      return -a;
    case 'min':
      return Math.min(...args);
    case 'max':
      return Math.max(...args);
    case 'floor':
      return Math.floor(a);
    case 'ceil':
      return Math.ceil(a);
    case 'trunc':
      return Math.trunc(a);
    case 'identity':
      return a;
    case '==':
      return Number(a === b);
    case '!=':
      return Number(a !== b);
    case '<':
      return Number(a < b);
    case '<=':
      return Number(a <= b);
    case '>':
      return Number(a > b);
    case '>=':
      return Number(a >= b);
    case 'and':
    case 'or':
      return args[args.length - 1];
    case 'not':
      return Number(a === 0);
  }
}
