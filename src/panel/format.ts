/**
 * Figures as the panel writes them, beyond those that panel, notebook and command line share.
 *
 * @packageDocumentation
 */
import { formatMs, formatRatio } from '../protocol';
import type { IPortInfo, ISourceRef, IVariantResult } from '../protocol';

/** Shown where there is no figure. */
export const NO_FIGURE = '–';

/** A count with thin groups: `12 345`. */
export function formatCount(count: number | bigint): string {
  return count.toString().replace(/\B(?=(\d{3})+$)/g, '\u2009');
}

/** First to third quartile, the unit once: `1.204–1.310 ms`. */
export function formatQuartiles(lowMs: number, highMs: number): string {
  const unit = / ms$/;
  return `${formatMs(lowMs).replace(unit, '')}–${formatMs(highMs)}`;
}

/** A ratio and its confidence interval: `0.263× (0.258–0.270)`. */
export function formatRatioInterval(result: IVariantResult): string {
  if (result.ratioToOff === null) {
    return NO_FIGURE;
  }
  const ratio = formatRatio(result.ratioToOff);
  if (result.ratioLow === null || result.ratioHigh === null) {
    return ratio;
  }
  const bare = (value: number) => formatRatio(value).replace('×', '');
  return `${ratio} (${bare(result.ratioLow)}–${bare(result.ratioHigh)})`;
}

/** A value of any size in four significant digits: `0.03125`, `-1.234e-4`. */
export function formatValue(value: number | null): string {
  if (value === null) {
    return NO_FIGURE;
  }
  if (value === 0 || !Number.isFinite(value)) {
    return String(value);
  }
  const size = Math.abs(value);
  return size >= 1e-3 && size < 1e6
    ? String(Number(value.toPrecision(4)))
    : value.toExponential(3).replace('e+', 'e');
}

/** A share, `12.5 %`; small ones keep their order of magnitude, none at all is a dash. */
export function formatShare(share: number | null): string {
  if (share === null || share === 0) {
    return NO_FIGURE;
  }
  const percent = share * 100;
  return percent >= 0.01 ? `${Number(percent.toPrecision(3))} %` : `${percent.toExponential(1)} %`;
}

/** A place in the user's source, the folder left out: `model.py:12`. */
export function formatSource(source: ISourceRef | null | undefined): string {
  return source ? `${source.file.replace(/^.*[\\/]/, '')}:${source.line}` : NO_FIGURE;
}

/** An input or output: `x float32[4×128]`. */
export function formatPort(port: IPortInfo): string {
  if (port.literal !== undefined) {
    return `${port.name} = ${port.literal}`;
  }
  const shape = port.shape === null ? '' : `[${port.shape.join('×')}]`;
  return `${port.name} ${port.dtype ?? '?'}${shape}`;
}
