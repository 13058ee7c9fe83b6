/**
 * What the benchmark for CUDA measured, as Markdown.
 *
 * @packageDocumentation
 */
import type { IRatio } from '../../src/numerics';
import { ratioOfMedians } from '../../src/numerics';
import type { ICompareResult, IVariantResult } from '../../src/protocol';
import { CACHE_MODES, formatBytes, formatMs } from '../../src/protocol';
import type { DriverState } from '../../src/runtime';
import { ratioText } from '../report';

/** Times of PyTorch by what ran: milliseconds per forward, or why it did not run. */
export type TorchTimes = Readonly<Record<string, number | string>>;

/** One model in one dtype at one batch. */
export interface IMeasured {
  readonly model: string;
  readonly dtype: string;
  readonly batch: number;
  /** Null where no variant ran at all. */
  readonly compare: ICompareResult | null;
  /** Why not, then. */
  readonly failure?: string;
  /** Null where PyTorch was not asked. */
  readonly torch: TorchTimes | null;
}

/** Everything that was measured, and on what. */
export interface ICudaBenchmark {
  readonly machine: string;
  readonly device: string;
  /** See `driverText`. */
  readonly gpu: string;
  /** Bytes per second that the device reads and writes together; null where it could not be measured. */
  readonly bandwidth: number | null;
  readonly runs: number;
  readonly warmup: number;
  readonly measured: readonly IMeasured[];
}

/** By how much `off` is expected to be slower than `frozen` where weights dominate. */
export const EXPECTED_RATIO = 2.5;

/** GPUs and driver in one line. */
export function driverText(driver: DriverState): string {
  if (driver.kind !== 'present') {
    return driver.message;
  }
  const gpus = driver.gpus.map(gpu => `${gpu.name} (${gpu.computeCapability ?? 'unknown'})`);
  return `${gpus.join(', ')}, driver ${driver.driverVersion}, CUDA up to ${driver.cudaVersion ?? 'unknown'}`;
}

/**
 * The time in which a device moves the weights of a model in low precision once: no forward can be faster that does not keep them in a
 * cache. Null without `off` or without a bandwidth.
 *
 * A cast in `off` reads a weight in float32 and writes it in 16 bits: a third of what casts move is what every forward must read.
 */
export function floorMs(compare: ICompareResult, bandwidth: number | null): number | null {
  const moved = variantOf(compare, 'off')?.plannedBytesMoved ?? 0;
  return bandwidth === null || moved === 0 ? null : (moved / 3 / bandwidth) * 1000;
}

/** Whether a ratio is at least a figure: `yes` and `no` where its whole interval says so. */
export function atLeast({ ratio, low, high }: IRatio, figure: number): string {
  if (low === null || high === null) {
    return `${ratio >= figure ? 'yes' : 'no'} (too few runs)`;
  }
  return low >= figure ? 'yes' : high < figure ? 'no' : 'within the noise';
}

/** Machine, a table of all that ran, and a table of what it means. */
export function cudaReport(bench: ICudaBenchmark): string {
  const { machine, device, gpu, bandwidth, runs, warmup, measured } = bench;
  const runtimes = measured.flatMap(({ compare }) => compare?.runtime ?? []);
  const speed = bandwidth === null ? 'not measured' : `${(bandwidth / 1e9).toFixed(1)} GB/s`;
  return [
    `Machine: ${machine}  `,
    `GPU: ${gpu}  `,
    `Runtime: ${runtimes[0] ?? 'nothing ran'} on ${device}  `,
    `Copy bandwidth: ${speed}; ${runs} rounds after ${warmup} of warm-up, interleaved`,
    '',
    ...tableOf(
      [
        ...KEYS,
        'mode',
        'median',
        '× frozen',
        '× floor',
        'weight casts planned / executed',
        'device memory',
        'bits as off'
      ],
      measured.flatMap(one => timeRows(one, bandwidth))
    ),
    '',
    ...tableOf(
      [
        ...KEYS,
        'off / frozen (95 % interval)',
        `at least ${EXPECTED_RATIO}`,
        'folded / frozen (95 % interval)',
        'casts executed as planned',
        'modes bit-identical'
      ],
      measured.map(meaningRow)
    )
  ].join('\n');
}

