/**
 * Results as text for a terminal.
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
  IForwardCasts,
  IPassReport,
  IPythonInfo,
  IRunResult,
  ISourceRef,
  IVariant,
  IWeightCast,
  RegionOverrides
} from '../protocol';
import {
  CACHE_MODES,
  formatBytes,
  formatCost,
  formatOverrides,
  formatSizes,
  recommendations,
  VERDICT_TEXTS
} from '../protocol';
import type { ICudaSetup } from '../runtime';

/** Rows under headings, columns aligned; numbers to the right. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const numeric = headings.map((_, i) => rows.every(row => /^[-\d.,x×%]|^$/.test(row[i])));
  const widths = headings.map((heading, i) =>
    Math.max(heading.length, ...rows.map(row => row[i].length))
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => (numeric[i] ? cell.padStart(widths[i]) : cell.padEnd(widths[i])))
      .join('  ')
      .trimEnd();
  return [line(headings), ...rows.map(line)].join('\n');
}

/** A census: what the file casts. */
export function censusText(census: ICensus): string {
  const lines = [`${census.file}: ${census.format}, ${census.dialect}, ${census.producer}`, ''];
  if (census.regions.length > 0) {
    lines.push(
      'Autocast regions, as recorded',
      table(
        ['region', 'parent', 'device', 'dtype', 'enabled', 'cache', 'module', 'source'],
        census.regions.map(region => [
          region.id,
          region.parent ?? '',
          region.device,
          region.dtype ?? 'default',
          region.enabled ? 'yes' : 'no',
          region.cacheEnabled === null ? 'default' : region.cacheEnabled ? 'on' : 'off',
          region.module ?? '',
          sourceText(region.source)
        ])
      ),
      ''
    );
  }
  if (census.overrides !== undefined) {
    lines.push(`Regions overridden in what follows: ${formatOverrides(census.overrides)}`, '');
  }
  if (census.weightCasts.length > 0) {
    lines.push(
      census.overrides === undefined ? 'Weight casts (exported)' : 'Weight casts (overridden)',
      table(
        [
          'weight',
          'kind',
          'module',
          'from',
          'to',
          'uses',
          'shape',
          'size',
          'cached in eager',
          'source'
        ],
        census.weightCasts.map(cast => [
          weightText(cast),
          cast.kind,
          cast.module ?? '',
          cast.from,
          cast.to,
          String(cast.uses),
          formatSizes(cast.shape),
          formatBytes(cast.sizeBytes),
          cast.cacheEligible ? 'yes' : 'no',
          sourceText(cast.source)
        ])
      ),
      ''
    );
  }
  lines.push(
    'Weight casts of one forward, by cache mode',
    table(
      ['cache', 'weight casts', 'bytes moved'],
      CACHE_MODES.map(mode => forwardRow(mode, census.perForward[mode]))
    ),
    '',
    `Activation casts of one forward: ${census.activationCasts}`
  );
  return lines.concat(findingLines(census.findings)).join('\n');
}

/** The name of a weight; of a computed one, with those that it comes from. */
function weightText({ weight, computedFrom }: IWeightCast): string {
  return computedFrom.length === 0
    ? weight
    : `${weight} (of ${computedFrom.slice(0, 3).join(', ')}${computedFrom.length > 3 ? ', …' : ''})`;
}

/** One forward of one variant. */
export function runText(result: IRunResult): string {
  const lines = [
    `${result.variant.cache} on ${result.variant.device}: ${result.runtime}`,
    ...overrideLines(result.variant.regions),
    `latency ${result.latencyMs.toFixed(3)} ms (one forward, after loading in ${result.loadMs.toFixed(1)} ms)`,
    ...(result.inputs?.includes('chosen') === true ? [`inputs: ${result.inputs}`] : []),
    `weight casts: planned ${result.planned.weightCasts}, executed ${result.executedWeightCasts}`,
    '',
    table(
      ['output', 'dtype', 'shape', 'min', 'max', 'mean', 'NaN'],
      result.outputs.map(output => [
        output.name,
        output.dtype,
        formatSizes(output.shape),
        numberText(output.min),
        numberText(output.max),
        numberText(output.mean),
        String(output.nanCount)
      ])
    )
  ];
  lines.push(...passLines(result.passReports));
  if (result.outputsFile) {
    lines.push('', `outputs written to ${result.outputsFile}`);
  }
  return lines.concat(findingLines(result.findings)).join('\n');
}

