/**
 * Models the engine has read, kept until their files change.
 *
 * @packageDocumentation
 */
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';

import type { IExplicitGraph } from '../autocast';
import { makeCastsExplicit, takeCensus } from '../autocast';
import { readModel } from '../formats';
import type { IExportedModel } from '../model';
import { CastlensError } from '../model';
import type { ICensus } from '../protocol';

/** A model and what follows from it alone. */
export class LoadedModel {
  constructor(
    readonly model: IExportedModel,
    /** Changes whenever a file of the model does. */
    readonly key: string
  ) {}

  /** The graph with region casts explicit; made on first use. Do not change it: clone it. */
  get explicit(): IExplicitGraph {
    return (this._explicit ??= makeCastsExplicit(this.model));
  }

  /** The casts in the file. */
  census(displayFile: string): ICensus {
    return takeCensus(this.explicit, this.model, displayFile);
  }

  private _explicit: IExplicitGraph | null = null;
}

/** The most models kept: each holds its graph, never its weights. */
const CAPACITY = 8;

/**
 * Reads models, each once.
 *
 * #### Notes
 * A model is read again when the size or the modification time of any of its files has changed. A failed read is not kept.
 */
export class ModelStore {
  /**
   * The model at `path`.
   *
   * @throws CastlensError where the file cannot be read as a model.
   */
  async load(path: string): Promise<LoadedModel> {
    const absolute = resolve(path);
    const held = this._models.get(absolute);
    if (held) {
      const loaded = await held;
      if ((await fingerprint(loaded.model.files.map(file => file.path))) === loaded.key) {
        this._models.delete(absolute);
        this._models.set(absolute, held);
        return loaded;
      }
      this._models.delete(absolute);
    }
    const reading = this._read(absolute);
    this._models.set(absolute, reading);
    reading.catch(() => this._models.delete(absolute));
    while (this._models.size > CAPACITY) {
      this._models.delete(this._models.keys().next().value!);
    }
    return reading;
  }

  private async _read(path: string): Promise<LoadedModel> {
    const model = await readModel(path);
    return new LoadedModel(model, await fingerprint(model.files.map(file => file.path)));
  }

  private readonly _models = new Map<string, Promise<LoadedModel>>();
}

async function fingerprint(paths: readonly string[]): Promise<string> {
  const parts: string[] = [];
  for (const path of paths) {
    try {
      const { size, mtimeMs } = await stat(path);
      parts.push(`${path}:${size}:${mtimeMs}`);
    } catch (cause) {
      throw new CastlensError('file-not-found', 'the file is gone', { file: path, cause });
    }
  }
  return parts.join('|');
}
