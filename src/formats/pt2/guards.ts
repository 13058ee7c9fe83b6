/**
 * Guards as torch.export writes them: Python such as `L['mask'].size()[1] <= L['ids'].size()[1]`.
 *
 * #### Notes
 * What torch can write is listed by `PythonPrinter` in torch/utils/_sympy/printers.py. Read here is what conditions on sizes and
 * on numbers come down to. Nothing is executed.
 *
 * @packageDocumentation
 */
import type { GuardExpr, GuardFunction, IGuard } from '../../model';
import type { JsonObject, JsonRecord } from '../jsonrecord';

/** Argument of `forward` and keys within it that lead to an input, `['args', '0']`; null where the file does not say. */
export type InputSource = readonly string[] | null;

/** Deeper expressions are not read: parsing and evaluation recurse, and no real guard nests so deep. */
const MAX_DEPTH = 64;

/** Dynamo's name for the inputs in order; a strict export does not write those of `forward` instead. */
const FLAT_ARGUMENTS = 'flat_args';

/**
 * The guards of a program. Those that castlens cannot read are listed in `warnings`: they are not checked.
 *
 * @param sources - by position of the input.
 */
export function readGuards(
  json: JsonRecord,
  program: JsonObject,
  sources: readonly InputSource[],
  warnings: string[]
): IGuard[] {
  const texts = json
    .array(program.guards_code ?? [], 'guards_code')
    .map((text, i) => json.string(text, `guards_code[${i}]`));
  const guards: IGuard[] = [];
  const unread: string[] = [];
  for (const text of new Set(texts)) {
    const condition = parseGuard(text, sources);
    if (condition === null) {
      unread.push(text);
    } else {
      guards.push({ text, condition });
    }
  }
  if (unread.length > 0) {
    warnings.push(
      `castlens cannot read ${unread.length} guard(s) of the program and does not check them: ${unread.join('; ')}.`
    );
  }
  return guards;
}

/**
 * Read one guard.
 *
 * @returns null where it is malformed, nests too deep, or takes what castlens has no counterpart of: strides, other functions, inputs
 * that cannot be told.
 *
 * #### Complexity
 * Linear in the length of the text.
 */
export function parseGuard(text: string, sources: readonly InputSource[]): GuardExpr | null {
  const tokens = tokensOf(text);
  if (tokens === null) {
    return null;
  }
  try {
    return new GuardParser(tokens, sources).parse();
  } catch (error) {
    if (error instanceof UnreadableGuard) {
      return null;
    }
    throw error;
  }
}

class UnreadableGuard extends Error {}

const TOKEN =
  /\s*(?:(\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)|([A-Za-z_]\w*)|('(?:[^'\\]*)'|"(?:[^"\\]*)")|(\/\/|[<>=!]=|\*\*|[-+*/%<>()[\].,]))/y;

function tokensOf(text: string): string[] | null {
  const tokens: string[] = [];
  const body = text.trimEnd();
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < body.length) {
    const match = TOKEN.exec(body);
    if (match === null) {
      return null;
    }
    tokens.push(match[0].trimStart());
  }
  return tokens;
}

const COMPARISONS: Readonly<Record<string, GuardFunction>> = {
  '==': '==',
  '!=': '!=',
  '<': '<',
  '<=': '<=',
  '>': '>',
  '>=': '>='
};

const SUMS: Readonly<Record<string, GuardFunction>> = { '+': 'add', '-': 'sub' };

const PRODUCTS: Readonly<Record<string, GuardFunction>> = {
  '*': 'mul',
  '/': 'div',
  '//': 'floordiv',
  '%': 'mod'
};

/** Functions by the name torch writes; null counts of arguments mean one or more. */
const FUNCTIONS: ReadonlyMap<string, readonly [GuardFunction, number | null]> = new Map([
  ['min', ['min', null]],
  ['max', ['max', null]],
  ['math.floor', ['floor', 1]],
  ['math.ceil', ['ceil', 1]],
  ['math.trunc', ['trunc', 1]],
  ['torch.sym_float', ['identity', 1]]
]);

/** Recursive descent, by Python's precedence. */
class GuardParser {
  constructor(
    private readonly _tokens: readonly string[],
    private readonly _sources: readonly InputSource[]
  ) {}

  parse(): GuardExpr {
    const expr = this._or();
    return this._position === this._tokens.length ? expr : this._fail();
  }

  private _or(): GuardExpr {
    return this._chain(() => this._and(), { or: 'or' });
  }

  private _and(): GuardExpr {
    return this._chain(() => this._not(), { and: 'and' });
  }

  private _not(): GuardExpr {
    return this._accept('not')
      ? this._nested(() => call('not', [this._not()]))
      : this._comparison();
  }

