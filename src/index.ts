/**
 * castlens in JupyterLab: the wiring.
 *
 * @packageDocumentation
 */
/* eslint-disable jupyter/prefer-lazy-imports -- factories are registered at once, and light: the statistics, with
   datagrid and Arrow, are loaded when they are first shown. */
import { ILayoutRestorer } from '@jupyterlab/application';
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import {
  createToolbarFactory,
  ICommandPalette,
  ISessionContextDialogs,
  IThemeManager,
  IToolbarWidgetRegistry,
  Notification,
  SessionContextDialogs,
  Toolbar,
  WidgetTracker
} from '@jupyterlab/apputils';
import { IDocumentManager } from '@jupyterlab/docmanager';
import { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { ILauncher } from '@jupyterlab/launcher';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStateDB } from '@jupyterlab/statedb';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import type { Widget } from '@lumino/widgets';
import { CommandIDs } from './panel/commandids';
import { addCommands } from './panel/commands';
import { ModelFileFactory, MODEL_FACTORY } from './panel/documentmodel';
import { castlensIcon } from './panel/icons';
import { DEFAULT_SETTINGS, readSettings } from './panel/settings';
import { FACTORY, ICastlensTracker, PLUGIN_ID } from './panel/tokens';
import { CacheModeSwitch } from './panel/toolbar/cachemode';
import { DeviceSelect } from './panel/toolbar/device';
import { PassesButton } from './panel/toolbar/passes';
import { CastlensFactory } from './panel/widget';
import type { CastlensDocument } from './panel/widget';
import { CACHE_MODES, PASSES } from './protocol';
import { STATISTICS_KINDS } from './panel/model';

