/**
 * What the results of the notebook API look like. Pure: results in, tables and charts out.
 *
 * @packageDocumentation
 */
import type {
  ICensus,
  ICodeResult,
  ICompareResult,
  IDeviceInfo,
  IFinding,
  IFixResult,
  IModelInfo,
  IPlan,
  IRunResult,
  IVariant,
  IVariantResult,
  IWeightUpdateResult
} from '../../../protocol';
import {
  formatBytes,
  formatCost,
  formatMs,
  formatOverrides,
  formatRatio,
  formatSizes,
  isOff,
  modeOf,
  recommendations,
  RUNTIME_LABELS,
  runtimeOf,
  VERDICT_TEXTS
} from '../../../protocol';
import type { MimeBundle } from '../../message';
import type { ITable } from './table';

/** A model: what it is, its inputs and outputs, and the sentence that sums up its casts. */
export function modelTable(info: IModelInfo): ITable {
  const port = (kind: string) => (p: IModelInfo['inputs'][number]) => [
    kind,
    p.name,
    p.dtype ?? p.literal ?? '',
    p.shape ? formatSizes(p.shape) : ''
  ];
  const missing = info.unsupported.map(
    ({ op, count, node, source }) =>
      `cannot be run: ${op}, used ${times(count)} (${source ? `${source.file}:${source.line}` : node})`
  );
  return {
    title: [
      `${info.file}: ${info.census.format} ${info.census.dialect}, ${info.census.producer}`,
      `${counted(info.nodeCount, 'operator')}, ${counted(info.weightCount, 'weight')}, ${formatBytes(info.weightBytes)}`,
      sentence(info.census)
    ],
    columns: [{ label: '' }, { label: 'Name' }, { label: 'Dtype' }, { label: 'Shape' }],
    rows: [...info.inputs.map(port('input')), ...info.outputs.map(port('output'))],
    notes: [...missing, ...info.warnings]
  };
}

/** The casts in the file. */
export function censusTable(census: ICensus): ITable {
  const { off, autocast, folded, frozen } = census.perForward;
  const modes = Object.entries({ off, autocast, folded, frozen }).map(
    ([mode, casts]) => `${mode}: ${casts.weightCasts} (${formatBytes(casts.bytesMoved)})`
  );
  return {
    title: [sentence(census), `Weight casts per forward by cache mode: ${modes.join(', ')}`],
    columns: [
      { label: 'Weight' },
      { label: 'Kind' },
      { label: 'Computed from' },
      { label: 'Cast' },
      { label: 'Uses', numeric: true },
      { label: 'Shape' },
      { label: 'Size', numeric: true },
      { label: 'Module' },
      { label: 'Source' },
      { label: 'Cached by eager' }
    ],
    rows: census.weightCasts.map(cast => [
      cast.weight,
      cast.kind,
      cast.computedFrom.join(', '),
      `${cast.from} → ${cast.to}`,
      String(cast.uses),
      formatSizes(cast.shape),
      formatBytes(cast.sizeBytes),
      cast.module ?? '',
      cast.source ? `${cast.source.file}:${cast.source.line}` : '',
      cast.cacheEligible ? 'yes' : 'no'
    ]),
    notes: census.findings.map(findingText)
  };
}

/** The casts in the graph of a variant. */
export function planTable(plan: IPlan): ITable {
  return {
    title: [
      `${variantText(plan.variant)}: ${counted(plan.weightCasts, 'weight cast')} per forward, ${formatBytes(plan.bytesMoved)} moved; ` +
        `${counted(plan.activationCasts, 'activation cast')}, ${counted(plan.convertedWeights, 'weight')} converted once`
    ],
    columns: [{ label: 'Pass' }, { label: 'Applied', numeric: true }, { label: 'Summary' }],
    rows: plan.passes.map(report => [report.pass, String(report.applied), report.summary]),
    notes: [
      ...plan.passes.flatMap(report =>
        report.declined.map(({ node, reason }) => `${report.pass} declined ${node}: ${reason}`)
      ),
      ...plan.findings.map(findingText)
    ]
  };
}

