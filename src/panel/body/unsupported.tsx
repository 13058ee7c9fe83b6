/**
 * Operators that keep a model from being run.
 *
 * @packageDocumentation
 */
import { formatCount, formatSource } from '../format';
import type { ISectionProps } from './sectionprops';
import { Section } from './section';
import { Table } from './table';

/** Every unsupported operator with its count and where it stands. */
export function Unsupported({ state, trans }: ISectionProps) {
  const rows = state.info?.unsupported ?? [];
  if (rows.length === 0) {
    return null;
  }
  return (
    <Section
      name="unsupported"
      title={trans.__('Unsupported operators')}
      about={trans.__('the model can be read, but not run')}
    >
      <Table
        label={trans.__('Unsupported operators')}
        trans={trans}
        rows={rows}
        rowKey={row => `${row.op} ${row.reason ?? ''}`}
        columns={[
          {
            name: 'op',
            label: trans.__('Operator'),
            header: true,
            cell: row => <code>{row.op}</code>
          },
          {
            name: 'reason',
            label: trans.__('What is missing'),
            cell: row => row.reason ?? trans.__('the operator')
          },
          {
            name: 'count',
            label: trans.__('Calls'),
            numeric: true,
            cell: row => formatCount(row.count)
          },
          {
            name: 'source',
            label: trans.__('First at'),
            cell: row =>
              row.source === null ? (
                row.node
              ) : (
                <span title={row.source.code}>{formatSource(row.source)}</span>
              )
          }
        ]}
      />
    </Section>
  );
}
