/**
 * What the panel can do: asks the kernel, and writes what it hears into the model.
 *
 * @packageDocumentation
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { IDisposable } from '@lumino/disposable';
import { PathExt } from '@jupyterlab/coreutils';
import type { IErrorInfo } from '../errors';
import { CastlensError, errorInfoOf } from '../errors';
import type {
  CacheMode,
  IModelRef,
  IVariant,
  MixedWeights,
  Params,
  PassName,
  RegionChoice,
  RequestName,
  RuntimeName
} from '../protocol';
import { progressText, shareOf } from '../protocol';
import type { CommClient, EngineMessage, FilesMessage, IReply } from './client';
import type { KernelLink, LinkState } from './link';
import type { IMemory, PanelMemory } from './memory';
import type { FailedTask, IPanelError, PanelModel, StatisticsKind, TaskKind } from './model';
import { hasMeasured, NOTHING_FOUND } from './model';
import type { IDocumentPlace } from './paths';
import { kernelFolder, requestPath, siblingPath } from './paths';
import { codeName } from './savename';
import type { IPanelSettings } from './settings';
import type { RowId } from './runtimes';
import { ALL_ROWS, comparedRows, runtimeOfRow, toggleRuntime, variantOfRow } from './runtimes';
import {
  chooseRegion,
  rowVariant,
  togglePass,
  validOverrides,
  VARIANT_CACHES,
  variantKey,
  withRegions
} from './variants';

/** What to save. */
export interface ISaveChoice {
  /** Name of the new file, beside the model. */
  readonly name: string;
  readonly mixed: MixedWeights;
  /** Whether to store computed weights too; then no code is written. */
  readonly foldComputed?: boolean;
  /** Whether to write the PyTorch code beside it. */
  readonly writeCode: boolean;
}

/** Asks whether the file at an absolute path may be replaced. */
export type MayReplace = (file: string) => Promise<boolean>;

/** Asks whether PyTorch may load the file at an absolute path. */
export type MayTrust = (file: string) => Promise<boolean>;

/**
 * The panel's actions.
 *
 * #### Notes
 * At most one task (open, run, compare, statistics, activations, save, code) is under way; starting another one gives up the one before. Planning is
 * no task: it happens whenever the variant changes, and only the last variant's plans are waited for. Actions never reject:
 * what goes wrong is written into the model and stays there until it is dismissed or the same is done again. After every start of a
 * kernel, and when the kernel says that a file has changed, the model is opened again, and what the user had set is kept. Requests name
 * the version of the files that the panel shows, so that an answer about another one is an error; results are kept as long as the
 * version is the same.
 */
export class PanelService implements IDisposable {
  constructor(options: PanelService.IOptions) {
    this._model = options.model;
    this._link = options.link;
    this._memory = options.memory;
    this._settings = options.settings;
    this._place = options.place;
    this._trans = options.trans;
    this._reportError = options.reportError;
  }

  /** Recall what was set before, then follow the kernel. To be called once. */
  async start(): Promise<void> {
    const settings = this._settings();
    let memory: IMemory | null = null;
    try {
      memory = await this._memory.load();
    } catch (error) {
      this._reportError(error);
    }
    if (this._isDisposed) {
      return;
    }
    this._kernel = memory?.kernel ?? null;
    const { cacheMode, passes, device } = settings;
    this._model.update({
      variant: memory?.variant ?? { cache: cacheMode, passes, device },
      weights: memory?.weights ?? null,
      selected: memory?.selected.length ? memory.selected : VARIANT_CACHES,
      runtimes: memory?.runtimes ?? ['onnxruntime'],
      python: memory?.python ?? null,
      trusted: memory?.trusted ?? null,
      deployment:
        memory?.deployment ?? (settings.deployment === 'auto' ? null : settings.deployment)
    });
    this._link.stateChanged.connect(this._onLinkChanged, this);
    this._onLinkChanged(this._link, this._link.state);
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Give up what is under way. Link and model are not owned. */
  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    this._link.stateChanged.disconnect(this._onLinkChanged, this);
    this._follow(null);
    this._task?.abort();
    this._planning?.abort();
  }

