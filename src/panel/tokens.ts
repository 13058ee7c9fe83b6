/**
 * What other extensions can ask for.
 *
 * @packageDocumentation
 */
import type { IWidgetTracker } from '@jupyterlab/apputils';
import { Token } from '@lumino/coreutils';
import type { CastlensDocument } from './widget';

/** Name of the widget factory, and of its toolbar in the settings. */
export const FACTORY = 'castlens';

/** Id of the plugin that holds settings, toolbar and shortcuts. */
export const PLUGIN_ID = 'castlens:plugin';

/** The open panels. */
export type ICastlensTracker = IWidgetTracker<CastlensDocument>;

/** The open panels. */
export const ICastlensTracker = new Token<ICastlensTracker>(
  'castlens:ICastlensTracker',
  'A widget tracker for castlens panels, with the model and the actions of each.'
);
