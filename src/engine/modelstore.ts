/**
 * Models the engine has read, kept until their files change.
 *
 * @packageDocumentation
 */
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';

import type { IExplicitGraph } from '../autocast';
import { checkOverrides, makeCastsExplicit, makeOverriddenExplicit, takeCensus } from '../autocast';
import { readModel } from '../formats';
import type { IExportedModel, IModelFile } from '../model';
import { CastlensError } from '../model';
import type { OnnxTypeError } from '../operators';
import { onnxTypeErrors } from '../operators';
import type { ICensus, IModelRef, RegionOverrides } from '../protocol';
import { versionOf } from '../protocol';
import type { IJob } from '../runtime';
import { throwIfCancelled } from '../runtime';
import type { IUpdatedModel } from './weightupdate';
import { takeWeights } from './weightupdate';

/** A model and what follows from it alone. */
export class LoadedModel {
  constructor(
    readonly model: IExportedModel,
    /** What was taken from another file; null where the model has its own weights. */
    readonly update: IUpdatedModel | null = null
  ) {}

  /** Changes whenever a file of the model does. */
  get key(): string {
    return keyOf(this.model.files);
  }

  /** Names this state of all files of the model, wherever they are. Opaque; see `IModelRef`. */
  get version(): string {
    const states = this.model.files.map(({ version }) => version).join('|');
    return (this._version ??= createHash('sha256').update(states).digest('hex').slice(0, 32));
  }

  /**
   * Make sure that a request is about this state of the files.
   *
   * @param version - what the request names; every state will do where it names none.
   * @throws CastlensError with code `file-changed`.
   */
  checkVersion(version: string | undefined): void {
    if (version !== undefined && version !== this.version) {
      throw fileChanged(this.model.path);
    }
  }

  /** The graph with region casts explicit, as recorded; made on first use. Do not change it: clone it. */
  get explicit(): IExplicitGraph {
    return (this._explicit ??= makeCastsExplicit(this.model));
  }

  /** Where the types of an `.onnx` file break the specification, worked out on first use; none of any other format. */
  get typeErrors(): readonly OnnxTypeError[] {
    return (this._typeErrors ??=
      this.model.format === 'onnx' ? onnxTypeErrors(this.model.graph) : []);
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
   * Make sure that the files are still those that were read. To be called when bytes of weights have been read, or could not be:
   * what was read in between is of this model then.
   *
   * @throws CastlensError that names the file that is gone, or has changed.
   */
  async checkFiles(): Promise<void> {
    const now = await filesNow(this.model);
    const changed = this.model.files.find(({ version }, i) => version !== now[i].version);
    if (changed !== undefined) {
      throw fileChanged(changed.path);
    }
  }

  private _explicit: IExplicitGraph | null = null;
  private _typeErrors: readonly OnnxTypeError[] | null = null;
  private _version: string | null = null;
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
 * A model is read again when the size or the modification time of any of its files has changed, or another file has its name: since
 * it was opened for reading, so that a file replaced meanwhile is noticed too. A failed read is not kept. Who asks for weights that
 * another is taking waits for that one, and takes them itself where the other cancels.
 */
export class ModelStore {
  /**
   * The model at `path`, with the weights of another file where `weights` names one.
   *
   * @throws CastlensError where a file cannot be read or changes while weights are compared, the weights do not fit the model, or
   * the request is about another version.
   */
  async load({ version, ...files }: IModelRef, job: IJob = {}): Promise<LoadedModel> {
    const loaded = await this._load(files, job);
    loaded.checkVersion(version);
    return loaded;
  }

  private async _load({ path, program, weights }: IModelRef, job: IJob): Promise<LoadedModel> {
    const absolute = resolve(path);
    const name = JSON.stringify([
      absolute,
      program ?? null,
      weights === undefined ? null : resolve(weights)
    ]);
    if (weights === undefined) {
      const read = async (): Promise<LoadedModel> =>
        new LoadedModel(await readModel(absolute, program));
      return this._hold(name, read, job);
    }
    const own = await this._load({ path, program }, {});
    const source = resolve(weights);
    const take = async (): Promise<LoadedModel> => {
      const update = await takeWeights(own.model, source, job);
      const loaded = new LoadedModel(update.model, update);
      await loaded.checkFiles();
      return loaded;
    };
    return this._hold(name, take, job);
  }

  /** What `read` gives, or gave before if its files have not changed since. */
  private async _hold(
    name: string,
    read: () => Promise<LoadedModel>,
    job: IJob
  ): Promise<LoadedModel> {
    for (let held; (held = this._models.get(name));) {
      const loaded = await held.catch((error: unknown) => {
        if (error instanceof CastlensError && error.code === 'cancelled') {
          return null;
        }
        throw error;
      });
      throwIfCancelled(job);
      const isCurrent = loaded !== null && keyOf(await filesNow(loaded.model)) === loaded.key;
      // Meanwhile another may have begun to read.
      if (this._forget(name, held) && isCurrent) {
        this._models.set(name, held);
      }
      if (isCurrent) {
        return loaded;
      }
    }
    const reading = read();
    this._models.set(name, reading);
    reading.catch(() => this._forget(name, reading));
    while (this._models.size > CAPACITY) {
      this._models.delete(this._models.keys().next().value!);
    }
    return reading;
  }

  /** Whether it was what is held by that name. */
  private _forget(name: string, held: Promise<LoadedModel>): boolean {
    return this._models.get(name) === held && this._models.delete(name);
  }

  private readonly _models = new Map<string, Promise<LoadedModel>>();
}

function fileChanged(file: string): CastlensError {
  return new CastlensError('file-changed', 'the file has changed since the model was opened', {
    file,
    expected: 'the file as it was',
    found: 'another size, modification time or file of the same name',
    hint: 'Try again when whoever writes it has finished'
  });
}

/** Tells the files of a model from what they may become. */
function keyOf(files: readonly IModelFile[]): string {
  return files.map(({ path, version }) => `${path}:${version}`).join('|');
}

/** The files of a model as they are now. */
async function filesNow({ files }: IExportedModel): Promise<IModelFile[]> {
  const now: IModelFile[] = [];
  for (const { path } of files) {
    try {
      const stats = await stat(path);
      now.push({ path, sizeBytes: stats.size, version: versionOf(stats) });
    } catch (cause) {
      throw new CastlensError('file-not-found', 'the file is gone', { file: path, cause });
    }
  }
  return now;
}