  /** `a < b < c` means `a < b and b < c`. */
  private _comparison(): GuardExpr {
    const links: GuardExpr[] = [];
    let left = this._sum();
    const first = left;
    for (let fn = this._operator(COMPARISONS); fn !== null; fn = this._operator(COMPARISONS)) {
      const right = this._sum();
      links.push(call(fn, [left, right]));
      left = right;
    }
    return links.length === 0 ? first : links.length === 1 ? links[0] : call('and', links);
  }

  private _sum(): GuardExpr {
    return this._chain(() => this._product(), SUMS);
  }

  private _product(): GuardExpr {
    return this._chain(() => this._signed(), PRODUCTS);
  }

  private _signed(): GuardExpr {
    return this._accept('-') ? this._nested(() => call('neg', [this._signed()])) : this._atom();
  }

  private _atom(): GuardExpr {
    if (this._accept('(')) {
      return this._nested(() => {
        const expr = this._or();
        this._expect(')');
        return expr;
      });
    }
    const token = this._next();
    if (/^\d/.test(token)) {
      const value = Number(token);
      return Number.isInteger(value) && !Number.isSafeInteger(value)
        ? this._fail()
        : { kind: 'number', value };
    }
    if (token === 'L') {
      return this._source();
    }
    return /^\w/.test(token) ? this._function(token) : this._fail();
  }

  /** What follows `L`: keys up to an input, then `.size()[0]`, or nothing where the input is a number. */
  private _source(): GuardExpr {
    const path: string[] = [];
    for (;;) {
      if (this._accept('[')) {
        path.push(unquote(this._next()));
        this._expect(']');
      } else if (this._accept('.')) {
        const name = this._next();
        if (!this._accept('(')) {
          path.push(name);
          continue;
        }
        if (name !== 'size') {
          return this._fail();
        }
        this._expect(')');
        this._expect('[');
        const dim = this._next();
        this._expect(']');
        return /^\d+$/.test(dim)
          ? { kind: 'size', input: this._input(path), dim: Number(dim) }
          : this._fail();
      } else {
        return { kind: 'value', input: this._input(path) };
      }
    }
  }

  private _input(path: readonly string[]): number {
    const found = this._sources.findIndex(source => source?.join('\0') === path.join('\0'));
    if (found !== -1) {
      return found;
    }
    const flat = path.length === 2 && path[0] === FLAT_ARGUMENTS ? Number(path[1]) : NaN;
    return Number.isInteger(flat) && flat < this._sources.length ? flat : this._fail();
  }

  private _function(head: string): GuardExpr {
    const name = this._accept('.') ? `${head}.${this._next()}` : head;
    const [fn, count] = FUNCTIONS.get(name) ?? this._fail();
    this._expect('(');
    return this._nested(() => {
      const args = [this._or()];
      while (this._accept(',')) {
        args.push(this._or());
      }
      this._expect(')');
      return count === null || count === args.length ? call(fn, args) : this._fail();
    });
  }

  /** Operators of one precedence, which associate to the left; each operator of a chain is a level of the tree. */
  private _chain(
    operand: () => GuardExpr,
    operators: Readonly<Record<string, GuardFunction>>
  ): GuardExpr {
    let result = operand();
    let count = 0;
    for (let fn = this._operator(operators); fn !== null; fn = this._operator(operators)) {
      if (++count > MAX_DEPTH) {
        return this._fail();
      }
      result = call(fn, [result, operand()]);
    }
    return result;
  }

  private _operator(operators: Readonly<Record<string, GuardFunction>>): GuardFunction | null {
    const token = this._tokens[this._position];
    if (token === undefined || !Object.hasOwn(operators, token)) {
      return null;
    }
    this._position++;
    return operators[token];
  }

  private _nested<T>(read: () => T): T {
    if (++this._depth > MAX_DEPTH) {
      return this._fail();
    }
    const result = read();
    this._depth--;
    return result;
  }

  private _next(): string {
    return this._tokens[this._position++] ?? this._fail();
  }

  private _accept(token: string): boolean {
    const found = this._tokens[this._position] === token;
    this._position += Number(found);
    return found;
  }

  private _expect(token: string): void {
    if (!this._accept(token)) {
      this._fail();
    }
  }

  private _fail(): never {
    throw new UnreadableGuard();
  }

  private _position = 0;
  private _depth = 0;
}

function unquote(token: string): string {
  return /^['"]/.test(token) ? token.slice(1, -1) : token;
}

function call(fn: GuardFunction, args: readonly GuardExpr[]): GuardExpr {
  return { kind: 'call', fn, args };
}