const KEYS = ['model', 'dtype', 'batch'] as const;

function keysOf({ model, dtype, batch }: IMeasured): string[] {
  return [model, dtype, String(batch)];
}

function timeRows(one: IMeasured, bandwidth: number | null): string[][] {
  const { compare, torch, failure } = one;
  const floor = compare && floorMs(compare, bandwidth);
  const frozen = compare ? variantOf(compare, 'frozen')?.medianMs : undefined;
  const times = (text: string, ms: number, rest: readonly string[] = ['', '', '']): string[] => [
    ...keysOf(one),
    text,
    formatMs(ms),
    factor(ms, frozen),
    factor(ms, floor),
    ...rest
  ];
  const failed = (text: string, reason: string): string[] => [
    ...keysOf(one),
    text,
    `not run: ${oneLine(reason)}`,
    '',
    '',
    '',
    '',
    ''
  ];
  return [
    ...(compare?.variants ?? []).map(variant =>
      times(variant.cache, variant.medianMs, [
        `${variant.plannedWeightCasts} / ${variant.executedWeightCasts}`,
        variant.memory.deviceBytes === null ? '' : formatBytes(variant.memory.deviceBytes),
        variant.bitIdenticalToOff === null ? '' : variant.bitIdenticalToOff ? 'same' : 'differ'
      ])
    ),
    ...(compare?.failed ?? []).map(({ variant, message }) => failed(variant.cache, message)),
    ...(compare === null ? [failed('all modes', failure ?? 'unknown reason')] : []),
    ...Object.entries(torch ?? {}).map(([name, time]) =>
      typeof time === 'number' ? times(name, time) : failed(name, time)
    ),
    ...(floor === null ? [] : [times('floor', floor)])
  ];
}

function meaningRow(one: IMeasured): string[] {
  const { compare } = one;
  const to = (a: IVariantResult['cache'], b: IVariantResult['cache']): IRatio | null => {
    const [first, second] = [a, b].map(cache => compare && variantOf(compare, cache));
    return first && second ? ratioOfMedians(first.samplesMs, second.samplesMs) : null;
  };
  const [off, folded] = [to('off', 'frozen'), to('folded', 'frozen')];
  const modes = (compare?.variants ?? []).filter(({ cache }) =>
    (CACHE_MODES as readonly string[]).includes(cache)
  );
  const allOf = (isRight: (variant: IVariantResult) => boolean): string => {
    const wrong = modes.filter(variant => !isRight(variant)).map(({ cache }) => cache);
    return modes.length === 0 ? '' : wrong.length === 0 ? 'yes' : `no: ${wrong.join(', ')}`;
  };
  return [
    ...keysOf(one),
    off === null ? '' : ratioText(off),
    off === null ? '' : atLeast(off, EXPECTED_RATIO),
    folded === null ? '' : ratioText(folded),
    allOf(
      ({ plannedWeightCasts, executedWeightCasts }) => plannedWeightCasts === executedWeightCasts
    ),
    allOf(({ bitIdenticalToOff }) => bitIdenticalToOff !== false)
  ];
}

function variantOf(
  { variants }: ICompareResult,
  cache: IVariantResult['cache']
): IVariantResult | undefined {
  return variants.find(variant => variant.cache === cache);
}

function factor(ms: number, unit: number | null | undefined): string {
  return unit === null || unit === undefined ? '' : (ms / unit).toFixed(2);
}

/** A table of Markdown; figures to the right. */
function tableOf(headings: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rules = headings.map((_, i) => (rows.some(row => /^[a-z]/i.test(row[i])) ? '---' : '---:'));
  return [line(headings), line(rules), ...rows.map(line)];
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').replaceAll('|', '\\|').trim();
}
