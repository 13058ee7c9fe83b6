/**
 * Sessions of onnxruntime.
 *
 * @packageDocumentation
 */
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { InferenceSession, Tensor } from 'onnxruntime-node';

import type { DType } from '../model';
import { CastlensError } from '../model';
import type { ElementArray, ITensor } from '../numerics';
import type { Ort } from './binding';
import { loadOrt, ortVersion } from './binding';
import type { Device } from './devices';
import { providerOf } from './devices';
import { wrapError } from './orterror';
import type { IProfile } from './profile';
import { isWholeProfile, parseProfile } from './profile';
import { privateFolder } from './tempdir';
import { temporaryFailure, writingFails } from './temporaryfailure';

/**
 * What the runtime may do to the graph.
 *
 * - `planned`: nothing. Every node of the graph is executed under its own name.
 * - `default`: the runtime's own default optimisations.
 */
export type OptimizationLevel = 'planned' | 'default';

/**
 * A model loaded into onnxruntime.
 *
 * #### Notes
 * Creation and `run()` block the thread: onnxruntime-node does its work synchronously. Weights that the model names as external
 * data are mapped, not copied.
 */
export class RuntimeSession {
  /**
   * Load a model.
   *
   * @param model - a serialised ONNX model. Locations of its external data are paths from the root of the file system.
   *
   * @throws CastlensError naming node and operator where onnxruntime refuses the model.
   */
  static async create(
    model: Uint8Array,
    options: RuntimeSession.IOptions
  ): Promise<RuntimeSession> {
    const ort = await loadOrt();
    const profilePrefix = options.profile
      ? join(privateFolder(), `profile-${randomBytes(6).toString('hex')}`)
      : null;
    if (options.device.kind === 'cuda') {
      // onnxruntime-node passes no options to the provider; cuBLAS and cuDNN read this one themselves. float32 stays float32.
      process.env.NVIDIA_TF32_OVERRIDE = '0';
      // So that its numbers are those of nvidia-smi; it would put the fastest GPU first.
      process.env.CUDA_DEVICE_ORDER ??= 'PCI_BUS_ID';
    }
    const start = performance.now();
    let session: InferenceSession;
    try {
      session = await ort.InferenceSession.create(model, sessionOptions(options, profilePrefix));
    } catch (error) {
      removeProfiles(profilePrefix);
      throw failureOf(error, 'onnxruntime cannot load the model', options.device);
    }
    return new RuntimeSession(ort, session, options, profilePrefix, performance.now() - start);
  }

  /** The options that onnxruntime itself is given, without a profile. */
  static nativeOptions(options: RuntimeSession.IOptions): InferenceSession.SessionOptions {
    return sessionOptions(options, null);
  }

  private constructor(
    private readonly _ort: Ort,
    private readonly _session: InferenceSession,
    private readonly _options: RuntimeSession.IOptions,
    private readonly _profilePrefix: string | null,
    /** Time it took to create the session, milliseconds. */
    readonly loadMs: number
  ) {}

  /** Names of the model's inputs, in order. */
  get inputNames(): readonly string[] {
    return this._session.inputNames;
  }

  /** Names of the model's outputs, in order. */
  get outputNames(): readonly string[] {
    return this._session.outputNames;
  }

  /** What runs: `CPUExecutionProvider, onnxruntime 1.30.0, graph optimisations disabled`. */
  describe(): string {
    const level =
      this._options.level === 'planned'
        ? 'graph optimisations disabled'
        : 'default graph optimisations';
    return `${providerOf(this._options.device)}, onnxruntime ${ortVersion(this._ort)}, ${level}`;
  }

  /**
   * One forward.
   *
   * @param feeds - input tensors by name. Their dtypes are those of the ONNX graph: bfloat16 is never among them.
   * @param fetches - names of the outputs wanted; all where left out.
   *
   * @returns outputs by name, in new memory.
   *
   * @throws CastlensError naming node and operator where a kernel fails, or an input that is missing or does not fit.
   */
  async run(
    feeds: ReadonlyMap<string, ITensor>,
    fetches?: readonly string[]
  ): Promise<Map<string, ITensor>> {
    const prepared = this._prepare(feeds, fetches);
    return toTensors(await this._execute(prepared));
  }

