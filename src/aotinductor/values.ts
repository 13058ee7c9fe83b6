/**
 * What a kernel's variables hold, as far as casts are concerned: which pointers a value was loaded from, in which precision, and
 * whether anything but copying and casting was done to it.
 *
 * @packageDocumentation
 */
import { isFloat, isWide } from './dtypes';
import { NotFollowed } from './tokens';

/** A value of a kernel. */
export interface IValue {
  /** Equal for values of the same making. */
  readonly id: number;
  /** Pointers it depends on. */
  readonly loads: ReadonlySet<string>;
  /** Dtypes of what it was made of; a cast to low precision leaves that one alone. */
  readonly precisions: ReadonlySet<string>;
  /** Whether it holds elements of one pointer, copied and cast only. */
  readonly isCopy: boolean;
  /** Whether it is random, or made by something that is not known. */
  readonly isUnknown: boolean;
  /** Whether it says which side of a literal the position of the element is on. */
  readonly isPosition: boolean;
  /** Literals that are chosen among by the position of the element alone: a table written into the code. */
  readonly table: readonly number[];
  /** Casts that this value is the result of, and nothing else. */
  readonly cast: IKernelCast | null;
}

/** A cast in a kernel. */
export interface IKernelCast {
  readonly value: IValue;
  readonly from: string;
  readonly to: string;
  /** Pointers its result is written to. */
  readonly stores: Set<string>;
}

/** Most values of one kernel, those that each depends on counted. */
const MAX_STEPS = 20_000_000;

/** Inductor writes constants of at most 8 elements into the code. */
const MAX_TABLE = 8;

/** Bits of the significand, the leading one included, of the dtypes that literals are cast to. */
const SIGNIFICANDS: Readonly<Record<string, number>> = { bfloat16: 8, float16: 11 };

/** Whether a dtype holds a number as it is; true where the dtype is none that literals are cast to. */
function isExact(value: number, dtype: string): boolean {
  const bits = SIGNIFICANDS[dtype] as number | undefined;
  if (bits === undefined || value === 0 || !Number.isFinite(value)) {
    return true;
  }
  const exponent = Math.floor(Math.log2(Math.abs(value)));
  return Number.isInteger(value * 2 ** (bits - 1 - exponent));
}

const NOTHING: ReadonlySet<string> = new Set<string>();

/** Makes values, and keeps the casts among them. */
export class ValueMaker {
  /** Literals in tables that are stored in low precision, by the pointer they are written to. */
  readonly tables = new Map<string, readonly number[]>();

  /** All casts that were made, each once. */
  get casts(): readonly IKernelCast[] {
    return [...this._casts.values()];
  }

  literal(text: string): IValue {
    return this._make(`literal ${text}`, { table: [Number.parseFloat(text)] });
  }

  /** Something that is neither a weight nor an activation: an index, a size. */
  index(name: string): IValue {
    return this._make(`index ${name}`, {});
  }

  load(pointer: string, dtype: string, index: readonly IValue[] = []): IValue {
    const loads = union([new Set([pointer]), ...index.map(value => value.loads)]);
    return this._make(`load ${pointer}`, {
      loads,
      precisions: new Set([dtype]),
      isCopy: loads.size === 1,
      isUnknown: index.some(value => value.isUnknown)
    });
  }

  /** What an operation makes of its operands. */
  computed(name: string, operands: readonly IValue[]): IValue {
    const [first, second] = operands;
    return this._make(`${name} ${operands.map(({ id }) => id).join(' ')}`, {
      isPosition:
        name === '<' &&
        first.loads.size === 0 &&
        first.table.length === 0 &&
        second.table.length === 1,
      loads: union(operands.map(({ loads }) => loads)),
      precisions: union(operands.map(({ precisions }) => new Set([...precisions].filter(isFloat)))),
      isUnknown: operands.some(({ isUnknown }) => isUnknown) || /rand|atomic/u.test(name)
    });
  }

  /** `condition ? a : b` for every element. */
  select(condition: IValue, a: IValue, b: IValue): IValue {
    const branches = this.computed('select', [a, b]);
    const isTable = condition.isPosition && a.table.length > 0 && b.table.length > 0;
    return this._make(`select ${condition.id} ${branches.id}`, {
      loads: union([condition.loads, branches.loads]),
      precisions: branches.precisions,
      isUnknown: condition.isUnknown || branches.isUnknown,
      table: isTable ? [...a.table, ...b.table].slice(0, MAX_TABLE) : []
    });
  }

  /** Either of two: what a variable holds that was written to in several places. */
  either(a: IValue | undefined, b: IValue): IValue {
    return a === undefined || a.id === b.id ? b : this.computed('either', [a, b]);
  }

  /**
   * A value as another dtype. Generated code computes in float32 whatever it loads, so a change to a wide dtype is a cast
   * only where its result is stored (`stored`).
   */
  convert(value: IValue, to: string): IValue {
    return isWide(to) || !isFloat(to) ? value : this._cast(value, to);
  }

  /** What is written where a value is stored to a pointer. Notes casts of which the result is written there. */
  stored(value: IValue, pointer: string, dtype: string): IValue {
    const written = isFloat(dtype) ? this._cast(value, dtype) : value;
    written.cast?.stores.add(pointer);
    // Numbers that are rounded already are no cast: freezing writes such.
    if (value.table.length > 1 && value.table.some(number => !isExact(number, dtype))) {
      this.tables.set(pointer, value.table);
    }
    return written;
  }

  private _cast(value: IValue, to: string): IValue {
    const others = [...value.precisions].filter(dtype => dtype !== to);
    if (others.length === 0) {
      return value;
    }
    // A number that is computed from low precision in float32 and stored in float32 is no cast by itself, unless all of it is.
    if (isWide(to) && value.precisions.has(to)) {
      return value;
    }
    const { loads, isCopy, isUnknown, table } = value;
    const key = `cast ${to} ${value.id}`;
    const held = this._casts.get(key);
    if (held !== undefined) {
      return this._results.get(key)!;
    }
    const cast: IKernelCast = {
      value,
      from: others.find(isWide) ?? others[0],
      to,
      stores: new Set()
    };
    const result = this._make(key, {
      loads,
      isCopy,
      isUnknown,
      table,
      precisions: new Set([to]),
      cast
    });
    this._casts.set(key, cast);
    this._results.set(key, result);
    return result;
  }

  private _make(key: string, parts: Partial<IValue>): IValue {
    this._steps += 1 + (parts.loads?.size ?? 0);
    if (this._steps > MAX_STEPS) {
      throw new NotFollowed('more values than generated kernels have');
    }
    const id = this._ids.get(key) ?? this._ids.size;
    this._ids.set(key, id);
    return {
      id,
      loads: NOTHING,
      precisions: NOTHING,
      isCopy: false,
      isUnknown: false,
      isPosition: false,
      table: [],
      cast: null,
      ...parts
    };
  }

  private _steps = 0;
  private readonly _ids = new Map<string, number>();
  private readonly _casts = new Map<string, IKernelCast>();
  private readonly _results = new Map<string, IValue>();
}

function union(sets: readonly ReadonlySet<string>[]): ReadonlySet<string> {
  const filled = sets.filter(set => set.size > 0);
  if (filled.length === 0) {
    return NOTHING;
  }
  const largest = filled.reduce((a, b) => (b.size > a.size ? b : a));
  const isAll = filled.every(set => set === largest || [...set].every(name => largest.has(name)));
  return isAll ? largest : new Set(filled.flatMap(set => [...set]));
}
