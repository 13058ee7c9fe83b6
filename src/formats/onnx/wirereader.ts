/**
 * Protobuf's wire format, read from a file through a small window.
 *
 * A protobuf library wants the whole message in memory. ONNX keeps weights inside the message, so this reader skips what is
 * not wanted by moving its position: a model of many gigabytes costs as much memory as its graph.
 *
 * @packageDocumentation
 */
import { CastlensError } from '../../model';
import type { FileReader } from '../filereader';

/** Wire types of the protobuf encoding. */
export const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/** Handles one field of a message. Returns false where it does not want it: the field is then skipped. */
export type FieldHandler = (field: number, wireType: number) => boolean;

/** Numbers that are packed take up to eight times their bytes in memory. What is larger is stored as the bytes of a tensor. */
const MAX_PACKED_BYTES = 32 * 1024 * 1024;

/** A name or text longer than this is not one. */
const MAX_TEXT_BYTES = 64 * 1024 * 1024;

const MIN_WINDOW_BYTES = 4 * 1024;
const MAX_WINDOW_BYTES = 256 * 1024;

/** Messages nest this deep at most, as in protobuf's own implementations. */
const MAX_DEPTH = 100;

/**
 * Sequential reader of protobuf messages in a file.
 *
 * #### Notes
 * Reading goes forward only. The window grows while reading is sequential and shrinks after a jump, so that skipping a weight
 * does not read what follows it twice.
 */
export class WireReader {
  constructor(private readonly _file: FileReader) {}

  /** Path of the file. */
  get path(): string {
    return this._file.path;
  }

  /** Absolute offset of the next byte. */
  get position(): number {
    return this._position;
  }

  /** Read the whole file as one message. */
  readRoot(handle: FieldHandler): void {
    this._fields(this._file.sizeBytes, handle);
  }

  /** Read a nested message, at its length. */
  readMessage(handle: FieldHandler): void {
    const end = this._lengthEnd();
    this._file.budget.takeItem(`byte ${this._position}`);
    if (++this._depth > MAX_DEPTH) {
      throw this.fail('messages nest too deep', `at most ${MAX_DEPTH} levels`, 'more');
    }
    const outer = this._end;
    this._fields(end, handle);
    this._end = outer;
    this._depth--;
  }

  /** Where the bytes of a length-delimited field lie; they are skipped. */
  readRange(): { offset: number; length: number } {
    const end = this._lengthEnd();
    const range = { offset: this._position, length: end - this._position };
    this._position = end;
    return range;
  }

  /** A length-delimited field as text. Invalid UTF-8 is replaced. */
  readString(): string {
    return this.readBytes().toString('utf8');
  }

  /** A length-delimited field as bytes. */
  readBytes(): Buffer {
    const end = this._lengthEnd();
    const length = end - this._position;
    if (length > MAX_TEXT_BYTES) {
      throw this.fail('a text is too long', `at most ${MAX_TEXT_BYTES} bytes`, `${length} bytes`);
    }
    const bytes = this._take(length);
    return bytes.length === length ? Buffer.from(bytes) : bytes;
  }

  /** A varint as a signed 64-bit integer. */
  readInt64(): number | bigint {
    const value = this._varint();
    return typeof value === 'number' ? value : narrow(BigInt.asIntN(64, value));
  }

  /** A varint as an unsigned 64-bit integer. */
  readUint64(): number | bigint {
    const value = this._varint();
    return typeof value === 'number' ? value : narrow(value);
  }

  /** A varint as a signed 32-bit integer. */
  readInt32(): number {
    return Number(BigInt.asIntN(32, BigInt(this._varint())));
  }

  /** A fixed32 field as a float. */
  readFloat(): number {
    return this._take(4).readFloatLE(0);
  }

  /** A fixed64 field as a double. */
  readDouble(): number {
    return this._take(8).readDoubleLE(0);
  }

  /** Call `read` for each element of a repeated number, packed or not. */
  readRepeated(wireType: number, read: () => void): void {
    if (wireType !== WIRE.bytes) {
      read();
      return;
    }
    const outer = this._end;
    this._end = this._lengthEnd();
    if (this._end - this._position > MAX_PACKED_BYTES) {
      throw this.fail(
        'a list of numbers is too long',
        `at most ${MAX_PACKED_BYTES} bytes`,
        `${this._end - this._position} bytes`
      );
    }
    while (this._position < this._end) {
      read();
    }
    this._end = outer;
  }

