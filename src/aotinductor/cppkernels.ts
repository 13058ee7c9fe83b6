/**
 * Kernels in C++, as Inductor generates them for the CPU.
 *
 * Source: torch/_inductor/codegen/cpp.py, torch 2.9 to 2.15.
 *
 * @packageDocumentation
 */
import { dtypeOfName } from './dtypes';
import type { IScope } from './expressions';
import { ExpressionReader } from './expressions';
import type { IKernel } from './kernels';
import { KernelMemory, unfollowed } from './kernels';
import type { IStatement, IToken } from './tokens';
import { isMark, splitAt, statementsOf, tokenize, tokenizeBlock, topLevel } from './tokens';
import type { IValue } from './values';
import { ValueMaker } from './values';

const KERNEL = /extern\s+"C"\s+(?:__declspec\(dllexport\)\s+)?void\s+(\w+)\s*\(/gu;

/** The kernels in a source, by name. */
export function readCppKernels(source: string): Map<string, IKernel> {
  const kernels = new Map<string, IKernel>();
  const starts = [...source.matchAll(KERNEL)];
  starts.forEach((match, i) => {
    // Up to the next kernel: text without an end is looked at once.
    const text = source.slice(match.index + match[0].length - 1, starts[i + 1]?.index);
    kernels.set(match[1], readKernel(text, match[1]));
  });
  return kernels;
}

function readKernel(source: string, name: string): IKernel {
  const parameters: string[] = [];
  const pointers = new Map<string, string>();
  try {
    let depth = 0;
    const declared = tokenize(source, 0, ({ text }) => {
      depth += text === '(' ? 1 : text === ')' ? -1 : 0;
      return depth === 0;
    });
    for (const parameter of splitAt(declared.slice(1, -1), ',')) {
      const parameterName = parameter.at(-1)?.text ?? '';
      parameters.push(parameterName);
      const dtype = parameter.map(({ text }) => dtypeOfName(text)).find(found => found);
      if (parameter.some(isMark('*'))) {
        pointers.set(parameterName, dtype ?? 'unknown');
      }
    }
    const reader = new CppBody(pointers);
    reader.follow(statementsOf(tokenizeBlock(source, 0)));
    return reader.memory.result(name, parameters);
  } catch (error) {
    return unfollowed(name, parameters, pointers, error);
  }
}

/** Follows the statements of one kernel in their order; loops once, branches all. */
class CppBody {
  constructor(pointers: ReadonlyMap<string, string>) {
    this.memory = new KernelMemory(new ValueMaker(), pointers);
    this._scope = this.memory.scope(this._variables);
  }

  readonly memory: KernelMemory;

  follow(statements: readonly IStatement[]): void {
    for (const { tokens, block } of statements) {
      if (block === null) {
        this._statement(tokens);
      } else if (isLambda(tokens)) {
        this._lambda(tokens, block);
      } else {
        // Whatever stands in front of a block is a loop or a condition; both are taken.
        this.follow(block);
      }
    }
  }

  /** `auto tmp1 = [&] { ...; return tmp0; }` */
  private _lambda(tokens: readonly IToken[], block: readonly IStatement[]): void {
    const name = tokens[tokens.findIndex(isMark('=')) - 1]?.text ?? '';
    const outer = this._returned;
    this._returned = undefined;
    this.follow(block);
    if (this._returned !== undefined) {
      this._variables.set(name, this._returned);
    }
    this._returned = outer;
  }

  private _statement(tokens: readonly IToken[]): void {
    if (tokens.length === 0) {
      return;
    }
    if (tokens[0].text === 'return') {
      if (tokens.length > 1) {
        this._returned = this.memory.make.either(this._returned, this._read(tokens.slice(1)));
      }
      return;
    }
    const equals = topLevel(tokens, isAssignment);
    if (equals >= 0) {
      this._assign(tokens.slice(0, equals), tokens[equals].text, tokens.slice(equals + 1));
    } else if (isArrayDeclaration(tokens)) {
      const name = tokens[topLevel(tokens, isMark('[')) - 1].text;
      this._variables.delete(name);
      this.memory.declareArray(name);
    } else {
      this._call(tokens);
    }
  }

  private _assign(left: readonly IToken[], operator: string, right: readonly IToken[]): void {
    const bracket = topLevel(left, isMark('['));
    const name = (bracket < 0 ? left.at(-1) : left[bracket - 1])?.text ?? '';
    const only = right.length === 1 ? right[0] : undefined;
    if (bracket < 0 && only?.kind === 'name' && this.memory.isAddress(only.text)) {
      this.memory.alias(name, only.text);
      return;
    }
    const read = this._read(right);
    const before = this._variables.get(name);
    if (bracket >= 0 && this.memory.isAddress(name)) {
      this.memory.store(
        name,
        operator === '=' ? read : this.memory.make.computed(operator, [read])
      );
    } else if (bracket >= 0) {
      this._variables.set(name, this.memory.make.either(before, read));
    } else if (left.length > 1 && operator === '=') {
      // Declared anew, in another block.
      this.memory.forgetArray(name);
      this._variables.set(name, read);
    } else {
      // Written to again, in a loop or a branch.
      this._variables.set(name, this.memory.make.either(before, read));
    }
  }

  /** A call that stands alone: a store, a transposed tile, a check. */
  private _call(tokens: readonly IToken[]): void {
    const dot = topLevel(tokens, isMark('.'));
    const member = dot < 0 ? undefined : tokens[dot + 1]?.text;
    if (member === 'store' && tokens[dot + 2] !== undefined) {
      const call = this._reader(tokens.slice(dot + 1)).readCall();
      const address = call?.args[0]?.address ?? null;
      if (address !== null) {
        this.memory.store(address, this._read(tokens.slice(0, dot)));
        return;
      }
    }
    const call = this._reader(tokens).readCall();
    if (call === null) {
      return;
    }
    const [from, , to] = call.args;
    if (/(^|::)transpose_mxn$/u.test(call.name) && from?.address && to?.address) {
      this.memory.store(to.address, from.value);
      return;
    }
    const operands = call.args.map(({ value }) => value);
    for (const { address } of call.args) {
      if (address !== null && !address.startsWith('in_ptr')) {
        this.memory.store(address, this.memory.make.computed(`atomic ${call.name}`, operands));
      }
    }
  }

  private _read(tokens: readonly IToken[]): IValue {
    return this._reader(tokens).read();
  }

  private _reader(tokens: readonly IToken[]): ExpressionReader {
    return new ExpressionReader(tokens, this._scope);
  }

  private readonly _variables = new Map<string, IValue>();
  private readonly _scope: IScope;
  private _returned: IValue | undefined;
}

const ASSIGNMENTS = new Set(['=', '+=', '-=', '*=', '/=']);

function isAssignment(token: IToken): boolean {
  return token.kind === 'mark' && ASSIGNMENTS.has(token.text);
}

/** `auto tmp1 = [&]` in front of a block. */
function isLambda(tokens: readonly IToken[]): boolean {
  const equals = tokens.findIndex(isMark('='));
  return equals > 0 && isMark('[')(tokens[equals + 1]);
}

/** `alignas(...) float tmp3[16*16]` */
function isArrayDeclaration(tokens: readonly IToken[]): boolean {
  const bracket = topLevel(tokens, isMark('['));
  return bracket >= 2 && tokens[bracket - 1].kind === 'name' && isMark(']')(tokens.at(-1));
}
