/**
 * `castlens` in cells: what the panel does, by hand.
 *
 * Results are the plain objects of the protocol, with a look of their own when they are what a cell ends with.
 *
 * @packageDocumentation
 */
import { resolve } from 'node:path';
import { CastlensError } from '../../../errors';
import type {
  CacheMode,
  CodeStrategyName,
  ICensus,
  ICodeResult,
  ICompareResult,
  IDeviceInfo,
  IFixResult,
  IModelInfo,
  IModelRef,
  IPackageInfo,
  IPlan,
  IProgress,
  IRunInputs,
  IRunResult,
  IVariant,
  IWeightUpdateResult,
  MixedWeights,
  IRegionOverride,
  PassName,
  Reference,
  RegionChoice,
  RegionOverrides,
  RuntimeMode,
  RuntimeName
} from '../../../protocol';
import {
  CACHE_MODES,
  CODE_STRATEGIES,
  compareParams,
  describeValue,
  escapeControls,
  isRegionChoice,
  MIXED_WEIGHTS,
  overrideOf,
  PASSES,
  REFERENCES,
  REGION_CHOICES,
  RUNTIME_CACHES,
  RUNTIMES
} from '../../../protocol';
import type { MimeBundle } from '../../message';
import { DISPLAY } from '../display';
import { documentation } from '../documentation';
import { checkOptions, optionHelp, optionList } from './calloptions';
import type { EngineClient } from './engineclient';
import { packageTables } from './packageviews';
import { TensorStats } from './stats';
import { tableBundle } from './table';
import {
  censusTable,
  codeBundle,
  compareChart,
  compareTable,
  devicesTable,
  fixTable,
  modelTable,
  planTable,
  runTable,
  updateTable
} from './views';

/** Options of `open()`. */
export interface IOpenOptions {
  /** Name of the program, of an archive with several. */
  program?: string;
}

/** Options of `package()`. */
export interface IPackageOptions extends IOpenOptions {
  /** The exported program to compare with; by default one beside the package that its name names. */
  against?: string;
}

/** What to run. */
export interface IVariantOptions {
  /** Cache mode or reference; `off` by default. */
  cache?: CacheMode | Reference;
  /** Passes to apply; none by default. */
  passes?: readonly PassName[];
  /** `cpu` by default. */
  device?: string;
  /** Autocast regions to run otherwise than recorded, by id. */
  regions?: Readonly<Record<string, RegionChoice | IRegionOverride>>;
}

/** What to run it on. */
export interface IInputOptions {
  /** A `.safetensors` file with inputs by name or position; random where not given. */
  inputs?: string;
  /** Values of symbolic sizes. */
  dims?: Readonly<Record<string, number>>;
  /** Seed of random inputs. */
  seed?: number;
}

/** Told how far a long request is. */
export interface IProgressOptions {
  onProgress?: (progress: IProgress) => void;
}

/** Options of `run()`. */
export interface IRunOptions extends IVariantOptions, IInputOptions, IProgressOptions {
  /** A `.safetensors` file to write the outputs to. */
  outputs?: string;
}

/** Options of `compare()`. */
export interface ICompareOptions
  extends Omit<IVariantOptions, 'cache'>, IInputOptions, IProgressOptions {
  /**
   * Cache modes and references to compare, `'repaired'` for the repaired model in PyTorch; `'all'` for every one of them. By default the four
   * cache modes, and in PyTorch all that a runtime has.
   */
  cache?: 'all' | readonly RuntimeMode[];
  /** What runs the variants; `['onnxruntime']` by default. The others are PyTorch, and need `trust`. */
  runtimes?: readonly RuntimeName[];
  /** Path of the Python whose PyTorch runs variants; the first one with PyTorch by default. */
  python?: string;
  /** Let PyTorch load the file, which can run code that the file holds. */
  trust?: boolean;
  /** Threads within an operator, the same in every runtime. */
  threads?: number;
  /** Timed forwards per variant. */
  runs?: number;
  warmup?: number;
}

/** Options of `update()`: the variant to load with the new weights, `folded` where no cache mode is given. */
export interface IUpdateOptions extends IVariantOptions, IProgressOptions {}

/** Options of `stats()`; all but `onProgress` are about activations. */
export interface IStatsOptions extends IVariantOptions, IInputOptions, IProgressOptions {
  /** Summarise the values that a forward computes instead of the weights. */
  activations?: boolean;
  /** Only these values, and those of these modules; all where neither is given. */
  values?: readonly string[];
  modules?: readonly string[];
  /** Compare with the `float32` program; true by default. */
  reference?: boolean;
}

