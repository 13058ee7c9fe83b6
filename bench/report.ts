/**
 * A comparison as Markdown.
 *
 * @packageDocumentation
 */
import type { IRatio } from '../src/numerics';
import { ratioOfMedians, verdictOf } from '../src/numerics';
import type { ICompareResult, IVariantResult } from '../src/protocol';
import { formatBytes, formatMs, VERDICT_TEXTS } from '../src/protocol';

/** Machine, runtime, one row per variant, and the two ratios that matter. */
export function report(compare: ICompareResult): string {
  const off = compare.variants.find(({ cache }) => cache === 'off');
  const lines = [
    `Machine: ${compare.machine}  `,
    `Runtime: ${compare.runtime}; the reference \`onnxruntime\` with its default optimisations  `,
    `${compare.runs} timed rounds after ${compare.warmup} of warm-up, interleaved; inputs: ${compare.inputs}`,
    '',
    '| mode | median | quartiles | ratio to off (95 % interval) | weight casts planned / executed | bytes moved | load | outputs as off |',
    '| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |',
    ...compare.variants.map(variant => row(variant, off)),
    ''
  ];
  for (const { variant, message } of compare.failed) {
    lines.push(`${variant.cache} could not be run: ${message}`);
  }
  for (const [a, b] of [
    ['off', 'frozen'],
    ['folded', 'frozen']
  ]) {
    const [first, second] = [a, b].map(name =>
      compare.variants.find(({ cache }) => cache === name)
    );
    if (first && second) {
      const ratio = ratioOfMedians(first.samplesMs, second.samplesMs);
      lines.push(`${a} / ${b}: ${ratioText(ratio)}, ${VERDICT_TEXTS[verdictOf(ratio)]}`);
    }
  }
  for (const { findings } of compare.variants) {
    lines.push(...findings.map(({ message }) => message));
  }
  return lines.join('\n');
}

function row(variant: IVariantResult, off: IVariantResult | undefined): string {
  const ratio =
    off === undefined || off === variant ? null : ratioOfMedians(variant.samplesMs, off.samplesMs);
  const cells = [
    variant.cache,
    formatMs(variant.medianMs),
    `${formatMs(variant.lowMs)} to ${formatMs(variant.highMs)}`,
    ratio === null ? '1' : ratioText(ratio),
    `${variant.plannedWeightCasts} / ${variant.executedWeightCasts}`,
    formatBytes(variant.plannedBytesMoved ?? 0),
    formatMs(variant.loadMs),
    sameness(variant)
  ];
  return `| ${cells.join(' | ')} |`;
}

/** `1.004 (0.998 to 1.009)`; the interval is left out where there are too few rounds for one. */
export function ratioText({ ratio, low, high }: IRatio): string {
  const interval =
    low === null || high === null ? '' : ` (${low.toFixed(3)} to ${high.toFixed(3)})`;
  return `${ratio.toFixed(3)}${interval}`;
}

function sameness(variant: IVariantResult): string {
  if (variant.bitIdenticalToOff === null) {
    return '';
  }
  return variant.bitIdenticalToOff
    ? 'bit-identical'
    : `within ${(variant.maxRelativeDifferenceToOff ?? NaN).toExponential(1)}`;
}
