/**
 * The weight casts that a function of a compiled model executes, by weight.
 *
 * @packageDocumentation
 */
import type { IConstant } from './constants';
import { bytesOfDtype } from './dtypes';
import type { IKernel } from './kernels';
import type { WrapperStep } from './wrapper';

/** A weight cast that compiled code executes. */
export interface IExecutedCast {
  /** Names of the weights it depends on; of a constant without one, its own name. */
  readonly weights: readonly string[];
  /** `stored`: elements of one constant as they are; `computed`: what is computed from constants alone. */
  readonly kind: 'stored' | 'computed';
  readonly from: string;
  readonly to: string;
  /** How often, in one call. */
  count: number;
  /** Of these, how often arithmetic uses the result at once, and nothing in the lower precision is written to memory. */
  fused: number;
  /** Bytes read and written; null where a size is only known in a call. */
  bytesMoved: number | null;
  readonly kernels: string[];
}

/** A kernel or a function of PyTorch that is called. */
export interface ICalled {
  readonly name: string;
  readonly kind: 'generated' | 'library';
  calls: number;
  isConditional: boolean;
}

/** Something that could not be followed, and so is not counted. */
export interface INotCounted {
  /** Kernel or function. */
  readonly what: string;
  readonly why: string;
  /** Weights it is about, where some are known. */
  readonly weights: readonly string[];
}

/** What one function does. */
export interface IFunctionFacts {
  readonly casts: readonly IExecutedCast[];
  readonly called: readonly ICalled[];
  readonly notCounted: readonly INotCounted[];
  /** Constants that outputs come from, by the index of the output. */
  readonly outputs: ReadonlyMap<number, readonly string[]>;
}

/** What is known of a tensor of the wrapper. */
interface ITensor {
  /** Names of the weights it comes from. */
  readonly weights: ReadonlySet<string>;
  /** Whether it depends on nothing else. */
  readonly isWeight: boolean;
  /** Whether it holds elements of one constant, cast at most. */
  readonly isStored: boolean;
  readonly dtype: string | null;
  readonly elements: number | null;
}

const NOT_A_WEIGHT: ITensor = {
  weights: new Set(),
  isWeight: false,
  isStored: false,
  dtype: null,
  elements: null
};

/** Functions of PyTorch that write their first argument. */
const WRITES_FIRST = /(_out|_copy_|_zero_|_fill_|scatter_|index_put_)(_v\d+)?$/u;

/**
 * Follow the steps of a function.
 *
 * @param namesOf - the weights that a constant stands for.
 */
export function followSteps(
  steps: readonly WrapperStep[],
  constants: readonly IConstant[],
  kernels: ReadonlyMap<string, IKernel>,
  namesOf: (constant: IConstant) => readonly string[]
): IFunctionFacts {
  const follower = new Follower(constants, kernels, namesOf);
  steps.forEach(step => follower.take(step));
  return follower.facts();
}

class Follower {
  constructor(
    private readonly _constants: readonly IConstant[],
    private readonly _kernels: ReadonlyMap<string, IKernel>,
    private readonly _namesOf: (constant: IConstant) => readonly string[]
  ) {}

  take(step: WrapperStep): void {
    switch (step.do) {
      case 'constant': {
        const constant = this._constants[step.index] as IConstant | undefined;
        if (constant !== undefined) {
          this._set(step.name, {
            weights: new Set(this._namesOf(constant)),
            isWeight: true,
            isStored: true,
            dtype: constant.dtype,
            elements: constant.shape.reduce((a, b) => a * b, 1)
          });
        }
        break;
      }
      case 'alias':
        this._aliases.set(step.name, this._place(step.of));
        break;
      case 'allocate':
        this._set(step.name, { ...NOT_A_WEIGHT, dtype: step.dtype, elements: step.elements });
        break;
      case 'output':
        this._outputs.set(step.index, [...this._get(step.name).weights]);
        break;
      case 'call':
        this._call(step);
        break;
    }
  }

  facts(): IFunctionFacts {
    return {
      casts: [...this._casts.values()],
      called: [...this._called.values()],
      notCounted: [...this._notCounted.values()],
      outputs: this._outputs
    };
  }

  private _call(step: Extract<WrapperStep, { do: 'call' }>): void {
    const kernel = this._kernels.get(step.name);
    const isGenerated = /^(cpp_|call_)/u.test(step.name);
    const name = step.name.replace(/^call_/u, '');
    const called = this._called.get(name) ?? {
      name,
      kind: isGenerated ? 'generated' : 'library',
      calls: 0,
      isConditional: false
    };
    called.calls++;
    called.isConditional ||= step.isConditional;
    this._called.set(name, called);
    if (kernel !== undefined) {
      this._generated(name, kernel, step);
    } else {
      this._library(name, isGenerated, step);
    }
    if (step.isConditional && (kernel?.casts.length ?? 0) > 0) {
      this._note(name, 'it stands in a branch or a loop: its casts are counted once', []);
    }
  }

