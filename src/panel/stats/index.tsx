/**
 * The statistics section: a light shell around a grid that is loaded when it is first needed.
 *
 * @packageDocumentation
 */
import type { IThemeManager } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { HTMLSelect, ReactWidget } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import { Panel } from '@lumino/widgets';
import { formatBytes, formatMs, formatRatio, formatSkipped } from '../../protocol';
import type { StatsColumn } from '../../protocol';
import { CommandIDs } from '../commandids';
import type { IActivations, IPanelState, IStatistics, PanelModel } from '../model';
import { variantKey } from '../variants';
import type { ISortOrder } from './datamodel';
import type { StatisticsGrid } from './grid';
import { KindSwitch } from './kindswitch';
import type { IStatsColumn } from './table';

/** The order of the file. */
const FILE_ORDER: ISortOrder = { column: null, descending: false };

/** Heading, grid, and the selected row in words. Hidden until a model was read. */
export class StatisticsSection extends Panel {
  constructor(options: StatisticsSection.IOptions) {
    super();
    this.addClass('castlens-Section');
    this.addClass('castlens-Section-statistics');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', options.trans.__('Tensor statistics'));
    this._options = options;
    this._head = new StatisticsHead(options, order => this._sort(order));
    this._foot = new StatisticsFoot();
    this.addWidget(this._head);
    this.addWidget(this._foot);
    this.hide();
    options.model.changed.connect(this._onModelChanged, this);
    options.themeManager?.themeChanged.connect(this._onThemeChanged, this);
  }

  override dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this._options.model.changed.disconnect(this._onModelChanged, this);
    this._options.themeManager?.themeChanged.disconnect(this._onThemeChanged, this);
    super.dispose();
  }

  private _onModelChanged(_: PanelModel, state: IPanelState): void {
    this.setHidden(state.info === null);
    const shown = shownStatistics(state);
    if (shown !== this._shown) {
      this._shown = shown;
      void this._show(shown);
    }
  }

  /** Replace the grid. */
  private async _show(statistics: IStatistics | null): Promise<void> {
    this._grid?.dispose();
    this._grid = null;
    this._foot.text = '';
    this._head.setGrid(null);
    if (statistics === null) {
      return;
    }
    try {
      const { StatisticsGrid } = await import('./grid');
      if (this.isDisposed || this._shown !== statistics) {
        return;
      }
      this._grid = new StatisticsGrid(statistics.ipc, this._options.trans);
    } catch (error) {
      this._foot.text = this._options.trans.__(
        'The statistics cannot be shown: %1',
        error instanceof Error ? error.message : String(error)
      );
      return;
    }
    this.insertWidget(1, this._grid);
    this._grid.described.connect(this._onDescribed, this);
    this._head.setGrid(this._grid);
  }

  private _sort(order: ISortOrder): void {
    this._grid?.sort(order);
  }

  private _onDescribed(_: StatisticsGrid, text: string): void {
    this._foot.text = text;
  }

  private _onThemeChanged(): void {
    this._grid?.applyTheme();
  }

  private _options: StatisticsSection.IOptions;
  private _head: StatisticsHead;
  private _foot: StatisticsFoot;
  private _grid: StatisticsGrid | null = null;
  private _shown: IStatistics | null = null;
}

/** A namespace for `StatisticsSection` types. */
export namespace StatisticsSection {
  /** What the section is made of. */
  export interface IOptions {
    readonly model: PanelModel;
    readonly commands: CommandRegistry;
    readonly trans: TranslationBundle;
    readonly themeManager: IThemeManager | null;
  }
}

/** Title, what the figures are, and the order of the rows. */
class StatisticsHead extends ReactWidget {
  constructor(options: StatisticsSection.IOptions, sort: (order: ISortOrder) => void) {
    super();
    this.addClass('castlens-Section-head');
    this._options = options;
    this._sort = sort;
    options.model.changed.connect(this.update, this);
  }

  override dispose(): void {
    this._options.model.changed.disconnect(this.update, this);
    super.dispose();
  }

  setGrid(grid: StatisticsGrid | null): void {
    this._range = grid?.exponentRange ?? null;
    this._columns = grid?.columns ?? [];
    this._order = FILE_ORDER;
    this.update();
  }

  protected override render() {
    const { model, commands, trans } = this._options;
    const { state } = model;
    if (state.info === null) {
      return <></>;
    }
    return (
      <>
        <h2 className="castlens-Section-title">{trans.__('Tensor statistics')}</h2>
        <KindSwitch
          kind={state.statisticsKind}
          choose={kind => void commands.execute(CommandIDs.showStatistics, { kind })}
          trans={trans}
        />
        {state.statisticsKind === 'weights'
          ? this._renderWeights(state)
          : this._renderActivations(state)}
      </>
    );
  }