/** One forward. */
export function runTable(run: IRunResult): ITable {
  const figure = (value: number | null): string => (value === null ? '' : value.toPrecision(6));
  return {
    title: [
      `${variantText(run.variant)}: ${formatMs(run.latencyMs)}, loaded in ${formatMs(run.loadMs)} (${run.runtime})`,
      `weight casts: ${run.planned.weightCasts} planned, ${run.executedWeightCasts} executed`
    ],
    columns: [
      { label: 'Output' },
      { label: 'Dtype' },
      { label: 'Shape' },
      { label: 'Min', numeric: true },
      { label: 'Mean', numeric: true },
      { label: 'Max', numeric: true },
      { label: 'NaN', numeric: true }
    ],
    rows: run.outputs.map(output => [
      output.name,
      output.dtype,
      formatSizes(output.shape),
      figure(output.min),
      figure(output.mean),
      figure(output.max),
      String(output.nanCount)
    ]),
    notes: [
      ...(run.outputsFile === undefined ? [] : [`outputs written to ${run.outputsFile}`]),
      ...run.findings.map(findingText)
    ]
  };
}

/** Other weights. */
export function updateTable(update: IWeightUpdateResult): ITable {
  const { weights, changed, unchangedCount, castsDone, castsKept, castMs, loadMs } = update;
  return {
    title: [`weights of ${weights}, loaded as ${variantText(update.variant)}`],
    columns: [
      { label: 'Weights changed', numeric: true },
      { label: 'unchanged', numeric: true },
      { label: 'Casts done', numeric: true },
      { label: 'kept', numeric: true },
      { label: 'Cast', numeric: true },
      { label: 'Load', numeric: true }
    ],
    rows: [
      [
        String(changed.length),
        String(unchangedCount),
        String(castsDone),
        String(castsKept),
        formatMs(castMs),
        formatMs(loadMs)
      ]
    ],
    notes: []
  };
}

/** A repaired model. */
export function fixTable(fix: IFixResult): ITable {
  return {
    title: [
      `${fix.output}: ${counted(fix.converted.length, 'weight')} stored in a lower precision`,
      `weight casts of one forward: ${fix.weightCastsBefore} before, ${fix.weightCastsAfter} after; ` +
        `size: ${formatBytes(fix.sizeBefore)} before, ${formatBytes(fix.sizeAfter)} after`,
      ...(fix.regions === undefined
        ? []
        : [`regions written otherwise, so that outputs change: ${formatOverrides(fix.regions)}`])
    ],
    columns: [{ label: 'Weight' }, { label: 'Stored as' }, { label: 'Copy' }],
    rows: [
      ...fix.converted.map(({ weight, from, to, copy }) => [weight, `${from} → ${to}`, copy ?? '']),
      ...(fix.folded?.weights ?? []).map(({ weight, from, to }) => [
        weight,
        `${to}, computed from ${from.join(', ')}`,
        ''
      ])
    ],
    notes: [
      ...fix.left.map(({ weight, reason }) => `left as it is: ${weight}: ${reason}`),
      ...(fix.codeFile === undefined ? [] : [`PyTorch code: ${fix.codeFile}`])
    ]
  };
}