/** What becomes of weights that are used in both precisions. */
export interface IMixedOptions {
  /** `'leave'` them with their casts, the default, or `'keep-both'` copies. */
  mixed?: MixedWeights;
}

/** Options of `fix()`. */
export interface IFixOptions extends IMixedOptions, IProgressOptions {
  /** Store what is computed from weights too, where that changes no bit and takes no more space. Not with `code`. */
  foldComputed?: boolean;
  /** A Python file to write beside it, see `code()`. */
  code?: string;
  /** Autocast regions to write otherwise than recorded, by id. */
  regions?: IVariantOptions['regions'];
  /** Of an `.onnx` file: put wrong types right, and change nothing else. */
  types?: boolean;
  /** Replace files that are there. */
  overwrite?: boolean;
}

/** Options of `code()`. */
export interface ICodeOptions extends IMixedOptions {
  /** What to write; all that apply to the model by default. */
  strategies?: readonly CodeStrategyName[];
}

/** An opened model. */
export class Model {
  constructor(
    private readonly _engine: EngineClient,
    /** Absolute path. */
    readonly path: string,
    /** Structure and census. */
    readonly info: IModelInfo,
    /** Name of the program that was asked for, of an archive with several. */
    readonly program?: string
  ) {
    // What a reader sees of a model is its table, not the connection behind it.
    Object.defineProperty(this, '_engine', { enumerable: false });
    Object.defineProperty(this, '_weights', { enumerable: false, writable: true });
  }

  /** The file the weights come from: that of the last `update()`, or the model's own. */
  get weights(): string {
    return this._weights ?? this.path;
  }

  /**
   * Switch to the weights of another file, once they are checked and a variant is loaded with them; calls under way finish on
   * the old ones. Where they do not fit, nothing changes.
   */
  update(weights: string, options: IUpdateOptions = {}): Promise<IWeightUpdateResult> {
    return Private.promise(async () => {
      checkOptions('update', options);
      if (typeof weights !== 'string') {
        throw new TypeError('update() takes the path of a .safetensors file or of another export');
      }
      const { cache = 'folded', onProgress } = options;
      const source = resolve(weights);
      const variant = Private.variantOf({ ...options, cache });
      const params = { ...this._own, weights: source, variant };
      const { result } = await this._engine.ask('updateWeights', params, onProgress);
      this._weights = source;
      return Private.shown(result, update => tableBundle(updateTable(update)));
    });
  }

  /** The casts in the file. */
  census(): ICensus {
    return Private.shown(this.info.census, census => tableBundle(censusTable(census)));
  }

  /** The casts in the graph of a variant; runs nothing. */
  plan(options: IVariantOptions = {}): Promise<IPlan> {
    return Private.promise(async () => {
      checkOptions('plan', options);
      const params = { ...this._ref, variant: Private.variantOf(options) };
      const { result } = await this._engine.ask('plan', params);
      return Private.shown(result, plan => tableBundle(planTable(plan)));
    });
  }

  /** One forward of a variant. */
  run(options: IRunOptions = {}): Promise<IRunResult> {
    return Private.promise(async () => {
      checkOptions('run', options);
      const params = {
        ...this._ref,
        variant: Private.variantOf(options),
        inputs: Private.inputsOf(options),
        ...(options.outputs === undefined
          ? {}
          : { outputsFile: Private.absolute('outputs', options.outputs) })
      };
      const { result } = await this._engine.ask('run', params, options.onProgress);
      return Private.shown(result, run => tableBundle(runTable(run)));
    });
  }

  /** Time variants against each other. */
  compare(options: ICompareOptions = {}): Promise<ICompareResult> {
    return Private.promise(async () => {
      checkOptions('compare', options);
      Private.checkCompare(options);
      const { inputs, python } = options;
      const params = {
        ...this._ref,
        ...compareParams({
          ...options,
          ...(inputs === undefined ? {} : { inputs: Private.absolute('inputs', inputs) }),
          ...(python === undefined ? {} : { python: Private.absolute('python', python) })
        })
      };
      const { result } = await this._engine.ask('compare', params, options.onProgress);
      return Private.shown(result, compare => [
        compareChart(compare),
        tableBundle(compareTable(compare))
      ]);
    });
  }