/** A comparison of variants. */
export function compareText(result: ICompareResult): string {
  const ofTorch = result.variants.some(({ runtimeName }) => runtimeName !== undefined);
  const onDevice = result.variants.some(({ memory }) => memory.deviceBytes !== null);
  const lines = [
    `${result.file}: ${result.runs} forwards per variant, interleaved, after ${result.warmup} for warm-up; inputs: ${result.inputs}`,
    `${runtimesOf(result)}; ${result.machine}`,
    ...overrideLines(overridesOf(result)),
    '',
    table(
      [
        ...(ofTorch ? ['runtime'] : []),
        'cache',
        'median ms',
        'quartiles',
        '× off',
        '95 % interval',
        'verdict',
        'casts planned',
        'executed',
        ...(ofTorch ? ['at load', 'compile s'] : []),
        'load ms',
        'weights',
        'mapped',
        'host memory',
        'peak RSS so far',
        ...(onDevice ? ['device memory'] : []),
        ofTorch ? `bits as ${result.outputsComparedWith ?? ''} off` : 'bits as off',
        ...(ofTorch ? ['largest difference'] : [])
      ],
      result.variants.map(variant => [
        ...(ofTorch ? [variant.runtimeName ?? 'onnxruntime'] : []),
        variant.repaired === true ? 'repaired' : variant.cache,
        variant.medianMs.toFixed(3),
        `${variant.lowMs.toFixed(3)}–${variant.highMs.toFixed(3)}`,
        variant.ratioToOff === null ? '' : variant.ratioToOff.toFixed(3),
        variant.ratioLow === null || variant.ratioHigh === null
          ? ''
          : `${variant.ratioLow.toFixed(3)}–${variant.ratioHigh.toFixed(3)}`,
        variant.verdict === null ? '' : VERDICT_TEXTS[variant.verdict],
        variant.plannedWeightCasts === null ? '' : String(variant.plannedWeightCasts),
        String(variant.executedWeightCasts),
        ...(ofTorch
          ? [numberText(variant.castsAtLoad ?? null), secondsText(variant.compileMs)]
          : []),
        variant.loadMs.toFixed(1),
        bytesText(variant.weightBytes),
        bytesText(variant.memory.fileBackedBytes),
        bytesText(variant.memory.hostBytes),
        bytesText(variant.peakRssBytes),
        ...(onDevice ? [bytesText(variant.memory.deviceBytes)] : []),
        variant.bitIdenticalToOff === null ? '' : variant.bitIdenticalToOff ? 'same' : 'differ',
        ...(ofTorch ? [numberText(variant.maxRelativeDifferenceToOff)] : [])
      ])
    )
  ];
  if (ofTorch) {
    recommendations(result.variants).forEach(text => lines.push('', text));
  }
  for (const failure of result.failed) {
    lines.push('', `${variantText(failure.variant)}: not run: ${failure.message}`);
  }
  for (const variant of result.variants) {
    const reports = passLines(variant.passReports);
    if (reports.length > 0) {
      lines.push('', `Passes of ${variant.cache}`, ...reports.slice(1));
    }
  }
  // What is found in the program, the variants share.
  const findings = new Map(
    [...result.findings, ...result.variants.flatMap(variant => variant.findings)].map(item => [
      item.message,
      item
    ])
  );
  return lines.concat(findingLines([...findings.values()])).join('\n');
}

