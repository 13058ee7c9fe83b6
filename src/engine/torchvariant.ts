/**
 * A variant that PyTorch runs, in a process of the user's Python.
 *
 * @packageDocumentation
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { openSafetensors, readByteRange, writeSafetensors } from '../formats';
import type { IExportedModel } from '../model';
import { CastlensError } from '../model';
import { bytesOf, tensorFromBytes } from '../numerics';
import type { ITorchCast, IVariant, TorchRuntime } from '../protocol';
import { missingMode, TORCH_MODE_TEXTS } from '../protocol';
import type { PackageCache, PythonWorker } from '../pytorch';
import { digestOf, notesOf } from '../pytorch';
import type { IJob } from '../runtime';
import { privateFolder } from '../runtime';
import type { IContender } from './contender';
import type { IBoundInputs } from './inputs';
import type { LoadedModel } from './modelstore';
import type { INamedTensor } from './outputs';
import type { IStartedWorker, IWorkerState, TorchHost } from './torchhost';

/** Casts of the graphs that Inductor generates code from. */
interface ILoweredCasts {
  readonly everyCall: readonly ITorchCast[];
  readonly atLoad: readonly ITorchCast[];
}

/** What the worker answers when a variant is ready. */
interface IPrepared {
  readonly compileMs: number | null;
  readonly reused: boolean;
  readonly loadMs: number;
  readonly hostBytes: number | null;
  readonly deviceBytes: number | null;
  readonly peakRssBytes: number;
  readonly lowered: ILoweredCasts | null;
  readonly eager?: readonly ITorchCast[];
  readonly options: Readonly<Record<string, unknown>>;
  /** What environment variables and configuration files set of Inductor. */
  readonly outsideOptions: readonly string[];
  readonly describe: string;
}

/** What is kept beside a compiled package. */
interface IPackageNotes {
  readonly compileMs: number;
  readonly lowered: ILoweredCasts;
}

/** What a PyTorch variant is made of, beside the model. */
export interface ITorchSource {
  /** The file that PyTorch loads: the model's, or the repaired one. */
  readonly path: string;
  readonly inputs: IBoundInputs;
}

/**
 * Load or compile a variant in the worker and run it once.
 *
 * @throws CastlensError where PyTorch cannot load, compile or run the program, or the variant is none of its runtime.
 */
export async function prepareTorchVariant(
  { worker, state }: IStartedWorker,
  { packages, clock }: Pick<TorchHost, 'packages' | 'clock'>,
  loaded: LoadedModel,
  variant: IVariant,
  { path, inputs }: ITorchSource,
  job: IJob
): Promise<IContender> {
  const runtime = variant.runtimeName as TorchRuntime;
  const id = `${runtime}-${nextId++}`;
  const mode = variant.repaired === true ? 'off' : variant.cache;
  const inputsFile = join(privateFolder(), `${id}-inputs.safetensors`);
  const outputsFile = join(privateFolder(), `${id}-outputs.safetensors`);
  await writeInputs(loaded.model, inputs, inputsFile);
  const program = loaded.model.programs?.chosen ?? null;
  const params = {
    id,
    runtime,
    mode,
    path,
    program,
    device: variant.device,
    inputsFile,
    outputsFile,
    ...(runtime === 'aotinductor'
      ? { package: await packagePath(packages, state, { path, program, mode, variant }, job) }
      : {})
  };
  let prepared: IPrepared;
  let outputs: INamedTensor[];
  // The repaired program compiles as the model itself does.
  const clockKey = `${loaded.model.path} ${runtime}`;
  const watched = clock.watch(clockKey, job);
  try {
    prepared = await worker.ask<IPrepared>('prepare', params, watched.job);
    outputs = await readOutputs(loaded.model, outputsFile);
  } finally {
    watched.stop();
    rmSync(inputsFile, { force: true });
    rmSync(outputsFile, { force: true });
  }
  if (prepared.compileMs !== null) {
    clock.note(clockKey, prepared.compileMs);
  }
  const notes = params.package === undefined ? null : keepNotes(params.package, prepared);
  if (params.package !== undefined) {
    packages.use(params.package);
  }
  const lowered = prepared.lowered ?? notes?.lowered ?? null;
  const casts = prepared.eager ?? lowered?.everyCall ?? [];
  const label = TORCH_MODE_TEXTS[runtime][variant.repaired === true ? 'repaired' : variant.cache];
  return {
    variant,
    outputs,
    process: `python ${worker.pid}`,
    run: async () => (await worker.ask<{ ms: number }>('time', { id }, job)).ms,
    release: () => releaseVariant(worker, id),
    describe: () => ({
      ...variant,
      runtime: [`${prepared.describe}: ${label}`, ...prepared.outsideOptions].join('; '),
      plannedWeightCasts: null,
      plannedBytesMoved: null,
      executedWeightCasts: casts.reduce((sum, { count }) => sum + count, 0),
      executedBy:
        runtime === 'eager'
          ? 'counted in the dispatcher while it ran'
          : 'counted in the graph that Inductor generated code from',
      weightCasts: casts,
      castsAtLoad: lowered?.atLoad.reduce((sum, { count }) => sum + count, 0) ?? null,
      compileMs: prepared.compileMs ?? notes?.compileMs ?? null,
      loadMs: prepared.loadMs,
      reused: prepared.reused,
      weightBytes: null,
      memory: {
        fileBackedBytes: null,
        hostBytes: prepared.hostBytes,
        deviceBytes: prepared.deviceBytes
      },
      peakRssBytes: prepared.peakRssBytes,
      passReports: [],
      findings: []
    })
  };
}