  /** Statistics of every weight, or of the values that a forward computes. */
  stats(options: IStatsOptions = {}): Promise<TensorStats> {
    return Private.promise(async () => {
      checkOptions('stats', options);
      const { activations = false, onProgress } = options;
      if (!activations) {
        // Weights are as stored, whatever is run.
        checkOptions('stats', options, ['activations', 'onProgress']);
        const { result, buffers } = await this._engine.ask('weightStats', this._ref, onProgress);
        return TensorStats.read(buffers[0], result.findings);
      }
      const { values, modules, reference } = options;
      const params = {
        ...this._ref,
        variant: Private.variantOf(options),
        inputs: Private.inputsOf(options),
        ...(values === undefined ? {} : { values }),
        ...(modules === undefined ? {} : { modules }),
        ...(reference === undefined ? {} : { reference })
      };
      const { result, buffers } = await this._engine.ask('activationStats', params, onProgress);
      return TensorStats.read(buffers[0], [], result);
    });
  }

  /** Write the model with the weights of its own file in the precision they are used in. */
  fix(output: string, options: IFixOptions = {}): Promise<IFixResult> {
    return Private.promise(async () => {
      if (typeof output !== 'string') {
        throw new TypeError('fix() takes the path of the file to write');
      }
      checkOptions('fix', options);
      if (this._weights !== null) {
        throw new TypeError(
          'fix() writes the weights of the model’s own file, and other ones are in use: open it anew'
        );
      }
      const { code, overwrite, regions, types, foldComputed, onProgress } = options;
      const params = {
        ...this._own,
        output: resolve(output),
        mixed: Private.mixedOf(options),
        ...(foldComputed === undefined ? {} : { foldComputed }),
        ...(types === undefined ? {} : { types }),
        ...(regions === undefined ? {} : { regions: Private.overridesOf(regions) }),
        ...(code === undefined ? {} : { codeFile: Private.absolute('code', code) }),
        ...(overwrite === undefined ? {} : { overwrite })
      };
      const { result } = await this._engine.ask('fix', params, onProgress);
      return Private.shown(result, fix => tableBundle(fixTable(fix)));
    });
  }

  /** Python for your own export script: the same repair, in PyTorch. */
  code(options: ICodeOptions = {}): Promise<ICodeResult> {
    return Private.promise(async () => {
      checkOptions('code', options);
      const { strategies } = options;
      for (const name of Private.listOf('strategies', strategies ?? [])) {
        Private.check('strategies', name, CODE_STRATEGIES);
      }
      const params = {
        ...this._own,
        mixed: Private.mixedOf(options),
        ...(strategies === undefined ? {} : { strategies })
      };
      const { result } = await this._engine.ask('code', params);
      return Private.shown(result, codeBundle);
    });
  }

  [DISPLAY](): MimeBundle {
    return tableBundle(modelTable(this.info));
  }

  private get _ref(): IModelRef {
    const { _own: own, _weights: weights } = this;
    return weights === null ? own : { ...own, weights };
  }

  /** The model with the weights of its own file. */
  private get _own(): Pick<IModelRef, 'path' | 'program'> {
    const { path, program } = this;
    return program === undefined ? { path } : { path, program };
  }

  private _weights: string | null = null;
}

/** The `castlens` global. */
export interface ICastlens {
  /** Open a model. Relative paths start from the working directory. */
  open(path: string, options?: IOpenOptions): Promise<Model>;
  /** Read a package compiled by AOTInductor: the weight casts that its code executes. Runs nothing of it. */
  package(path: string, options?: IPackageOptions): Promise<IPackageInfo>;
  /** Devices that can be chosen. */
  devices(): Promise<readonly IDeviceInfo[]>;
  readonly cacheModes: readonly CacheMode[];
  readonly references: readonly Reference[];
  readonly passes: readonly PassName[];
}