  /**
   * One forward whose outputs are written to memory of the caller: nothing is allocated for them.
   *
   * @param results - a tensor for every output, by name, of its dtype and sizes.
   */
  async runInto(
    feeds: ReadonlyMap<string, ITensor>,
    results: ReadonlyMap<string, ITensor>
  ): Promise<void> {
    const { tensors } = this._prepare(feeds);
    const fetches: Record<string, Tensor> = {};
    for (const [name, tensor] of results) {
      fetches[name] = toOrtTensor(this._ort, name, tensor);
    }
    await this._execute({ tensors, fetches });
  }

  /**
   * A forward ready to be repeated: input tensors are made once, so that timing it times the model alone. Outputs are dropped.
   */
  prepareRun(feeds: ReadonlyMap<string, ITensor>): () => Promise<void> {
    const prepared = this._prepare(feeds);
    return async () => {
      await this._execute(prepared);
    };
  }

  /**
   * End profiling and read the profile. Once per session, after its runs.
   *
   * @throws CastlensError where the session was made without `profile`, or the profile is missing or not whole, since the disk is full
   * for one.
   */
  endProfile(): IProfile {
    const prefix = this._profilePrefix;
    if (prefix === null) {
      throw new CastlensError('bad-argument', 'the session was made without a profile');
    }
    this._session.endProfiling();
    this._profileEnded = true;
    try {
      const [file] = profileFiles(prefix);
      const text = file === undefined ? '' : readFileSync(file, 'utf8');
      if (!isWholeProfile(text)) {
        throw incompleteProfile();
      }
      return parseProfile(text);
    } finally {
      removeProfiles(prefix);
    }
  }

  /** Release the model. Idempotent. */
  async dispose(): Promise<void> {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    if (!(isCudaLost && this._options.device.kind === 'cuda')) {
      if (this._profilePrefix !== null && !this._profileEnded) {
        this._session.endProfiling();
      }
      await this._session.release();
    }
    removeProfiles(this._profilePrefix);
  }

  private _prepare(feeds: ReadonlyMap<string, ITensor>, fetches?: readonly string[]): IPrepared {
    if (this._isDisposed) {
      throw new CastlensError('bad-argument', 'the session has been disposed');
    }
    const tensors: Record<string, Tensor> = {};
    for (const name of this._session.inputNames) {
      const tensor = feeds.get(name);
      if (!tensor) {
        throw new CastlensError('bad-input', 'an input is missing', {
          entry: name,
          expected: this._session.inputNames.join(', '),
          found: [...feeds.keys()].join(', ') || 'none'
        });
      }
      tensors[name] = toOrtTensor(this._ort, name, tensor);
    }
    return { tensors, fetches: fetches ? [...fetches] : [...this._session.outputNames] };
  }

  private async _execute(prepared: IPrepared): Promise<InferenceSession.ReturnType> {
    try {
      return await this._session.run(prepared.tensors, prepared.fetches);
    } catch (error) {
      throw failureOf(error, 'onnxruntime failed to run the model', this._options.device);
    }
  }

  private _isDisposed = false;
  private _profileEnded = false;
}

/** Whether this process lost a GPU: then no session can release what it has there, and trying may never end. */
let isCudaLost = false;

/** The error for the reader, remembered where it says that a GPU is lost. */
function failureOf(error: unknown, summary: string, device: Device): CastlensError {
  const failure = wrapError(error, summary, device);
  isCudaLost ||= failure.code === 'device-lost';
  return failure;
}

/** A namespace for `RuntimeSession` statics. */
export namespace RuntimeSession {
  /** Options of a session. */
  export interface IOptions {
    readonly device: Device;
    readonly level: OptimizationLevel;
    /** Record which kernels run, for `endProfile()`. Costs time: do not time such a session. */
    readonly profile?: boolean;
    /** Threads within an operator; the runtime's choice where left out. */
    readonly threads?: number;
  }
}

/** Optimisers that run even where graph optimisations are disabled, or that would fold, merge or drop casts. */
const DISABLED_OPTIMIZERS = 'ConstantFolding;CommonSubexpressionElimination;GemmTransposeFusion';

/** Failures are thrown with their text; onnxruntime need not print them too. */
const LOG_FATAL_ONLY = 4;

interface IPrepared {
  readonly tensors: Record<string, Tensor>;
  /** Names of outputs, or the memory they go to. */
  readonly fetches: readonly string[] | Readonly<Record<string, Tensor>>;
}

