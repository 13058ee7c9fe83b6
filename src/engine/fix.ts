/**
 * The repaired model: weights stored in the precision they are used in.
 *
 * @packageDocumentation
 */
import { extname } from 'node:path';

import { checkOverrides, some, typeErrorText } from '../autocast';
import type { IByteTransfer } from '../formats';
import { dataFileOf, rewriteOnnx, streamByteRange } from '../formats';
import type { DType, IByteRange, IExportedModel, IWeight } from '../model';
import { CastlensError, DTYPES } from '../model';
import { castBytes } from '../numerics';
import type { ICensus, IFixResult, Params } from '../protocol';
import type { ICastTask, IJob, WeightWorkers } from '../runtime';
import { breathe, WeightChunks } from '../runtime';
import { copyFile } from './filecopy';
import { planTypeEdits, refuseWithTypes } from './fixtypes';
import type { Written } from './fixwriters';
import { writeRepaired } from './fixwriters';
import type { LoadedModel, ModelStore } from './modelstore';
import { outputTarget, refuseExisting, refuseSpecial } from './outputtarget';
import { codeTarget, torchCode, writeCode } from './torchcode';

/**
 * Write the model anew with every weight that is used in one low precision alone stored in it, and regions as they are wanted.
 *
 * #### Notes
 * The new file computes what the source computes, bit for bit, under the same regions: a cast that rounded a weight on every
 * forward has been done once.
 * Files appear whole or not at all; bytes are streamed in bounded pieces.
 *
 * @throws CastlensError where `output` is a file of the model, or exists and may not be replaced, where the disk refuses, or the
 * job was cancelled; nothing is left of the new file then.
 */
export async function fixModel(
  store: ModelStore,
  workers: WeightWorkers,
  params: Params<'fix'>,
  job: IJob
): Promise<IFixResult> {
  const { path, program, version, output, mixed = 'leave', overwrite = false } = params;
  const { foldComputed = false } = params;
  const isTypes = params.types === true;
  const loaded = await store.load({ path, program, version });
  const regions = checkOverrides(params.regions, loaded.model);
  if (regions !== undefined && params.codeFile !== undefined) {
    throw new CastlensError('bad-argument', 'the code is about the program as recorded', {
      hint: 'Change the region in your own script, export again and ask for the code then; or write the file without the code.'
    });
  }
  if (foldComputed && params.codeFile !== undefined) {
    throw new CastlensError('bad-argument', 'the code folds no computed weights', {
      file: params.codeFile,
      hint: 'Write the code without foldComputed; torch.compile folds them by itself where it freezes a model.'
    });
  }
  refuseOtherFormat(loaded.model.format, output);
  if (isTypes) {
    refuseWithTypes(loaded.model, params);
  }
  const target = await outputTarget(loaded.model, output);
  await refuseSpecial(target);
  const newFiles = loaded.model.files.length === 1 ? [target] : [target, dataFileOf(target)];
  const codeFile =
    params.codeFile === undefined
      ? null
      : await codeTarget(loaded.model, params.codeFile, newFiles);
  if (!overwrite) {
    await refuseExisting(codeFile === null ? newFiles : [...newFiles, codeFile]);
  }
  await breathe(job);
  const transfer = new Transfer(loaded, workers, job);
  const wishes = { mixed, regions, foldComputed };
  const written = isTypes
    ? await writeWithTypes(loaded, target, transfer)
    : await writeRepaired(loaded, target, wishes, { transfer, workers, job });
  if (codeFile !== null) {
    const { code } = await torchCode(loaded, { path, mixed });
    await writeCode(codeFile, code);
  }
  const fixed = await store.load({ path: target, program });
  const { programs } = loaded.model;
  const files = [target, ...fixed.model.files.slice(1).map(file => file.path)];
  const census = fixed.census(target);
  return {
    file: path,
    output: target,
    files,
    ...(codeFile === null ? {} : { codeFile }),
    sizeBefore: sizeOf(loaded.model),
    sizeAfter: sizeOf(fixed.model),
    converted: written.converted,
    left: [...written.left, ...computedLeft(census, written.computedLeft)],
    ...(written.folded === undefined ? {} : { folded: written.folded }),
    ...(programs === undefined
      ? {}
      : { programs: { repaired: programs.chosen, others: programs.others } }),
    ...(regions === undefined ? {} : { regions }),
    ...(written.changes === undefined
      ? {}
      : {
          types: {
            changes: written.changes,
            left: fixed.typeErrors.map(typeErrorText)
          }
        }),
    weightCastsBefore: loaded.census(path).perForward.off.weightCasts,
    weightCastsAfter: census.perForward.off.weightCasts
  };
}

