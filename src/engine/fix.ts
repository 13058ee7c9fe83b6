/**
 * The repaired model: weights stored in the precision they are used in.
 *
 * @packageDocumentation
 */
import { extname } from 'node:path';

import { checkOverrides, some, typeErrorText } from '../autocast';
import type { IByteTransfer } from '../formats';
import {
  dataFileOf,
  editableParts,
  Pt2Rewriter,
  rewriteOnnx,
  streamByteRange,
  writeFileAtomically
} from '../formats';
import type { DType, IByteRange, IExportedModel, IValue, IWeight } from '../model';
import { CastlensError, DTYPES, graphsOf } from '../model';
import { castBytes } from '../numerics';
import type { ICensus, IFixResult, MixedWeights, Params, RegionOverrides } from '../protocol';
import type { ICastTask, IJob, WeightWorkers } from '../runtime';
import { breathe, WeightChunks } from '../runtime';
import type { IFixPlan } from './fixplan';
import { onnxLimits, pt2Limits } from './fixlimits';
import { planFix, storageOf } from './fixplan';
import { planRegionEdits } from './fixregions';
import { planTypeEdits, refuseWithTypes } from './fixtypes';
import { placed } from './placed';
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
  const isTypes = params.types === true;
  const loaded = await store.load({ path, program, version });
  const regions = checkOverrides(params.regions, loaded.model);
  if (regions !== undefined && params.codeFile !== undefined) {
    throw new CastlensError('bad-argument', 'the code is about the program as recorded', {
      hint: 'Change the region in your own script, export again and ask for the code then; or write the file without the code.'
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
  const written = isTypes
    ? await writeWithTypes(loaded, target, transfer)
    : await write(loaded, target, { mixed, regions }, transfer);
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
    left: [...written.left, ...computedLeft(census)],
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
function computedLeft({ weightCasts }: ICensus): IFixResult['left'] {
  return weightCasts
    .filter(({ kind }) => kind === 'computed')
    .map(({ weight, computedFrom }) => ({
      weight,
      reason: `computed from ${some(computedFrom)} on every forward; the modes folded and frozen compute it once`
    }));
}

/** How a file is to be repaired. */
interface IWishes {
  readonly mixed: MixedWeights;
  /** In normal form. */
  readonly regions: RegionOverrides | undefined;
}

type Written = Pick<IFixResult, 'converted' | 'left'> & { readonly changes?: readonly string[] };

async function write(
  loaded: LoadedModel,
  target: string,
  wishes: IWishes,
  transfer: IByteTransfer
): Promise<Written> {
  const { model } = loaded;
  switch (model.format) {
    case 'pt2':
      return writePt2(loaded, target, wishes, transfer);
    case 'onnx':
      return writeOnnxModel(loaded, target, wishes.mixed, transfer);
  }
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
    await copyFile(model.path, sizeOf(model), target, transfer);
    return { converted: [], left: [], changes: [] };
  }
  const { edits, changes } = planTypeEdits(model);
  await rewriteOnnx(model, target, edits, transfer);
  return { converted: [], left: [], changes };
}

async function writePt2(
  loaded: LoadedModel,
  target: string,
  { mixed, regions }: IWishes,
  transfer: IByteTransfer
): Promise<Written> {
  const { model } = loaded;
  const explicit = loaded.explicitUnder(regions);
  const changes = planRegionEdits(model, regions, explicit, loaded.explicit);
  const rewriter = await Pt2Rewriter.open(model);
  try {
    const plan = planFix(explicit, model, mixed, pt2Limits(rewriter.pinned()));
    if (plan.storages.size === 0 && plan.copies.length === 0 && changes.regions.size === 0) {
      await copyFile(model.path, sizeOf(model), target, transfer);
      return describe(plan, []);
    }
    const weights = new Map<string, DType>();
    for (const { weights: converted, to } of plan.storages.values()) {
      converted.forEach(({ names }) => names.forEach(name => weights.set(name, to)));
    }
    const fqns = await rewriter.write(
      target,
      {
        storages: plan.storages,
        regions: changes.regions,
        dtypes: new Map([...changes.dtypes, ...byName(plan.dtypes)]),
        casts: new Set([...plan.casts].map(({ name }) => name)),
        operands: new Map(
          [...byName(plan.operands)].map(([name, operands]) => [name, byName(operands)])
        ),
        weights,
        copies: plan.copies.map(({ value, weight, to }) => ({
          value: value.name,
          weight: weight.names[0],
          to
        }))
      },
      transfer
    );
    return describe(plan, fqns);
  } finally {
    rewriter.close();
  }
}

async function writeOnnxModel(
  loaded: LoadedModel,
  target: string,
  mixed: MixedWeights,
  transfer: IByteTransfer
): Promise<Written> {
  const { model, explicit } = loaded;
  await outputTarget(model, dataFileOf(target));
  const { values, nodes } = editableParts(model);
  const plan = planFix(explicit, model, mixed, onnxLimits(model, { values, nodes }));
  if (plan.storages.size === 0 && plan.copies.length === 0 && model.files.length === 1) {
    await copyFile(model.path, sizeOf(model), target, transfer);
    return describe(plan, []);
  }
  const weights = new Map<IValue, DType>();
  for (const graph of graphsOf(model.graph)) {
    for (const { value, weight } of graph.weights) {
      const conversion = plan.storages.get(storageOf(weight));
      if (conversion !== undefined) {
        weights.set(value, conversion.to);
      }
    }
  }
  const casts = new Map([...plan.casts].map(node => [node, true]));
  const { copies } = await rewriteOnnx(
    model,
    target,
    {
      weights: placed(weights, values),
      dtypes: placed(plan.dtypes, values),
      // Casts in functions are not in the file as often as they run: they stay, and cast nothing.
      casts: new Set(placed(casts, nodes).keys()),
      copies: plan.copies.map(({ value, to }) => ({
        value: values.get(value)!,
        name: value.name,
        to
      })),
      operands: new Map(
        [...placed(plan.operands, nodes)].map(([place, operands]) => [
          place,
          placed(operands, values)
        ])
      )
    },
    transfer
  );
  return describe(plan, copies);
}

/** The same by names. */
function byName<T>(entries: ReadonlyMap<{ readonly name: string }, T>): Map<string, T> {
  return new Map([...entries].map(([{ name }, item]) => [name, item]));
}

function describe(plan: IFixPlan, copies: readonly string[]): Written {
  const converted: IFixResult['converted'][number][] = [];
  for (const { weights, from, to } of plan.storages.values()) {
    converted.push(...weights.map(weight => ({ weight: weight.names[0], from, to })));
  }
  plan.copies.forEach(({ weight, to }, i) =>
    converted.push({ weight: weight.names[0], from: weight.dtype, to, copy: copies[i] })
  );
  const reasons = new Map<IWeight, string>();
  plan.left.forEach(({ weight, reason }) => reasons.set(weight, reason));
  return {
    converted,
    left: [...reasons].map(([weight, reason]) => ({ weight: weight.names[0], reason }))
  };
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
      fraction: Math.min(1, this._doneBytes / Math.max(this._totalBytes, 1))
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

async function copyFile(
  source: string,
  sizeBytes: number,
  target: string,
  transfer: IByteTransfer
): Promise<void> {
  const range = { file: source, offset: 0, length: sizeBytes };
  await writeFileAtomically(target, async sink => {
    for await (const piece of transfer.copy(range)) {
      await sink.write(piece);
    }
  });
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
