/**
 * What went wrong, laid out.
 *
 * @packageDocumentation
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { CommandIDs } from '../commandids';
import type { IPanelError } from '../model';
import type { ISectionProps } from './sectionprops';

/** What failed, the latest first. Each stays until it is dismissed or tried again. */
export function ErrorBoxes(props: ISectionProps) {
  return [...props.state.errors]
    .reverse()
    .map(error => <ErrorBox key={error.task} error={error} {...props} />);
}

function ErrorBox({ error, trans, execute }: ISectionProps & { readonly error: IPanelError }) {
  const { info, task } = error;
  const parts: [string, string | undefined][] = [
    [trans.__('File'), info.file],
    [trans.__('Entry'), info.entry],
    [trans.__('Expected'), info.expected],
    [trans.__('Found'), info.found],
    [trans.__('What to do'), info.hint]
  ];
  const known = parts.filter(([, value]) => value !== undefined);
  return (
    <div className="castlens-Error" role="alert">
      <h2 className="castlens-Error-title">{titleOf(error, trans)}</h2>
      <p className="castlens-Error-message">{info.summary}</p>
      {known.length > 0 ? (
        <dl className="castlens-Error-parts">
          {known.map(([label, value]) => (
            <div key={label}>
              <dt>{label}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      ) : null}
      <div className="castlens-Buttons">
        <button
          type="button"
          className="jp-Button jp-mod-styled jp-mod-accept"
          onClick={() => execute(CommandIDs.retry, { task })}
        >
          {trans.__('Try again')}
        </button>
        <button
          type="button"
          className="jp-Button jp-mod-styled jp-mod-reject"
          onClick={() => execute(CommandIDs.dismissError, { task })}
        >
          {trans.__('Dismiss')}
        </button>
      </div>
    </div>
  );
}

function titleOf(error: IPanelError, trans: TranslationBundle): string {
  switch (error.task) {
    case 'open':
      return trans.__('The model cannot be read');
    case 'plan':
      return trans.__('The variant cannot be planned');
    case 'run':
      return trans.__('The model cannot be run');
    case 'compare':
      return trans.__('The variants cannot be compared');
    case 'statistics':
      return trans.__('The weights cannot be summarised');
    case 'explain':
      return trans.__('The finding cannot be explained');
    case 'activations':
      return trans.__('The activations cannot be summarised');
    case 'weights':
      return trans.__('These weights cannot be used');
    case 'save':
      return trans.__('The repaired model cannot be saved');
    case 'code':
      return trans.__('The code cannot be written');
    case 'engine':
      return trans.__('The engine stopped');
  }
}