let nextId = 1;

/**
 * Refuse what PyTorch's runtimes have not.
 *
 * @throws CastlensError('bad-argument').
 */
export function refuseTorch(model: IExportedModel, variant: IVariant): void {
  const { cache, repaired, passes, regions, device } = variant;
  const runtime = variant.runtimeName ?? 'onnxruntime';
  const wrong = (summary: string, hint: string): CastlensError =>
    new CastlensError('bad-argument', summary, { file: model.path, hint });
  if (model.format !== 'pt2') {
    throw wrong(
      `${runtime} runs exported programs of PyTorch only`,
      'Open the .pt2 file that torch.export.save writes.'
    );
  }
  const missing = missingMode(runtime, repaired === true ? 'repaired' : cache);
  if (missing !== null) {
    throw wrong(missing, 'Ask for a mode that it has.');
  }
  if (passes.length > 0 || regions !== undefined) {
    throw wrong(
      `${runtime} runs the program as recorded, without castlens' passes and with its own regions`,
      'Write the model with overridden regions by castlens fix, and compare that file.'
    );
  }
  if (!/^(cpu|cuda(:\d+)?)$/.test(device)) {
    throw wrong(`${runtime} does not run on ${device}`, 'Ask for cpu or cuda.');
  }
}

/** Write the tensors among the inputs, in the order of the program. */
async function writeInputs(
  model: IExportedModel,
  { tensors }: IBoundInputs,
  path: string
): Promise<void> {
  const given = model.inputs.flatMap(({ value }, i) => {
    const tensor = value === null ? undefined : tensors.get(value.name);
    return tensor === undefined ? [] : [{ name: `input_${i}`, tensor }];
  });
  await writeSafetensors(
    path,
    given.map(({ name, tensor }) => ({
      name,
      dtype: tensor.dtype,
      shape: tensor.shape,
      data: bytesOf(tensor.data)
    }))
  );
}

/** The tensors that the worker wrote, by the names of the model's outputs. */
async function readOutputs(model: IExportedModel, path: string): Promise<INamedTensor[]> {
  const names = model.outputs.filter(({ value }) => value !== null).map(({ name }) => name);
  const stored = [...(await openSafetensors(path))];
  const outputs: INamedTensor[] = [];
  for (const [i, [stand, { dtype, shape, range }]] of stored.entries()) {
    const name = stored.length === names.length ? names[i] : stand;
    outputs.push({ name, tensor: tensorFromBytes(dtype, shape, await readByteRange(range)) });
  }
  return outputs;
}

async function packagePath(
  packages: PackageCache,
  { torch, instructionSet }: IWorkerState,
  wanted: {
    readonly path: string;
    readonly program: string | null;
    readonly mode: string;
    readonly variant: IVariant;
  },
  job: IJob
): Promise<string> {
  job.progress?.({ text: 'Reading the program' });
  return packages.pathOf({
    program: await digestOf(wanted.path, job.signal),
    name: wanted.program,
    options: wanted.mode,
    torch,
    instructionSet,
    device: wanted.variant.device
  });
}

/** Keep what only compiling tells beside the package; read it where the package was there already. */
function keepNotes(path: string, { compileMs, lowered }: IPrepared): IPackageNotes | null {
  if (compileMs !== null && lowered !== null) {
    const notes: IPackageNotes = { compileMs, lowered };
    writeFileSync(notesOf(path), JSON.stringify(notes));
    return notes;
  }
  if (!existsSync(notesOf(path))) {
    return null;
  }
  return JSON.parse(readFileSync(notesOf(path), 'utf8')) as IPackageNotes;
}

async function releaseVariant(worker: PythonWorker, id: string): Promise<void> {
  if (worker.alive) {
    // A worker that dies meanwhile has released everything.
    await worker.ask('release', { id }).catch(() => undefined);
  }
}