/** What is computed from weights on every forward and then cast: no weight of the file, so that there is none to convert. */
function computedLeft(
  { weightCasts }: ICensus,
  reasons: ReadonlyMap<string, string> | undefined
): IFixResult['left'] {
  return weightCasts
    .filter(({ kind }) => kind === 'computed')
    .map(({ weight, computedFrom }) => ({
      weight,
      reason:
        reasons?.get(weight) ??
        `computed from ${some(computedFrom)} on every forward; the modes folded and frozen compute it once`
    }));
}

/** Write the model with its types put right, as far as there is nothing to choose. */
async function writeWithTypes(
  loaded: LoadedModel,
  target: string,
  transfer: IByteTransfer
): Promise<Written> {
  const { model } = loaded;
  await outputTarget(model, dataFileOf(target));
  if (loaded.typeErrors.length === 0 && model.files.length === 1) {
    await copyFile(model, target, transfer);
    return { converted: [], left: [], changes: [] };
  }
  const { edits, changes } = planTypeEdits(model);
  await rewriteOnnx(model, target, edits, transfer);
  return { converted: [], left: [], changes };
}

/**
 * Bytes on their way, with progress; lets messages in between pieces and stops when the job is cancelled. Bytes of a file that has
 * changed meanwhile are refused: half of them would be of another model.
 */
class Transfer implements IByteTransfer {
  constructor(
    private readonly _source: LoadedModel,
    private readonly _workers: WeightWorkers,
    private readonly _job: IJob
  ) {
    this._totalBytes = sizeOf(_source.model);
  }

  async *copy(range: IByteRange): AsyncGenerator<Uint8Array> {
    for await (const piece of streamByteRange(range)) {
      yield piece;
      this._advance(piece.length);
      await breathe(this._job);
    }
    await this._source.checkFiles();
  }

  async *convert(range: IByteRange, from: DType, to: DType): AsyncGenerator<Uint8Array> {
    const weight = weightOf(range, from);
    const chunks = new WeightChunks(weight);
    const tasks = Array.from({ length: chunks.count }, (_, chunk): ICastTask => ({
      kind: 'cast',
      weight,
      chunk,
      steps: [to]
    }));
    let done = 0;
    // Threads read ahead while a piece is written; whether they are worth it is a matter of the whole model.
    for await (const piece of this._workers.run(tasks, this._totalBytes, this._job)) {
      yield piece;
      this._advance(chunks.sizeBytes(done++));
    }
    await this._source.checkFiles();
  }

  async *convertBytes(bytes: Uint8Array, from: DType, to: DType): AsyncGenerator<Uint8Array> {
    yield castBytes(bytes, from, to);
    await breathe(this._job);
  }

  private _advance(bytes: number): void {
    this._doneBytes += bytes;
    this._job.progress?.({
      text: 'Writing the repaired model',
      done: Math.min(this._doneBytes, this._totalBytes),
      total: this._totalBytes,
      unit: 'bytes'
    });
  }

  private readonly _totalBytes: number;
  private _doneBytes = 0;
}

/** A run of elements in a file as a weight. */
function weightOf(range: IByteRange, dtype: DType): IWeight {
  const storage = `${range.file}:${range.offset}:${range.length}`;
  return {
    storage,
    names: [storage],
    kind: 'constant',
    dtype,
    shape: [Math.floor((range.length * 8) / DTYPES[dtype].bits)],
    strides: [1],
    storageOffset: 0,
    requiresGrad: null,
    data: { kind: 'range', range }
  };
}

/** The format stays what it is: a name that promises another one would mislead whoever opens the file. */
function refuseOtherFormat(format: IExportedModel['format'], output: string): void {
  const extension = extname(output).toLowerCase();
  if (extension === (format === 'pt2' ? '.onnx' : '.pt2')) {
    throw new CastlensError('bad-argument', 'fix keeps the format of the file', {
      file: output,
      expected: `a name that ends in .${format}`,
      found: extension
    });
  }
}

function sizeOf(model: IExportedModel): number {
  return model.files.reduce((total, file) => total + file.sizeBytes, 0);
}