/** File types, the document widget, its toolbar and its restoration. */
const panelPlugin: JupyterFrontEndPlugin<ICastlensTracker> = {
  id: PLUGIN_ID,
  description:
    'Opens exported models (.pt2, .onnx) and shows, compares and measures their weight casts.',
  autoStart: true,
  provides: ICastlensTracker,
  requires: [IDocumentManager, ISettingRegistry, IToolbarWidgetRegistry],
  optional: [
    ICommandPalette,
    IDefaultFileBrowser,
    ILauncher,
    ILayoutRestorer,
    ISessionContextDialogs,
    IStateDB,
    IThemeManager,
    ITranslator
  ],
  activate: (
    app: JupyterFrontEnd,
    docManager: IDocumentManager,
    settingRegistry: ISettingRegistry,
    toolbarRegistry: IToolbarWidgetRegistry,
    palette: ICommandPalette | null,
    fileBrowser: IDefaultFileBrowser | null,
    launcher: ILauncher | null,
    restorer: ILayoutRestorer | null,
    sessionDialogs: ISessionContextDialogs | null,
    stateDB: IStateDB | null,
    themeManager: IThemeManager | null,
    optionalTranslator: ITranslator | null
  ): ICastlensTracker => {
    const { commands, docRegistry, serviceManager } = app;
    const translator = optionalTranslator ?? nullTranslator;
    const trans = translator.load('castlens');
    const dialogs = sessionDialogs ?? new SessionContextDialogs({ translator });
    const tracker = new WidgetTracker<CastlensDocument>({ namespace: 'castlens' });
    let settings = DEFAULT_SETTINGS;

    docRegistry.addFileType({
      name: 'castlens-pt2',
      displayName: trans.__('Exported PyTorch program'),
      extensions: ['.pt2'],
      mimeTypes: ['application/vnd.pytorch.pt2'],
      contentType: 'file',
      fileFormat: 'base64',
      icon: castlensIcon
    });
    docRegistry.addFileType({
      name: 'castlens-onnx',
      displayName: trans.__('ONNX model'),
      extensions: ['.onnx'],
      mimeTypes: ['application/vnd.onnx'],
      contentType: 'file',
      fileFormat: 'base64',
      icon: castlensIcon
    });
    docRegistry.addModelFactory(new ModelFileFactory());

    const addItem = (name: string, make: (panel: CastlensDocument) => Widget) =>
      toolbarRegistry.addFactory<CastlensDocument>(FACTORY, name, make);
    const parts = (panel: CastlensDocument) => ({ model: panel.content.model, commands, trans });
    addItem('cacheMode', panel => new CacheModeSwitch(parts(panel)));
    addItem('passes', panel => new PassesButton(parts(panel)));
    addItem('device', panel => new DeviceSelect(parts(panel)));
    addItem('kernelName', panel =>
      Toolbar.createKernelNameItem(panel.context.sessionContext, dialogs, translator)
    );
    addItem('kernelStatus', panel =>
      Toolbar.createKernelStatusItem(panel.context.sessionContext, translator)
    );

    const factory = new CastlensFactory(
      {
        name: FACTORY,
        label: trans.__('castlens'),
        modelName: MODEL_FACTORY,
        fileTypes: ['castlens-pt2', 'castlens-onnx'],
        defaultFor: ['castlens-pt2', 'castlens-onnx'],
        preferKernel: true,
        canStartKernel: true,
        autoStartDefault: true,
        shutdownOnClose: settings.shutdownOnClose,
        translator,
        toolbarFactory: createToolbarFactory(
          toolbarRegistry,
          settingRegistry,
          FACTORY,
          PLUGIN_ID,
          translator
        )
      },
      {
        contents: serviceManager.contents,
        commands,
        settings: () => settings,
        stateDB,
        themeManager
      }
    );
    docRegistry.addWidgetFactory(factory);
    factory.widgetCreated.connect((_, widget) => {
      widget.title.icon = castlensIcon;
      widget.context.pathChanged.connect(() => void tracker.save(widget));
      widget.content.model.changed.connect(() => {
        if (tracker.currentWidget === widget) {
          notifyCommands();
        }
      });
      void tracker.add(widget);
    });
    tracker.currentChanged.connect(notifyCommands);

    settingRegistry
      .load(PLUGIN_ID)
      .then(loaded => {
        const update = () => {
          settings = readSettings(loaded.composite);
          factory.shutdownOnClose = settings.shutdownOnClose;
        };
        loaded.changed.connect(update);
        update();
      })
      .catch((error: unknown) =>
        Notification.error(trans.__('The settings of castlens cannot be read: %1', String(error)))
      );

    addCommands({
      commands,
      tracker,
      docManager,
      fileBrowser,
      sessionDialogs: dialogs,
      translator
    });

    if (restorer) {
      void restorer.restore(tracker, {
        command: 'docmanager:open',
        args: widget => ({ path: widget.context.path, factory: FACTORY }),
        name: widget => widget.context.path
      });
    }
    if (palette) {
      addPaletteItems(palette, trans.__('castlens'));
    }
    if (launcher) {
      void serviceManager.kernelspecs.ready.then(() => {
        launcher.add({
          command: CommandIDs.open,
          args: { isLauncher: true },
          category: trans.__('Other'),
          rank: 20
        });
      });
    }
    return tracker;

    function notifyCommands(): void {
      for (const id of Object.values(CommandIDs)) {
        commands.notifyCommandChanged(id);
      }
    }
  }
};

/** Put every command that makes sense without a mouse into the palette. */
function addPaletteItems(palette: ICommandPalette, category: string): void {
  palette.addItem({ command: CommandIDs.open, category, args: { isPalette: true } });
  for (const command of [
    CommandIDs.run,
    CommandIDs.compare,
    CommandIDs.stop,
    CommandIDs.reload,
    CommandIDs.resetRegions,
    CommandIDs.summariseWeights,
    CommandIDs.summariseActivations,
    CommandIDs.takeWeights,
    CommandIDs.useOwnWeights,
    CommandIDs.saveRepaired,
    CommandIDs.showCode,
    CommandIDs.copyCode,
    CommandIDs.retry,
    CommandIDs.dismissError,
    CommandIDs.selectKernel,
    CommandIDs.restartKernel
  ]) {
    palette.addItem({ command, category });
  }
  for (const mode of CACHE_MODES) {
    palette.addItem({ command: CommandIDs.setCacheMode, category, args: { mode } });
  }
  for (const kind of STATISTICS_KINDS) {
    palette.addItem({ command: CommandIDs.showStatistics, category, args: { kind } });
  }
  for (const pass of PASSES) {
    palette.addItem({ command: CommandIDs.togglePass, category, args: { pass } });
  }
}

export default panelPlugin;