  /** Whether a run, comparison or summary can be started. */
  get canWork(): boolean {
    const { info, task, link } = this._model.state;
    return link === 'ready' && info !== null && (task === null || task.kind === 'statistics');
  }

  /** Whether the repaired model can be saved: the file holds the model's own weights. */
  get canSave(): boolean {
    return this.canWork && this._model.state.weights === null;
  }

  /** Whether the model can be run. */
  get canRun(): boolean {
    return this.canWork && this._model.state.info?.unsupported.length === 0;
  }

  /** Whether the ticked rows can be compared: PyTorch runs operators that castlens does not. */
  get canCompare(): boolean {
    const rows = comparedRows(this._model.state);
    return (
      rows.length > 0 &&
      this.canWork &&
      (this.canRun || rows.some(row => runtimeOfRow(row) !== 'onnxruntime'))
    );
  }

  /** Read the file, as it is now. What was found out about another version of it is gone then. */
  async open(): Promise<void> {
    this._planning?.abort();
    await this._perform('open', this._trans.__('Reading the model'), async ask => {
      const { path, weights } = this._modelRef();
      const reply = await ask('open', { path, weights }).catch(async (error: unknown) => {
        await this._openCompiled(ask, path, error);
        return null;
      });
      if (reply === null) {
        return;
      }
      const info = reply.result;
      const { state } = this._model;
      const isOther = state.info !== null && state.info.version !== info.version;
      this._model.update({
        ...(isOther ? NOTHING_FOUND : { plans: NOTHING_FOUND.plans }),
        compiled: null,
        info,
        variant: withRegions(state.variant, validOverrides(state.variant.regions, info)),
        fileNotice:
          isOther && hasMeasured(state)
            ? { state: 'reread', file: null }
            : state.fileNotice?.state === 'reread'
              ? state.fileNotice
              : null
      });
      const [devices, last] = await Promise.all([
        ask('devices', {}),
        ask('lastCompare', { path, weights, version: info.version })
      ]);
      this._model.update({
        devices: devices.result.devices,
        compare: last.result.compare ?? this._model.state.compare
      });
    });
    if (this._model.state.info && !this._hasFailed('open') && !this._isDisposed) {
      this._replan();
      void this._lookForPythons();
      await this._maybeSummarise();
    }
  }

  /** Read the file as a package compiled by AOTInductor, where that is what it is. Throws the error of opening it where it is not. */
  private async _openCompiled(ask: Private.Ask, path: string, error: unknown): Promise<void> {
    if (errorInfoOf(error).code !== 'unsupported-format') {
      throw error;
    }
    const reply = await ask('package', { path }).catch((other: unknown) => {
      throw errorInfoOf(other).code === 'cancelled' ? other : error;
    });
    this._model.update({ ...NOTHING_FOUND, info: null, fileNotice: null, compiled: reply.result });
  }

  /** Run the chosen variant once. */
  async run(): Promise<void> {
    const { variant } = this._model.state;
    await this._perform('run', this._trans.__('Running %1', variant.cache), async ask => {
      const reply = await ask('run', { ...this._modelRef(), variant });
      this._model.update({ run: reply.result });
    });
    await this._maybeSummarise();
  }

  /**
   * Run the ticked rows, interleaved, and compare them.
   *
   * @param mayTrust - Asked once per version of the file, before PyTorch loads it.
   */
  async compare(mayTrust: MayTrust = this._mayTrust): Promise<void> {
    this._mayTrust = mayTrust;
    const { variant, info } = this._model.state;
    const { runs, warmup } = this._settings();
    const rows = comparedRows(this._model.state);
    const isOfTorch = rows.some(row => runtimeOfRow(row) !== 'onnxruntime');
    if (isOfTorch && info !== null && this._model.state.trusted !== info.version) {
      if (!(await mayTrust(info.path))) {
        return;
      }
      this._model.update({ trusted: info.version });
      this._remember();
    }
    const { python } = this._model.state;
    await this._perform('compare', this._trans.__('Comparing'), async ask => {
      const reply = await ask('compare', {
        ...this._modelRef(),
        variants: rows.map(row => variantOfRow(row, variant)),
        runs,
        warmup,
        ...(isOfTorch ? { trust: true, ...(python === null ? {} : { python }) } : {})
      });
      this._model.update({ compare: reply.result });
    });
    await this._maybeSummarise();
  }

