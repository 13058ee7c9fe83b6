/**
 * Synthetic models for measurements of scale: programs of any length and form with weights of any size.
 *
 * @packageDocumentation
 */
import { basename } from 'node:path';

import type { IArchiveRecord } from '../../src/formats';
import { writeRecords } from '../../src/formats';
import { SparseFile, zeros } from './sparsefile';
import { writeSyntheticOnnx } from './syntheticonnx';
import { syntheticProgram } from './syntheticpt2';

/** Containers and dialects a model can be written in. */
export const SYNTHETIC_FORMATS = ['training', 'aten', 'onnx', 'onnx-external'] as const;

/** A container and dialect. */
export type SyntheticFormat = (typeof SYNTHETIC_FORMATS)[number];

/** A square float32 matrix. */
export interface ISyntheticWeight {
  readonly name: string;
  readonly width: number;
  /** Its bytes; zeros, which take no space on disk, where left out. */
  readonly data?: Uint8Array;
}

/** One operator. Values are named by what makes them; `x` is the input, [rows, width] in float32. */
export type SyntheticStep = {
  readonly output: string;
  /** Rows of the result. */
  readonly rows: number;
  /** Autocast regions around it, in training IR: 1 or more, never less than the step before. */
  readonly depth: number;
  /** Path of the module it belongs to; the root where left out. */
  readonly module?: string;
} & (
  | { readonly op: 'relu'; readonly inputs: readonly [string] }
  /** Along the rows. */
  | { readonly op: 'concat'; readonly inputs: readonly string[] }
  /** Under autocast: both operands are cast where they are float32. */
  | { readonly op: 'matmul'; readonly inputs: readonly [string]; readonly weight: number }
);

/** A model. Its output is the result of the last step. */
export interface ISyntheticModel {
  readonly weights: readonly ISyntheticWeight[];
  readonly width: number;
  readonly steps: readonly SyntheticStep[];
}

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
    await writeRecords(path, file, [...weights, ...syntheticProgram(root, format, model)]);
  } finally {
    file.close();
  }
}

// The archive writer takes sources that may have to wait; zeros never do.
async function* piecesOf(sizeBytes: number): AsyncGenerator<Uint8Array> {
  yield* zeros(sizeBytes);
}