  private _generated(
    name: string,
    kernel: IKernel,
    step: Extract<WrapperStep, { do: 'call' }>
  ): void {
    const given = new Map<string, ITensor>();
    const places = new Map<string, string>();
    kernel.parameters.forEach((parameter, i) => {
      const arg = step.args[i] ?? null;
      if (kernel.pointers.has(parameter) && arg !== null) {
        given.set(parameter, this._get(arg));
        places.set(parameter, arg);
      }
    });
    const sources = (loads: Iterable<string>): ITensor[] =>
      [...loads].map(pointer => given.get(pointer) ?? NOT_A_WEIGHT);
    if (kernel.problem !== null) {
      const touched = [...given.values()].filter(({ isWeight }) => isWeight);
      if (touched.length > 0) {
        this._note(name, `its code cannot be followed: ${kernel.problem}`, namesIn(touched));
      }
    }
    for (const cast of kernel.casts) {
      const from = sources(cast.loads);
      if (from.length > 0 && from.every(({ isWeight }) => isWeight)) {
        const targets = cast.stores.map(pointer => given.get(pointer) ?? NOT_A_WEIGHT);
        this._cast(name, cast, from, targets);
      }
    }
    for (const [pointer, { length }] of kernel.tables) {
      const elements = given.get(pointer)?.elements ?? null;
      const what = `${elements ?? `at least ${length}`} numbers written into the code`;
      this._note(
        name,
        `it casts ${what}: Inductor writes constants of at most 8 elements there, and keeps no name`,
        []
      );
    }
    for (const [pointer, written] of kernel.written) {
      const place = places.get(pointer);
      if (place !== undefined) {
        const from = sources(written.loads);
        const before = this._get(place);
        const isWeight =
          !written.isUnknown && from.length > 0 && from.every(source => source.isWeight);
        this._set(place, {
          weights: isWeight ? new Set(namesIn(from)) : new Set(),
          isWeight,
          isStored: isWeight && written.isCopy && from.every(({ isStored }) => isStored),
          dtype: before.dtype ?? kernel.pointers.get(pointer) ?? null,
          elements: before.elements
        });
      }
    }
  }

  private _cast(
    kernel: string,
    cast: IKernel['casts'][number],
    from: readonly ITensor[],
    targets: readonly ITensor[]
  ): void {
    const weights = namesIn(from);
    const isStored = cast.isCopy && from.every(source => source.isStored);
    const kind = isStored ? 'stored' : 'computed';
    const key = JSON.stringify([weights, kind, cast.from, cast.to]);
    const held = this._casts.get(key) ?? {
      weights,
      kind,
      from: cast.from,
      to: cast.to,
      count: 0,
      fused: 0,
      bytesMoved: 0,
      kernels: []
    };
    held.count += Math.max(cast.stores.length, 1);
    held.fused += cast.stores.length === 0 ? 1 : 0;
    const read = from.map(({ elements, dtype }) => bytesOf(elements, dtype));
    const written = targets.map(({ elements }) => bytesOf(elements, cast.to));
    held.bytesMoved = [held.bytesMoved, ...read, ...written].reduce((a, b) =>
      a === null || b === null ? null : a + b
    );
    if (!held.kernels.includes(kernel)) {
      held.kernels.push(kernel);
    }
    this._casts.set(key, held);
  }

  private _library(
    name: string,
    isGenerated: boolean,
    step: Extract<WrapperStep, { do: 'call' }>
  ): void {
    const made = new Set(step.makes);
    const first = step.args[0];
    if (WRITES_FIRST.test(name) && first != null) {
      made.add(first);
    }
    const operands = step.mentions
      .filter(mention => !made.has(mention) && this._tensors.has(this._place(mention)))
      .map(mention => this._get(mention));
    const weights = namesIn(operands.filter(({ isWeight }) => isWeight));
    const isWeight =
      !/rand|bernoulli|proxy_executor/u.test(name) &&
      operands.length > 0 &&
      operands.every(operand => operand.isWeight);
    if (isGenerated && weights.length > 0) {
      this._note(name, 'the package does not hold its code', weights);
    }
    if (/proxy_executor|shim/u.test(name) && weights.length > 0) {
      this._note(name, 'it runs an operator by name, and not code of the package', weights);
    }
    if (isWeight && /(_to_copy|_to_dtype|_copy_|_clone)/u.test(name)) {
      const target = first == null ? NOT_A_WEIGHT : this._get(first);
      const dtypes = new Set([...operands, target].map(({ dtype }) => dtype));
      if (dtypes.size > 1) {
        this._note(name, 'a function of PyTorch that may cast what it copies', weights);
      }
    }
    // What is not known to be memory that it makes may be written too.
    const targets = made.size > 0 ? [...made] : isGenerated ? step.mentions : [];
    for (const target of targets) {
      if (made.has(target) || this._tensors.has(this._place(target))) {
        this._set(target, {
          weights: isWeight ? new Set(weights) : new Set(),
          isWeight,
          isStored: false,
          dtype: this._get(target).dtype,
          elements: this._get(target).elements
        });
      }
    }
  }

  private _note(what: string, why: string, weights: readonly string[]): void {
    this._notCounted.set(`${what} ${why}`, { what, why, weights });
  }

  /** Where a tensor stands, whatever it is called. */
  private _place(name: string): string {
    const plain = name.replace(/_handle$/u, '');
    return this._aliases.get(plain) ?? this._aliases.get(name) ?? plain;
  }

  private _get(name: string): ITensor {
    return this._tensors.get(this._place(name)) ?? NOT_A_WEIGHT;
  }

  private _set(name: string, tensor: ITensor): void {
    this._tensors.set(this._place(name), tensor);
  }

  private readonly _aliases = new Map<string, string>();
  private readonly _tensors = new Map<string, ITensor>();
  private readonly _casts = new Map<string, IExecutedCast>();
  private readonly _called = new Map<string, ICalled>();
  private readonly _notCounted = new Map<string, INotCounted>();
  private readonly _outputs = new Map<number, readonly string[]>();
}

function namesIn(tensors: readonly ITensor[]): string[] {
  return [...new Set(tensors.flatMap(({ weights }) => [...weights]))].sort();
}

function bytesOf(elements: number | null, dtype: string | null): number | null {
  const each = dtype === null ? null : bytesOfDtype(dtype);
  return elements === null || each === null ? null : elements * each;
}