/** Makes the `castlens` global. */
export function makeCastlens(engine: EngineClient): ICastlens {
  const castlens: ICastlens = {
    open: (path, options = {}) =>
      Private.promise(async () => {
        if (typeof path !== 'string') {
          throw new TypeError('castlens.open() takes the path of a .pt2 or .onnx file');
        }
        checkOptions('open', options);
        const { program } = options;
        const absolute = resolve(path);
        const ref = program === undefined ? { path: absolute } : { path: absolute, program };
        const { result } = await engine.ask('open', ref);
        const census = { ...result.census, file: path };
        return new Model(engine, absolute, { ...result, file: path, census }, program);
      }),
    package: (path, options = {}) =>
      Private.promise(async () => {
        if (typeof path !== 'string') {
          throw new TypeError('castlens.package() takes the path of a compiled package');
        }
        checkOptions('package', options);
        const { against, program } = options;
        const { result } = await engine.ask('package', {
          path: resolve(path),
          ...(against === undefined ? {} : { against: Private.absolute('against', against) }),
          ...(program === undefined ? {} : { program })
        });
        return Private.shown({ ...result, file: path }, info =>
          packageTables(info).map(tableBundle)
        );
      }),
    devices: () =>
      Private.promise(async () => {
        const { result } = await engine.ask('devices', {});
        return Private.shown(result.devices, devices => tableBundle(devicesTable(devices)));
      }),
    cacheModes: CACHE_MODES,
    references: REFERENCES,
    passes: PASSES
  };
  documentation.set(castlens, Private.ABOUT);
  documentation.set(castlens.open, Private.OPEN);
  documentation.set(castlens.package, Private.PACKAGE);
  documentation.set(castlens.devices, Private.DEVICES);
  documentation.set(Model.prototype.census, Private.CENSUS);
  documentation.set(Model.prototype.plan, Private.PLAN);
  documentation.set(Model.prototype.run, Private.RUN);
  documentation.set(Model.prototype.compare, Private.COMPARE);
  documentation.set(Model.prototype.stats, Private.STATS);
  documentation.set(Model.prototype.update, Private.UPDATE);
  documentation.set(Model.prototype.fix, Private.FIX);
  documentation.set(Model.prototype.code, Private.CODE);
  return castlens;
}

/**
 * Whether a value is a promise of this API. A cell that ends with one waits for it: `m.compare()` shows the comparison, with
 * or without `await`.
 */
export function isPromiseOfApi(value: unknown): value is Promise<unknown> {
  return value instanceof Promise && Private.promises.has(value);
}

/**
 * The namespace for module statics.
 */
namespace Private {
  /** Promises this API has handed out. */
  export const promises = new WeakSet<Promise<unknown>>();

  /** Run `work`, and know its promise again. */
  export function promise<T>(work: () => Promise<T>): Promise<T> {
    const made = work();
    promises.add(made);
    return made;
  }

  /** Give a result its look. It stays a plain object otherwise. */
  export function shown<T extends object>(
    result: T,
    view: (result: T) => MimeBundle | readonly MimeBundle[]
  ): T {
    Object.defineProperty(result, DISPLAY, {
      value: () => view(result),
      enumerable: false,
      configurable: true
    });
    return result;
  }

  /** Refuse words of a comparison that are none, each with its option. */
  export function checkCompare({ cache, runtimes, passes, regions }: ICompareOptions): void {
    for (const mode of cache === undefined || cache === 'all' ? [] : listOf('cache', cache)) {
      check('cache', mode, RUNTIME_CACHES);
    }
    for (const runtime of listOf('runtimes', runtimes ?? [])) {
      check('runtimes', runtime, RUNTIMES);
    }
    variantOf({ passes, regions });
  }

  export function variantOf(options: IVariantOptions): IVariant {
    const { cache = 'off', passes = [], device = 'cpu', regions } = options;
    check('cache', cache, [...CACHE_MODES, ...REFERENCES]);
    for (const pass of listOf('passes', passes)) {
      check('passes', pass, PASSES);
    }
    return regions === undefined
      ? { cache, passes, device }
      : { cache, passes, device, regions: overridesOf(regions) };
  }

  /** Overrides as the engine takes them. Words become overrides; what is neither is for the engine to refuse. */
  export function overridesOf(regions: NonNullable<IVariantOptions['regions']>): RegionOverrides {
    if (typeof regions !== 'object' || regions === null) {
      throw new TypeError(`regions takes an object: { submod_1: '${REGION_CHOICES[0]}' }`);
    }
    const overrides = Object.entries(regions).map(([id, wanted]): [string, IRegionOverride] => {
      if (typeof wanted === 'string') {
        check(`regions.${id}`, wanted, REGION_CHOICES);
      }
      return [id, isRegionChoice(wanted) ? overrideOf(wanted) : wanted];
    });
    return Object.fromEntries(overrides);
  }

  export function check(option: string, value: unknown, choices: readonly string[]): void {
    if (typeof value !== 'string' || !choices.includes(value)) {
      refuse(option, choices.join(', '), value);
    }
  }

  /** A list that a cell gave. Text is none, though it has items too. */
  export function listOf<T>(option: string, value: readonly T[]): readonly T[] {
    return Array.isArray(value) ? value : refuse(option, 'a list', value);
  }

  /** Absolute path of a file that a cell named. */
  export function absolute(option: string, value: unknown): string {
    return typeof value === 'string' && value !== ''
      ? resolve(value)
      : refuse(option, 'the path of a file', value);
  }

