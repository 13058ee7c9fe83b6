/**
 * What Save wrote.
 *
 * @packageDocumentation
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { IFixResult } from '../../protocol';
import { formatBytes, formatOverrides } from '../../protocol';
import { CommandIDs } from '../commandids';
import { formatCount, NO_FIGURE } from '../format';
import { useReveal } from './reveal';
import type { ISectionProps } from './sectionprops';
import { Section } from './section';
import { Table } from './table';

/** What the file is beside its converted weights. */
function aboutOf(
  { converted, left, folded, regions }: IFixResult,
  trans: TranslationBundle
): string {
  if (regions !== undefined) {
    return trans.__(
      'regions are written as they were run, so outputs change: %1',
      formatOverrides(regions)
    );
  }
  if (converted.length > 0 || (folded?.weights ?? []).length > 0) {
    return '';
  }
  return left.length > 0
    ? trans.__('no weight to convert: a copy of the model')
    : trans.__('nothing to do: a copy of the model');
}

/** The repaired file: sizes and casts before and after, the weights converted, those left and why. */
export function Repaired({ state, trans, execute }: ISectionProps) {
  const ref = useReveal(state.repaired);
  if (state.repaired === null) {
    return null;
  }
  const { result, path, codePath } = state.repaired;
  const { converted, left, folded } = result;
  return (
    <div ref={ref}>
      <Section
        name="repaired"
        title={trans.__('Repaired model')}
        about={
          <>
            <code>{path}</code>
            {` ${aboutOf(result, trans)}`}
          </>
        }
      >
        <Table
          label={trans.__('Before and after')}
          trans={trans}
          rows={[
            {
              figure: trans.__('Weight casts of one forward'),
              before: formatCount(result.weightCastsBefore),
              after: formatCount(result.weightCastsAfter)
            },
            {
              figure: trans.__('Size'),
              before: formatBytes(result.sizeBefore),
              after: formatBytes(result.sizeAfter)
            }
          ]}
          rowKey={row => row.figure}
          columns={[
            { name: 'figure', label: '', header: true, cell: row => row.figure },
            { name: 'before', label: trans.__('Before'), numeric: true, cell: row => row.before },
            { name: 'after', label: trans.__('After'), numeric: true, cell: row => row.after }
          ]}
        />
        {converted.length > 0 ? (
          <Table
            label={trans.__('Converted weights')}
            trans={trans}
            rows={converted}
            rowKey={row => `${row.weight} ${row.to}`}
            columns={[
              {
                name: 'weight',
                label: trans.__('Converted'),
                header: true,
                cell: row => <code>{row.weight}</code>
              },
              {
                name: 'cast',
                label: trans.__('Stored as'),
                cell: row => `${row.from} → ${row.to}`
              },
              {
                name: 'copy',
                label: trans.__('Copy'),
                about: trans.__('Name of the second weight where the original is kept beside it'),
                cell: row => (row.copy === undefined ? NO_FIGURE : <code>{row.copy}</code>)
              }
            ]}
          />
        ) : null}
        {folded !== undefined && folded.weights.length > 0 ? (
          <Table
            label={trans.__('Stored computed weights')}
            trans={trans}
            rows={folded.weights}
            rowKey={row => row.weight}
            columns={[
              {
                name: 'weight',
                label: trans.__('Computed once'),
                header: true,
                cell: row => <code>{row.weight}</code>
              },
              { name: 'to', label: trans.__('Stored as'), cell: row => row.to },
              {
                name: 'size',
                label: trans.__('Size'),
                numeric: true,
                cell: row => formatBytes(row.sizeBytes)
              },
              {
                name: 'from',
                label: trans.__('Instead of'),
                cell: row => <code>{row.from.join(', ')}</code>
              }
            ]}
          />
        ) : null}
        {left.length > 0 ? (
          <Table
            label={trans.__('Weights left as they are')}
            trans={trans}
            rows={left}
            rowKey={row => row.weight}
            columns={[
              {
                name: 'weight',
                label: trans.__('Left as it is'),
                header: true,
                cell: row => <code>{row.weight}</code>
              },
              { name: 'reason', label: trans.__('Why'), cell: row => row.reason }
            ]}
          />
        ) : null}
        <div className="castlens-Buttons">
          <button
            type="button"
            className="jp-Button jp-mod-styled jp-mod-accept"
            onClick={() => execute(CommandIDs.open, { path })}
          >
            {trans.__('Open repaired model')}
          </button>
          {codePath === null ? null : (
            <button
              type="button"
              className="jp-Button jp-mod-styled"
              onClick={() => execute('docmanager:open', { path: codePath })}
            >
              {trans.__('Open code file')}
            </button>
          )}
        </div>
      </Section>
    </div>
  );
}
