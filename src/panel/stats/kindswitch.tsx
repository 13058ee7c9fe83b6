/**
 * What the statistics are about, as a segmented switch.
 *
 * @packageDocumentation
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { KeyboardEvent } from 'react';
import type { StatisticsKind } from '../model';
import { STATISTICS_KINDS } from '../model';

/** What the switch shows, and whom it tells. */
export interface IKindSwitchProps {
  readonly kind: StatisticsKind;
  readonly choose: (kind: StatisticsKind) => void;
  readonly trans: TranslationBundle;
}

/** A radio group of weights and activations: one stop of the tab key, arrow keys choose. */
export function KindSwitch({ kind, choose, trans }: IKindSwitchProps) {
  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>) => {
    if (!ARROWS.includes(event.key)) {
      return;
    }
    event.preventDefault();
    const other = STATISTICS_KINDS.find(name => name !== kind)!;
    event.currentTarget.querySelector<HTMLElement>(`[data-kind=${other}]`)?.focus();
    choose(other);
  };
  return (
    <div
      role="radiogroup"
      aria-label={trans.__('Statistics of')}
      className="castlens-Segmented-group"
      onKeyDown={onKeyDown}
    >
      {STATISTICS_KINDS.map(name => (
        <button
          key={name}
          type="button"
          role="radio"
          aria-checked={name === kind}
          tabIndex={name === kind ? 0 : -1}
          data-kind={name}
          className="castlens-Segmented-button"
          onClick={() => choose(name)}
        >
          {name === 'weights' ? trans.__('Weights') : trans.__('Activations')}
        </button>
      ))}
    </div>
  );
}

const ARROWS: readonly string[] = ['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown'];
