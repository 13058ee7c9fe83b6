/**
 * A machine for pickles that builds plain data and runs nothing.
 *
 * Source of the opcodes: Lib/pickletools.py of CPython 3.13.
 *
 * @packageDocumentation
 */

/** A name a pickle refers to, `torch._utils._rebuild_tensor_v2`: never looked up, only compared. */
export class PickleGlobal {
  constructor(readonly name: string) {}
}

/** A tuple. */
export class PickleTuple {
  constructor(readonly items: readonly PickleValue[]) {}
}

/** What a constructor made that is no plain data: the meaning is that of whoever gave the constructors. */
export class PickleObject {
  constructor(
    /** What it is, for errors. */
    readonly type: string,
    readonly value: unknown
  ) {}
}

/** What a pickle is made of. Lists are arrays, dictionaries maps. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleValue[]
  | Map<PickleValue, PickleValue>
  | Set<PickleValue>
  | PickleTuple
  | PickleGlobal
  | PickleObject;

/** What the names and persistent ids in a pickle stand for. */
export interface IPickleConstructors {
  /** Whether a pickle may refer to the name at all. */
  isKnown(name: string): boolean;
  /** Call what `name` stands for. */
  call(name: string, args: readonly PickleValue[]): PickleValue;
  /** The object of a persistent id. */
  persistent(id: PickleValue): PickleValue;
}

/** Why a pickle is not read. */
export class PickleError extends Error {
  constructor(
    message: string,
    /** `refused`: it asks for something that is not on the list; `damaged`: it is no valid pickle. */
    readonly reason: 'refused' | 'damaged'
  ) {
    super(message);
  }
}

/** The most a LONG may take: integers of torch have 8 bytes. */
const MAX_LONG_BYTES = 32;

/**
 * The value a pickle describes.
 *
 * #### Notes
 * Protocols 2 to 5, without the opcodes that make objects of arbitrary classes or hold buffers outside. The machine has an
 * explicit stack: depth costs memory in proportion to the pickle, never recursion. What is memoized is shared, not copied, so
 * the memory is in proportion to the bytes.
 *
 * @param take - called for every step, before it is made; may throw.
 * @throws PickleError.
 */
export function unpickle(
  bytes: Uint8Array,
  constructors: IPickleConstructors,
  take: () => void = () => undefined
): PickleValue {
  return new Machine(bytes, constructors, take).run();
}

class Machine {
  constructor(
    private readonly _bytes: Uint8Array,
    private readonly _constructors: IPickleConstructors,
    private readonly _count: () => void
  ) {
    this._view = new DataView(_bytes.buffer, _bytes.byteOffset, _bytes.byteLength);
  }

  run(): PickleValue {
    for (;;) {
      const start = this._position;
      const opcode = this._u8();
      if (opcode === 0x2e) {
        // STOP
        return this._pop();
      }
      this._count();
      this._step(opcode, start);
    }
  }

