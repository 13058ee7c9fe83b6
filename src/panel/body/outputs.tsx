/**
 * The outputs of the last single run.
 *
 * @packageDocumentation
 */
import { formatMs, formatSizes } from '../../protocol';
import { formatCount, formatValue } from '../format';
import { listVariant } from '../words';
import type { ISectionProps } from './sectionprops';
import { Section } from './section';
import { Table } from './table';

/** What one forward returned, and what it was that ran. */
export function Outputs({ state, trans }: ISectionProps) {
  const { run } = state;
  if (run === null) {
    return null;
  }
  const { variant } = run;
  return (
    <Section
      name="outputs"
      title={trans.__('Last run')}
      about={trans.__(
        'executed: %1, %2; one forward %3, load %4; %5',
        variant.cache,
        listVariant(variant, trans),
        formatMs(run.latencyMs),
        formatMs(run.loadMs),
        run.runtime
      )}
    >
      <Table
        label={trans.__('Outputs')}
        trans={trans}
        rows={run.outputs}
        rowKey={row => row.name}
        columns={[
          {
            name: 'output',
            label: trans.__('Output'),
            header: true,
            cell: row => <code>{row.name}</code>
          },
          { name: 'dtype', label: trans.__('Dtype'), cell: row => row.dtype },
          {
            name: 'shape',
            label: trans.__('Shape'),
            numeric: true,
            cell: row => formatSizes(row.shape)
          },
          {
            name: 'min',
            label: trans.__('Min'),
            numeric: true,
            cell: row => formatValue(row.min)
          },
          {
            name: 'max',
            label: trans.__('Max'),
            numeric: true,
            cell: row => formatValue(row.max)
          },
          {
            name: 'mean',
            label: trans.__('Mean'),
            numeric: true,
            cell: row => formatValue(row.mean)
          },
          {
            name: 'nan',
            label: trans.__('NaN'),
            numeric: true,
            cell: row => formatCount(row.nanCount)
          }
        ]}
      />
    </Section>
  );
}