  /** The error for bytes that are not what they should be. */
  fail(summary: string, expected: string, found: string): CastlensError {
    return new CastlensError('bad-file', `the ONNX protobuf is damaged: ${summary}`, {
      file: this._file.path,
      entry: `byte ${this._position}`,
      expected,
      found,
      hint: 'The file may be truncated or no ONNX model: copy or export it again.'
    });
  }

  private _fields(end: number, handle: FieldHandler): void {
    this._end = end;
    while (this._position < end) {
      const tag = Number(this._varint());
      const field = Math.floor(tag / 8);
      const wireType = tag % 8;
      if (field === 0 || tag > 0xffffffff) {
        throw this.fail('invalid field', 'a field number from 1', String(field));
      }
      const before = this._position;
      if (!handle(field, wireType)) {
        this._position = before;
        this._skip(wireType);
      }
      this._end = end;
    }
  }

  private _skip(wireType: number): void {
    switch (wireType) {
      case WIRE.varint:
        this._varint();
        return;
      case WIRE.fixed64:
        this._take(8);
        return;
      case WIRE.bytes:
        this._position = this._lengthEnd();
        return;
      case WIRE.fixed32:
        this._take(4);
        return;
      default:
        throw this.fail('invalid field', 'wire type 0, 1, 2 or 5', String(wireType));
    }
  }

  /** Read a length; the position after that many bytes. */
  private _lengthEnd(): number {
    const length = this._varint();
    const rest = this._end - this._position;
    if (length > rest) {
      throw this.fail(
        'a field is longer than what holds it',
        `at most ${rest} bytes`,
        `${length} bytes`
      );
    }
    return this._position + Number(length);
  }

  /** A varint, unsigned; a number where it has at most 49 bits. */
  private _varint(): number | bigint {
    let low = 0;
    let scale = 1;
    for (let i = 0; i < 7; i++) {
      const byte = this._byte();
      low += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        return low;
      }
      scale *= 128;
    }
    let value = BigInt(low);
    for (let shift = 49n; shift < 70n; shift += 7n) {
      const byte = this._byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) {
        return BigInt.asUintN(64, value);
      }
    }
    throw this.fail('invalid number', 'at most 10 bytes', 'more');
  }

  private _byte(): number {
    if (this._position >= this._end) {
      throw this.fail('the message ends too early', 'more bytes', 'its end');
    }
    const index = this._position - this._windowStart;
    if (index >= 0 && index < this._window.length) {
      this._position++;
      return this._window[index];
    }
    this._fill(1);
    return this._window[this._position++ - this._windowStart];
  }

  /** The next bytes; valid until the next call. */
  private _take(length: number): Buffer {
    if (this._position + length > this._end) {
      throw this.fail(
        'the message ends too early',
        `${length} bytes`,
        `${this._end - this._position} bytes`
      );
    }
    let index = this._position - this._windowStart;
    if (index < 0 || index + length > this._window.length) {
      this._fill(length);
      index = 0;
    }
    this._position += length;
    return this._window.subarray(index, index + length);
  }

  /** Move the window so that it starts at the position and holds at least `length` bytes. */
  private _fill(length: number): void {
    const sequential = this._position <= this._windowStart + this._window.length + MIN_WINDOW_BYTES;
    this._windowBytes = sequential
      ? Math.min(this._windowBytes * 2, MAX_WINDOW_BYTES)
      : MIN_WINDOW_BYTES;
    const rest = this._file.sizeBytes - this._position;
    const size = Math.min(Math.max(this._windowBytes, length), rest);
    this._window = this._file.read(this._position, size, 'ONNX protobuf');
    this._windowStart = this._position;
  }

  private _position = 0;
  private _end = 0;
  private _depth = 0;
  private _window: Buffer = Buffer.alloc(0);
  private _windowStart = 0;
  private _windowBytes = MIN_WINDOW_BYTES;
}

function narrow(value: bigint): number | bigint {
  const small = Number(value);
  return Number.isSafeInteger(small) ? small : value;
}