  /** Summarise the weights. Reads every weight byte, in the engine. */
  async summarise(): Promise<void> {
    await this._perform('statistics', this._trans.__('Reading the weights'), async ask => {
      const reply = await ask('weightStats', this._modelRef());
      const ipc = this._streamOf(reply);
      const { rows, findings } = reply.result;
      this._model.update({ statistics: { rows, ipc, findings } });
    });
  }

  /** Summarise the values that one forward of the chosen variant computes. Runs the model, several times. */
  async summariseActivations(): Promise<void> {
    const { variant } = this._model.state;
    this.showStatistics('activations');
    const text = this._trans.__('Summarising the values of %1', variant.cache);
    await this._perform('activations', text, async ask => {
      const reply = await ask('activationStats', { ...this._modelRef(), variant });
      const { result } = reply;
      const ipc = this._streamOf(reply);
      this._model.update({ activations: { rows: result.rows, ipc, about: result } });
    });
    await this._maybeSummarise();
  }

  /** Choose what the statistics section is about. Starts nothing. */
  showStatistics(statisticsKind: StatisticsKind): void {
    this._model.update({ statisticsKind });
  }

  /**
   * Switch to the weights of another file, once the engine has checked them and loaded the chosen variant with them. Where they do
   * not fit, nothing changes.
   *
   * @param weights - A `.safetensors` file or another export, as the contents manager names it; null for the model's own.
   */
  async takeWeights(weights: string | null): Promise<void> {
    this._lastWeights = weights;
    const before = this._model.state.weights;
    if (weights !== null) {
      const text = this._trans.__('Loading the weights of %1', PathExt.basename(weights));
      await this._perform('weights', text, async ask => {
        await ask('updateWeights', {
          path: this._requestPath(),
          ...(before === null ? this._versionRef() : {}),
          weights: PathExt.relative(this._kernelFolder(), weights),
          variant: this._model.state.variant
        });
        this._model.update({ ...NOTHING_FOUND, weights });
      });
    } else if (before !== null) {
      this._model.update({ ...NOTHING_FOUND, weights });
    }
    if (this._model.state.weights !== before) {
      this._remember();
      await this.open();
    }
  }

  /** Fetch the page about a finding. No task: it may be asked for while one is under way. */
  async explain(code: string): Promise<void> {
    const client = this._link.client;
    if (!client || this._model.state.pages.has(code)) {
      return;
    }
    try {
      const { result } = await client.request('explain', { code });
      this._model.update({ pages: new Map(this._model.state.pages).set(code, result.markdown) });
    } catch (error) {
      this._onFailed('explain', error);
    }
  }

  /**
   * Write the repaired model beside the file, and the code with it where that is chosen.
   *
   * @param mayReplace - Asked before a file that is there is replaced, with its absolute path.
   * @returns whether it was written.
   */
  async saveRepaired(choice: ISaveChoice, mayReplace: MayReplace): Promise<boolean> {
    this._lastSave = { choice, mayReplace };
    const { name, mixed, foldComputed = false } = choice;
    const writeCode = choice.writeCode && !foldComputed;
    const { regions } = this._model.state.variant;
    let written = false;
    await this._perform('save', this._trans.__('Writing the repaired model'), async ask => {
      const path = this._requestPath();
      const beside = (file: string) => PathExt.join(PathExt.dirname(path), file);
      const params: Params<'fix'> = {
        path,
        ...this._versionRef(),
        output: beside(name),
        mixed,
        ...(foldComputed ? { foldComputed } : {}),
        ...(regions === undefined ? {} : { regions }),
        ...(writeCode ? { codeFile: beside(codeName(name)) } : {})
      };
      const reply = await ask('fix', params).catch(async (error: unknown) => {
        const info = errorInfoOf(error);
        if (info.code !== 'file-exists') {
          throw error;
        }
        return (await mayReplace(info.file ?? name))
          ? ask('fix', { ...params, overwrite: true })
          : null;
      });
      if (reply === null) {
        return;
      }
      written = true;
      const place = this._place();
      this._model.update({
        repaired: {
          result: reply.result,
          path: siblingPath(place, name),
          codePath: writeCode ? siblingPath(place, codeName(name)) : null
        }
      });
    });
    return written;
  }

