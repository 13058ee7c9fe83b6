/**
 * Expressions of generated kernels: what values they make.
 *
 * @packageDocumentation
 */
import { dtypeOfName } from './dtypes';
import type { IToken } from './tokens';
import { isMark, NotFollowed } from './tokens';
import type { IValue, ValueMaker } from './values';

/** What an expression may use. */
export interface IScope {
  readonly make: ValueMaker;
  /** What a variable holds; undefined where it is none. */
  variable(name: string): IValue | undefined;
  /** What a pointer or a local array holds, read at an index; undefined where the name is none. */
  element(name: string, index: readonly IValue[]): IValue | undefined;
}

/** How deep expressions may nest. */
const MAX_DEPTH = 100;

/** Names that take template arguments without a `::` in them. */
const TEMPLATES = new Set(['static_cast', 'reinterpret_cast', 'transpose_mxn', 'cast', 'convert']);

/** Calls that hand their first argument on: broadcasts and shapes. */
const HANDS_ON = new Set(['tl.broadcast_to', 'tl.reshape', 'tl.expand_dims', 'reinterpret_cast']);

const opens = isMark('(');
const LIST_ENDS = new Set([',', ')', ']', '}', ';', ':']);

/** An argument of a call: its value, and the pointer that it is an address in. */
export interface IArgument {
  readonly value: IValue;
  /** Pointer or local array, where the argument is an address: `in_ptr0 + x0`. */
  readonly address: string | null;
  /** What the offset of the address depends on. */
  readonly offset: readonly IValue[];
}

/** A call that was read: `at::vec::Vectorized<float>::loadu(...)`. */
export interface ICall {
  readonly name: string;
  /** First template argument, in words. */
  readonly type: string;
  readonly args: readonly IArgument[];
}

/** Reads the expressions of one kernel. */
export class ExpressionReader {
  constructor(
    private readonly _tokens: readonly IToken[],
    private readonly _scope: IScope
  ) {}

  /**
   * The value of the whole.
   *
   * @throws NotFollowed where it nests too deep.
   */
  read(): IValue {
    const value = this._expression(0).value;
    return this._at < this._tokens.length ? this._computedWith(value, 'rest', 0) : value;
  }

  /** The whole as one call at statement level, where it is one: `transpose_mxn<...>(...)`. */
  readCall(): ICall | null {
    const first = this._tokens[0];
    if (first?.kind !== 'name') {
      return null;
    }
    this._at = 1;
    const type = this._template(first.text);
    if (!opens(this._peek())) {
      return null;
    }
    return { name: first.text, type, args: this._arguments(0) };
  }

  private _expression(depth: number): IArgument {
    if (depth > MAX_DEPTH) {
      throw new NotFollowed(`expressions nested more than ${MAX_DEPTH} deep`);
    }
    const { make } = this._scope;
    const operands: IArgument[] = [];
    const operators: string[] = [];
    for (let token; (token = this._peek()) !== undefined;) {
      if (token.kind === 'mark' && LIST_ENDS.has(token.text)) {
        break;
      }
      if (token.kind === 'mark' && token.text === '?') {
        this._at++;
        const condition = this._join(operands, operators);
        const yes = this._expression(depth + 1);
        if (isMark(':')(this._peek())) {
          this._at++;
        }
        const no = this._expression(depth + 1);
        return plain(make.select(condition.value, yes.value, no.value));
      }
      if (token.kind === 'mark' && !['(', '[', '{'].includes(token.text)) {
        this._at++;
        operators.push(token.text);
        continue;
      }
      operands.push(this._primary(depth + 1));
    }
    return this._join(operands, operators);
  }