  private _renderWeights({ info, statistics, task }: IPanelState) {
    const { commands, trans } = this._options;
    if (statistics) {
      return (
        <>
          <span className="castlens-Section-about">
            {trans._n('%1 tensor as stored', '%1 tensors as stored', statistics.rows)}
            {this._describeRange()}
          </span>
          <span className="castlens-Section-tools">{this._renderSort()}</span>
        </>
      );
    }
    return task?.kind === 'statistics' ? (
      <span className="castlens-Section-about">{trans.__('reading the weights…')}</span>
    ) : (
      <button
        type="button"
        className="jp-Button jp-mod-styled jp-mod-accept"
        onClick={() => void commands.execute(CommandIDs.summariseWeights)}
      >
        {trans.__('Read %1 of weights', formatBytes(info?.weightBytes ?? 0))}
      </button>
    );
  }

  private _renderActivations({ activations, variant, task }: IPanelState) {
    const { trans } = this._options;
    if (task?.kind === 'activations') {
      return <span className="castlens-Section-about">{trans.__('running the model…')}</span>;
    }
    if (activations === null) {
      return this._renderSummarise(trans.__('Summarise the values of %1', variant.cache), true);
    }
    const isOutdated = variantKey(activations.about.variant) !== variantKey(variant);
    return (
      <>
        <span className="castlens-Section-about">
          {describeActivations(activations, trans)}
          {this._describeRange()}
          {formatSkipped(activations.about.skipped).map(line => `; ${line}`)}
        </span>
        <span className="castlens-Section-tools">
          {isOutdated
            ? this._renderSummarise(trans.__('Summarise those of %1', variant.cache), false)
            : null}
          {this._renderSort()}
        </span>
      </>
    );
  }

  private _renderSummarise(text: string, isAccept: boolean) {
    const { commands } = this._options;
    return (
      <button
        type="button"
        className={`jp-Button jp-mod-styled ${isAccept ? 'jp-mod-accept' : ''}`}
        disabled={!commands.isEnabled(CommandIDs.summariseActivations)}
        onClick={() => void commands.execute(CommandIDs.summariseActivations)}
      >
        {text}
      </button>
    );
  }

  private _describeRange(): string {
    return this._range
      ? this._options.trans.__(
          '; exponents 2^%1 to 2^%2, lines: limits of float16',
          this._range.from,
          this._range.to
        )
      : '';
  }

  private _renderSort() {
    const { trans } = this._options;
    const { column, descending } = this._order;
    return (
      <>
        <HTMLSelect
          aria-label={trans.__('Sort by')}
          value={column ?? ''}
          onChange={event => {
            const name = event.currentTarget.value;
            const found = this._columns.find(c => c.name === name)?.name ?? null;
            this._setOrder(found, descending);
          }}
        >
          <option value="">{trans.__('Order of the file')}</option>
          {this._columns.map(({ name, label, about }) => (
            <option key={name} value={name} title={about}>
              {trans.__('Sort by %1', label)}
            </option>
          ))}
        </HTMLSelect>
        <button
          type="button"
          className="jp-Button jp-mod-minimal"
          aria-pressed={descending}
          disabled={column === null}
          onClick={() => this._setOrder(column, !descending)}
        >
          {descending ? trans.__('Descending') : trans.__('Ascending')}
        </button>
      </>
    );
  }

  private _setOrder(column: StatsColumn | null, descending: boolean): void {
    this._order = { column, descending };
    this._sort(this._order);
    this.update();
  }

  private _options: StatisticsSection.IOptions;
  private _sort: (order: ISortOrder) => void;
  private _order = FILE_ORDER;
  private _range: StatisticsGrid['exponentRange'] | null = null;
  private _columns: readonly IStatsColumn[] = [];
}

/** What the section is to show; null where it has not been made yet. */
function shownStatistics(state: IPanelState): IStatistics | null {
  return state.statisticsKind === 'weights' ? state.statistics : state.activations;
}

/** What was run, and what it cost. */
function describeActivations({ rows, about }: IActivations, trans: TranslationBundle): string {
  const { variant, inputs, batches, cost } = about;
  return trans.__(
    '%1 of %2 on %3; %4 in %5 with loading, %6 of a plain forward; memory %7',
    trans._n('%1 value', '%1 values', rows),
    variant.cache,
    inputs,
    trans._n('%1 run', '%1 runs', batches),
    formatMs(cost.probedMs),
    formatRatio(cost.probedMs / (cost.plainLoadMs + cost.plainMs)),
    formatRatio(cost.probedBytes / cost.plainBytes)
  );
}

/** The selected row in words: the grid itself is drawn, and says nothing to assistive technology. */
class StatisticsFoot extends ReactWidget {
  constructor() {
    super();
    this.addClass('castlens-Section-foot');
    this.node.setAttribute('aria-live', 'polite');
  }

  set text(text: string) {
    this._text = text;
    this.update();
  }

  protected override render() {
    return <>{this._text}</>;
  }

  private _text = '';
}
