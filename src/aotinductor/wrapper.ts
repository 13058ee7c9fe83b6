/**
 * What the wrapper of a compiled model does in one call, and once when it is loaded: which kernels it starts, and on what.
 *
 * Source: torch/_inductor/codegen/cpp_wrapper_cpu.py and cpp_wrapper_gpu.py, torch 2.9 to 2.15.
 *
 * @packageDocumentation
 */
import type { IStatement, IToken } from './tokens';
import { isMark, splitAt, statementsOf, tokenizeBlock, topLevel } from './tokens';

/** One step of a wrapper. */
export type WrapperStep =
  /** `name` is constant `index`. */
  | { readonly do: 'constant'; readonly name: string; readonly index: number }
  /** `name` is another name for a tensor, or for a part of it. */
  | { readonly do: 'alias'; readonly name: string; readonly of: string }
  /** `name` is new memory. `elements` is null where its size is only known in a call. */
  | {
      readonly do: 'allocate';
      readonly name: string;
      readonly dtype: string | null;
      readonly elements: number | null;
    }
  /** A generated kernel, or a function of PyTorch; `args` names the tensor in every argument, null for anything else. */
  | {
      readonly do: 'call';
      readonly name: string;
      readonly args: readonly (string | null)[];
      /** Tensors that the function makes. */
      readonly makes: readonly string[];
      /** All tensors that it mentions. */
      readonly mentions: readonly string[];
      /** Whether it stands in a branch or a loop: then it may run more or less than once. */
      readonly isConditional: boolean;
    }
  /** Output `index` of the function is `name`. */
  | { readonly do: 'output'; readonly index: number; readonly name: string };

const CONDITIONS = new Set(['if', 'else', 'while', 'for', 'switch', 'do']);

/** What tells nothing about data. */
const IGNORED = new Set([
  'assert_size_stride',
  'assert_alignment',
  'AOTI_TORCH_CHECK',
  'RECORD_FUNCTION',
  '__check_inputs_outputs',
  'steal_from_raw_handles_to_raii_handles'
]);

/**
 * Steps of a member function of the model; null where the wrapper has none of this name.
 *
 * @throws NotFollowed
 */
export function readSteps(wrapper: string, member: string): readonly WrapperStep[] | null {
  const start = new RegExp(`\\bvoid\\s+AOTInductorModel\\w*::${member}\\s*\\(`, 'u').exec(wrapper);
  if (start === null) {
    return null;
  }
  const reader = new StepReader();
  reader.read(statementsOf(tokenizeBlock(wrapper, start.index)), false);
  return reader.steps;
}

class StepReader {
  readonly steps: WrapperStep[] = [];

  read(statements: readonly IStatement[], isConditional: boolean): void {
    for (const { tokens, block } of statements) {
      if (block !== null) {
        this.read(block, isConditional || tokens.some(({ text }) => CONDITIONS.has(text)));
      } else if (tokens.length > 0) {
        this._statement(tokens, isConditional);
      }
    }
  }

  private _statement(tokens: readonly IToken[], isConditional: boolean): void {
    const equals = topLevel(tokens, isMark('='));
    if (equals > 0) {
      this._assign(tokens.slice(0, equals), tokens.slice(equals + 1), isConditional);
      return;
    }
    // `RAIIAtenTensorHandle buf0(buf0_handle)`
    if (tokens[0].text === 'RAIIAtenTensorHandle' && isMark('(')(tokens[2])) {
      this._alias(tokens[1].text, tokens[3]?.text ?? '');
      return;
    }
    const open = tokens.findIndex(isMark('('));
    const name = tokens[open - 1]?.text ?? '';
    if (name === 'AOTI_TORCH_ERROR_CODE_CHECK') {
      this._statement(tokens.slice(open + 1, -1), isConditional);
    } else if (open === 1) {
      this._call(name, tokens.slice(open + 1, -1), isConditional);
    }
  }