function sessionOptions(
  options: RuntimeSession.IOptions,
  profilePrefix: string | null
): InferenceSession.SessionOptions {
  const planned = options.level === 'planned';
  const isCuda = options.device.kind === 'cuda';
  return {
    executionProviders: executionProviders(options.device),
    ...(planned ? { graphOptimizationLevel: 'disabled' } : {}),
    ...(options.threads === undefined ? {} : { intraOpNumThreads: options.threads }),
    ...(profilePrefix === null ? {} : { enableProfiling: true, profileFilePrefix: profilePrefix }),
    logSeverityLevel: LOG_FATAL_ONLY,
    extra: {
      session: {
        model_external_initializers_file_folder_path: '/',
        // Threads of a session that has just run would otherwise spin on while another one is being timed.
        force_spinning_stop: '1',
        // Weights are placed once, in blocks of their own size instead of the growing ones of the arena; and constant ones go to the
        // kernels as computed ones do.
        ...(isCuda ? { use_device_allocator_for_initializers: '1', disable_prepacking: '1' } : {})
      },
      ...(planned ? { optimization: { disable_specified_optimizers: DISABLED_OPTIMIZERS } } : {})
    }
  };
}

function executionProviders(device: Device): InferenceSession.ExecutionProviderConfig[] {
  switch (device.kind) {
    case 'cpu':
      return ['cpu'];
    case 'cuda':
      return [{ name: 'cuda', deviceId: device.index }];
    case 'webgpu':
      return ['webgpu'];
  }
}

/** Element types that onnxruntime-node passes in and out. */
const ORT_TYPES: ReadonlySet<DType> = new Set<DType>([
  'float32',
  'float64',
  'float16',
  'int8',
  'int16',
  'int32',
  'int64',
  'uint8',
  'uint16',
  'uint32',
  'uint64',
  'bool'
]);

function toOrtTensor(ort: Ort, name: string, tensor: ITensor): Tensor {
  if (!ORT_TYPES.has(tensor.dtype)) {
    throw new CastlensError('bad-input', `onnxruntime-node cannot take ${tensor.dtype} inputs`, {
      entry: name
    });
  }
  const make = ort.Tensor as new (
    type: string,
    data: ElementArray,
    dims: readonly number[]
  ) => Tensor;
  try {
    return new make(tensor.dtype, tensor.data, tensor.shape);
  } catch (cause) {
    throw new CastlensError('bad-input', 'an input does not fit its shape', {
      entry: name,
      expected: `${tensor.dtype} [${tensor.shape.join(', ')}]`,
      found: (cause as Error).message,
      cause
    });
  }
}

function toTensors(results: InferenceSession.ReturnType): Map<string, ITensor> {
  const tensors = new Map<string, ITensor>();
  for (const name of Object.keys(results)) {
    const { type, dims, data } = results[name] as Tensor;
    if (!ORT_TYPES.has(type as DType)) {
      throw new CastlensError('runtime', `an output of type ${type} cannot be handed on`, {
        entry: name,
        expected: 'a tensor of numbers or bool',
        found: type
      });
    }
    tensors.set(name, { dtype: type as DType, shape: dims, data: asElements(type, data) });
  }
  return tensors;
}

/** float16 comes as `Float16Array` where Node has it: its bits then. */
function asElements(type: string, data: Tensor['data']): ElementArray {
  const array = data as ElementArray;
  return type === 'float16'
    ? new Uint16Array(array.buffer, array.byteOffset, array.byteLength / 2)
    : array;
}

function profileFiles(prefix: string): string[] {
  const folder = privateFolder();
  return readdirSync(folder)
    .map(name => join(folder, name))
    .filter(path => path.startsWith(prefix));
}

/** Why a profile is missing or ends before its end, of which onnxruntime says nothing. */
function incompleteProfile(): CastlensError {
  const folder = privateFolder();
  const cause = writingFails(folder);
  return cause === null
    ? new CastlensError('runtime', 'onnxruntime wrote no profile, or a part of it', {
        file: folder,
        hint: 'Another program may have removed the file, or filled the disk for a moment: try again'
      })
    : temporaryFailure('the profile of onnxruntime and other temporary files', folder, cause);
}

function removeProfiles(prefix: string | null): void {
  if (prefix !== null) {
    profileFiles(prefix).forEach(path => rmSync(path, { force: true }));
  }
}
