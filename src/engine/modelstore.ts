/**
 * Models the engine has read, kept until their files change.
 *
 * @packageDocumentation
 */
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';

import type { IExplicitGraph } from '../autocast';
import { checkOverrides, makeCastsExplicit, makeOverriddenExplicit, takeCensus } from '../autocast';
import { readModel } from '../formats';
import type { IExportedModel } from '../model';
import { CastlensError } from '../model';
import type { ICensus, IModelRef, RegionOverrides } from '../protocol';
import type { IJob } from '../runtime';
import type { IUpdatedModel } from './weightupdate';
import { takeWeights } from './weightupdate';

/** A model and what follows from it alone. */
export class LoadedModel {
  constructor(
    readonly model: IExportedModel,
    private readonly _fingerprints: readonly string[],
    /** What was taken from another file; null where the model has its own weights. */
    readonly update: IUpdatedModel | null = null
  ) {}

  /** Changes whenever a file of the model does. */
  get key(): string {
    return this._fingerprints.join('|');
  }

  /** The graph with region casts explicit, as recorded; made on first use. Do not change it: clone it. */
  get explicit(): IExplicitGraph {
    return (this._explicit ??= makeCastsExplicit(this.model));
  }

  /**
   * The graph under overridden regions. Do not change it: clone it.
   *
   * @param overrides - in normal form.
   * @throws CastlensError where it cannot be known what the program computes then.
   */
  explicitUnder(overrides: RegionOverrides | undefined): IExplicitGraph {
    if (overrides === undefined) {
      return this.explicit;
    }
    const key = JSON.stringify(overrides);
    const explicit = this._overridden.get(key) ?? makeOverriddenExplicit(this.model, overrides);
    this._overridden.delete(key);
    this._overridden.set(key, explicit);
    while (this._overridden.size > OVERRIDDEN_CAPACITY) {
      this._overridden.delete(this._overridden.keys().next().value!);
    }
    return explicit;
  }

  /**
   * The casts in the file, or in the program it becomes under overridden regions.
   *
   * @throws CastlensError where regions cannot be overridden so.
   */
  census(displayFile: string, regions?: RegionOverrides): ICensus {
    const overrides = checkOverrides(regions, this.model);
    const census = takeCensus(this.explicitUnder(overrides), this.model, displayFile);
    return overrides === undefined ? census : { ...census, overrides };
  }

  /**
   * Make sure that the files are still those that were opened. To be called when bytes of weights have been read, or could not be:
   * what was read in between is of this model then.
   *
   * @throws CastlensError that names the file that is gone, or has changed.
   */
  async checkFiles(): Promise<void> {
    const now = await fingerprints(this.model);
    const changed = this._fingerprints.findIndex((text, i) => text !== now[i]);
    if (changed >= 0) {
      throw new CastlensError('bad-file', 'the file has changed since the model was opened', {
        file: this.model.files[changed].path,
        expected: 'the file as it was',
        found: 'another size, modification time or file of the same name',
        hint: 'Try again when whoever writes it has finished'
      });
    }
  }

  private _explicit: IExplicitGraph | null = null;
  private readonly _overridden = new Map<string, IExplicitGraph>();
}

/** The most graphs under overridden regions kept per model. */
const OVERRIDDEN_CAPACITY = 4;

/** The most models kept: each holds its graph, never its weights. */
const CAPACITY = 8;

/**
 * Reads models, each once.
 *
 * #### Notes
 * A model is read again when the size or the modification time of any of its files has changed, or another file has its name. A failed read is not kept.
 */
export class ModelStore {
  /**
   * The model at `path`, with the weights of another file where `weights` names one.
   *
   * @throws CastlensError where a file cannot be read, or the weights do not fit the model.
   */
  async load({ path, weights }: IModelRef, job: IJob = {}): Promise<LoadedModel> {
    const absolute = resolve(path);
    if (weights === undefined) {
      return this._hold(absolute, () => readModel(absolute).then(model => keyed(model)));
    }
    const own = await this.load({ path });
    const source = resolve(weights);
    return this._hold(`${absolute}\0${source}`, async () => {
      const update = await takeWeights(own.model, source, job);
      return keyed(update.model, update);
    });
  }

  /** What `read` gives, or gave before if its files have not changed since. */
  private async _hold(name: string, read: () => Promise<LoadedModel>): Promise<LoadedModel> {
    const held = this._models.get(name);
    if (held) {
      const loaded = await held;
      if ((await fingerprints(loaded.model)).join('|') === loaded.key) {
        this._models.delete(name);
        this._models.set(name, held);
        return loaded;
      }
      this._models.delete(name);
    }
    const reading = read();
    this._models.set(name, reading);
    reading.catch(() => this._models.delete(name));
    while (this._models.size > CAPACITY) {
      this._models.delete(this._models.keys().next().value!);
    }
    return reading;
  }

  private readonly _models = new Map<string, Promise<LoadedModel>>();
}

async function keyed(
  model: IExportedModel,
  update: IUpdatedModel | null = null
): Promise<LoadedModel> {
  return new LoadedModel(model, await fingerprints(model), update);
}

/** What tells each file of a model from what it may become. */
async function fingerprints({ files }: IExportedModel): Promise<string[]> {
  const parts: string[] = [];
  for (const { path } of files) {
    try {
      const { size, mtimeMs, ino } = await stat(path);
      parts.push(`${path}:${size}:${mtimeMs}:${ino}`);
    } catch (cause) {
      throw new CastlensError('file-not-found', 'the file is gone', { file: path, cause });
    }
  }
  return parts;
}
