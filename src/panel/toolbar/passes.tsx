/**
 * The passes as a menu.
 *
 * @packageDocumentation
 */
import { caretDownEmptyThinIcon, MenuSvg } from '@jupyterlab/ui-components';
import { PASSES } from '../../protocol';
import { CommandIDs } from '../commandids';
import { ModelWidget } from '../modelwidget';

/** A button that says how many passes are on, and opens a menu to switch them. */
export class PassesButton extends ModelWidget {
  constructor(options: ModelWidget.IOptions) {
    super(options, 'castlens-PassesButton');
    this._menu = new MenuSvg({ commands: options.commands });
    this._menu.title.label = options.trans.__('Passes');
    for (const pass of PASSES) {
      this._menu.addItem({ command: CommandIDs.togglePass, args: { pass } });
    }
    this._menu.aboutToClose.connect(this._onMenuClosed, this);
  }

  override dispose(): void {
    this._menu.aboutToClose.disconnect(this._onMenuClosed, this);
    this._menu.dispose();
    super.dispose();
  }

  protected override render() {
    const { model, trans } = this.options;
    const { passes } = model.state.variant;
    return (
      <button
        type="button"
        className="jp-Button jp-mod-minimal castlens-PassesButton-button"
        aria-haspopup="menu"
        title={passes.length > 0 ? passes.join(', ') : trans.__('Passes over the graph')}
        onClick={event => this._open(event.currentTarget)}
      >
        {trans.__('Passes: %1', passes.length === 0 ? trans.__('none') : passes.length)}
        <caretDownEmptyThinIcon.react tag="span" elementPosition="center" aria-hidden="true" />
      </button>
    );
  }

  private _open(button: HTMLElement): void {
    const { left, bottom } = button.getBoundingClientRect();
    this._opener = button;
    this._menu.open(left, bottom);
  }

  private _onMenuClosed(): void {
    this._opener?.focus();
    this._opener = null;
  }

  private _menu: MenuSvg;
  private _opener: HTMLElement | null = null;
}
