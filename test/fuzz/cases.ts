/** The inputs of the fuzzer: each follows from a seed and a number. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { mutateOnnx } from './mutateonnx';
import { mutatePt2 } from './mutatept2';
import { Random } from './random';

export interface ICase {
  /** The file it was made of. */
  readonly origin: string;
  readonly extension: string;
  readonly bytes: Buffer;
}

/** Larger files would be mostly weights. */
const LARGEST_ORIGIN = 320_000;

export class Cases {
  /** @param folders - searched for `.pt2` and `.onnx` files. */
  constructor(
    private readonly _seed: number,
    folders: readonly string[]
  ) {
    this.origins = folders.flatMap(modelsIn).sort();
  }

  readonly origins: readonly string[];

  get(index: number): ICase {
    const random = new Random(
      Math.imul(this._seed + 1, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b)
    );
    const origin = random.pick(this.origins);
    const extension = origin.endsWith('.onnx') ? 'onnx' : 'pt2';
    let bytes = this._files.get(origin);
    if (bytes === undefined) {
      bytes = readFileSync(origin);
      this._files.set(origin, bytes);
    }
    const made = extension === 'onnx' ? mutateOnnx(random, bytes) : mutatePt2(random, bytes);
    return { origin, extension, bytes: made };
  }

  private readonly _files = new Map<string, Buffer>();
}

function modelsIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap(entry => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      return modelsIn(path);
    }
    return /\.(pt2|onnx)$/.test(entry.name) && statSync(path).size <= LARGEST_ORIGIN ? [path] : [];
  });
}