/** Code: as it is, and highlighted. The fence is longer than any run of backticks in it. */
export function codeBundle({ code }: ICodeResult): MimeBundle {
  const longest = Math.max(2, ...[...code.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return { 'text/markdown': `${fence}python\n${code}${fence}\n`, 'text/plain': code };
}

/** A comparison. */
export function compareTable(compare: ICompareResult): ITable {
  const ofTorch = compare.variants.some(({ runtimeName }) => runtimeName !== undefined);
  return {
    title: [
      `${compare.file} on ${compare.device}: ${compare.runs} interleaved runs per variant, ${compare.inputs}`,
      `${compare.machine}; ${compare.runtime}`
    ],
    columns: [
      { label: 'Variant' },
      { label: 'Median', numeric: true },
      { label: 'Quartiles', numeric: true },
      { label: 'Ratio', numeric: true },
      { label: '95 % interval', numeric: true },
      { label: 'Verdict' },
      { label: 'Casts planned', numeric: true },
      { label: 'executed', numeric: true },
      ...(ofTorch
        ? [
            { label: 'at load', numeric: true },
            { label: 'Compile', numeric: true }
          ]
        : []),
      { label: 'Load', numeric: true },
      { label: 'Weights', numeric: true },
      ...(ofTorch ? [{ label: 'Memory', numeric: true }] : []),
      { label: ofTorch ? `Output bits, to ${referenceName(compare)}` : 'Same bits as off' }
    ],
    rows: compare.variants.map(variant => [
      variantText(variant),
      formatMs(variant.medianMs),
      `${formatMs(variant.lowMs)} to ${formatMs(variant.highMs)}`,
      variant.ratioToOff === null ? '' : formatRatio(variant.ratioToOff),
      variant.ratioLow === null || variant.ratioHigh === null
        ? ''
        : `${formatRatio(variant.ratioLow)} to ${formatRatio(variant.ratioHigh)}`,
      variant.verdict === null ? '' : VERDICT_TEXTS[variant.verdict],
      variant.plannedWeightCasts === null ? '' : String(variant.plannedWeightCasts),
      String(variant.executedWeightCasts),
      ...(ofTorch
        ? [
            variant.castsAtLoad == null ? '' : String(variant.castsAtLoad),
            variant.compileMs == null ? '' : `${(variant.compileMs / 1000).toFixed(1)} s`
          ]
        : []),
      formatMs(variant.loadMs),
      variant.weightBytes === null ? '' : formatBytes(variant.weightBytes),
      ...(ofTorch
        ? [
            variant.memory.hostBytes === null ? '' : formatBytes(variant.memory.hostBytes),
            bitsText(variant, compare)
          ]
        : [variant.bitIdenticalToOff === null ? '' : variant.bitIdenticalToOff ? 'yes' : 'no'])
    ]),
    notes: [
      ...(ofTorch ? [...recommendations(compare.variants), ...optionTexts(compare)] : []),
      // What is found in the program, the variants share.
      ...new Set(
        [...compare.findings, ...compare.variants.flatMap(({ findings }) => findings)].map(
          findingText
        )
      ),
      ...compare.failed.map(({ variant, message }) => `${variantText(variant)} failed: ${message}`)
    ]
  };
}

/** Whose outputs the others are compared with. */
function referenceName({ outputsComparedWith }: ICompareResult): string {
  return `${RUNTIME_LABELS[outputsComparedWith ?? 'onnxruntime']} off`;
}

/** As the panel says it: `baseline`, `identical`, `differ by 2.7e-7`. */
function bitsText(variant: IVariantResult, { outputsComparedWith }: ICompareResult): string {
  const { bitIdenticalToOff, maxRelativeDifferenceToOff } = variant;
  if (isOff(variant) && runtimeOf(variant) === outputsComparedWith) {
    return 'baseline';
  }
  return bitIdenticalToOff === null
    ? ''
    : bitIdenticalToOff
      ? 'identical'
      : `differ by ${(maxRelativeDifferenceToOff ?? NaN).toExponential(1)}`;
}

/** What ran the variants of PyTorch, with versions and options, a line per variant. */
function optionTexts({ variants }: ICompareResult): string[] {
  return variants.flatMap(variant =>
    variant.runtimeName === undefined ? [] : [`${variantText(variant)}: ${variant.runtime}`]
  );
}

/** A comparison as bars of medians with their quartiles: a Vega-Lite chart, and the same in characters. */
export function compareChart(compare: ICompareResult): MimeBundle {
  const rows = compare.variants.map(variant => ({
    variant: variantText(variant),
    median: variant.medianMs,
    low: variant.lowMs,
    high: variant.highMs,
    casts: variant.executedWeightCasts,
    label: formatMs(variant.medianMs)
  }));
  const y = { field: 'variant', type: 'nominal', sort: null, title: null };
  return {
    'application/vnd.vegalite.v5+json': {
      $schema: 'https://vega.github.io/schema/vega-lite/v5.json',
      title: `Time of one forward, ${compare.file}`,
      data: { values: rows },
      width: 480,
      height: { step: 28 },
      encoding: { y },
      layer: [
        {
          mark: { type: 'bar', tooltip: true },
          encoding: {
            x: { field: 'median', type: 'quantitative', title: 'median of one forward, ms' },
            tooltip: [
              { field: 'variant', type: 'nominal' },
              { field: 'median', type: 'quantitative', title: 'median, ms' },
              { field: 'low', type: 'quantitative', title: 'first quartile, ms' },
              { field: 'high', type: 'quantitative', title: 'third quartile, ms' },
              { field: 'casts', type: 'quantitative', title: 'weight casts executed' }
            ]
          }
        },
        {
          mark: { type: 'rule', strokeWidth: 2 },
          encoding: { x: { field: 'low', type: 'quantitative' }, x2: { field: 'high' } }
        },
        {
          mark: { type: 'text', align: 'left', dx: 8 },
          encoding: {
            x: { field: 'high', type: 'quantitative' },
            text: { field: 'label', type: 'nominal' }
          }
        }
      ]
    },
    'text/plain': bars(compare.variants)
  };
}

/** Devices that can be chosen. */
export function devicesTable(devices: readonly IDeviceInfo[]): ITable {
  return {
    title: [],
    columns: [{ label: 'Device' }, { label: 'Name' }, { label: 'Available' }, { label: 'Why not' }],
    rows: devices.map(device => [
      device.id,
      device.label,
      device.available ? 'yes' : 'no',
      device.reason ?? ''
    ])
  };
}

/** `folded + share-casts, submod_1=off`. */
function variantText(variant: Omit<IVariant, 'device'>): string {
  const { passes, regions, runtimeName } = variant;
  const overrides = formatOverrides(regions);
  return (
    (runtimeName === undefined ? '' : `${RUNTIME_LABELS[runtimeName]} `) +
    [modeOf(variant), ...passes].join(' + ') +
    (overrides === '' ? '' : `, ${overrides}`)
  );
}

function sentence(census: ICensus): string {
  const { weightCasts, bytesMoved } = census.perForward.off;
  return weightCasts === 0
    ? 'No weight is cast on a forward.'
    : `As exported, every forward casts weights ${times(weightCasts)} and moves ${formatBytes(bytesMoved)} doing so.`;
}

/** A finding in one line: what, where, what it costs, what to do. */
export function findingText(finding: IFinding): string {
  const { severity, code, message, source, cost, remedy } = finding;
  return [
    `${severity} ${code}: ${message}`,
    ...(source ? [`At ${source.file}:${source.line}.`] : []),
    ...(cost ? [`Cost: ${formatCost(cost)}.`] : []),
    ...(remedy === undefined ? [] : [remedy])
  ].join(' ');
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}

/** Bars of block characters, one line per variant. */
function bars(variants: readonly IVariantResult[]): string {
  const width = 40;
  const longest = Math.max(...variants.map(({ medianMs }) => medianMs), Number.MIN_VALUE);
  const names = variants.map(variantText);
  const margin = Math.max(0, ...names.map(name => name.length));
  return variants
    .map(({ medianMs }, i) => {
      const bar = '█'.repeat(Math.max(1, Math.round((medianMs / longest) * width)));
      return `${names[i].padEnd(margin)}  ${bar} ${formatMs(medianMs)}`;
    })
    .join('\n');
}
