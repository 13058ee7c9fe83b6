/**
 * The statistics grid. This module and what it imports are loaded when statistics are first shown.
 *
 * @packageDocumentation
 */
import type { TranslationBundle } from '@jupyterlab/translation';
// eslint-disable-next-line jupyter/prefer-lazy-imports -- this module is itself loaded on demand
import {
  BasicKeyHandler,
  BasicMouseHandler,
  BasicSelectionModel,
  DataGrid
} from '@lumino/datagrid';
import type { CellRenderer, RendererMap } from '@lumino/datagrid';
import type { Message } from '@lumino/messaging';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';
import { Panel } from '@lumino/widgets';
import type { Widget } from '@lumino/widgets';
import { formatSizes } from '../../protocol';
import type { StatsColumn } from '../../protocol';
import { formatCount, formatShare, formatValue } from '../format';
import type { ISortOrder } from './datamodel';
import { StatisticsModel } from './datamodel';
import { usedBins } from './histogram';
import type { IBinRange } from './histogram';
import { bodyRenderer, gridStyle, headerRenderer, nameRenderer, readTheme } from './renderers';
import type { IStatsColumn, IStatsTable } from './table';
import { readStatistics } from './table';

/** Height of a row, in pixels. */
const ROW_HEIGHT = 24;

/** Rows that are visible at once, at most. */
const VISIBLE_ROWS = 16;

/** Widths of the columns, in pixels. */
const WIDTHS: Readonly<Record<StatsColumn, number>> = {
  name: 240,
  dtype: 72,
  shape: 100,
  module: 220,
  count: 84,
  min: 84,
  max: 84,
  mean: 84,
  std: 84,
  zeros: 72,
  nan: 56,
  inf: 56,
  exponents: 160,
  float16_overflow: 100,
  float16_subnormal: 108,
  float16_vanish: 88,
  bfloat16_overflow: 108,
  bfloat16_subnormal: 116,
  bfloat16_vanish: 96,
  limit_dtype: 72,
  overflow_ratio: 92,
  overflow_binades: 92,
  subnormal_binades: 104,
  near_subnormal: 116,
  max_abs_error: 92,
  max_rel_error: 108,
  max_element_rel_error: 116,
  cosine: 92,
  snr_db: 72
};

/** Columns whose text begins at the left. */
const LEFT: readonly StatsColumn[] = ['dtype', 'shape', 'module', 'exponents', 'limit_dtype'];

/** Shows statistics; names stay in place while the rest scrolls. */
export class StatisticsGrid extends Panel {
  /** @throws where `ipc` holds no statistics. */
  constructor(ipc: Uint8Array, trans: TranslationBundle) {
    super();
    this.addClass('castlens-Grid');
    this._trans = trans;
    this._table = readStatistics(ipc);
    this._bins = usedBins(exponentsOf(this._table));
    this._dataModel = new StatisticsModel(this._table);
    this._grid = new DataGrid({
      defaultSizes: {
        rowHeight: ROW_HEIGHT,
        columnWidth: 90,
        rowHeaderWidth: WIDTHS.name,
        columnHeaderHeight: ROW_HEIGHT + 2
      },
      stretchLastColumn: true
    });
    this._grid.dataModel = this._dataModel;
    this._grid.keyHandler = new BasicKeyHandler();
    this._grid.mouseHandler = new BasicMouseHandler();
    this._selection = new BasicSelectionModel({
      dataModel: this._dataModel,
      selectionMode: 'row'
    });
    this._grid.selectionModel = this._selection;
    this._selection.changed.connect(this._onSelectionChanged, this);
    this._dataModel.columns.forEach(({ name }, i) =>
      this._grid.resizeColumn('body', i, WIDTHS[name])
    );
    const { node } = this._grid.viewport;
    node.tabIndex = 0;
    node.setAttribute('role', 'grid');
    node.setAttribute('aria-label', trans.__('Tensor statistics'));
    node.setAttribute('aria-rowcount', String(this._table.rows));
    this.addWidget(this._grid);
    const visible = Math.min(this._table.rows, VISIBLE_ROWS);
    // Header, rows, and a scroll bar.
    this.node.style.height = `${(visible + 1) * ROW_HEIGHT + 20}px`;
  }

  /** Emitted when another row was selected, with its statistics in words; empty for none. */
  get described(): ISignal<this, string> {
    return this._described;
  }

  /** Columns that rows can be sorted by. */
  get columns(): readonly IStatsColumn[] {
    return this._table.columns.filter(({ name }) => name !== 'exponents');
  }

  /** What the histograms' scale spans: powers of two. */
  get exponentRange(): { readonly from: number; readonly to: number } {
    return { from: this._bins.first - 127, to: this._bins.last - 127 };
  }

