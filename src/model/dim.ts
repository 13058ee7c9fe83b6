/**
 * Sizes of tensors: plain integers, or expressions over the symbols of a dynamic export.
 *
 * @packageDocumentation
 */

/** Functions a symbolic size may use: sympy's and torch.utils._sympy.functions', by meaning. */
export type SymFunction =
  'add' | 'mul' | 'pow' | 'floordiv' | 'mod' | 'min' | 'max' | 'ceildiv' | 'other';

/** A symbolic size. */
export type SymExpr =
  | { readonly kind: 'symbol'; readonly name: string }
  | { readonly kind: 'call'; readonly fn: SymFunction; readonly args: readonly Dim[] }
  | { readonly kind: 'opaque'; readonly text: string };

/** One size of a shape: a non-negative integer or an expression. */
export type Dim = number | SymExpr;

/** A shape, outermost dimension first. */
export type Shape = readonly Dim[];

/** Allowed values of a symbol, both ends included; null means unbounded. */
export interface IDimRange {
  readonly min: number | null;
  readonly max: number | null;
}

/**
 * Value of a size under an assignment of symbols.
 *
 * @returns the value, or null where a symbol is unbound or the function is not known.
 */
export function evaluateDim(dim: Dim, bindings: ReadonlyMap<string, number>): number | null {
  if (typeof dim === 'number') {
    return dim;
  }
  switch (dim.kind) {
    case 'symbol':
      return bindings.get(dim.name) ?? null;
    case 'opaque':
      return null;
    case 'call': {
      const args: number[] = [];
      for (const arg of dim.args) {
        const value = evaluateDim(arg, bindings);
        if (value === null) {
          return null;
        }
        args.push(value);
      }
      return applySym(dim.fn, args);
    }
  }
}

/** Readable text of a size: `4`, `batch`, `2*s77`. */
export function formatDim(dim: Dim): string {
  if (typeof dim === 'number') {
    return String(dim);
  }
  switch (dim.kind) {
    case 'symbol':
      return dim.name;
    case 'opaque':
      return dim.text;
    case 'call': {
      const args = dim.args.map(formatDim);
      switch (dim.fn) {
        case 'add':
          return `(${args.join(' + ')})`;
        case 'mul':
          return args.join('*');
        case 'pow':
          return args.join('**');
        case 'floordiv':
          return args.join('//');
        case 'mod':
          return args.join('%');
        case 'min':
        case 'max':
        case 'ceildiv':
        case 'other':
          return `${dim.fn}(${args.join(', ')})`;
      }
    }
  }
}

/** Readable text of a shape: `[batch, 128]`. */
export function formatShape(shape: Shape): string {
  return `[${shape.map(formatDim).join(', ')}]`;
}

/** The shape as integers, or null where a size is symbolic. */
export function staticShape(shape: Shape | null): number[] | null {
  if (shape === null || shape.some(dim => typeof dim !== 'number')) {
    return null;
  }
  return shape as number[];
}

/** Number of elements of a static shape (1 for a 0-d tensor). */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Null where PyTorch has no value either: for a division by zero. */
function applySym(fn: SymFunction, args: readonly number[]): number | null {
  if (DIVISIONS.has(fn) && args[1] === 0) {
    return null;
  }
  switch (fn) {
    case 'add':
      return args.reduce((a, b) => a + b, 0);
    case 'mul':
      return args.reduce((a, b) => a * b, 1);
    case 'pow':
      return args[0] ** args[1];
    case 'floordiv':
      return Math.floor(args[0] / args[1]);
    case 'mod':
      return args[0] - args[1] * Math.floor(args[0] / args[1]);
    case 'min':
      return Math.min(...args);
    case 'max':
      return Math.max(...args);
    case 'ceildiv':
      return Math.ceil(args[0] / args[1]);
    case 'other':
      return null;
  }
}

const DIVISIONS: ReadonlySet<SymFunction> = new Set<SymFunction>(['floordiv', 'mod', 'ceildiv']);
