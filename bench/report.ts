/**
 * A comparison as Markdown.
 *
 * @packageDocumentation
 */
import type { IRatio } from '../src/numerics';
import { ratioOfMedians, verdictOf } from '../src/numerics';
import type { ICompareResult, IVariantResult } from '../src/protocol';
import {
  formatBytes,
  formatMs,
  isOff,
  modeOf,
  RUNTIME_LABELS,
  runtimeOf,
  RUNTIMES,
  VERDICT_TEXTS
} from '../src/protocol';

/** Machine, runtime, one row per variant, and the two ratios that matter. */
export function report(compare: ICompareResult): string {
  const runtimes = RUNTIMES.filter(name => compare.variants.some(one => runtimeOf(one) === name));
  const isOfTorch = runtimes.some(name => name !== 'onnxruntime');
  const reference = compare.outputsComparedWith ?? 'onnxruntime';
  const lines = [
    `Machine: ${compare.machine}  `,
    ...[...new Set(compare.variants.map(({ runtime }) => runtime))].map(
      text => `Runtime: ${text}  `
    ),
    `${compare.runs} timed rounds after ${compare.warmup} of warm-up, interleaved; inputs: ${compare.inputs}`,
    '',
    `| ${isOfTorch ? 'runtime, ' : ''}mode | median | quartiles | ratio to off (95 % interval) | weight casts planned / executed | at load | bytes moved | compile | load | memory | outputs as ${isOfTorch ? `${RUNTIME_LABELS[reference]} ` : ''}off |`,
    '| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |',
    ...compare.variants.map(variant => row(variant, offOf(compare, variant), isOfTorch)),
    ''
  ];
  for (const { variant, message } of compare.failed) {
    lines.push(
      `${RUNTIME_LABELS[runtimeOf(variant)]} ${modeOf(variant)} could not be run: ${message}`
    );
  }
  for (const runtime of runtimes) {
    const own = compare.variants.filter(one => runtimeOf(one) === runtime);
    for (const [a, b] of [
      ['off', 'frozen'],
      ['folded', 'frozen']
    ]) {
      const [first, second] = [a, b].map(name => own.find(one => modeOf(one) === name));
      if (first && second) {
        const ratio = ratioOfMedians(first.samplesMs, second.samplesMs);
        const name = isOfTorch ? `${RUNTIME_LABELS[runtime]} ` : '';
        lines.push(`${name}${a} / ${b}: ${ratioText(ratio)}, ${VERDICT_TEXTS[verdictOf(ratio)]}`);
      }
    }
  }
  for (const { findings } of compare.variants) {
    lines.push(...findings.map(({ message }) => message));
  }
  return lines.join('\n');
}

/** `off` of the same runtime. */
function offOf({ variants }: ICompareResult, variant: IVariantResult): IVariantResult | undefined {
  return variants.find(one => isOff(one) && runtimeOf(one) === runtimeOf(variant));
}

function row(variant: IVariantResult, off: IVariantResult | undefined, isOfTorch: boolean): string {
  const ratio =
    off === undefined || off === variant ? null : ratioOfMedians(variant.samplesMs, off.samplesMs);
  const { plannedWeightCasts, plannedBytesMoved, castsAtLoad, compileMs, memory } = variant;
  const cells = [
    `${isOfTorch ? `${RUNTIME_LABELS[runtimeOf(variant)]} ` : ''}${modeOf(variant)}`,
    formatMs(variant.medianMs),
    `${formatMs(variant.lowMs)} to ${formatMs(variant.highMs)}`,
    ratio === null ? '1' : ratioText(ratio),
    `${plannedWeightCasts ?? '–'} / ${variant.executedWeightCasts}`,
    castsAtLoad == null ? '' : String(castsAtLoad),
    plannedBytesMoved === null ? '' : formatBytes(plannedBytesMoved),
    compileMs == null ? '' : `${(compileMs / 1000).toFixed(1)} s`,
    formatMs(variant.loadMs),
    memory.hostBytes === null ? '' : formatBytes(memory.hostBytes),
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