  private _step(opcode: number, start: number): void {
    switch (opcode) {
      case 0x80: {
        // PROTO
        const protocol = this._u8();
        if (protocol > 5) {
          throw new PickleError(`pickle protocol ${protocol}`, 'refused');
        }
        return;
      }
      case 0x95: // FRAME
        this._take(8);
        return;
      case 0x28: // MARK
        this._marks.push(this._stack.length);
        return;
      case 0x30: // POP
        if (this._marks.at(-1) === this._stack.length) {
          this._marks.pop();
        } else {
          this._pop();
        }
        return;
      case 0x31: // POP_MARK
        this._popMark();
        return;
      case 0x32: // DUP
        this._push(this._top());
        return;
      case 0x4e: // NONE
        this._push(null);
        return;
      case 0x88: // NEWTRUE
        this._push(true);
        return;
      case 0x89: // NEWFALSE
        this._push(false);
        return;
      case 0x4a: // BININT
        this._push(this._take(4).getInt32(0, true));
        return;
      case 0x4b: // BININT1
        this._push(this._u8());
        return;
      case 0x4d: // BININT2
        this._push(this._take(2).getUint16(0, true));
        return;
      case 0x8a: // LONG1
        this._push(this._long(this._u8()));
        return;
      case 0x8b: // LONG4
        this._push(this._long(this._u32()));
        return;
      case 0x47: // BINFLOAT
        this._push(this._take(8).getFloat64(0, false));
        return;
      case 0x58: // BINUNICODE
        this._push(this._text(this._u32()));
        return;
      case 0x8c: // SHORT_BINUNICODE
        this._push(this._text(this._u8()));
        return;
      case 0x8d: // BINUNICODE8
        this._push(this._text(this._u64()));
        return;
      case 0x54: // BINSTRING
        this._push(this._text(this._u32()));
        return;
      case 0x55: // SHORT_BINSTRING
        this._push(this._text(this._u8()));
        return;
      case 0x42: // BINBYTES
        this._push(this._slice(this._u32()));
        return;
      case 0x43: // SHORT_BINBYTES
        this._push(this._slice(this._u8()));
        return;
      case 0x8e: // BINBYTES8
        this._push(this._slice(this._u64()));
        return;
      case 0x5d: // EMPTY_LIST
        this._push([]);
        return;
      case 0x7d: // EMPTY_DICT
        this._push(new Map());
        return;
      case 0x8f: // EMPTY_SET
        this._push(new Set());
        return;
      case 0x29: // EMPTY_TUPLE
        this._push(new PickleTuple([]));
        return;
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        this._push(new PickleTuple(this._popMany(opcode - 0x84)));
        return;
      case 0x74: // TUPLE
        this._push(new PickleTuple(this._popMark()));
        return;
      case 0x6c: // LIST
        this._push(this._popMark());
        return;
      case 0x64: // DICT
        this._push(setItems(new Map(), this._popMark()));
        return;
      case 0x91: // FROZENSET
        this._push(new Set(this._popMark()));
        return;
      case 0x61: {
        // APPEND
        const item = this._pop();
        this._list().push(item);
        return;
      }
      case 0x65: {
        // APPENDS
        const items = this._popMark();
        const list = this._list();
        items.forEach(item => list.push(item));
        return;
      }
      case 0x90: {
        // ADDITEMS
        const items = this._popMark();
        const target = this._top();
        if (!(target instanceof Set)) {
          throw this._damaged('a set');
        }
        items.forEach(item => target.add(item));
        return;
      }
      case 0x73: // SETITEM
        this._setItems(this._popMany(2));
        return;
      case 0x75: // SETITEMS
        this._setItems(this._popMark());
        return;
      case 0x71: // BINPUT
        this._memo.set(this._u8(), this._top());
        return;
      case 0x72: // LONG_BINPUT
        this._memo.set(this._u32(), this._top());
        return;
      case 0x94: // MEMOIZE
        this._memo.set(this._memo.size, this._top());
        return;
      case 0x68: // BINGET
        this._push(this._recall(this._u8()));
        return;
      case 0x6a: // LONG_BINGET
        this._push(this._recall(this._u32()));
        return;
      case 0x63: // GLOBAL
        this._pushGlobal(this._line(), this._line());
        return;
      case 0x93: {
        // STACK_GLOBAL
        const [module, name] = this._popMany(2);
        if (typeof module !== 'string' || typeof name !== 'string') {
          throw this._damaged('the name of a global');
        }
        this._pushGlobal(module, name);
        return;
      }
      case 0x52: // REDUCE
      case 0x81: {
        // NEWOBJ
        const [callee, args] = this._popMany(2);
        if (!(callee instanceof PickleGlobal) || !(args instanceof PickleTuple)) {
          throw this._damaged('a constructor and its arguments');
        }
        this._push(this._constructors.call(callee.name, args.items));
        return;
      }
      case 0x62: {
        // BUILD
        this._pop();
        if (!(this._top() instanceof Map)) {
          throw new PickleError('the state of an object', 'refused');
        }
        // Attributes of an OrderedDict, `_metadata` of a state dict: nothing that is needed.
        return;
      }
      case 0x51: // BINPERSID
        this._push(this._constructors.persistent(this._pop()));
        return;
      default:
        throw new PickleError(
          `pickle opcode 0x${opcode.toString(16).padStart(2, '0')} at byte ${start}`,
          'refused'
        );
    }
  }

