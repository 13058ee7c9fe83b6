/**
 * The sample inputs of a program: what it was exported with.
 *
 * @packageDocumentation
 */
import type { IPort, IWeight } from '../../model';
import { CastlensError } from '../../model';
import type { FileReader } from '../filereader';
import type { IPt2Archive } from './archive';
import type { PickleValue } from './pickle';
import { PickleTuple } from './pickle';
import type { LeafPath } from './treespec';
import { asTensor, readTorchSave } from './unpickle';
import { placePickled } from './weights';

/**
 * Read the tensors among the sample inputs, by name of the input.
 *
 * #### Notes
 * They are a convenience: whatever is wrong with them becomes a warning.
 *
 * @param record - a pickle of `(args, kwargs)`.
 * @param paths - where each of `ports` lies in it; null where that is not known.
 * @returns undefined where there are none.
 */
export async function readSampleInputs(
  file: FileReader,
  archive: IPt2Archive,
  record: string,
  ports: readonly IPort[],
  paths: readonly LeafPath[] | null,
  warnings: string[]
): Promise<Map<string, IWeight> | undefined> {
  if (!archive.has(record) || archive.sizeOf(record) === 0 || paths === null) {
    return undefined;
  }
  try {
    const root = await readTorchSave(file, archive, record);
    const samples = new Map<string, IWeight>();
    ports.forEach((port, i) => {
      const tensor = port.value === null ? null : asTensor(follow(root, paths[i]));
      if (tensor === null) {
        return;
      }
      const placed = placePickled(file.path, record, port.name, 'constant', tensor);
      const { dtype, shape, strides, storageOffset, requiresGrad, data, storage } = placed;
      samples.set(port.name, {
        storage,
        names: [port.name],
        kind: 'constant',
        dtype,
        shape,
        strides,
        storageOffset,
        requiresGrad,
        data
      });
    });
    return samples.size === 0 ? undefined : samples;
  } catch (error) {
    if (!(error instanceof CastlensError)) {
      throw error;
    }
    const { summary, details } = error;
    const found = details.found === undefined ? '' : ` (${details.found})`;
    warnings.push(`The sample inputs of the file are not used: ${summary}${found}.`);
    return undefined;
  }
}

/** The value at a path; undefined where there is none. */
function follow(root: PickleValue, path: LeafPath): PickleValue | undefined {
  let value: PickleValue | undefined = root;
  for (const key of path) {
    if (value instanceof Map) {
      value = value.get(key) ?? value.get(Number(key));
    } else if (value instanceof PickleTuple) {
      value = value.items[Number(key)];
    } else if (Array.isArray(value)) {
      value = value[Number(key)];
    } else {
      return undefined;
    }
  }
  return value;
}
