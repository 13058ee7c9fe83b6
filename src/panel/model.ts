/**
 * All that the panel shows.
 *
 * @packageDocumentation
 */
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';
import type { IErrorInfo } from '../errors';
import type {
  IActivationStatsResult,
  ICodeResult,
  ICompareResult,
  IDeviceInfo,
  IFinding,
  IFixResult,
  IModelInfo,
  IPackageInfo,
  IPlan,
  IPythonInfo,
  IRunResult,
  IVariant,
  RuntimeName
} from '../protocol';
import type { LinkState } from './link';
import type { RowId } from './runtimes';
import { VARIANT_CACHES } from './variants';

/** What the panel is busy with. */
export type TaskKind = Exclude<FailedTask, 'plan' | 'explain' | 'engine'>;

/** A request under way that the user waits for. */
export interface ITask {
  readonly kind: TaskKind;
  /** What is being done. */
  readonly text: string;
  /** Share done, 0 to 1; null where it is not known. */
  readonly fraction: number | null;
}

/** What can fail; `engine` stands for the engine process, which was lost. */
export const FAILED_TASKS = [
  'open',
  'run',
  'compare',
  'statistics',
  'activations',
  'weights',
  'save',
  'code',
  'plan',
  'explain',
  'engine'
] as const;

/** One of them. */
export type FailedTask = (typeof FAILED_TASKS)[number];

/** A failure, laid out in the panel until it is dismissed. */
export interface IPanelError {
  /** What was attempted. */
  readonly task: FailedTask;
  readonly info: IErrorInfo;
}

/** What is said of a file of the model that is another one than was read first. */
export interface IFileNotice {
  /**
   * `changing` while it is being written and `gone` where there is none: what is shown is of the file as it was. `reread` when it was
   * read again.
   */
  readonly state: 'changing' | 'gone' | 'reread';
  /** Absolute path; null for the model's own file. */
  readonly file: string | null;
}

/** Tensor statistics as they arrived: an Arrow IPC stream. */
export interface IStatistics {
  readonly rows: number;
  readonly ipc: Uint8Array;
}

/** Statistics of the weights as stored. */
export interface IWeightStatistics extends IStatistics {
  /** What only the values of weights show. */
  readonly findings: readonly IFinding[];
}

/** Statistics of the values that one forward of a variant computed. */
export interface IActivations extends IStatistics {
  readonly about: IActivationStatsResult;
}

/** What the statistics section is about. */
export const STATISTICS_KINDS = ['weights', 'activations'] as const;

/** One of them. */
export type StatisticsKind = (typeof STATISTICS_KINDS)[number];

/** A repaired model that was saved. */
export interface IRepaired {
  readonly result: IFixResult;
  /** The new file, as the contents manager names it. */
  readonly path: string;
  /** The code beside it; null where none was written. */
  readonly codePath: string | null;
}

/** Everything the panel shows, as one value that is never changed in place. */
export interface IPanelState {
  readonly link: LinkState;
  /** The model; null until it was opened. */
  readonly info: IModelInfo | null;
  /** What the file is where it is no program, but a package compiled by AOTInductor; else null. */
  readonly compiled: IPackageInfo | null;
  /** What Run runs. */
  readonly variant: IVariant;
  /** The file that weights are taken from, as the contents manager names it; null for the model's own. */
  readonly weights: string | null;
  /** Runtimes whose rows are shown. */
  readonly runtimes: readonly RuntimeName[];
  /** Rows that are ticked. */
  readonly selected: readonly RowId[];
  /** The Pythons of the machine; null until they were looked for. */
  readonly pythons: readonly IPythonInfo[] | null;
  /** The Python whose PyTorch runs variants; null for the first that has it. */
  readonly python: string | null;
  /** Version of the files that PyTorch may load; null where nobody said so. */
  readonly trusted: string | null;
  /** What the user deploys with; null where it was not said. */
  readonly deployment: RuntimeName | null;
  /** Plans by variant key. */
  readonly plans: ReadonlyMap<string, IPlan>;
  /** The last single run. */
  readonly run: IRunResult | null;
  readonly compare: ICompareResult | null;
  readonly devices: readonly IDeviceInfo[];
  /** Of the weights as stored. */
  readonly statistics: IWeightStatistics | null;
  /** Pages about findings that were asked for, by code. */
  readonly pages: ReadonlyMap<string, string>;
  readonly activations: IActivations | null;
  /** Which of the two are shown. */
  readonly statisticsKind: StatisticsKind;
  /** What was saved last. */
  readonly repaired: IRepaired | null;
  /** Code for the user's own export script, once asked for. */
  readonly code: ICodeResult | null;
  readonly task: ITask | null;
  /** What failed and was not dismissed yet, at most one per kind of task; the latest is the last. */
  readonly errors: readonly IPanelError[];
  readonly fileNotice: IFileNotice | null;
}

/** The state before anything is known. */
export const INITIAL_STATE: IPanelState = {
  link: 'starting',
  info: null,
  compiled: null,
  variant: { cache: 'off', passes: [], device: 'cpu' },
  weights: null,
  runtimes: ['onnxruntime'],
  selected: VARIANT_CACHES,
  pythons: null,
  python: null,
  trusted: null,
  deployment: null,
  plans: new Map(),
  run: null,
  compare: null,
  devices: [],
  statistics: null,
  pages: new Map(),
  activations: null,
  statisticsKind: 'weights',
  repaired: null,
  code: null,
  task: null,
  errors: [],
  fileNotice: null
};

/** What was found out by requests about one version of the files: gone with it. */
export const NOTHING_FOUND = {
  compiled: null,
  plans: INITIAL_STATE.plans,
  run: null,
  compare: null,
  statistics: null,
  activations: null,
  repaired: null,
  code: null
} as const;

/** Whether any of it took the user's time. */
export function hasMeasured({ run, compare, activations, repaired, code }: IPanelState): boolean {
  return [run, compare, activations, repaired, code].some(result => result !== null);
}

/**
 * The panel's state, observable.
 *
 * #### Notes
 * Only the service writes; views read and listen. Every change makes a new state, so views may compare parts by identity.
 */
export class PanelModel implements IDisposable {
  /** Emitted after every change, with the new state. */
  get changed(): ISignal<this, IPanelState> {
    return this._changed;
  }

  /** What there is to show. */
  get state(): IPanelState {
    return this._state;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Replace parts of the state. A no-op after disposal. */
  update(patch: Partial<IPanelState>): void {
    if (this._isDisposed) {
      return;
    }
    this._state = { ...this._state, ...patch };
    this._changed.emit(this._state);
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      Signal.clearData(this);
    }
  }

  private _state = INITIAL_STATE;
  private _isDisposed = false;
  private _changed = new Signal<this, IPanelState>(this);
}