  /** Operands and what stands between them as one value; a sum with one address is that address. */
  private _join(operands: readonly IArgument[], operators: readonly string[]): IArgument {
    const { make } = this._scope;
    if (operands.length === 0) {
      return plain(make.index('nothing'));
    }
    if (operands.length === 1) {
      const [only] = operands;
      const isSign = operators.every(mark => mark === '-' || mark === '+' || mark === '&');
      return isSign && (only.value.table.length === 1 || operators.every(mark => mark === '&'))
        ? only
        : plain(make.computed(operators.join(''), [only.value]));
    }
    const [first, ...rest] = operands;
    if (first.address !== null && operators.every(mark => mark === '+')) {
      const offset = [...first.offset, ...rest.map(({ value }) => value)];
      const value = this._scope.element(first.address, offset) ?? first.value;
      return { value, address: first.address, offset };
    }
    // A C cast in front of its operand has no operator: `(const float*)(x)`.
    const values = operands.map(({ value }) => value);
    return plain(
      operators.length === 0 ? values.at(-1)! : make.computed(operators.join(''), values)
    );
  }

  private _primary(depth: number): IArgument {
    if (depth > MAX_DEPTH) {
      throw new NotFollowed(`expressions nested more than ${MAX_DEPTH} deep`);
    }
    const { make } = this._scope;
    const token = this._tokens[this._at++];
    let value: IArgument;
    if (token.kind === 'number') {
      value = plain(make.literal(token.text));
    } else if (token.kind === 'text') {
      value = plain(make.index('text'));
    } else if (token.text === '(') {
      value = this._expression(depth + 1);
      this._skipTo(')');
    } else if (token.text === '[' || token.text === '{') {
      // The captures of a lambda, or a list; their contents are no values of the kernel.
      this._at--;
      this._skipBrackets();
      value = plain(make.index('list'));
    } else {
      value = this._name(token.text, depth);
    }
    return this._postfix(value, depth);
  }

  private _name(name: string, depth: number): IArgument {
    const type = this._template(name);
    const suffix = this._peek()?.kind === 'name' ? this._memberOfType() : '';
    const full = name + suffix;
    if (opens(this._peek())) {
      return plain(this._called(full, type, this._arguments(depth), null));
    }
    const held = this._scope.variable(name);
    if (held !== undefined) {
      return plain(held);
    }
    const element = this._scope.element(name, []);
    return element === undefined
      ? plain(this._scope.make.index(full))
      : { value: element, address: name, offset: [] };
  }

  /** `::loadu` behind template arguments. */
  private _memberOfType(): string {
    const next = this._peek()!;
    if (!next.text.startsWith('::')) {
      return '';
    }
    this._at++;
    return next.text;
  }

  private _postfix(start: IArgument, depth: number): IArgument {
    let value = start;
    for (let token; (token = this._peek()) !== undefined && token.kind === 'mark';) {
      if (token.text === '[') {
        if (value.address === null) {
          this._skipBrackets();
        } else {
          this._at++;
          const index = this._list(']', depth).map(argument => argument.value);
          const element = this._scope.element(value.address, index);
          value = { value: element ?? value.value, address: value.address, offset: index };
        }
      } else if (token.text === '.' || token.text === '->') {
        this._at++;
        let member = this._tokens[this._at++];
        if (member?.text === 'template') {
          member = this._tokens[this._at++];
        }
        const type = member === undefined ? '' : this._template(member.text);
        if (member !== undefined && opens(this._peek())) {
          const args = this._arguments(depth);
          value = plain(this._called(`.${member.text}`, type, args, value.value, start));
        }
      } else if (token.text === '(') {
        // `decltype(tmp0)(0)`, a call of a lambda.
        const args = this._arguments(depth);
        value =
          args.length === 0
            ? value
            : plain(this._scope.make.computed('call', [value.value, ...args.map(a => a.value)]));
      } else {
        break;
      }
    }
    return value;
  }

