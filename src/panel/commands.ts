/**
 * Everything a user can do with a panel, as commands.
 *
 * @packageDocumentation
 */
import { Clipboard } from '@jupyterlab/apputils';
import type { ISessionContextDialogs } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import type { IDocumentManager } from '@jupyterlab/docmanager';
import type { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { FileDialog } from '@jupyterlab/filebrowser';
import type { ITranslator } from '@jupyterlab/translation';
import {
  copyIcon,
  fastForwardIcon,
  refreshIcon,
  runIcon,
  saveIcon,
  stopIcon
} from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { isRegionChoice } from '../protocol';
import type { RegionChoice } from '../protocol';
import { commandArguments } from './commandargs';
import { CommandIDs } from './commandids';
import { castlensIcon } from './icons';
import { FAILED_TASKS, STATISTICS_KINDS } from './model';
import type { FailedTask } from './model';
import { askHowToSave, askToReplace } from './savedialog';
import { askForPython, askToTrust } from './torchdialogs';
import { FACTORY } from './tokens';
import type { ICastlensTracker } from './tokens';
import { isRowId, isRuntime } from './runtimes';
import { isCacheMode, isPassName } from './variants';
import type { CastlensDocument } from './widget';
import { describeCache, describePass, describeRegionChoice } from './words';

/** Extensions of the files that open in a panel. */
export const MODEL_EXTENSIONS = ['.pt2', '.onnx'] as const;

/** What the commands work with. */
export interface ICommandOptions {
  readonly commands: CommandRegistry;
  readonly tracker: ICastlensTracker;
  readonly docManager: IDocumentManager;
  readonly fileBrowser: IDefaultFileBrowser | null;
  readonly sessionDialogs: ISessionContextDialogs;
  readonly translator: ITranslator;
}

/** Register all commands. They act on the current panel. */
export function addCommands(options: ICommandOptions): void {
  const { commands, tracker, docManager, fileBrowser, sessionDialogs, translator } = options;
  const trans = translator.load('castlens');
  const current = (): CastlensDocument | null => tracker.currentWidget;
  const describe = commandArguments(trans);
  const withPanel = (test: (panel: CastlensDocument) => boolean = () => true) => {
    const panel = current();
    return panel !== null && test(panel);
  };

  commands.addCommand(CommandIDs.open, {
    label: args => (args.isLauncher ? trans.__('castlens') : trans.__('Open Exported Model…')),
    caption: trans.__('Open an exported model (.pt2 or .onnx) and show its weight casts'),
    icon: args => (args.isPalette ? undefined : castlensIcon),
    describedBy: describe.open,
    execute: async args => {
      const path =
        typeof args.path === 'string'
          ? args.path
          : await askForFile(options, {
              title: trans.__('Open an exported model'),
              label: trans.__('A .pt2 or .onnx file'),
              extensions: MODEL_EXTENSIONS,
              folder: typeof args.cwd === 'string' ? args.cwd : fileBrowser?.model.path
            });
      return path === null ? null : (docManager.openOrReveal(path, FACTORY) ?? null);
    }
  });

  commands.addCommand(CommandIDs.reload, {
    label: trans.__('Read Model Again'),
    caption: trans.__('Read the model’s file again'),
    describedBy: describe.none,
    isEnabled: () => withPanel(panel => panel.content.model.state.link === 'ready'),
    execute: () => current()?.content.service.open()
  });

  commands.addCommand(CommandIDs.run, {
    label: trans.__('Run Model Once'),
    caption: trans.__('Run one forward of the chosen variant'),
    icon: runIcon,
    describedBy: describe.none,
    isEnabled: () => withPanel(panel => panel.content.service.canRun),
    execute: () => current()?.content.service.run()
  });

  commands.addCommand(CommandIDs.stop, {
    label: trans.__('Stop'),
    caption: trans.__('Give up what is under way'),
    icon: stopIcon,
    describedBy: describe.none,
    isEnabled: () => withPanel(panel => panel.content.model.state.task !== null),
    execute: () => current()?.content.service.stop()
  });

  commands.addCommand(CommandIDs.compare, {
    label: trans.__('Compare Variants'),
    caption: trans.__('Run the selected variants, interleaved, and compare them'),
    icon: fastForwardIcon,
    describedBy: describe.none,
    isEnabled: () => withPanel(panel => panel.content.service.canCompare),
    execute: () => current()?.content.service.compare(file => askToTrust(file, translator))
  });

  commands.addCommand(CommandIDs.setCacheMode, {
    label: args => trans.__('Cache Mode: %1', String(args.mode ?? '')),
    caption: args => (isCacheMode(args.mode) ? describeCache(args.mode, trans) : ''),
    describedBy: describe.cacheMode,
    isEnabled: () => withPanel(),
    isToggled: args => withPanel(panel => panel.content.model.state.variant.cache === args.mode),
    execute: args => {
      if (isCacheMode(args.mode)) {
        current()?.content.service.setCacheMode(args.mode);
      }
    }
  });

  commands.addCommand(CommandIDs.togglePass, {
    label: args => (isPassName(args.pass) ? describePass(args.pass, trans) : trans.__('Pass')),
    caption: trans.__('Switch one pass over the graph on or off'),
    describedBy: describe.pass,
    isEnabled: () => withPanel(),
    isToggled: args =>
      withPanel(panel => panel.content.model.state.variant.passes.some(pass => pass === args.pass)),
    execute: args => {
      if (isPassName(args.pass)) {
        current()?.content.service.togglePass(args.pass);
      }
    }
  });

  commands.addCommand(CommandIDs.setDevice, {
    label: args => trans.__('Run on %1', String(args.device ?? '')),
    caption: trans.__('Choose the device that models run on'),
    describedBy: describe.device,
    isEnabled: () => withPanel(),
    execute: args => {
      if (typeof args.device === 'string') {
        current()?.content.service.setDevice(args.device);
      }
    }
  });

  const choiceIn = ({ choice }: ReadonlyPartialJSONObject): RegionChoice | 'recorded' | null =>
    choice === 'recorded' || isRegionChoice(choice) ? choice : null;
  commands.addCommand(CommandIDs.overrideRegion, {
    label: args => {
      const choice = choiceIn(args);
      return choice === null
        ? trans.__('Override Autocast Region')
        : trans.__(
            'Run Region %1: %2',
            String(args.region ?? ''),
            describeRegionChoice(choice, trans)
          );
    },
    caption: trans.__('Run one autocast region otherwise than recorded'),
    describedBy: describe.region,
    isEnabled: () => withPanel(panel => panel.content.model.state.info !== null),
    execute: args => {
      const choice = choiceIn(args);
      if (typeof args.region === 'string' && choice !== null) {
        current()?.content.service.overrideRegion(args.region, choice);
      }
    }
  });

  commands.addCommand(CommandIDs.resetRegions, {
    label: trans.__('Run Autocast Regions as Recorded'),
    caption: trans.__('Take back all overrides of autocast regions'),
    describedBy: describe.none,
    isEnabled: () => withPanel(panel => panel.content.model.state.variant.regions !== undefined),
    execute: () => current()?.content.service.resetRegions()
  });

  commands.addCommand(CommandIDs.toggleVariant, {
    label: args => trans.__('Compare: %1', String(args.cache ?? '')),
    caption: trans.__('Put a variant into the comparison, or take it out'),
    describedBy: describe.variant,
    isEnabled: () => withPanel(),
    isToggled: args =>
      withPanel(panel => panel.content.model.state.selected.some(cache => cache === args.cache)),
    execute: args => {
      if (isRowId(args.cache)) {
        current()?.content.service.toggleSelected(args.cache);
      }
    }
  });

  commands.addCommand(CommandIDs.toggleRuntime, {
    label: args => trans.__('Compare in %1', String(args.runtime ?? '')),
    caption: trans.__('Show the variants of a runtime, or hide them'),
    describedBy: describe.runtime,
    isEnabled: () => withPanel(),
    isToggled: args =>
      withPanel(panel => panel.content.model.state.runtimes.some(name => name === args.runtime)),
    execute: args => {
      if (isRuntime(args.runtime)) {
        current()?.content.service.toggleRuntime(args.runtime);
      }
    }
  });

  commands.addCommand(CommandIDs.setPython, {
    label: trans.__('Choose Python with PyTorch…'),
    caption: trans.__('Choose the Python whose PyTorch runs variants'),
    describedBy: describe.python,
    isEnabled: () => withPanel(panel => panel.content.model.state.info !== null),
    execute: async args => {
      const panel = current();
      const python =
        typeof args.python === 'string'
          ? args.python
          : await askForPython(panel?.content.model.state.python ?? null, translator);
      if (panel !== null && python !== null && !panel.isDisposed) {
        panel.content.service.setPython(python === '' ? null : python);
      }
    }
  });

  commands.addCommand(CommandIDs.setDeployment, {
    label: args => trans.__('Deployed with %1', String(args.runtime ?? '')),
    caption: trans.__('Choose the runtime that the recommendation is drawn from'),
    describedBy: describe.runtime,
    isEnabled: () => withPanel(),
    execute: args => {
      if (isRuntime(args.runtime)) {
        current()?.content.service.setDeployment(args.runtime);
      }
    }
  });

  commands.addCommand(CommandIDs.summariseWeights, {
    label: trans.__('Summarise Weights'),
    caption: trans.__('Read all weights and show their statistics'),
    describedBy: describe.none,
    isEnabled: () => withPanel(panel => panel.content.service.canWork),
    execute: () => current()?.content.service.summarise()
  });

  commands.addCommand(CommandIDs.summariseActivations, {
    label: trans.__('Summarise Activations'),
    caption: trans.__(
      'Run the chosen variant and show statistics of the values it computes, and how far they are from float32'
    ),
    describedBy: describe.none,
    isEnabled: () => withPanel(panel => panel.content.service.canRun),
    execute: () => current()?.content.service.summariseActivations()
  });

  commands.addCommand(CommandIDs.showStatistics, {
    label: args =>
      args.kind === 'activations'
        ? trans.__('Show Statistics of Activations')
        : trans.__('Show Statistics of Weights'),
    caption: trans.__('Choose what the statistics are about'),
    describedBy: describe.statistics,
    isEnabled: () => withPanel(panel => panel.content.model.state.info !== null),
    isToggled: args => withPanel(panel => panel.content.model.state.statisticsKind === args.kind),
    execute: args => {
      const kind = STATISTICS_KINDS.find(known => known === args.kind);
      if (kind !== undefined) {
        current()?.content.service.showStatistics(kind);
      }
    }
  });

  commands.addCommand(CommandIDs.takeWeights, {
    label: trans.__('Take Weights from…'),
    caption: trans.__('Run the model with the weights of a .safetensors file or of another export'),
    describedBy: describe.weights,
    isEnabled: () => withPanel(panel => panel.content.service.canWork),
    execute: async args => {
      const panel = current();
      if (panel === null) {
        return;
      }
      const path =
        typeof args.path === 'string'
          ? args.path
          : await askForFile(options, {
              title: trans.__('Take weights from'),
              label: trans.__('A .safetensors file, or another export of the model'),
              extensions: ['.safetensors', ...MODEL_EXTENSIONS],
              folder: PathExt.dirname(panel.context.localPath)
            });
      if (path !== null && !panel.isDisposed) {
        await panel.content.service.takeWeights(
          options.docManager.services.contents.localPath(path)
        );
      }
    }
  });

  commands.addCommand(CommandIDs.useOwnWeights, {
    label: trans.__('Use the Model’s Own Weights'),
    caption: trans.__('Take the weights from the file of the model again'),
    describedBy: describe.none,
    isEnabled: () => withPanel(panel => panel.content.model.state.weights !== null),
    execute: () => current()?.content.service.takeWeights(null)
  });

  commands.addCommand(CommandIDs.saveRepaired, {
    label: trans.__('Save Repaired Model…'),
    caption: trans.__('Write the model with its weights in the precision they are used in'),
    icon: saveIcon,
    describedBy: describe.none,
    isEnabled: () => withPanel(panel => panel.content.service.canSave),
    execute: async () => {
      const panel = current();
      if (panel === null) {
        return;
      }
      const sourceName = PathExt.basename(panel.context.localPath);
      const choice = await askHowToSave(
        sourceName,
        panel.content.model.state.variant.regions,
        translator
      );
      if (choice === null || panel.isDisposed) {
        return;
      }
      const written = await panel.content.service.saveRepaired(choice, file =>
        askToReplace(file, translator)
      );
      if (written) {
        await fileBrowser?.model.refresh();
      }
    }
  });

  commands.addCommand(CommandIDs.showCode, {
    label: trans.__('Show PyTorch Code'),
    caption: trans.__('Show code that does the same in your own export script'),
    describedBy: describe.none,
    isEnabled: () => withPanel(panel => panel.content.service.canWork),
    execute: () => current()?.content.service.showCode()
  });

  commands.addCommand(CommandIDs.copyCode, {
    label: trans.__('Copy PyTorch Code'),
    caption: trans.__('Copy the code shown in the panel'),
    icon: copyIcon,
    describedBy: describe.none,
    isEnabled: () => withPanel(panel => panel.content.model.state.code !== null),
    execute: () => {
      const code = current()?.content.model.state.code;
      if (code) {
        Clipboard.copyToSystem(code.code);
      }
    }
  });

  commands.addCommand(CommandIDs.retry, {
    label: trans.__('Try Again'),
    caption: trans.__('Repeat what failed'),
    describedBy: describe.failure,
    isEnabled: () => withPanel(panel => panel.content.model.state.errors.length > 0),
    execute: args => current()?.content.service.retry(failedTask(args))
  });

  commands.addCommand(CommandIDs.explainFinding, {
    label: args => trans.__('Explain: %1', String(args.code ?? '')),
    caption: trans.__('Say what a finding means, why it happens and what to do about it'),
    describedBy: describe.finding,
    isEnabled: () => withPanel(),
    execute: async args => {
      if (typeof args.code === 'string') {
        await current()?.content.service.explain(args.code);
      }
    }
  });

  commands.addCommand(CommandIDs.dismissError, {
    label: trans.__('Dismiss Error'),
    caption: trans.__('Take the error off the panel'),
    describedBy: describe.failure,
    isEnabled: () => withPanel(panel => panel.content.model.state.errors.length > 0),
    execute: args => current()?.content.service.dismissError(failedTask(args))
  });

  commands.addCommand(CommandIDs.dismissNotice, {
    label: trans.__('Dismiss Notice'),
    caption: trans.__('Remove the notice that the file was read again'),
    describedBy: describe.none,
    isEnabled: () => withPanel(panel => panel.content.model.state.fileNotice !== null),
    execute: () => current()?.content.service.dismissNotice()
  });

  commands.addCommand(CommandIDs.selectKernel, {
    label: trans.__('Choose Kernel…'),
    caption: trans.__('Choose the kernel that runs the model'),
    describedBy: describe.none,
    isEnabled: () => withPanel(),
    execute: async () => {
      const panel = current();
      if (panel) {
        await sessionDialogs.selectKernel(panel.context.sessionContext);
      }
    }
  });

  commands.addCommand(CommandIDs.restartKernel, {
    label: trans.__('Restart Kernel…'),
    caption: trans.__('Restart the kernel; the model is opened again'),
    icon: refreshIcon,
    describedBy: describe.none,
    isEnabled: () => withPanel(),
    execute: async () => {
      const panel = current();
      if (panel) {
        await sessionDialogs.restart(panel.context.sessionContext);
      }
    }
  });

  async function askForFile(
    { docManager: manager }: ICommandOptions,
    wanted: {
      readonly title: string;
      readonly label: string;
      readonly extensions: readonly string[];
      readonly folder?: string;
    }
  ): Promise<string | null> {
    const { title, label, extensions, folder: defaultPath } = wanted;
    const result = await FileDialog.getOpenFiles({
      manager,
      title,
      label,
      defaultPath,
      translator,
      filter: item =>
        item.type === 'directory' || extensions.some(ext => item.name.endsWith(ext)) ? {} : null
    });
    return result.button.accept ? (result.value?.[0]?.path ?? null) : null;
  }
}

/** The task that a command names; undefined where it names none. */
function failedTask({ task }: ReadonlyPartialJSONObject): FailedTask | undefined {
  return FAILED_TASKS.find(name => name === task);
}
