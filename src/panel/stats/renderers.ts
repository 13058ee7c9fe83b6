/**
 * How the cells of the statistics grid are painted.
 *
 * @packageDocumentation
 */
// eslint-disable-next-line jupyter/prefer-lazy-imports -- this module is itself loaded on demand
import { CellRenderer, TextRenderer } from '@lumino/datagrid';
import type { DataGrid, GraphicsContext } from '@lumino/datagrid';
import { formatSizes } from '../../protocol';
import type { StatsColumn } from '../../protocol';
import { formatCount, formatShare, formatValue, NO_FIGURE } from '../format';
import type { IBinRange } from './histogram';
import { barHeights, binPosition, FLOAT16_BINS } from './histogram';

/** Colours and fonts of the grid, read from the theme. */
export interface IGridTheme {
  readonly font: string;
  readonly headerFont: string;
  readonly background: string;
  readonly headerBackground: string;
  readonly border: string;
  readonly text: string;
  readonly mutedText: string;
  readonly bar: string;
  readonly limit: string;
  readonly selection: string;
  readonly selectionBorder: string;
  readonly warn: string;
}

/** Read the theme's variables as `node` sees them. A canvas cannot use them itself. */
export function readTheme(node: HTMLElement): IGridTheme {
  const style = getComputedStyle(node);
  const read = (name: string) => style.getPropertyValue(name).trim();
  const family = read('--jp-ui-font-family') || 'sans-serif';
  const size = read('--jp-ui-font-size1') || '13px';
  return {
    font: `${size} ${family}`,
    headerFont: `600 ${size} ${family}`,
    background: read('--jp-layout-color1'),
    headerBackground: read('--jp-layout-color2'),
    border: read('--jp-border-color2'),
    text: read('--jp-ui-font-color1'),
    mutedText: read('--jp-ui-font-color2'),
    bar: read('--jp-brand-color1'),
    limit: read('--jp-border-color1'),
    selection: read('--jp-layout-color3'),
    selectionBorder: read('--jp-brand-color1'),
    warn: read('--jp-warn-color0') || read('--jp-warn-color1')
  };
}

/** The grid's own style in this theme. */
export function gridStyle(theme: IGridTheme): DataGrid.Style {
  return {
    voidColor: theme.background,
    backgroundColor: theme.background,
    headerBackgroundColor: theme.headerBackground,
    gridLineColor: theme.border,
    headerGridLineColor: theme.border,
    selectionFillColor: translucent(theme.selectionBorder),
    selectionBorderColor: theme.selectionBorder,
    cursorFillColor: translucent(theme.selectionBorder),
    cursorBorderColor: theme.selectionBorder,
    headerSelectionFillColor: translucent(theme.selectionBorder),
    headerSelectionBorderColor: theme.selectionBorder,
    scrollShadow: { size: 4, color1: theme.border, color2: 'transparent', color3: 'transparent' }
  };
}

/** The renderer of a column of the body. */
export function bodyRenderer(
  column: StatsColumn,
  theme: IGridTheme,
  bins: IBinRange
): CellRenderer {
  switch (column) {
    case 'exponents':
      return new HistogramRenderer(bins, theme);
    case 'name':
    case 'dtype':
    case 'module':
    case 'limit_dtype':
      return text(theme, 'left', value => (value === null ? NO_FIGURE : String(value)));
    case 'shape':
      return text(theme, 'left', value => (isNumbers(value) ? formatSizes(value) : NO_FIGURE));
    case 'count':
      return text(theme, 'right', value => (isNumber(value) ? formatCount(value) : NO_FIGURE));
    case 'zeros':
      return text(theme, 'right', value =>
        isNumber(value) && value > 0 ? formatCount(value) : NO_FIGURE
      );
    case 'nan':
    case 'inf':
      return text(
        theme,
        'right',
        value => (isNumber(value) && value > 0 ? formatCount(value) : NO_FIGURE),
        warnAboveZero(theme)
      );
    case 'min':
    case 'max':
    case 'mean':
    case 'std':
    case 'overflow_ratio':
    case 'subnormal_binades':
    case 'max_abs_error':
    case 'max_rel_error':
    case 'max_element_rel_error':
    case 'cosine':
    case 'snr_db':
      return text(theme, 'right', value => formatValue(isNumber(value) ? value : null));
    case 'overflow_binades':
      return text(
        theme,
        'right',
        value => formatValue(isNumber(value) ? value : null),
        ({ value }) => (isNumber(value) && value < 1 ? theme.warn : theme.text)
      );
    case 'float16_overflow':
    case 'bfloat16_overflow':
      return text(
        theme,
        'right',
        value => formatShare(isNumber(value) ? value : null),
        warnAboveZero(theme)
      );
    case 'float16_subnormal':
    case 'float16_vanish':
    case 'bfloat16_subnormal':
    case 'bfloat16_vanish':
    case 'near_subnormal':
      return text(theme, 'right', value => formatShare(isNumber(value) ? value : null));
  }
}