  private _pushGlobal(module: string, name: string): void {
    const full = `${module}.${name}`;
    if (!this._constructors.isKnown(full)) {
      throw new PickleError(full, 'refused');
    }
    this._push(new PickleGlobal(full));
  }

  private _setItems(items: readonly PickleValue[]): void {
    const target = this._top();
    if (!(target instanceof Map) || items.length % 2 !== 0) {
      throw this._damaged('a dictionary and pairs');
    }
    setItems(target, items);
  }

  private _list(): PickleValue[] {
    const target = this._top();
    if (!Array.isArray(target)) {
      throw this._damaged('a list');
    }
    return target;
  }

  private _recall(index: number): PickleValue {
    const value = this._memo.get(index);
    if (value === undefined) {
      throw this._damaged(`memo ${index}`);
    }
    return value;
  }

  private _push(value: PickleValue): void {
    this._stack.push(value);
  }

  private _top(): PickleValue {
    const value = this._stack.at(-1);
    if (value === undefined || this._marks.at(-1) === this._stack.length) {
      throw this._damaged('a value on the stack');
    }
    return value;
  }

  private _pop(): PickleValue {
    const value = this._top();
    this._stack.pop();
    return value;
  }

  private _popMany(count: number): PickleValue[] {
    if (this._stack.length - (this._marks.at(-1) ?? 0) < count) {
      throw this._damaged(`${count} values on the stack`);
    }
    return this._stack.splice(this._stack.length - count, count);
  }

  private _popMark(): PickleValue[] {
    const mark = this._marks.pop();
    if (mark === undefined) {
      throw this._damaged('a mark on the stack');
    }
    return this._stack.splice(mark);
  }

  /** A little-endian two's complement integer. */
  private _long(size: number): number | bigint {
    if (size > MAX_LONG_BYTES) {
      throw this._damaged(`an integer of at most ${MAX_LONG_BYTES} bytes`);
    }
    let value = 0n;
    this._slice(size).forEach((byte, i) => {
      value |= BigInt(byte) << BigInt(8 * i);
    });
    value = BigInt.asIntN(8 * size, value);
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }

  private _text(length: number): string {
    try {
      return DECODER.decode(this._slice(length));
    } catch (error) {
      throw error instanceof PickleError ? error : this._damaged('UTF-8');
    }
  }

  private _line(): string {
    const end = this._bytes.indexOf(0x0a, this._position);
    if (end < 0) {
      throw this._damaged('the end of a line');
    }
    const text = this._text(end - this._position);
    this._position++;
    return text;
  }

  private _u8(): number {
    return this._take(1).getUint8(0);
  }

  private _u32(): number {
    return this._take(4).getUint32(0, true);
  }

  private _u64(): number {
    return Number(this._take(8).getBigUint64(0, true));
  }

  private _slice(length: number): Uint8Array {
    const start = this._position;
    if (!(start + length <= this._bytes.length)) {
      throw this._damaged(`${length} more bytes`);
    }
    this._position += length;
    return this._bytes.subarray(start, this._position);
  }

  private _take(length: number): DataView {
    const start = this._position;
    this._slice(length);
    return new DataView(this._view.buffer, this._view.byteOffset + start, length);
  }

  private _damaged(expected: string): PickleError {
    return new PickleError(`${expected} expected at byte ${this._position}`, 'damaged');
  }

  private _position = 0;
  private readonly _view: DataView;
  private readonly _stack: PickleValue[] = [];
  private readonly _marks: number[] = [];
  private readonly _memo = new Map<number, PickleValue>();
}

const DECODER = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function setItems(
  target: Map<PickleValue, PickleValue>,
  items: readonly PickleValue[]
): Map<PickleValue, PickleValue> {
  for (let i = 0; i + 1 < items.length; i += 2) {
    target.set(items[i], items[i + 1]);
  }
  return target;
}
