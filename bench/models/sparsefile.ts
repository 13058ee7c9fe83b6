/**
 * Files with holes: a model of many gigabytes that takes no space and no time to write.
 *
 * @packageDocumentation
 */
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';

import type { ISink } from '../../src/formats';

/** Zeros, for sources that want to hand them on in pieces. */
export const ZEROS: Uint8Array = new Uint8Array(1 << 24);

/** Pieces smaller than this are written: holes have the granularity of file system blocks. */
const SMALLEST_HOLE = 1 << 16;

/** A sink that leaves a hole wherever it is given zeros. Whoever opens it closes it. */
export class SparseFile implements ISink {
  constructor(path: string) {
    this._descriptor = openSync(path, 'w');
  }

  get position(): number {
    return this._flushed + this._used;
  }

  write(bytes: Uint8Array): Promise<void> {
    this.append(bytes);
    return Promise.resolve();
  }

  /** `write()`, done when it returns. */
  append(bytes: Uint8Array): void {
    if (bytes.length >= SMALLEST_HOLE && isZero(bytes)) {
      this.skip(bytes.length);
      return;
    }
    if (this._used + bytes.length > this._buffer.length) {
      this._flush();
    }
    if (bytes.length > this._buffer.length) {
      this._put(bytes);
      return;
    }
    this._buffer.set(bytes, this._used);
    this._used += bytes.length;
  }

  /** Go on behind a hole. */
  skip(sizeBytes: number): void {
    this._flush();
    this._flushed += sizeBytes;
  }

  close(): void {
    this._flush();
    // A hole at the end is no byte yet.
    ftruncateSync(this._descriptor, this._flushed);
    closeSync(this._descriptor);
  }

  private _flush(): void {
    const used = this._used;
    this._used = 0;
    this._put(this._buffer.subarray(0, used));
  }

  private _put(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length;) {
      done += writeSync(this._descriptor, bytes, done, bytes.length - done, this._flushed + done);
    }
    this._flushed += bytes.length;
  }

  private readonly _descriptor: number;
  private readonly _buffer = new Uint8Array(1 << 18);
  private _used = 0;
  private _flushed = 0;
}

/** `sizeBytes` zeros in pieces. */
export function* zeros(sizeBytes: number): Generator<Uint8Array> {
  for (let left = sizeBytes; left > 0; left -= ZEROS.length) {
    yield ZEROS.subarray(0, Math.min(left, ZEROS.length));
  }
}

function isZero(bytes: Uint8Array): boolean {
  for (let start = 0; start < bytes.length; start += ZEROS.length) {
    const piece = bytes.subarray(start, start + ZEROS.length);
    if (Buffer.compare(piece, ZEROS.subarray(0, piece.length)) !== 0) {
      return false;
    }
  }
  return true;
}
