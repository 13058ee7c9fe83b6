/**
 * Synthetic models for measurements of scale: programs of any length and form with weights of any size.
 *
 * @packageDocumentation
 */
import { basename } from 'node:path';

import type { IArchiveRecord, ISink } from '../../src/formats';
import { writeRecords } from '../../src/formats';
import { SparseFile, zeros } from './sparsefile';
import type { ISyntheticModel } from './syntheticmodel';
import { writeSyntheticOnnx } from './syntheticonnx';
import { syntheticProgram } from './syntheticpt2';

/** Containers and dialects a model can be written in. */
export const SYNTHETIC_FORMATS = ['training', 'aten', 'onnx', 'onnx-external'] as const;

/** A container and dialect. */
export type SyntheticFormat = (typeof SYNTHETIC_FORMATS)[number];

/**
 * Write a model.
 *
 * #### Notes
 * Weights without data are holes of the file: gigabytes are written in seconds and take no space. `onnx-external` puts its weights
 * into `PATH.data`. Archives and records beyond 4 GiB are zip64.
 */
export async function writeSynthetic(
  path: string,
  format: SyntheticFormat,
  model: ISyntheticModel
): Promise<void> {
  switch (format) {
    case 'training':
    case 'aten':
      return writeArchive(path, format, model);
    case 'onnx':
    case 'onnx-external':
      return writeSyntheticOnnx(path, model, format === 'onnx-external');
  }
}

async function writeArchive(
  path: string,
  format: 'training' | 'aten',
  model: ISyntheticModel
): Promise<void> {
  const root = basename(path).replace(/\.pt2$/, '');
  const weights = model.weights.map(({ width, data }, i): IArchiveRecord => {
    const sizeBytes = width * width * Float32Array.BYTES_PER_ELEMENT;
    return {
      name: `${root}/data/weights/weight_${i}`,
      source:
        data === undefined
          ? { kind: 'stream', sizeBytes, open: () => piecesOf(sizeBytes) }
          : { kind: 'bytes', bytes: data }
    };
  });
  const file = new SparseFile(path);
  try {
    const program = syntheticProgram(root, format, model);
    const { gapBytes = 0 } = model;
    // Archives start with a record: the gap comes after the first one.
    await (gapBytes === 0
      ? writeRecords(path, file, [...weights, ...program])
      : writeRecords(path, new GapAfterRecord(file, gapBytes), [...program, ...weights]));
  } finally {
    file.close();
  }
}

/** Leaves a hole behind the first record of an archive. */
class GapAfterRecord implements ISink {
  constructor(
    private readonly _file: SparseFile,
    private _gapBytes: number
  ) {}

  get position(): number {
    return this._file.position;
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this._file.write(bytes);
    if (bytes.length >= 4 && Buffer.from(bytes.subarray(0, 4)).equals(DATA_DESCRIPTOR)) {
      this._file.skip(this._gapBytes);
      this._gapBytes = 0;
    }
  }
}

/** What the end of a record starts with. */
const DATA_DESCRIPTOR = Buffer.from('PK\x07\x08', 'latin1');

// The archive writer takes sources that may have to wait; zeros never do.

async function* piecesOf(sizeBytes: number): AsyncGenerator<Uint8Array> {
  yield* zeros(sizeBytes);
}