  /** Show the code for the user's own export script: what does what was saved last, where something was. */
  async showCode(): Promise<void> {
    await this._perform('code', this._trans.__('Writing the code'), async ask => {
      const mixed = this._lastSave?.choice.mixed ?? 'leave';
      const { result } = await ask('code', {
        path: this._requestPath(),
        ...this._versionRef(),
        mixed
      });
      this._model.update({ code: result });
    });
    await this._maybeSummarise();
  }

  /** Give up the task under way. */
  stop(): void {
    this._task?.abort();
  }

  /** Try again what failed: what failed last where no task is named. */
  async retry(task?: FailedTask): Promise<void> {
    const failed = this._errorOf(task)?.task;
    this.dismissError(failed);
    switch (failed) {
      case undefined:
      case 'explain':
        break;
      case 'open':
      case 'engine':
        return this.open();
      case 'plan':
        this._replan();
        break;
      case 'run':
        return this.run();
      case 'compare':
        return this.compare();
      case 'statistics':
        return this.summarise();
      case 'activations':
        return this.summariseActivations();
      case 'weights':
        return this.takeWeights(this._lastWeights);
      case 'save':
        if (this._lastSave !== null) {
          await this.saveRepaired(this._lastSave.choice, this._lastSave.mayReplace);
        }
        break;
      case 'code':
        return this.showCode();
    }
  }

  /** Forget a failure: the last one where no task is named. */
  dismissError(task?: FailedTask): void {
    const dismissed = this._errorOf(task);
    if (dismissed !== undefined) {
      this._model.update({ errors: this._model.state.errors.filter(e => e !== dismissed) });
    }
  }

  /** Forget that a file was read again. */
  dismissNotice(): void {
    this._model.update({ fileNotice: null });
  }

  /** Choose when weights are cast. Plans at once; runs nothing. */
  setCacheMode(cache: CacheMode): void {
    this._setVariant({ cache });
  }

  /** Switch one pass over. Plans at once; runs nothing. */
  togglePass(pass: PassName): void {
    this._setVariant({ passes: togglePass(this._model.state.variant.passes, pass) });
  }

  /** Choose where to run. Plans at once; runs nothing. */
  setDevice(device: string): void {
    this._setVariant({ device });
  }

  /** Run a region otherwise than recorded, or as recorded again. Plans at once; runs nothing. */
  overrideRegion(region: string, choice: RegionChoice | 'recorded'): void {
    const { info, variant } = this._model.state;
    if (info !== null) {
      this._setVariant({ regions: chooseRegion(variant.regions, region, choice, info) });
    }
  }

  /** Run all regions as recorded again. Plans at once; runs nothing. */
  resetRegions(): void {
    this._setVariant({ regions: undefined });
  }

  /** Put a row into the comparison, or take it out. */
  toggleSelected(row: RowId): void {
    const { selected } = this._model.state;
    this._model.update({
      selected: ALL_ROWS.filter(name => (name === row) !== selected.includes(name))
    });
    this._remember();
  }

  /** Show the rows of a runtime, or hide them. Runs nothing. */
  toggleRuntime(runtime: RuntimeName): void {
    this._model.update(toggleRuntime(this._model.state, runtime));
    this._remember();
  }

  /** Choose the Python whose PyTorch runs variants, by its absolute path; null for the first that has it. */
  setPython(python: string | null): void {
    this._model.update({ python });
    this._remember();
  }

  /** Choose the runtime that recommendations are drawn from. */
  setDeployment(deployment: RuntimeName): void {
    this._model.update({ deployment });
    this._remember();
  }

  private _setVariant(patch: Partial<IVariant>) {
    const variant = { ...this._model.state.variant, ...patch };
    this._model.update({ variant: withRegions(variant, variant.regions) });
    this._remember();
    this._replan();
  }

