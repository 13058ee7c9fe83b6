/**
 * The cache mode as one segmented switch.
 *
 * @packageDocumentation
 */
import type { FocusEvent, KeyboardEvent } from 'react';
import { CACHE_MODES } from '../../protocol';
import type { CacheMode } from '../../protocol';
import { CommandIDs } from '../commandids';
import { describeCache } from '../words';
import { ModelWidget } from '../modelwidget';

/**
 * A radio group of the four cache modes.
 *
 * #### Notes
 * Inside JupyterLab's toolbar the toolbar itself moves focus with the left and right arrow keys; the switch follows: a
 * mode that receives focus from its neighbour is chosen. Up and down move and choose without leaving the switch.
 */
export class CacheModeSwitch extends ModelWidget {
  constructor(options: ModelWidget.IOptions) {
    super(options, 'castlens-Segmented');
  }

  protected override render() {
    const { model, trans } = this.options;
    const chosen = model.state.variant.cache;
    return (
      <div
        role="radiogroup"
        aria-label={trans.__('Cache mode')}
        className="castlens-Segmented-group"
        onKeyDown={this._onKeyDown}
      >
        {CACHE_MODES.map(mode => (
          <button
            key={mode}
            type="button"
            role="radio"
            aria-checked={mode === chosen}
            data-mode={mode}
            className="castlens-Segmented-button"
            title={describeCache(mode, trans)}
            onClick={() => this._choose(mode)}
            onFocus={event => this._onFocus(event, mode)}
          >
            {mode}
          </button>
        ))}
      </div>
    );
  }

  private _choose(mode: CacheMode): void {
    if (mode !== this.options.model.state.variant.cache) {
      void this.options.commands.execute(CommandIDs.setCacheMode, { mode });
    }
  }

  /** Focus that came from a neighbour by an arrow key chooses. */
  private _onFocus(event: FocusEvent<HTMLButtonElement>, mode: CacheMode): void {
    const from = event.relatedTarget;
    if (from instanceof HTMLElement && from !== event.currentTarget && from.dataset.mode) {
      if (this.node.contains(from)) {
        this._choose(mode);
      }
    }
  }

  private _onKeyDown = (event: KeyboardEvent<HTMLDivElement>): void => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step === 0) {
      return;
    }
    event.preventDefault();
    const buttons = [...event.currentTarget.querySelectorAll<HTMLButtonElement>('[role=radio]')];
    const index = buttons.findIndex(button => button === event.target);
    const next = buttons[(index + step + buttons.length) % buttons.length];
    next?.focus();
    // The toolbar keeps its own record of what has focus, and renews it at presses of the mouse only.
    next?.dispatchEvent(new MouseEvent('mousedown', { bubbles: true }));
  };
}