  private _assign(left: readonly IToken[], right: readonly IToken[], isConditional: boolean): void {
    const bracket = isMark(']')(left.at(-1)) ? left.findLastIndex(isMark('[')) : -1;
    const name = (bracket < 0 ? left.at(-1) : left[bracket - 1])?.text ?? '';
    const at = right.findIndex(
      ({ text }, i) => text === 'constants_' && right[i + 2]?.text === 'at'
    );
    if (at >= 0 && bracket < 0) {
      this.steps.push({ do: 'constant', name, index: Number(right[at + 4]?.text) });
    } else if (name === 'output_handles' && bracket > 0) {
      const source = right.find(({ kind }) => kind === 'name')?.text ?? '';
      this.steps.push({ do: 'output', index: Number(left[bracket + 1]?.text), name: source });
    } else if (bracket > 0 && left.some(({ text }) => text.startsWith('int_array'))) {
      this._arrays.set(name, numbersOf(right));
    } else if (bracket < 0) {
      const source = right.find(
        ({ kind, text }) => kind === 'name' && !this._isFunction(text) && text !== 'std::move'
      );
      if (source !== undefined && right.some(isMark('('))) {
        this._alias(name, source.text);
      } else if (source !== undefined && left.length > 1) {
        this._alias(name, source.text);
      }
      const call = right[0]?.text ?? '';
      if (/^(aoti_torch_|call_|cpp_)/u.test(call) && isMark('(')(right[1])) {
        this._call(call, right.slice(2, -1), isConditional);
      }
    }
  }

  /** Functions around a tensor that change nothing about its data. */
  private _isFunction(name: string): boolean {
    return (
      /^(reinterpret_tensor_wrapper|wrap_with_raii_handle_if_needed|temporary_reference)$/u.test(
        name
      ) || name.startsWith('std::')
    );
  }

  private _alias(name: string, source: string): void {
    if (name !== source && source !== '') {
      this.steps.push({ do: 'alias', name, of: source });
    }
  }

  private _call(name: string, inside: readonly IToken[], isConditional: boolean): void {
    if (IGNORED.has(name) || name.endsWith('_check')) {
      return;
    }
    const parts = splitAt(inside, ',');
    if (name.startsWith('aoti_torch_empty_strided')) {
      const made = parts.at(-1)?.find(({ kind }) => kind === 'name')?.text ?? '';
      const sizes = this._arrays.get(parts[1]?.[0]?.text ?? '');
      const dtype = inside.find(({ text }) => text.startsWith('cached_torch_dtype_'))?.text;
      this.steps.push({
        do: 'allocate',
        name: made,
        dtype: dtype?.replace('cached_torch_dtype_', '') ?? null,
        elements: sizes?.every(Number.isFinite) ? sizes.reduce((a, b) => a * b, 1) : null
      });
      return;
    }
    const isKernel = /^(cpp_|call_)/u.test(name);
    if (!isKernel && !name.startsWith('aoti_torch_')) {
      return;
    }
    const args = parts.map(part => tensorOf(part, this._isFunction.bind(this)));
    const mentions = inside.filter(({ kind }) => kind === 'name').map(({ text }) => text);
    // `&buf3_handle`: the function makes the tensor.
    const makes = parts.flatMap(part =>
      isMark('&')(part[0]) && part.length === 2 ? [part[1].text] : []
    );
    this.steps.push({ do: 'call', name, args, makes, mentions, isConditional });
  }

  private readonly _arrays = new Map<string, number[]>();
}

/** The tensor in an argument: `(const float*)(l1_weight.data_ptr())`, or the name alone. */
function tensorOf(part: readonly IToken[], isFunction: (name: string) => boolean): string | null {
  const pointer = part.findIndex(({ text }) => text === 'data_ptr');
  if (pointer >= 2) {
    return part[pointer - 2].text;
  }
  return part.find(({ kind, text }) => kind === 'name' && !isFunction(text))?.text ?? null;
}

/** Numbers in a list; NaN for what is none. */
function numbersOf(tokens: readonly IToken[]): number[] {
  return splitAt(tokens.slice(1, -1), ',').map(part =>
    part.length === 1 && part[0].kind === 'number' ? Number.parseInt(part[0].text, 10) : Number.NaN
  );
}
