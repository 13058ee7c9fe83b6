/**
 * How a package compiled by AOTInductor looks in a notebook.
 *
 * @packageDocumentation
 */
import type { ICompiledCast, ICompiledModelInfo, IPackageInfo } from '../../../protocol';
import { BUILD_TEXTS, formatBytes } from '../../../protocol';
import type { ITable } from './table';

/** A table of casts per model; where there is an exported program beside it, one that compares them. */
export function packageTables({ file, models }: IPackageInfo): ITable[] {
  return models.flatMap(model => [
    castTable(file, model),
    ...(model.against === undefined ? [] : [againstTable(model.against)])
  ]);
}

function castTable(file: string, model: ICompiledModelInfo): ITable {
  const { name, build, device, torch, castsPerCall, castsAtLoad, constants, kernels } = model;
  const rows = (casts: readonly ICompiledCast[], when: string): string[][] =>
    casts.map(cast => [
      cast.weights.join(', '),
      cast.fused > 0 ? `${cast.kind}, ${cast.fused} fused` : cast.kind,
      `${cast.from} → ${cast.to}`,
      when,
      String(cast.count),
      cast.bytesMoved === null ? 'not known' : formatBytes(cast.bytesMoved),
      cast.kernels.join(', ')
    ]);
  return {
    title: [
      `${file}, '${name}': AOTInductor, ${BUILD_TEXTS[build]}, ${device}, torch ${torch ?? 'version not recorded'}`,
      `Weight casts of one call: ${castsPerCall}; at load: ${castsAtLoad}. ${constants.length} constants (${formatBytes(model.constantBytes)}), ${kernels.length} kernels`
    ],
    columns: [
      { label: 'Weight' },
      { label: 'Kind' },
      { label: 'Cast' },
      { label: 'When' },
      { label: 'Casts', numeric: true },
      { label: 'Bytes moved', numeric: true },
      { label: 'Kernels' }
    ],
    rows: [...rows(model.perCall, 'every call'), ...rows(model.atLoad, 'at load')],
    notes: [
      ...model.findings.map(({ code, severity, message, remedy }) =>
        [`${severity} [${code}] ${message}`, ...(remedy === undefined ? [] : [remedy])].join(' ')
      )
    ]
  };
}

function againstTable({ file, isFoundByName, casts }: Against): ITable {
  return {
    title: [`Against ${file}${isFoundByName ? ' (found by its name)' : ''}`],
    columns: [
      { label: 'Weight' },
      { label: 'To' },
      { label: 'Exported', numeric: true },
      { label: 'One call', numeric: true },
      { label: 'At load', numeric: true },
      { label: 'Why they differ' }
    ],
    rows: casts.map(cast => [
      cast.weights.join(', '),
      cast.to,
      String(cast.exported),
      String(cast.perCall),
      String(cast.atLoad),
      cast.why ?? ''
    ])
  };
}

type Against = NonNullable<ICompiledModelInfo['against']>;
