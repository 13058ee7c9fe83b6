/**
 * What was found, in one sentence.
 *
 * @packageDocumentation
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { formatBytes } from '../protocol';
import type { IModelInfo } from '../protocol';
import { formatCount } from './format';

/** How a headline is to be taken: casts to save, nothing to do, or a model that cannot be run. */
export type HeadlineTone = 'casts' | 'clean' | 'blocked';

/** The sentence, and a second one where the first would mislead. */
export interface IHeadline {
  readonly tone: HeadlineTone;
  readonly text: string;
  readonly note: string | null;
}

/**
 * Say what was found in a model.
 *
 * #### Notes
 * Figures are those of the file (exported census, mode `off`) against those of mode `frozen`. Where PyTorch's own cache
 * would do fewer casts than the export, or the model cannot be run here, the note says so.
 */
export function headline(info: IModelInfo, trans: TranslationBundle): IHeadline {
  const blocked = info.unsupported.length > 0;
  const text = describeCasts(info, trans);
  const casts = info.census.perForward.off.weightCasts;
  return {
    tone: blocked ? 'blocked' : casts > 0 ? 'casts' : 'clean',
    text,
    note: blocked ? describeUnsupported(info, trans) : describeCache(info, trans)
  };
}

function describeCasts(info: IModelInfo, trans: TranslationBundle): string {
  const { regions, perForward } = info.census;
  const { off, frozen } = perForward;
  if (off.weightCasts > 0) {
    const now = trans._n(
      '%1 weight cast moves %2 on every forward',
      '%1 weight casts move %2 on every forward',
      off.weightCasts,
      formatBytes(off.bytesMoved)
    );
    const then =
      frozen.weightCasts === 0
        ? trans.__('ahead of time: none.')
        : trans.__('ahead of time: %1.', formatCount(frozen.weightCasts));
    const computed = info.census.weightCasts.reduce(
      (sum, { kind, uses }) => sum + (kind === 'computed' ? uses : 0),
      0
    );
    return computed === 0
      ? `${now}; ${then}`
      : `${now} (${trans.__('%1 of computed weights', formatCount(computed))}); ${then}`;
  }
  if (regions.length === 0) {
    return trans.__('No autocast region and no weight cast: there is nothing to save here.');
  }
  if (regions.every(region => !region.enabled)) {
    return trans._n(
      'The autocast region is recorded as disabled: no weight is cast.',
      'All %1 autocast regions are recorded as disabled: no weight is cast.',
      regions.length
    );
  }
  return trans.__('No weight is cast on a forward: there is nothing to save here.');
}

function describeCache(info: IModelInfo, trans: TranslationBundle): string | null {
  const { off, autocast } = info.census.perForward;
  return autocast.weightCasts < off.weightCasts
    ? trans.__(
        'PyTorch’s own cache would do %1 of them; the export has lost it.',
        formatCount(autocast.weightCasts)
      )
    : null;
}

function describeUnsupported(info: IModelInfo, trans: TranslationBundle): string {
  const count = info.unsupported.length;
  return trans._n(
    'It cannot be run here: %1 operator is not supported yet.',
    'It cannot be run here: %1 operators are not supported yet.',
    count
  );
}
