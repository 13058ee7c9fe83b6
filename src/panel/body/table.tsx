/**
 * A plain table for some hundred rows.
 *
 * @packageDocumentation
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReactNode } from 'react';
import { useState } from 'react';
import { formatCount } from '../format';

/** A column of a table over rows of type `T`. */
export interface IColumn<T> {
  readonly name: string;
  readonly label: string;
  /** Explains the column to the reader. */
  readonly about?: string;
  /** Figures stand at the right, in tabular numerals. */
  readonly numeric?: boolean;
  /** Whether the cell names its row. One column per table. */
  readonly header?: boolean;
  readonly cell: (row: T) => ReactNode;
}

/** What a table shows. */
export interface ITable<T> {
  readonly label: string;
  readonly columns: readonly IColumn<T>[];
  readonly rows: readonly T[];
  readonly rowKey: (row: T) => string;
  readonly isCurrent?: (row: T) => boolean;
  readonly trans: TranslationBundle;
}

/** Rows shown before the user asks for all of them. */
const ROW_LIMIT = 200;

/** A table that scrolls sideways inside its own box. */
export function Table<T>({ label, columns, rows, rowKey, isCurrent, trans }: ITable<T>) {
  const [all, setAll] = useState(false);
  const shown = all ? rows : rows.slice(0, ROW_LIMIT);
  return (
    <div className="castlens-Table-box" tabIndex={0} role="region" aria-label={label}>
      <table className="castlens-Table" aria-label={label}>
        <thead>
          <tr>
            {columns.map(column => (
              <th
                key={column.name}
                scope="col"
                title={column.about}
                className={column.numeric ? 'castlens-mod-numeric' : undefined}
              >
                {column.label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.map(row => (
            <tr key={rowKey(row)} aria-current={isCurrent?.(row) ? 'true' : undefined}>
              {columns.map(column =>
                column.header ? (
                  <th key={column.name} scope="row" data-column={column.name}>
                    {column.cell(row)}
                  </th>
                ) : (
                  <td
                    key={column.name}
                    data-column={column.name}
                    className={column.numeric ? 'castlens-mod-numeric' : undefined}
                  >
                    {column.cell(row)}
                  </td>
                )
              )}
            </tr>
          ))}
        </tbody>
      </table>
      {shown.length < rows.length ? (
        <button
          type="button"
          className="jp-Button jp-mod-styled castlens-Table-more"
          onClick={() => setAll(true)}
        >
          {trans.__('Show all %1', formatCount(rows.length))}
        </button>
      ) : null}
    </div>
  );
}
