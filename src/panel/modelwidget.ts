/**
 * Widgets that show the panel's model.
 *
 * @packageDocumentation
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { PanelModel } from './model';

/**
 * Renders again whenever the model changes, until it is disposed.
 */
export abstract class ModelWidget extends ReactWidget {
  /**
   * @param className - CSS class of the widget's node.
   */
  constructor(
    protected readonly options: ModelWidget.IOptions,
    className: string
  ) {
    super();
    this.addClass(className);
    options.model.changed.connect(this.update, this);
  }

  override dispose(): void {
    this.options.model.changed.disconnect(this.update, this);
    super.dispose();
  }
}

/** A namespace for `ModelWidget` types. */
export namespace ModelWidget {
  /** What such a widget is made of. */
  export interface IOptions {
    readonly model: PanelModel;
    readonly commands: CommandRegistry;
    readonly trans: TranslationBundle;
  }
}
