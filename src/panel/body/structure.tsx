/**
 * Regions and modules.
 *
 * @packageDocumentation
 */
import { HTMLSelect } from '@jupyterlab/ui-components';
import { choiceOf, choicesFor, formatBytes } from '../../protocol';
import type { IModuleInfo, IRegionInfo } from '../../protocol';
import { CommandIDs } from '../commandids';
import { formatCount, formatSource, NO_FIGURE } from '../format';
import { describeRegionChoice } from '../words';
import type { ISectionProps } from './sectionprops';
import { Section } from './section';
import { Table } from './table';

/** A row and how deep it stands. */
interface INested<T> {
  readonly row: T;
  readonly depth: number;
}

/** The autocast regions as recorded and what they are run as, and the modules with the weight casts below each. */
export function Structure({ state, trans, execute }: ISectionProps) {
  const { info, variant } = state;
  if (info === null) {
    return null;
  }
  const { regions } = info.census;
  const overridden = Object.keys(variant.regions ?? {});
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
          <>
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
                {
                  name: 'override',
                  label: trans.__('Run'),
                  about: trans.__('What planned and executed variants make of the region'),
                  cell: ({ row }) => (
                    <RegionSelect row={row} state={state} trans={trans} execute={execute} />
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
                  cell: ({ row }) => (
                    <span title={row.source?.code}>{formatSource(row.source)}</span>
                  )
                }
              ]}
            />
            {overridden.length === 0 ? null : (
              <p className="castlens-Regions-note" role="note">
                {trans.__('Not run as recorded: %1.', overridden.join(', '))}{' '}
                <button
                  type="button"
                  className="jp-Button jp-mod-styled"
                  onClick={() => execute(CommandIDs.resetRegions)}
                >
                  {trans.__('Run all as recorded')}
                </button>
              </p>
            )}
          </>
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

/** What a region is run as, to be chosen; marked where that is not what is recorded. */
function RegionSelect({ row, state, trans, execute }: ISectionProps & { row: IRegionInfo }) {
  const { info, variant } = state;
  const choice = choiceOf(variant.regions?.[row.id]) ?? 'recorded';
  const isKnown = info?.autocastDevices.some(({ device }) => device === row.device);
  return (
    <span className="castlens-Region" data-overridden={choice === 'recorded' ? undefined : 'true'}>
      <HTMLSelect
        aria-label={trans.__('Run region %1', row.id)}
        title={
          isKnown
            ? trans.__('Plan, run and compare with this region otherwise than recorded')
            : trans.__(
                'The autocast policies of %1 are not known: it can only be switched off',
                row.device
              )
        }
        value={choice}
        onChange={event =>
          execute(CommandIDs.overrideRegion, { region: row.id, choice: event.currentTarget.value })
        }
      >
        {(['recorded', ...choicesFor(row, info?.autocastDevices ?? [])] as const).map(option => (
          <option key={option} value={option}>
            {describeRegionChoice(option, trans)}
          </option>
        ))}
      </HTMLSelect>
      {choice === 'recorded' ? null : (
        <span className="castlens-Table-warning">{trans.__('overridden')}</span>
      )}
    </span>
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
