/**
 * What the sections of the body share.
 *
 * @packageDocumentation
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { IPanelState } from '../model';

/** What every section is given. */
export interface ISectionProps {
  readonly state: IPanelState;
  readonly trans: TranslationBundle;
  /** Execute a command of the panel. */
  readonly execute: (id: string, args?: Record<string, string>) => void;
}
