/**
 * What is said of a file that has changed while it was open.
 *
 * @packageDocumentation
 */
import { CommandIDs } from '../commandids';
import type { IFileNotice } from '../model';
import type { ISectionProps } from './sectionprops';

/** Says whether what is shown is of the file as it is. Nothing where it is, and nothing was dropped. */
export function FileNotice({ state, trans, execute }: ISectionProps) {
  const { fileNotice } = state;
  if (fileNotice === null) {
    return null;
  }
  const isDone = fileNotice.state === 'reread';
  return (
    <div className="castlens-Notice" aria-live="polite">
      <p className="castlens-Notice-text">{textOf(fileNotice)}</p>
      {isDone ? (
        <button
          type="button"
          className="jp-Button jp-mod-minimal"
          onClick={() => execute(CommandIDs.dismissNotice)}
        >
          {trans.__('Dismiss')}
        </button>
      ) : null}
    </div>
  );

  function textOf({ state: change, file }: IFileNotice): string {
    switch (change) {
      case 'changing':
        return trans.__(
          '%1 is being written. The figures below are of the file as it was; it is read again once it is complete.',
          file
        );
      case 'gone':
        return trans.__('%1 is gone. The figures below are of the file as it was.', file);
      case 'reread':
        return trans.__(
          'The file changed and was read again. Results of the earlier file were removed.'
        );
    }
  }
}