/** A repaired model. */
export function fixText(result: IFixResult): string {
  const { converted, left, folded } = result;
  if (result.types !== undefined) {
    return typeRepairText(result, result.types);
  }
  const stored = folded?.weights ?? [];
  const isUnchanged = converted.length === 0 && stored.length === 0;
  const lines = [
    isUnchanged
      ? result.regions === undefined
        ? `${result.file}: ${left.length === 0 ? 'nothing to do' : 'no weight to convert'}; written to ${result.output} as it is`
        : `${result.file}: no weight to convert; written to ${result.output}`
      : `${result.file}: ${converted.length} weight(s) stored in a lower precision in ${result.output}`,
    ...(folded === undefined ? [] : [foldedLine(folded)]),
    ...(result.programs === undefined
      ? []
      : [
          `only the program '${result.programs.repaired}' is repaired; left as they are: ${result.programs.others.join(', ')}`
        ]),
    ...(result.regions === undefined
      ? []
      : [`regions written otherwise, so that outputs change: ${formatOverrides(result.regions)}`]),
    `weight casts of one forward: ${result.weightCastsBefore} before, ${result.weightCastsAfter} after`,
    `size: ${formatBytes(result.sizeBefore)} before, ${formatBytes(result.sizeAfter)} after`
  ];
  if (result.codeFile !== undefined) {
    lines.push(`PyTorch code: ${result.codeFile}`);
  }
  if (converted.length > 0) {
    lines.push(
      '',
      table(
        ['weight', 'from', 'to', 'kept beside the original as'],
        converted.map(({ weight, from, to, copy }) => [weight, from, to, copy ?? ''])
      )
    );
  }
  if (stored.length > 0) {
    lines.push(
      '',
      table(
        ['stored as', 'dtype', 'bytes', 'computed from'],
        stored.map(({ weight, to, sizeBytes, from }) => [
          weight,
          to,
          formatBytes(sizeBytes),
          from.join(', ')
        ])
      )
    );
  }
  if (left.length > 0) {
    lines.push(
      '',
      'Left as they are',
      table(
        ['weight', 'why'],
        left.map(({ weight, reason }) => [weight, reason])
      )
    );
  }
  return lines.join('\n');
}

function foldedLine({ weights, freed, freedBytes }: NonNullable<IFixResult['folded']>): string {
  if (weights.length === 0) {
    return 'no computed weight to store';
  }
  const after = weights.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return `${weights.length} computed weight(s) stored, ${formatBytes(after)}, instead of ${freed.length} weight(s), ${formatBytes(freedBytes)}`;
}

function typeRepairText(
  { file, output }: IFixResult,
  { changes, left }: NonNullable<IFixResult['types']>
): string {
  return [
    changes.length === 0
      ? `${file}: no type that could be repaired; written to ${output} as it is`
      : `${file}: types repaired in ${output}`,
    ...changes.map(change => `  ${change}`),
    ...(left.length === 0 ? [] : ['', 'Still wrong', ...left.map(text => `  ${text}`)])
  ].join('\n');
}

/** Code for the user's own export script, or where it was written to. */
export function codeText({ file, strategies, code, codeFile }: ICodeResult): string {
  return codeFile === undefined
    ? code.trimEnd()
    : `${file}: ${strategies.join(', ')} written to ${codeFile}`;
}

/** The regions that all variants but the reference `float32` are run with. */
function overridesOf({ variants, failed }: ICompareResult): RegionOverrides | undefined {
  const all = [...variants, ...failed.map(({ variant }) => variant)];
  return all.find(({ regions }) => regions !== undefined)?.regions;
}

function overrideLines(overrides: RegionOverrides | undefined): string[] {
  return overrides === undefined ? [] : [`regions overridden: ${formatOverrides(overrides)}`];
}

/** What ran: the runtime of the variants, and that of those that ran otherwise. */
function runtimesOf(result: ICompareResult): string {
  const others = result.variants.filter(({ runtime }) => runtime !== result.runtime);
  return [
    result.runtime,
    ...others.map(variant => `${variantText(variant)}: ${variant.runtime}`)
  ].join('; ');
}

/** `folded`, `aotinductor repaired`. */
function variantText({
  cache,
  repaired,
  runtimeName
}: Pick<IVariant, 'cache' | 'repaired' | 'runtimeName'>): string {
  const mode = repaired === true ? 'repaired' : cache;
  return runtimeName === undefined ? mode : `${runtimeName} ${mode}`;
}

function secondsText(milliseconds: number | null | undefined): string {
  return milliseconds == null ? '' : (milliseconds / 1000).toFixed(1);
}

/** What `doctor` finds. */
export interface IDoctorReport {
  readonly versions: Readonly<Record<string, string>>;
  readonly devices: readonly IDeviceInfo[];
  readonly cuda: ICudaSetup;
  readonly pythons: readonly IPythonInfo[];
}

