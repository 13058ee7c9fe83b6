/**
 * The weight casts in the file, and what can be done about them.
 *
 * @packageDocumentation
 */
import { formatBytes, formatSizes } from '../../protocol';
import { CommandIDs } from '../commandids';
import { formatCount, formatSource, NO_FIGURE } from '../format';
import type { ISectionProps } from './sectionprops';
import { Section } from './section';
import { Table } from './table';

/** Each weight and target dtype once, with its uses. */
export function WeightCasts({ state, trans, execute }: ISectionProps) {
  const rows = state.info?.census.weightCasts ?? [];
  if (rows.length === 0) {
    return null;
  }
  return (
    <Section
      name="weightcasts"
      title={trans.__('Weight casts')}
      about={trans.__('exported: what the file asks for on every forward')}
    >
      <Table
        label={trans.__('Weight casts')}
        trans={trans}
        rows={rows}
        rowKey={row => `${row.weight} ${row.to}`}
        columns={[
          {
            name: 'weight',
            label: trans.__('Weight'),
            header: true,
            cell: row => (
              <>
                <code>{row.weight}</code>
                {row.aliases.length > 0 ? (
                  <span className="castlens-Table-note">
                    {' '}
                    {trans.__('tied: %1', row.aliases.join(', '))}
                  </span>
                ) : null}
                {row.kind === 'computed' ? (
                  <span className="castlens-Table-note castlens-Table-from">
                    {trans.__('from: %1', row.computedFrom.join(', '))}
                  </span>
                ) : null}
              </>
            )
          },
          {
            name: 'kind',
            label: trans.__('Kind'),
            about: trans.__('Stored in the file, or computed from weights alone on every forward'),
            cell: row => (row.kind === 'computed' ? trans.__('computed') : trans.__('stored'))
          },
          {
            name: 'cast',
            label: trans.__('Cast'),
            cell: row => (
              <span title={trans.__('asked for by: %1', row.origin)}>
                {row.from} → {row.to}
              </span>
            )
          },
          {
            name: 'uses',
            label: trans.__('Uses'),
            about: trans.__('Casts in one forward in mode off'),
            numeric: true,
            cell: row => formatCount(row.uses)
          },
          {
            name: 'shape',
            label: trans.__('Shape'),
            numeric: true,
            cell: row => formatSizes(row.shape)
          },
          {
            name: 'size',
            label: trans.__('Size'),
            about: trans.__('Bytes of the weight as stored'),
            numeric: true,
            cell: row => formatBytes(row.sizeBytes)
          },
          {
            name: 'moved',
            label: trans.__('Moved'),
            about: trans.__('Bytes that its casts read and write in one forward'),
            numeric: true,
            cell: row => formatBytes(row.bytesMoved)
          },
          {
            name: 'cacheable',
            label: trans.__('Cacheable'),
            about: trans.__('Whether eager PyTorch’s own cache would keep the cast'),
            cell: row => (row.cacheEligible ? trans.__('yes') : trans.__('no'))
          },
          {
            name: 'source',
            label: trans.__('Source'),
            about: trans.__('Where the first use stands'),
            cell: row => <span title={row.source?.code}>{formatSource(row.source)}</span>
          },
          {
            name: 'module',
            label: trans.__('Module'),
            cell: row =>
              row.module === null ? NO_FIGURE : <code>{row.module || trans.__('(root)')}</code>
          }
        ]}
      />
      <div className="castlens-Buttons">
        <button
          type="button"
          className="jp-Button jp-mod-styled"
          onClick={() => execute(CommandIDs.saveRepaired)}
        >
          {trans.__('Save repaired model…')}
        </button>
        <button
          type="button"
          className="jp-Button jp-mod-styled"
          onClick={() => execute(CommandIDs.showCode)}
        >
          {trans.__('Show PyTorch code')}
        </button>
        <button
          type="button"
          className="jp-Button jp-mod-styled"
          onClick={() => execute(CommandIDs.takeWeights)}
        >
          {trans.__('Take weights from…')}
        </button>
      </div>
    </Section>
  );
}