/** The renderer of headers: names at the left, figures' headers at the right. */
export function headerRenderer(theme: IGridTheme, align: 'left' | 'right'): CellRenderer {
  return new TextRenderer({
    font: theme.headerFont,
    textColor: theme.text,
    horizontalAlignment: align,
    elideDirection: 'right'
  });
}

/** The renderer of tensors' names. The end of a name tells more than its beginning. */
export function nameRenderer(theme: IGridTheme): CellRenderer {
  return new TextRenderer({
    font: theme.font,
    textColor: theme.text,
    horizontalAlignment: 'left',
    elideDirection: 'left'
  });
}

/** Paints an exponent histogram as small bars, with the limits of float16 as thin lines. */
class HistogramRenderer extends CellRenderer {
  constructor(bins: IBinRange, theme: IGridTheme) {
    super();
    this._bins = bins;
    this._theme = theme;
  }

  override paint(gc: GraphicsContext, config: CellRenderer.CellConfig): void {
    const { value } = config;
    if (!(value instanceof Uint32Array)) {
      return;
    }
    const x = config.x + PADDING;
    const width = config.width - 2 * PADDING;
    const bottom = config.y + config.height - PADDING;
    const height = config.height - 2 * PADDING;
    if (width < 2 || height < 2) {
      return;
    }
    gc.fillStyle = this._theme.limit;
    for (const bin of [FLOAT16_BINS.first, FLOAT16_BINS.last + 1]) {
      const position = binPosition(bin, this._bins);
      if (position !== null) {
        gc.fillRect(Math.round(x + position * width), config.y + 1, 1, config.height - 2);
      }
    }
    const heights = barHeights(value, this._bins, width / 2, 1 / height);
    const step = width / heights.length;
    gc.fillStyle = this._theme.bar;
    heights.forEach((share, i) => {
      if (share > 0) {
        const left = Math.round(x + i * step);
        const right = Math.round(x + (i + 1) * step);
        const size = Math.max(1, Math.round(share * height));
        gc.fillRect(left, bottom - size, Math.max(1, right - left - 1), size);
      }
    });
  }

  private _bins: IBinRange;
  private _theme: IGridTheme;
}

/** Space around the bars, in pixels. */
const PADDING = 3;

function text(
  theme: IGridTheme,
  align: 'left' | 'right',
  format: (value: unknown) => string,
  textColor: CellRenderer.ConfigOption<string> = theme.text
): CellRenderer {
  return new TextRenderer({
    font: theme.font,
    textColor,
    horizontalAlignment: align,
    elideDirection: 'right',
    format: ({ value }) => format(value)
  });
}

function warnAboveZero(theme: IGridTheme): CellRenderer.ConfigOption<string> {
  return ({ value }) => (isNumber(value) && value > 0 ? theme.warn : theme.text);
}

function translucent(color: string): string {
  return `color-mix(in srgb, ${color} 16%, transparent)`;
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number';
}

function isNumbers(value: unknown): value is readonly number[] {
  return Array.isArray(value);
}