  function refuse(option: string, expected: string, value: unknown): never {
    throw new CastlensError('bad-argument', 'wrong option', {
      entry: option,
      expected,
      found: escapeControls(describeValue(value))
    });
  }

  export function mixedOf({ mixed = 'leave' }: IMixedOptions): MixedWeights {
    check('mixed', mixed, MIXED_WEIGHTS);
    return mixed;
  }

  export function inputsOf(options: IInputOptions): IRunInputs {
    const { inputs, dims, seed } = options;
    return {
      ...(inputs === undefined ? {} : { inputsFile: absolute('inputs', inputs) }),
      ...(dims === undefined ? {} : { dims }),
      ...(seed === undefined ? {} : { seed })
    };
  }

  export const ABOUT = [
    'castlens: the casts of an exported model.',
    '',
    "const m = await castlens.open('model.pt2')   open a .pt2 or .onnx file",
    'm.census()                                   the casts in the file',
    "await m.plan({ cache: 'folded' })            the casts of a variant, without running it",
    "await m.run({ cache: 'folded' })             one forward",
    'await m.compare()                            time the cache modes against each other',
    'await m.stats()                              statistics of the weights',
    'await m.stats({ activations: true })         statistics of what a forward computes',
    "await m.update('new.safetensors')            switch to other weights",
    "await m.fix('fixed.pt2')                     the same model without the casts",
    'await m.code()                               Python that does so in your own export script',
    "await castlens.package('model.compiled.pt2') the casts that a package of AOTInductor executes",
    'await castlens.devices()                     what models can be run on'
  ].join('\n');

  export const OPEN = [
    'await castlens.open(path, { program })',
    '',
    'Open an exported model, .pt2 or .onnx. Reads its structure, not its weights.',
    'program: which one of a .pt2 archive with several.',
    'Returns a model with .info, .census(), .plan(), .run(), .compare(), .stats(), .update(), .fix() and .code().'
  ].join('\n');

  export const PACKAGE = [
    `await castlens.package(path, ${optionList('package')})`,
    '',
    'What a package compiled by AOTInductor holds, and the weight casts that one call of it executes, read from its code. Runs nothing of it.',
    '',
    ...optionHelp('package')
  ].join('\n');

  export const DEVICES = 'await castlens.devices()\n\nThe devices that models can be run on.';

  export const CENSUS = [
    'model.census()',
    '',
    'The casts in the file: of which weight, from and to which dtype, how often per forward, where in the source.'
  ].join('\n');

  export const PLAN = [
    `await model.plan(${optionList('plan')})`,
    '',
    'The casts in the graph of a variant, and what each pass did. Runs nothing.',
    '',
    ...optionHelp('plan')
  ].join('\n');

  export const RUN = [
    `await model.run(${optionList('run')})`,
    '',
    'One forward of a variant: its time, its outputs, and the weight casts that the runtime executed.',
    '',
    ...optionHelp('run')
  ].join('\n');

  export const COMPARE = [
    `await model.compare(${optionList('compare')})`,
    '',
    'Time variants against each other, interleaved: a chart and a table.',
    '',
    ...optionHelp('compare')
  ].join('\n');

  export const UPDATE = [
    `await model.update(weights, ${optionList('update')})`,
    '',
    'Switch to the weights of a .safetensors file or of another export of the model. Names, dtypes and shapes are checked first;',
    'only the casts of weights that changed are done again. Where something does not fit, nothing changes.',
    '',
    ...optionHelp('update')
  ].join('\n');

  export const FIX = [
    `await model.fix(output, ${optionList('fix')})`,
    '',
    'Write the model with its weights in the precision they are used in: the same bits, without the casts.',
    'The weights are those of its own file: refused after update().',
    '',
    ...optionHelp('fix')
  ].join('\n');

  export const CODE = [
    `await model.code(${optionList('code')})`,
    '',
    'Python for your own export script that does what model.fix() does to the file.',
    '',
    ...optionHelp('code')
  ].join('\n');

  export const STATS = [
    'await model.stats()',
    `await model.stats(${optionList('stats')})`,
    '',
    'Statistics of every weight, or with activations of the values that one forward computes, reduced on the device, and how far',
    'they are from float32: .get(name), .toArray(), iteration, and .table, an Arrow table. .findings says what the values of',
    'weights show, such as overflow in the dtype they are cast to; .about what activations cost.',
    '',
    ...optionHelp('stats')
  ].join('\n');
}
