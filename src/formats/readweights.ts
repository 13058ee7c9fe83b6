/**
 * Weights by name, of any file that holds some.
 *
 * @packageDocumentation
 */
import type { IModelFile, IWeight } from '../model';
import { contiguousStrides } from '../model';
import { FileReader } from './filereader';
import { readModel } from './readmodel';
import { readSafetensors } from './safetensors';
import { isSafetensors } from './sniff';

/** A file with weights. */
export interface IWeightsFile {
  /** Every file the bytes lie in, `path` first. */
  readonly files: readonly IModelFile[];
  /** Every tensor. A tied weight of an exported model is one with several names. */
  readonly weights: readonly IWeight[];
}

/**
 * Read where the weights of a file lie; no weight is read.
 *
 * @param path - a `.safetensors` file, or an exported model: `.pt2` or `.onnx`. Told from the content, not from the name.
 * @throws CastlensError for everything that can be wrong with a file.
 */
export async function readWeights(path: string): Promise<IWeightsFile> {
  const file = FileReader.open(path);
  try {
    if (!isSafetensors(file)) {
      const { files, weights } = await readModel(path);
      return { files, weights };
    }
    const tensors = readSafetensors(file);
    return {
      files: [file.file],
      weights: [...tensors].map(([name, { dtype, shape, range }]) => ({
        storage: `${range.file}:${range.offset}:${range.length}`,
        names: [name],
        kind: 'parameter',
        dtype,
        shape,
        strides: contiguousStrides(shape),
        storageOffset: 0,
        requiresGrad: null,
        data: { kind: 'range', range }
      }))
    };
  } finally {
    file.close();
  }
}
