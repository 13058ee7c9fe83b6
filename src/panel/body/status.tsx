/**
 * The line at the foot of the panel: what is under way, or that nothing is.
 *
 * @packageDocumentation
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { CommandIDs } from '../commandids';
import type { IPanelState } from '../model';
import { listVariant } from '../words';
import { ModelWidget } from '../modelwidget';

/** Shows progress and takes cancellation. */
export class StatusLine extends ModelWidget {
  constructor(options: ModelWidget.IOptions) {
    super(options, 'castlens-Status');
  }

  protected override render() {
    const { model, commands, trans } = this.options;
    const { state } = model;
    const { task } = state;
    return (
      <>
        <span className="castlens-Status-text" role="status">
          {task ? task.text : describe(state, trans)}
        </span>
        {task ? (
          <>
            <progress
              className="castlens-Status-progress"
              aria-label={task.text}
              {...(task.fraction === null ? {} : { value: task.fraction, max: 1 })}
            />
            <button
              type="button"
              className="jp-Button jp-mod-minimal castlens-Status-cancel"
              onClick={() => void commands.execute(CommandIDs.stop)}
            >
              {trans.__('Cancel')}
            </button>
          </>
        ) : null}
      </>
    );
  }
}

function describe(
  { link, info, compiled, variant }: IPanelState,
  trans: TranslationBundle
): string {
  switch (link) {
    case 'starting':
      return trans.__('Starting the kernel');
    case 'none':
      return trans.__('No kernel');
    case 'dead':
      return trans.__('The kernel died');
    case 'foreign':
      return trans.__('The kernel does not know castlens');
    case 'ready':
      if (compiled !== null) {
        return trans.__('A compiled package can be read, but not run');
      }
      if (info === null) {
        return trans.__('No model');
      }
      if (info.unsupported.length > 0) {
        return trans.__('This model can be read, but not run');
      }
      return trans.__('Ready to run: %1, %2', variant.cache, listVariant(variant, trans));
  }
}