  private _onLinkChanged(_: KernelLink, link: LinkState): void {
    this._follow(this._link.client);
    this._model.update({ link });
    if (link === 'ready') {
      const id = this._link.kernelId;
      if (id !== null && id !== this._kernel?.id) {
        this._kernel = { id, folder: kernelFolder(this._place()) };
        this._remember();
      }
      void this.open();
    }
  }

  /** Listen to this client, and no longer to the one before. */
  private _follow(client: CommClient | null): void {
    if (this._client !== client) {
      this._client?.engineChanged.disconnect(this._onEngineChanged, this);
      this._client?.filesChanged.disconnect(this._onFilesChanged, this);
      this._client = client;
      client?.engineChanged.connect(this._onEngineChanged, this);
      client?.filesChanged.connect(this._onFilesChanged, this);
    }
  }

  private _onEngineChanged(_: CommClient, message: EngineMessage): void {
    // A request that was under way is answered with an error of its own.
    if (message.state === 'lost' && this._model.state.task === null) {
      this._addError('engine', message.error);
    }
  }

  private _onFilesChanged(_: CommClient, { state, file }: FilesMessage): void {
    if (state === 'changed') {
      void this.open();
    } else if (this._model.state.info !== null) {
      this._model.update({ fileNotice: { state, file } });
    }
  }

  /** Do a task; see the class notes. */
  private async _perform(
    kind: TaskKind,
    text: string,
    work: (ask: Private.Ask) => Promise<void>
  ): Promise<void> {
    const client = this._link.client;
    this._task?.abort();
    if (!client || this._isDisposed) {
      return;
    }
    const abort = new AbortController();
    this._task = abort;
    if (this._hasFailed(kind)) {
      this.dismissError(kind);
    }
    this._model.update({ task: { kind, text, fraction: null } });
    const ask: Private.Ask = (method, params) =>
      client.request(method, params, {
        signal: abort.signal,
        onProgress: progress => {
          if (this._task === abort) {
            this._model.update({
              task: { kind, text: progressText(progress), fraction: shareOf(progress) }
            });
          }
        }
      });
    try {
      await work(ask);
    } catch (error) {
      this._onFailed(kind, error);
    } finally {
      if (this._task === abort) {
        this._task = null;
        this._model.update({ task: null });
      }
    }
  }

  private _onFailed(task: FailedTask, error: unknown): void {
    if (this._isDisposed || (error instanceof CastlensError && error.code === 'cancelled')) {
      return;
    }
    // A kernel that starts again opens the model again by itself.
    if (task === 'open' && this._link.state !== 'ready') {
      return;
    }
    const info = errorInfoOf(error);
    if (task !== 'open' && info.code === 'file-changed') {
      // The kernel would say so in a moment.
      void this.open();
      return;
    }
    this._addError(task, info);
    if (task === 'open' && info.code !== 'engine-lost') {
      // What was read before is no longer what the file holds.
      this._model.update({ ...NOTHING_FOUND, info: null, fileNotice: null });
    }
  }

  private _addError(task: FailedTask, info: IErrorInfo): void {
    const others = this._model.state.errors.filter(error => error.task !== task);
    this._model.update({ errors: [...others, { task, info }] });
  }

  private _hasFailed(task: FailedTask): boolean {
    return this._model.state.errors.some(error => error.task === task);
  }

  /** The failure of a task; the last of all where none is named. */
  private _errorOf(task: FailedTask | undefined): IPanelError | undefined {
    const { errors } = this._model.state;
    return task === undefined ? errors.at(-1) : errors.find(error => error.task === task);
  }

  /** Plan the chosen variant, then the other rows of the comparison. */
  private _replan(): void {
    this._planning?.abort();
    const client = this._link.client;
    if (!client || this._model.state.info === null) {
      return;
    }
    const abort = new AbortController();
    this._planning = abort;
    void this._plan(client, abort.signal);
  }

