/**
 * Regions and modules.
 *
 * @packageDocumentation
 */
import { formatBytes } from '../../protocol';
import type { IModuleInfo, IRegionInfo } from '../../protocol';
import { formatCount, formatSource, NO_FIGURE } from '../format';
import type { ISectionProps } from './sectionprops';
import { Section } from './section';
import { Table } from './table';

/** A row and how deep it stands. */
interface INested<T> {
  readonly row: T;
  readonly depth: number;
}

/** The autocast regions as recorded, and the modules with the weight casts below each. */
export function Structure({ state, trans }: ISectionProps) {
  const { info } = state;
  if (info === null) {
    return null;
  }
  const { regions } = info.census;
  return (
    <div className="castlens-Columns">
      <Section
        name="regions"
        title={trans.__('Autocast regions')}
        about={trans.__('as recorded in the file')}
      >
        {regions.length === 0 ? (
          <p className="castlens-Empty">
            {info.census.dialect === 'TRAINING'
              ? trans.__('The file has no autocast region.')
              : trans.__('This dialect does not keep regions: their casts stand in the graph.')}
          </p>
        ) : (
          <Table<INested<IRegionInfo>>
            label={trans.__('Autocast regions')}
            trans={trans}
            rows={nestRegions(regions)}
            rowKey={({ row }) => row.id}
            columns={[
              {
                name: 'region',
                label: trans.__('Region'),
                header: true,
                cell: ({ row, depth }) => (
                  <code style={{ paddingInlineStart: `${depth}em` }}>{row.id}</code>
                )
              },
              { name: 'device', label: trans.__('Device'), cell: ({ row }) => row.device },
              {
                name: 'dtype',
                label: trans.__('Dtype'),
                cell: ({ row }) => row.dtype ?? NO_FIGURE
              },
              {
                name: 'enabled',
                label: trans.__('Enabled'),
                cell: ({ row }) => (row.enabled ? trans.__('yes') : trans.__('no'))
              },
              {
                name: 'cache',
                label: trans.__('Cache'),
                about: trans.__('cache_enabled as recorded'),
                cell: ({ row }) =>
                  row.cacheEnabled === null
                    ? NO_FIGURE
                    : row.cacheEnabled
                      ? trans.__('on')
                      : trans.__('off')
              },
              {
                name: 'module',
                label: trans.__('Module'),
                cell: ({ row }) => (row.module ? <code>{row.module}</code> : NO_FIGURE)
              },
              {
                name: 'source',
                label: trans.__('Source'),
                cell: ({ row }) => <span title={row.source?.code}>{formatSource(row.source)}</span>
              }
            ]}
          />
        )}
      </Section>
      {info.modules.length === 0 ? null : (
        <Section
          name="modules"
          title={trans.__('Modules')}
          about={trans.__('exported weight casts below each')}
        >
          <Table<IModuleInfo>
            label={trans.__('Modules')}
            trans={trans}
            rows={info.modules}
            rowKey={row => row.path}
            columns={[
              {
                name: 'module',
                label: trans.__('Module'),
                header: true,
                cell: row => (
                  <code style={{ paddingInlineStart: `${depthOf(row.path)}em` }} title={row.path}>
                    {row.path === '' ? trans.__('(root)') : row.path.replace(/^.*\./, '')}
                  </code>
                )
              },
              {
                name: 'type',
                label: trans.__('Class'),
                cell: row => (
                  <span title={row.type ?? undefined}>
                    {row.type?.replace(/^.*\./, '') ?? NO_FIGURE}
                  </span>
                )
              },
              {
                name: 'casts',
                label: trans.__('Weight casts'),
                numeric: true,
                cell: row => (row.weightCasts === 0 ? NO_FIGURE : formatCount(row.weightCasts))
              },
              {
                name: 'bytes',
                label: trans.__('Moved per forward'),
                numeric: true,
                cell: row => (row.bytesMoved === 0 ? NO_FIGURE : formatBytes(row.bytesMoved))
              }
            ]}
          />
        </Section>
      )}
    </div>
  );
}

/** Depth of a module: parts of its path. */
function depthOf(path: string): number {
  return path === '' ? 0 : path.split('.').length;
}

/** Regions in file order, each after its parent. Linear in regions; a parent that is missing counts as none. */
function nestRegions(regions: readonly IRegionInfo[]): readonly INested<IRegionInfo>[] {
  const depths = new Map<string, number>();
  return regions.map(row => {
    const depth = row.parent === null ? 0 : (depths.get(row.parent) ?? -1) + 1;
    depths.set(row.id, depth);
    return { row, depth };
  });
}
