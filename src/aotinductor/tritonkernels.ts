/**
 * Kernels in Triton: their sources stand as comments in the wrappers of packages for a GPU.
 *
 * Source: torch/_inductor/codegen/triton.py and cpp_wrapper_gpu.py, torch 2.9 to 2.15.
 *
 * @packageDocumentation
 */
import { dtypeOfName } from './dtypes';
import type { IScope } from './expressions';
import { ExpressionReader } from './expressions';
import type { IKernel } from './kernels';
import { KernelMemory, unfollowed } from './kernels';
import type { IToken } from './tokens';
import { isMark, splitAt, tokenize, topLevel } from './tokens';
import type { IValue } from './values';
import { ValueMaker } from './values';

const CALLER = /\bvoid\s+(call_(\w+))\s*\(/gu;
const DEFINITION = /^[ \t]*def\s+(\w+)\s*\(/mu;
const SIGNATURE = /'(\w+)':\s*'\*?([\w:]+)'/gu;

/** The kernels in a wrapper, by the name of the function that starts them. */
export function readTritonKernels(wrapper: string): Map<string, IKernel> {
  const kernels = new Map<string, IKernel>();
  const callers = [...wrapper.matchAll(CALLER)];
  callers.forEach((match, i) => {
    const text = wrapper.slice(match.index + match[0].length - 1, callers[i + 1]?.index);
    const open = text.indexOf('/*');
    const close = open < 0 ? -1 : text.indexOf('*/', open);
    if (close >= 0) {
      kernels.set(match[1], readKernel(match[2], text, text.slice(open + 2, close)));
    }
  });
  return kernels;
}

function readKernel(name: string, text: string, body: string): IKernel {
  let parameters: string[] = [];
  const pointers = new Map<string, string>();
  try {
    let depth = 0;
    const declared = tokenize(text, 0, token => {
      depth += token.text === '(' ? 1 : token.text === ')' ? -1 : 0;
      return depth === 0;
    });
    // `const in_ptr0_type_& in_ptr0`, `const std::optional<std::string>& cubin_dir_ = std::nullopt`
    parameters = splitAt(declared.slice(1, -1), ',').map(parameter => {
      const equals = parameter.findIndex(isMark('='));
      return (equals < 0 ? parameter : parameter.slice(0, equals)).at(-1)?.text ?? '';
    });
    const signatureAt = Math.max(body.indexOf("'signature':"), 0);
    const signature = body.slice(signatureAt, body.indexOf('}', signatureAt));
    for (const [entry, pointer, dtype] of signature.matchAll(SIGNATURE)) {
      if (entry.includes("'*")) {
        pointers.set(pointer, dtypeOfName(dtype) ?? 'unknown');
      }
    }
    const definition = DEFINITION.exec(body);
    // The source stands in a text of Python.
    const source = definition === null ? '' : body.slice(definition.index).split("'''")[0];
    const reader = new TritonBody(pointers);
    for (const line of logicalLines(source).slice(1)) {
      reader.follow(tokenize(line));
    }
    return reader.memory.result(name, parameters);
  } catch (error) {
    return unfollowed(name, parameters, pointers, error);
  }
}

/** Lines of Python, those that go on within brackets in one piece, without comments. */
function logicalLines(source: string): string[] {
  const lines: string[] = [];
  let depth = 0;
  let isOpen = false;
  for (const raw of source.split('\n')) {
    const line = raw.replace(/#.*$/u, '');
    for (const mark of line) {
      depth += '([{'.includes(mark) ? 1 : ')]}'.includes(mark) ? -1 : 0;
    }
    if (lines.length > 0 && isOpen) {
      lines.push(`${lines.pop()} ${line}`);
    } else {
      lines.push(line);
    }
    isOpen = depth > 0;
  }
  return lines;
}

/** Follows the lines of one kernel in their order; loops once. */
class TritonBody {
  constructor(pointers: ReadonlyMap<string, string>) {
    this.memory = new KernelMemory(new ValueMaker(), pointers);
    this._scope = this.memory.scope(this._variables);
  }

  readonly memory: KernelMemory;

  follow(tokens: readonly IToken[]): void {
    if (tokens.length === 0 || isMark(':')(tokens.at(-1))) {
      return;
    }
    const equals = topLevel(tokens, isMark('='));
    if (equals > 0) {
      this._assign(tokens.slice(0, equals), tokens.slice(equals + 1));
      return;
    }
    const call = tokens[0].text === 'tl' && isMark('.')(tokens[1]) ? tokens[2]?.text : undefined;
    if (call === 'store' || call?.startsWith('atomic') === true) {
      const args = new ExpressionReader(tokens.slice(2), this._scope).readCall()?.args ?? [];
      const address = args[0]?.address ?? null;
      if (address !== null && args.length > 1) {
        const { value } = args[1];
        const isStore = call === 'store';
        this.memory.store(address, isStore ? value : this.memory.make.computed(call!, [value]));
      }
    }
  }

  private _assign(left: readonly IToken[], right: readonly IToken[]): void {
    const names = splitAt(left, ',').map(part => part.at(-1)?.text ?? '');
    const only = right.length === 1 ? right[0] : undefined;
    if (only?.kind === 'name' && this.memory.isAddress(only.text)) {
      names.forEach(name => this.memory.alias(name, only.text));
      return;
    }
    const reader = new ExpressionReader(right, this._scope);
    const parts = names.length > 1 ? splitAt(right, ',') : [];
    names.forEach((name, i) => {
      const value: IValue =
        parts.length === names.length
          ? new ExpressionReader(parts[i], this._scope).read()
          : i === 0
            ? reader.read()
            : this._variables.get(names[0])!;
      const before = this._variables.get(name);
      // An accumulator depends on what it held before too.
      const isAccumulator = name.startsWith('_') || before?.isUnknown === true;
      this._variables.set(name, isAccumulator ? this.memory.make.either(before, value) : value);
    });
  }

  private readonly _variables = new Map<string, IValue>();
  private readonly _scope: IScope;
}