  override dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this._selection.changed.disconnect(this._onSelectionChanged, this);
    super.dispose();
  }

  /** Order the rows. The selection is cleared, since it names rows by position. */
  sort(order: ISortOrder): void {
    this._selection.clear();
    this._dataModel.sort(order);
  }

  /** Take the colours of the theme. */
  applyTheme(): void {
    const theme = readTheme(this.node);
    const body = new Map<StatsColumn, CellRenderer>();
    for (const { name } of this._dataModel.columns) {
      body.set(name, bodyRenderer(name, theme, this._bins));
    }
    const left = headerRenderer(theme, 'left');
    const right = headerRenderer(theme, 'right');
    const renderers: RendererMap.Values = {
      body: config => body.get(this._dataModel.columns[config.column].name)!,
      'column-header': config =>
        LEFT.includes(this._dataModel.columns[config.column].name) ? left : right,
      'row-header': nameRenderer(theme),
      'corner-header': left
    };
    this._grid.style = gridStyle(theme);
    this._grid.cellRenderers.update(renderers);
  }

  /** Leave the wheel to the page where the grid cannot scroll any further that way. */
  handleEvent(event: Event): void {
    if (event instanceof WheelEvent && !event.ctrlKey && event.deltaX === 0) {
      const { scrollY, maxScrollY } = this._grid;
      if (event.deltaY < 0 ? scrollY <= 0 : scrollY >= maxScrollY) {
        event.stopPropagation();
      }
    }
  }

  protected override onAfterAttach(msg: Message): void {
    super.onAfterAttach(msg);
    this.node.addEventListener('wheel', this, { capture: true, passive: true });
    this.applyTheme();
  }

  /** Leave at least half of a narrow grid to the figures. */
  protected override onResize(msg: Widget.ResizeMessage): void {
    super.onResize(msg);
    const width = msg.width < 0 ? this.node.clientWidth : msg.width;
    const name = Math.min(WIDTHS.name, Math.floor(width / 2));
    if (name > 0 && name !== this._grid.columnSize('row-header', 0)) {
      this._grid.resizeColumn('row-header', 0, name);
    }
  }

  protected override onBeforeDetach(msg: Message): void {
    this.node.removeEventListener('wheel', this, { capture: true });
    super.onBeforeDetach(msg);
  }

  private _onSelectionChanged(): void {
    const row = this._selection.currentSelection()?.r1 ?? -1;
    this._described.emit(row < 0 ? '' : this._describe(row));
  }

  private _describe(row: number): string {
    const trans = this._trans;
    const body = (column: StatsColumn) => {
      const index = this._dataModel.columns.findIndex(({ name }) => name === column);
      return index < 0 ? null : this._dataModel.data('body', row, index);
    };
    const figure = (column: StatsColumn) => {
      const value = body(column);
      return typeof value === 'number' ? value : null;
    };
    const shape = body('shape');
    const text = trans.__(
      '%1: %2, %3; %4 to %5, mean %6, std %7; in float16 %8 overflow, %9 vanish',
      String(this._dataModel.data('row-header', row, 0)),
      String(body('dtype')),
      Array.isArray(shape) ? formatSizes(shape) : formatCount(figure('count') ?? 0),
      formatValue(figure('min')),
      formatValue(figure('max')),
      formatValue(figure('mean')),
      formatValue(figure('std')),
      formatShare(figure('float16_overflow')),
      formatShare(figure('float16_vanish'))
    );
    const limit = body('limit_dtype');
    const parts = [
      text,
      ...(typeof limit === 'string'
        ? [
            trans.__(
              '%1 binades below the limit of %2',
              formatValue(figure('overflow_binades')),
              limit
            )
          ]
        : []),
      ...(figure('max_abs_error') === null
        ? []
        : [
            trans.__(
              'differs from float32 by at most %1, %2 of its largest magnitude; signal to noise %3 dB',
              formatValue(figure('max_abs_error')),
              formatValue(figure('max_rel_error')),
              formatValue(figure('snr_db'))
            )
          ])
    ];
    return parts.join('; ');
  }

  private _trans: TranslationBundle;
  private _table: IStatsTable;
  private _bins: IBinRange;
  private _dataModel: StatisticsModel;
  private _selection: BasicSelectionModel;
  private _grid: DataGrid;
  private _described = new Signal<this, string>(this);
}

function* exponentsOf(table: IStatsTable): Iterable<Uint32Array> {
  for (let row = 0; row < table.rows; row++) {
    const counts = table.value('exponents', row);
    if (counts instanceof Uint32Array) {
      yield counts;
    }
  }
}
