// A large file in pieces that can be carried one by one.
import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync, statSync, writeSync } from 'node:fs';
import { Failure } from '../process.mjs';

/** `60M` in bytes. */
export function bytesOf(text) {
  const match = /^(\d+)([KMG]?)$/.exec(text);
  if (!match || Number(match[1]) === 0) {
    throw new Failure(`--piece takes a size such as 60M, not "${text}"`);
  }
  return Number(match[1]) * 1024 ** ['', 'K', 'M', 'G'].indexOf(match[2]);
}

/** Calls `each` with the bytes of a file in turn, a buffer at a time, which is only good until the next. */
function forBytes(file, each, bufferBytes = 1 << 20) {
  const buffer = Buffer.alloc(bufferBytes);
  const input = openSync(file, 'r');
  try {
    for (let read; (read = readSync(input, buffer, 0, buffer.length, null)) > 0;) {
      each(buffer.subarray(0, read));
    }
  } finally {
    closeSync(input);
  }
}

/** The SHA-256 sum of a file, in hexadecimal digits. */
export function checksum(file) {
  const hash = createHash('sha256');
  forBytes(file, bytes => hash.update(bytes));
  return hash.digest('hex');
}

/** Writes `FILE.000`, `FILE.001`, ... of `size` bytes, the last one of fewer; returns their paths. */
export function split(file, size) {
  const count = Math.ceil(statSync(file).size / size);
  if (count > 1000) {
    throw new Failure(`the archive would be cut into ${count} pieces; --piece must be larger`);
  }
  const pieces = [];
  let output = null;
  let room = 0;
  forBytes(file, bytes => {
    for (let at = 0; at < bytes.length;) {
      if (room === 0) {
        if (output !== null) {
          closeSync(output);
        }
        pieces.push(`${file}.${String(pieces.length).padStart(3, '0')}`);
        output = openSync(pieces.at(-1), 'w');
        room = size;
      }
      const length = Math.min(room, bytes.length - at);
      writeSync(output, bytes, at, length);
      at += length;
      room -= length;
    }
  });
  if (output !== null) {
    closeSync(output);
  }
  return pieces;
}