/** Devices and versions, the state of CUDA, and what to do about what is missing. */
export function doctorText({ versions, devices, cuda, pythons }: IDoctorReport): string {
  return [
    ...Object.entries(versions).map(([name, version]) => `${name} ${version}`),
    '',
    ...devices.map(device =>
      device.available
        ? `${device.id}: ${device.label}`
        : `${device.id}: not available: ${device.reason ?? 'unknown reason'}`
    ),
    '',
    'Python, for runtimes of PyTorch',
    ...pythons.flatMap(pythonLines),
    ...(pythons.length === 0 ? ['  none found'] : []),
    '',
    'CUDA',
    ...cudaLines(cuda),
    ...cuda.problems.flatMap(({ message, command, optional }) => [
      '',
      `${optional ? 'optional' : 'missing'}: ${message}`,
      ...(command === null ? [] : [`  ${command}`])
    ])
  ].join('\n');
}

function pythonLines(python: IPythonInfo): string[] {
  const has = [
    ...(python.python === null ? [] : [`Python ${python.python}`]),
    ...(python.torch === null ? [] : [`torch ${python.torch}`]),
    ...python.devices,
    ...(python.compiler === null ? [] : [`compiler ${python.compiler}`])
  ];
  return [
    `  ${python.path} (${python.origin})${has.length === 0 ? '' : `: ${has.join(', ')}`}`,
    ...python.problems.map(problem => `    missing: ${problem}`)
  ];
}

function cudaLines({ driver, provider, cudaMajor, libraries }: ICudaSetup): string[] {
  const lines: string[] = [];
  if (driver.kind === 'present') {
    lines.push(`  driver ${driver.driverVersion}, CUDA up to ${driver.cudaVersion ?? 'unknown'}`);
    for (const gpu of driver.gpus) {
      const memory =
        gpu.totalBytes === null || gpu.freeBytes === null
          ? 'memory not told'
          : `${formatBytes(gpu.freeBytes)} of ${formatBytes(gpu.totalBytes)} free`;
      const capability = gpu.computeCapability ?? 'unknown';
      const mig = gpu.mig ? ', MIG instances' : '';
      lines.push(
        `  GPU ${gpu.index} ${gpu.name}, compute capability ${capability}, ${memory}${mig}`
      );
    }
  } else {
    lines.push(`  driver: ${driver.message}`);
  }
  lines.push(
    provider.path === null
      ? '  provider: not installed'
      : `  provider ${provider.path}${provider.versionMatches ? `, version ${provider.wanted}` : ''}, for CUDA ${cudaMajor ?? 'of unknown version'}`
  );
  return lines.concat(libraries.map(({ name, path }) => `  ${name}: ${path ?? 'not found'}`));
}

function bytesText(bytes: number | null): string {
  return bytes === null ? '' : formatBytes(bytes);
}

function forwardRow(mode: string, casts: IForwardCasts): string[] {
  return [mode, String(casts.weightCasts), formatBytes(casts.bytesMoved)];
}

/** What passes did and where they declined, after an empty line; nothing where there were none. */
function passLines(reports: readonly IPassReport[]): string[] {
  if (reports.length === 0) {
    return [];
  }
  return [
    '',
    ...reports.flatMap(({ pass, summary, declined }) => [
      `${pass}: ${summary}`,
      ...declined.map(({ node, reason }) => `  declined ${node}: ${reason}`)
    ])
  ];
}

/** Findings after an empty line: where, what it costs, what to do; nothing where there are none. */
export function findingLines(findings: readonly IFinding[]): string[] {
  if (findings.length === 0) {
    return [];
  }
  return [
    '',
    ...findings.flatMap(({ code, severity, message, source, sources = [], cost, remedy }) => {
      const more = sources.length > 1 ? ` and ${sources.length - 1} more` : '';
      return [
        `${severity} [${code}] ${message}`,
        ...(source ? [`  at ${sourceText(source)}${more}`] : []),
        ...(cost ? [`  cost: ${formatCost(cost)}`] : []),
        ...(remedy ? [`  remedy: ${remedy}`] : [])
      ];
    })
  ];
}

function sourceText(source: ISourceRef | null): string {
  return source === null ? '' : `${source.file}:${source.line}`;
}

function numberText(value: number | null): string {
  return value === null ? '' : String(Number(value.toPrecision(6)));
}
