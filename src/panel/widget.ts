/**
 * The document widget that a `.pt2` or `.onnx` file opens in.
 *
 * @packageDocumentation
 */
import { Notification } from '@jupyterlab/apputils';
import type { IThemeManager } from '@jupyterlab/apputils';
import { ABCWidgetFactory, DocumentWidget } from '@jupyterlab/docregistry';
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import type { Contents } from '@jupyterlab/services';
import type { IStateDB } from '@jupyterlab/statedb';
import type { ITranslator } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import type { Message } from '@lumino/messaging';
import { Panel } from '@lumino/widgets';
import { PanelBody } from './body';
import { StatusLine } from './body/status';
import type { ModelFileModel } from './documentmodel';
import { KernelLink } from './link';
import { PanelMemory } from './memory';
import { PanelModel } from './model';
import { PanelService } from './service';
import type { IPanelSettings } from './settings';
import { StatisticsSection } from './stats';

/** The class of the panel's content: commands and shortcuts select by it. */
const PANEL_CLASS = 'castlens-Panel';

/** The content: a scrolling body and a status line. Owns connection, model and actions. */
export class CastlensPanel extends Panel {
  constructor(options: CastlensPanel.IOptions) {
    super();
    this.addClass(PANEL_CLASS);
    this.node.tabIndex = -1;
    const { context, contents, translator, commands } = options;
    const trans = translator.load('castlens');
    const reportError = (error: unknown) =>
      void Notification.error(
        trans.__('castlens: %1', error instanceof Error ? error.message : String(error))
      );
    this.model = new PanelModel();
    this._link = new KernelLink({ sessionContext: context.sessionContext, reportError });
    this.service = new PanelService({
      model: this.model,
      link: this._link,
      memory: new PanelMemory(options.stateDB, () => context.path),
      settings: options.settings,
      place: () => ({
        localPath: contents.localPath(context.path),
        driveName: contents.driveName(context.path)
      }),
      trans,
      reportError
    });
    this._context = context;

    const { model } = this;
    const scroller = new Panel();
    scroller.addClass('castlens-Scroller');
    scroller.addWidget(new PanelBody({ model, commands, trans }));
    scroller.addWidget(
      new StatisticsSection({ model, commands, trans, themeManager: options.themeManager })
    );
    this.addWidget(scroller);
    this.addWidget(new StatusLine({ model, commands, trans }));

    context.fileChanged.connect(this._onFileChanged, this);
    context.pathChanged.connect(this._onFileChanged, this);
    void context.ready.then(() => {
      if (!this.isDisposed) {
        this._isStarted = true;
        return this.service.start();
      }
    });
  }

  /** What the panel shows. */
  readonly model: PanelModel;

  /** What the panel can do. */
  readonly service: PanelService;

  override dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this._context.fileChanged.disconnect(this._onFileChanged, this);
    this._context.pathChanged.disconnect(this._onFileChanged, this);
    this.service.dispose();
    this._link.dispose();
    this.model.dispose();
    super.dispose();
  }

  protected override onActivateRequest(_: Message): void {
    this.node.focus({ preventScroll: true });
  }

  /** The file was replaced or renamed by JupyterLab; the first signal is the opening itself. */
  private _onFileChanged(): void {
    if (this._isStarted) {
      void this.service.open();
    }
  }

  private _context: DocumentRegistry.IContext<ModelFileModel>;
  private _link: KernelLink;
  private _isStarted = false;
}

/** A namespace for `CastlensPanel` types. */
export namespace CastlensPanel {
  /** What the panels of one application share. */
  export interface IEnvironment {
    readonly contents: Contents.IManager;
    readonly commands: CommandRegistry;
    readonly settings: () => IPanelSettings;
    readonly stateDB: IStateDB | null;
    readonly themeManager: IThemeManager | null;
  }

  /** What a panel is made of. */
  export interface IOptions extends IEnvironment {
    readonly context: DocumentRegistry.IContext<ModelFileModel>;
    readonly translator: ITranslator;
  }
}

/** The panel with its toolbar and its document. */
export class CastlensDocument extends DocumentWidget<CastlensPanel, ModelFileModel> {
  constructor(options: DocumentWidget.IOptions<CastlensPanel, ModelFileModel>) {
    super(options);
    this.addClass('castlens-Document');
  }
}

/** Makes panels. */
export class CastlensFactory extends ABCWidgetFactory<CastlensDocument, ModelFileModel> {
  constructor(
    options: DocumentRegistry.IWidgetFactoryOptions<CastlensDocument>,
    environment: CastlensPanel.IEnvironment
  ) {
    super(options);
    this._environment = environment;
  }

  protected override createNewWidget(
    context: DocumentRegistry.IContext<ModelFileModel>
  ): CastlensDocument {
    const content = new CastlensPanel({
      ...this._environment,
      context,
      translator: this.translator
    });
    return new CastlensDocument({ content, context });
  }

  private _environment: CastlensPanel.IEnvironment;
}
