/**
 * Protobuf messages taken apart and put together again without decoding what is not looked at.
 *
 * @packageDocumentation
 */
import { CastlensError } from '../../model';
import type { FileReader } from '../filereader';
import { WIRE } from './wirereader';

/** One field of a message: where it lies in the file. */
export interface IField {
  readonly number: number;
  readonly wireType: number;
  /** First byte of the tag. */
  readonly tagStart: number;
  /** The value, without its length. */
  readonly start: number;
  readonly end: number;
}

/** A run of bytes of a new message. */
export type Piece =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array; readonly sizeBytes: number }
  /** Bytes of the file that was taken apart. */
  | { readonly kind: 'range'; readonly offset: number; readonly sizeBytes: number }
  | {
      readonly kind: 'stream';
      readonly sizeBytes: number;
      readonly open: () => AsyncIterable<Uint8Array>;
    };

const MIN_WINDOW_BYTES = 4 * 1024;
const MAX_WINDOW_BYTES = 256 * 1024;
const MAX_VARINT_BYTES = 10;

/**
 * Finds the fields of messages in a file, through a window: weights are stepped over.
 *
 * #### Notes
 * The window grows while reading is sequential and shrinks after a jump: behind the head of a weight lies the weight.
 */
export class FieldSplitter {
  constructor(private readonly _file: FileReader) {}

  /**
   * The fields of the message from `start` to `end`.
   *
   * @throws CastlensError where the bytes are no fields.
   */
  split(start: number, end: number): IField[] {
    const fields: IField[] = [];
    let position = start;
    while (position < end) {
      const tag = this._varint(position, end);
      const wireType = tag.value % 8;
      let from = tag.end;
      let to: number;
      switch (wireType) {
        case WIRE.varint:
          to = this._varint(from, end).end;
          break;
        case WIRE.fixed64:
          to = from + 8;
          break;
        case WIRE.fixed32:
          to = from + 4;
          break;
        case WIRE.bytes: {
          const length = this._varint(from, end);
          from = length.end;
          to = from + length.value;
          break;
        }
        default:
          throw this._fail(position, `wire type ${wireType}`);
      }
      if (to > end) {
        throw this._fail(position, 'a field longer than its message');
      }
      fields.push({
        number: Math.floor(tag.value / 8),
        wireType,
        tagStart: position,
        start: from,
        end: to
      });
      position = to;
    }
    return fields;
  }

  /** A field's bytes as text. */
  text(field: IField): string {
    return this._file.read(field.start, field.end - field.start, 'ONNX protobuf').toString('utf8');
  }

  /** A field's integers, packed or not. */
  numbers(field: IField): number[] {
    const numbers: number[] = [];
    for (let position = field.start; position < field.end;) {
      const { value, end } = this._varint(position, field.end);
      numbers.push(value);
      position = end;
    }
    return numbers;
  }

  private _varint(position: number, limit: number): { value: number; end: number } {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < MAX_VARINT_BYTES && position + i < limit; i++) {
      const byte = this._byte(position + i);
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        return { value, end: position + i + 1 };
      }
      scale *= 128;
    }
    throw this._fail(position, 'no integer');
  }

  private _byte(position: number): number {
    let index = position - this._windowStart;
    if (index < 0 || index >= this._window.length) {
      const windowEnd = this._windowStart + this._window.length;
      const isSequential = index >= 0 && position <= windowEnd + MIN_WINDOW_BYTES;
      this._windowBytes = isSequential
        ? Math.min(2 * this._windowBytes, MAX_WINDOW_BYTES)
        : MIN_WINDOW_BYTES;
      const size = Math.min(this._windowBytes, this._file.sizeBytes - position);
      this._window = this._file.read(position, size, 'ONNX protobuf');
      this._windowStart = position;
      index = 0;
    }
    return this._window[index];
  }

  private _fail(position: number, found: string): CastlensError {
    return new CastlensError('bad-file', 'the ONNX protobuf is damaged', {
      file: this._file.path,
      entry: `byte ${position}`,
      expected: 'the fields of a message',
      found
    });
  }

  private _window: Uint8Array = new Uint8Array(0);
  private _windowStart = 0;
  private _windowBytes = MIN_WINDOW_BYTES;
}

/** A new message, as pieces. Runs of the file that lie side by side are one piece. */
export class PieceList {
  readonly pieces: Piece[] = [];

  /** Bytes of the whole. */
  get sizeBytes(): number {
    return this._sizeBytes;
  }

  /** A field as it is in the file. */
  raw(field: IField): void {
    this._push({
      kind: 'range',
      offset: field.tagStart,
      sizeBytes: field.end - field.tagStart
    });
  }

  /** An integer field. */
  number(field: number, value: number): void {
    this._bytes([...varint(field * 8 + WIRE.varint), ...varint(value)]);
  }

  /** A text field. */
  text(field: number, value: string): void {
    const bytes = Buffer.from(value, 'utf8');
    this._bytes([...varint(field * 8 + WIRE.bytes), ...varint(bytes.length), ...bytes]);
  }

  /** A nested message, or bytes made of pieces. */
  message(field: number, content: PieceList): void {
    this._bytes([...varint(field * 8 + WIRE.bytes), ...varint(content.sizeBytes)]);
    content.pieces.forEach(piece => this._push(piece));
  }

  /** Bytes made while writing. */
  stream(sizeBytes: number, open: () => AsyncIterable<Uint8Array>): void {
    this._push({ kind: 'stream', sizeBytes, open });
  }

  private _bytes(bytes: readonly number[]): void {
    this._push({ kind: 'bytes', bytes: Uint8Array.from(bytes), sizeBytes: bytes.length });
  }

  private _push(piece: Piece): void {
    this._sizeBytes += piece.sizeBytes;
    const last = this.pieces.at(-1);
    if (
      last?.kind === 'range' &&
      piece.kind === 'range' &&
      last.offset + last.sizeBytes === piece.offset
    ) {
      this.pieces[this.pieces.length - 1] = {
        ...last,
        sizeBytes: last.sizeBytes + piece.sizeBytes
      };
    } else {
      this.pieces.push(piece);
    }
  }

  private _sizeBytes = 0;
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 128) + 0x80);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return bytes;
}
