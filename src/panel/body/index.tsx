/**
 * The scrolling body of the panel, all but the statistics.
 *
 * @packageDocumentation
 */
import type { CommandRegistry } from '@lumino/commands';
import { CommandIDs } from '../commandids';
import { CompiledPackage } from './compiledpackage';
import { ErrorBoxes } from './errorbox';
import { FileNotice } from './filenotice';
import { Findings } from './findings';
import { Outputs } from './outputs';
import { Passes } from './passes';
import { Repaired } from './repaired';
import { Structure } from './structure';
import type { ISectionProps } from './sectionprops';
import { Summary } from './summary';
import { TorchCode } from './torchcode';
import { Unsupported } from './unsupported';
import { Variants } from './variants';
import { WeightCasts } from './weightcasts';
import { ModelWidget } from '../modelwidget';

/** Renders the model's state. */
export class PanelBody extends ModelWidget {
  constructor(options: ModelWidget.IOptions) {
    super(options, 'castlens-Body');
  }

  protected override render() {
    const { model, commands, trans } = this.options;
    const props: ISectionProps = { state: model.state, trans, execute: this._execute(commands) };
    return (
      <>
        <FileNotice {...props} />
        <ErrorBoxes {...props} />
        {model.state.compiled !== null ? (
          <CompiledPackage {...props} />
        ) : model.state.info === null ? (
          <Placeholder {...props} />
        ) : (
          <>
            <Summary {...props} />
            <Unsupported {...props} />
            <Findings {...props} />
            <Variants {...props} />
            <Outputs {...props} />
            <Repaired {...props} />
            <TorchCode {...props} />
            <WeightCasts {...props} />
            <Structure {...props} />
            <Passes {...props} />
          </>
        )}
      </>
    );
  }

  private _execute(commands: CommandRegistry): ISectionProps['execute'] {
    return (id, args = {}) => void commands.execute(id, args);
  }
}

/** What stands in the body before a model was read. */
function Placeholder({ state, trans, execute }: ISectionProps) {
  const choose = (
    <button
      type="button"
      className="jp-Button jp-mod-styled jp-mod-accept"
      onClick={() => execute(CommandIDs.selectKernel)}
    >
      {trans.__('Choose kernel')}
    </button>
  );
  switch (state.link) {
    case 'starting':
      return <p className="castlens-Placeholder">{trans.__('Starting the kernel…')}</p>;
    case 'ready':
      return state.errors.length > 0 ? null : (
        <p className="castlens-Placeholder">{trans.__('Reading the model…')}</p>
      );
    case 'none':
      return (
        <div className="castlens-Placeholder">
          <p>{trans.__('This panel has no kernel. The model is read by the castlens kernel.')}</p>
          {choose}
        </div>
      );
    case 'dead':
      return (
        <div className="castlens-Placeholder">
          <p>{trans.__('The kernel died. Restart it to read the model.')}</p>
          <button
            type="button"
            className="jp-Button jp-mod-styled jp-mod-accept"
            onClick={() => execute(CommandIDs.restartKernel)}
          >
            {trans.__('Restart kernel')}
          </button>
        </div>
      );
    case 'foreign':
      return (
        <div className="castlens-Placeholder">
          <p>
            {trans.__('This panel’s kernel does not know castlens. Choose the castlens kernel.')}
          </p>
          {choose}
        </div>
      );
  }
}