  private async _plan(client: CommClient, signal: AbortSignal): Promise<void> {
    const { variant } = this._model.state;
    const model = this._modelRef();
    if (this._hasFailed('plan')) {
      this.dismissError('plan');
    }
    for (const planned of [variant, ...VARIANT_CACHES.map(cache => rowVariant(cache, variant))]) {
      const key = variantKey(planned);
      if (this._model.state.plans.has(key)) {
        continue;
      }
      try {
        const reply = await client.request('plan', { ...model, variant: planned }, { signal });
        if (signal.aborted || this._isDisposed) {
          return;
        }
        this._model.update({ plans: new Map(this._model.state.plans).set(key, reply.result) });
      } catch (error) {
        if (signal.aborted || this._isDisposed) {
          return;
        }
        // The other rows are planned ahead of being asked for: what fails there is said when they are chosen.
        if (planned === variant) {
          this._onFailed('plan', error);
          return;
        }
      }
    }
  }

  /** Ask which Pythons there are, once; no task, and nothing that the user waits for. */
  private async _lookForPythons(): Promise<void> {
    const client = this._link.client;
    const { info, pythons } = this._model.state;
    if (!client || pythons !== null || info?.census.format !== 'pt2') {
      return;
    }
    try {
      const { result } = await client.request('pythons', { quick: true });
      this._model.update({ pythons: result.pythons });
    } catch (error) {
      // What matters to the user is said when a comparison cannot start Python.
      this._reportError(error);
    }
  }

  private async _maybeSummarise(): Promise<void> {
    const { info, statistics } = this._model.state;
    const limit = this._settings().statisticsLimitMiB * 2 ** 20;
    if (info && statistics === null && info.weightBytes <= limit && this.canWork) {
      await this.summarise();
    }
  }

  /** The table that travels beside an answer. */
  private _streamOf({ buffers }: { readonly buffers: readonly Uint8Array[] }): Uint8Array {
    if (buffers.length === 0) {
      throw new CastlensError('internal', this._trans.__('The kernel sent no statistics.'), {
        expected: this._trans.__('one Arrow IPC stream'),
        found: this._trans.__('no binary buffer')
      });
    }
    return buffers[0];
  }

  private _requestPath(): string {
    return requestPath(this._place(), this._kernelFolder());
  }

  /** The model that requests are about: its file, and the file of other weights. */
  private _modelRef(): IModelRef {
    const { weights } = this._model.state;
    return {
      path: this._requestPath(),
      ...(weights === null ? {} : { weights: PathExt.relative(this._kernelFolder(), weights) }),
      ...this._versionRef()
    };
  }

  /** The version of the files that the panel shows. */
  private _versionRef(): Pick<IModelRef, 'version'> {
    const { info } = this._model.state;
    return info === null ? {} : { version: info.version };
  }

  private _kernelFolder(): string {
    return this._kernel?.folder ?? kernelFolder(this._place());
  }

  private _remember(): void {
    const { variant, weights, selected, runtimes, python, trusted, deployment } = this._model.state;
    const kernel = this._kernel;
    this._memory
      .save({ variant, weights, selected, runtimes, python, trusted, deployment, kernel })
      .catch(error => this._reportError(error));
  }

  private _model: PanelModel;
  private _link: KernelLink;
  private _memory: PanelMemory;
  private _settings: () => IPanelSettings;
  private _place: () => IDocumentPlace;
  private _trans: TranslationBundle;
  private _reportError: (error: unknown) => void;
  private _lastWeights: string | null = null;
  private _mayTrust: MayTrust = () => Promise.resolve(false);
  private _lastSave: { choice: ISaveChoice; mayReplace: MayReplace } | null = null;
  private _client: CommClient | null = null;
  private _kernel: IMemory['kernel'] = null;
  private _task: AbortController | null = null;
  private _planning: AbortController | null = null;
  private _isDisposed = false;
}

/** A namespace for `PanelService` types. */
export namespace PanelService {
  /** What a service is made of. */
  export interface IOptions {
    readonly model: PanelModel;
    readonly link: KernelLink;
    readonly memory: PanelMemory;
    /** The user's settings as they are now. */
    readonly settings: () => IPanelSettings;
    /** Where the document is now. */
    readonly place: () => IDocumentPlace;
    readonly trans: TranslationBundle;
    /** Told of failures that are of no concern to the user. */
    readonly reportError: (error: unknown) => void;
  }
}

namespace Private {
  /** Make a request as part of a task. */
  export type Ask = <K extends RequestName>(method: K, params: Params<K>) => Promise<IReply<K>>;
}
