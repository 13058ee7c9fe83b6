/**
 * Symbolic sizes as torch.export writes them: sympy's `srepr` text.
 *
 * @packageDocumentation
 */
import type { Dim, SymFunction } from '../../model';

/** Deeper expressions are kept as text: evaluation recurses, and no real size nests so deep. */
const MAX_DEPTH = 64;

/**
 * Read an expression such as `Mul(Integer(2), Symbol('s77', positive=True, integer=True))`.
 *
 * @returns the size; `{kind: 'opaque'}` with the text where a function is not known, the text is malformed or it nests too deep.
 *
 * #### Complexity
 * Linear in the length of the text.
 */
export function parseSymExpr(text: string): Dim {
  return parseCall(text) ?? { kind: 'opaque', text };
}

/** A parsed argument: a size, or a Python literal that only some functions take. */
type Term =
  { readonly kind: 'dim'; readonly dim: Dim } | { readonly kind: 'literal'; readonly text: string };

interface IFrame {
  readonly name: string;
  readonly args: Term[];
}

const TOKEN =
  /\s*(?:([A-Za-z_][A-Za-z0-9_.]*)\s*(=(?!=))?|'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|(-?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)|([(),]))/y;

function parseCall(text: string): Dim | null {
  const stack: IFrame[] = [];
  let name: string | null = null;
  let result: Term | null = null;
  let keyword = false;
  let position = 0;
  const accept = (term: Term): boolean => {
    const frame = stack.at(-1);
    if (frame === undefined) {
      if (result !== null) {
        return false;
      }
      result = term;
    } else if (!keyword) {
      frame.args.push(term);
    }
    keyword = false;
    return true;
  };
  while (position < text.length) {
    TOKEN.lastIndex = position;
    const match = TOKEN.exec(text);
    if (match === null) {
      return text.slice(position).trim() === '' && stack.length === 0 ? dimOf(result) : null;
    }
    position = TOKEN.lastIndex;
    const [, identifier, equals, single, double, number, punctuation] = match;
    if (identifier !== undefined) {
      if (equals !== undefined) {
        keyword = true;
      } else if (text[position] === '(') {
        name = identifier;
      } else if (!accept({ kind: 'literal', text: identifier })) {
        return null;
      }
    } else if (single !== undefined || double !== undefined) {
      if (!accept({ kind: 'literal', text: single ?? double })) {
        return null;
      }
    } else if (number !== undefined) {
      if (!accept(numberTerm(number))) {
        return null;
      }
    } else if (punctuation === '(') {
      if (name === null || stack.length >= MAX_DEPTH) {
        return null;
      }
      stack.push({ name, args: [] });
      name = null;
    } else if (punctuation === ')') {
      const frame = stack.pop();
      const dim = frame === undefined ? null : build(frame);
      if (dim === null || !accept({ kind: 'dim', dim })) {
        return null;
      }
    }
  }
  return stack.length === 0 ? dimOf(result) : null;
}

function dimOf(term: Term | null): Dim | null {
  return term !== null && term.kind === 'dim' ? term.dim : null;
}

function numberTerm(text: string): Term {
  const value = Number(text);
  return Number.isSafeInteger(value) && /^-?\d+$/.test(text)
    ? { kind: 'dim', dim: value }
    : { kind: 'literal', text };
}

/** Functions of sympy and torch.utils._sympy.functions that have a counterpart here. */
const FUNCTIONS: Readonly<Record<string, SymFunction>> = {
  Add: 'add',
  Mul: 'mul',
  Pow: 'pow',
  PowByNatural: 'pow',
  FloorDiv: 'floordiv',
  CleanDiv: 'floordiv',
  Mod: 'mod',
  PythonMod: 'mod',
  Min: 'min',
  Max: 'max',
  CeilDiv: 'ceildiv'
};

/** The size a finished call stands for; null where it has none. */
function build(frame: IFrame): Dim | null {
  const { name, args } = frame;
  if (name === 'Symbol') {
    const first = args[0];
    return first?.kind === 'literal' ? { kind: 'symbol', name: first.text } : null;
  }
  const dims: Dim[] = [];
  for (const arg of args) {
    if (arg.kind !== 'dim') {
      return null;
    }
    dims.push(arg.dim);
  }
  if (dims.length === 0) {
    return null;
  }
  switch (name) {
    case 'Integer':
    case 'Identity':
      return dims.length === 1 ? dims[0] : null;
    case 'ModularIndexing':
      return dims.length === 3
        ? call('mod', [call('floordiv', [dims[0], dims[1]]), dims[2]])
        : null;
    case 'LShift':
      return typeof dims[1] === 'number' && dims[1] >= 0 && dims[1] < 53
        ? call('mul', [dims[0], 2 ** dims[1]])
        : null;
    case 'RShift':
      return typeof dims[1] === 'number' && dims[1] >= 0 && dims[1] < 53
        ? call('floordiv', [dims[0], 2 ** dims[1]])
        : null;
    default: {
      const fn = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : null;
      return fn === null || !fits(fn, dims) ? null : call(fn, dims);
    }
  }
}

function call(fn: SymFunction, args: readonly Dim[]): Dim {
  return { kind: 'call', fn, args };
}

/** Whether the count of arguments is right, and a power stays an integer. */
function fits(fn: SymFunction, dims: readonly Dim[]): boolean {
  switch (fn) {
    case 'pow':
      return dims.length === 2 && typeof dims[1] === 'number' && dims[1] >= 0;
    case 'floordiv':
    case 'mod':
    case 'ceildiv':
      return dims.length === 2;
    case 'add':
    case 'mul':
    case 'min':
    case 'max':
    case 'other':
      return true;
  }
}
