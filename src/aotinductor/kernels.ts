/**
 * What a generated kernel reads, casts and writes, by its parameters.
 *
 * @packageDocumentation
 */
import type { IScope } from './expressions';
import { NotFollowed } from './tokens';
import type { IValue, ValueMaker } from './values';

/** A parameter of a kernel that points to memory. */
export interface IPointer {
  readonly name: string;
  readonly dtype: string;
}

/** A cast that a kernel makes of what it is given. */
export interface ICastInKernel {
  /** Parameters it depends on. */
  readonly loads: ReadonlySet<string>;
  readonly from: string;
  readonly to: string;
  /** Whether elements of one parameter are cast as they are. */
  readonly isCopy: boolean;
  /** Parameters that the result is written to; empty where arithmetic uses it at once. */
  readonly stores: readonly string[];
}

/** What is written to a parameter. */
export interface IWritten {
  readonly loads: ReadonlySet<string>;
  readonly isCopy: boolean;
  /** Whether it is random, or cannot be followed. */
  readonly isUnknown: boolean;
}

/** What is known of a kernel. */
export interface IKernel {
  readonly name: string;
  /** Names of all parameters, in their order. */
  readonly parameters: readonly string[];
  readonly pointers: ReadonlyMap<string, string>;
  readonly casts: readonly ICastInKernel[];
  readonly written: ReadonlyMap<string, IWritten>;
  /** Literals that the code holds and casts, by the parameter they are written to. */
  readonly tables: ReadonlyMap<string, readonly number[]>;
  /** Why its body could not be followed; null where it was. */
  readonly problem: string | null;
}

/** Memory of a kernel while its body is followed. */
export class KernelMemory {
  constructor(
    readonly make: ValueMaker,
    private readonly _pointers: ReadonlyMap<string, string>
  ) {}

  /** What expressions of the kernel may name, beside these variables. */
  scope(variables: ReadonlyMap<string, IValue>): IScope {
    return {
      make: this.make,
      variable: name => variables.get(name),
      element: (name, index) => this.element(name, index)
    };
  }

  /** Give another name to a pointer. */
  alias(name: string, pointer: string): void {
    this._aliases.set(name, this._aliases.get(pointer) ?? pointer);
  }

  /** Make room for a local array. */
  declareArray(name: string): void {
    this._arrays.add(name);
    this._contents.delete(name);
  }

  /** A variable has this name now. */
  forgetArray(name: string): void {
    this._arrays.delete(name);
  }

  /** Whether a name is a pointer or a local array. */
  isAddress(name: string): boolean {
    const place = this._aliases.get(name) ?? name;
    return this._pointers.has(place) || this._arrays.has(place);
  }

  /** What is read there; undefined where the name is no address. */
  element(name: string, index: readonly IValue[]): IValue | undefined {
    const place = this._aliases.get(name) ?? name;
    const held = this._contents.get(place);
    if (held !== undefined) {
      return held;
    }
    const dtype = this._pointers.get(place);
    return dtype === undefined
      ? this._arrays.has(place)
        ? this.make.index(place)
        : undefined
      : this.make.load(place, dtype, index);
  }

  /** Write there. */
  store(name: string, value: IValue): void {
    const place = this._aliases.get(name) ?? name;
    const dtype = this._pointers.get(place);
    const stored = dtype === undefined ? value : this.make.stored(value, place, dtype);
    this._contents.set(place, this.make.either(this._contents.get(place), stored));
  }

  /** What a followed body did. */
  result(name: string, parameters: readonly string[]): IKernel {
    const written = new Map<string, IWritten>();
    for (const [place, { loads, isCopy, isUnknown }] of this._contents) {
      if (this._pointers.has(place)) {
        written.set(place, { loads, isCopy, isUnknown });
      }
    }
    const casts = this.make.casts.map(({ value, from, to, stores }) => ({
      loads: value.loads,
      isCopy: value.isCopy,
      from,
      to,
      stores: [...stores]
    }));
    return {
      name,
      parameters,
      pointers: this._pointers,
      casts,
      written,
      tables: this.make.tables,
      problem: null
    };
  }

  private readonly _aliases = new Map<string, string>();
  private readonly _arrays = new Set<string>();
  private readonly _contents = new Map<string, IValue>();
}

/** A kernel whose body cannot be followed: it may write anything to whatever it may write to. */
export function unfollowed(
  name: string,
  parameters: readonly string[],
  pointers: ReadonlyMap<string, string>,
  error: unknown
): IKernel {
  if (!(error instanceof NotFollowed)) {
    throw error;
  }
  const all = new Set(pointers.keys());
  const written = new Map(
    [...all]
      .filter(pointer => !pointer.startsWith('in_ptr'))
      .map(pointer => [pointer, { loads: all, isCopy: false, isUnknown: true }])
  );
  return {
    name,
    parameters,
    pointers,
    casts: [],
    written,
    tables: new Map(),
    problem: error.message
  };
}