  /** What a call gives. */
  private _called(
    name: string,
    type: string,
    args: readonly IArgument[],
    receiver: IValue | null,
    at?: IArgument
  ): IValue {
    const { make } = this._scope;
    const values = args.map(({ value }) => value);
    const first = args[0];
    if (/(^|::|\.)(loadu?|masked_load)$/u.test(name) && first !== undefined) {
      if (first.address === null) {
        return make.computed(name, values);
      }
      const rest = args.slice(2).map(({ value }) => value);
      return this._scope.element(first.address, [...first.offset, ...rest]) ?? first.value;
    }
    const asDtype = dtypeOfName(type);
    if (/(^|::)(convert|static_cast)$/u.test(name) && first !== undefined) {
      return asDtype === undefined ? first.value : make.convert(first.value, asDtype);
    }
    if (name === '.to' && receiver !== null) {
      return args.length === 0 || at === undefined ? receiver : this._toDtype(receiver, args);
    }
    const typeOfName = dtypeOfName(name);
    if (typeOfName !== undefined && values.length === 1) {
      return make.convert(values[0], typeOfName);
    }
    if (/Vectorized(N)?$/u.test(name) && values.length === 1) {
      return values[0];
    }
    if (receiver !== null && HANDS_ON.has(`tl${name}`) && first !== undefined) {
      return first.value;
    }
    if (HANDS_ON.has(name) && first !== undefined) {
      return first.value;
    }
    if (receiver !== null && name === '.where' && values.length === 3) {
      return make.select(values[0], values[1], values[2]);
    }
    if (/blendv$/u.test(name) && values.length === 3) {
      return make.select(values[2], values[0], values[1]);
    }
    return make.computed(name, receiver === null ? values : [receiver, ...values]);
  }

  /** `x.to(tl.float32)`: the dtype was read as an index of that name. */
  private _toDtype(receiver: IValue, args: readonly IArgument[]): IValue {
    const dtype = dtypeOfName(this._lastDtype);
    return dtype === undefined || args.length === 0
      ? receiver
      : this._scope.make.convert(receiver, dtype);
  }

  private _arguments(depth: number): IArgument[] {
    this._at++;
    return this._list(')', depth);
  }

  /** Expressions between commas, up to a closing mark, which is taken too. */
  private _list(close: string, depth: number): IArgument[] {
    const list: IArgument[] = [];
    for (let token; (token = this._peek()) !== undefined;) {
      if (token.kind === 'mark' && token.text === close) {
        this._at++;
        return list;
      }
      if (token.kind === 'mark' && LIST_ENDS.has(token.text)) {
        this._at++;
        continue;
      }
      // A keyword of Python: `eviction_policy='evict_last'`.
      if (token.kind === 'name' && isMark('=')(this._tokens[this._at + 1])) {
        this._at += 2;
        this._expression(depth + 1);
        continue;
      }
      if (token.text === 'tl' && isMark('.')(this._tokens[this._at + 1])) {
        this._lastDtype = this._tokens[this._at + 2]?.text ?? '';
      }
      list.push(this._expression(depth + 1));
    }
    return list;
  }

  /** Skip template arguments behind a name, where it has some; says the first. */
  private _template(name: string): string {
    if (!isMark('<')(this._peek()) || !(name.includes('::') || TEMPLATES.has(name))) {
      return '';
    }
    let depth = 0;
    let first = '';
    let isFirst = true;
    while (this._at < this._tokens.length) {
      const { text } = this._tokens[this._at++];
      depth += text === '<' ? 1 : text === '>' ? -1 : 0;
      if (depth === 0) {
        return first;
      }
      isFirst &&= text !== ',';
      if (isFirst && text !== '<') {
        first += text;
      }
    }
    return first;
  }

  private _skipTo(close: string): void {
    while (this._at < this._tokens.length && !isMark(close)(this._tokens[this._at++])) {
      // What an expression left over.
    }
  }

  /** Skip a bracket that opens here, with all that it holds. */
  private _skipBrackets(): void {
    let depth = 0;
    while (this._at < this._tokens.length) {
      const { kind, text } = this._tokens[this._at++];
      if (kind === 'mark') {
        depth += '([{'.includes(text) ? 1 : ')]}'.includes(text) ? -1 : 0;
      }
      if (depth <= 0) {
        return;
      }
    }
  }

  private _computedWith(value: IValue, name: string, depth: number): IValue {
    const values = [value];
    while (this._at < this._tokens.length) {
      const before = this._at;
      values.push(this._expression(depth).value);
      this._at += before === this._at ? 1 : 0;
    }
    return this._scope.make.computed(name, values);
  }

  private _peek(): IToken | undefined {
    return this._tokens[this._at];
  }

  private _at = 0;
  private _lastDtype = '';
}

function plain(value: IValue): IArgument {
  return { value, address: null, offset: [] };
}
