/**
 * The headline, the model's facts, and the three censuses side by side.
 *
 * @packageDocumentation
 */
import { PathExt } from '@jupyterlab/coreutils';
import type { ReactNode } from 'react';
import { formatBytes, formatMs } from '../../protocol';
import { CommandIDs } from '../commandids';
import { formatCount, formatPort } from '../format';
import { headline } from '../headline';
import { executedCasts, plannedCasts, variantKey } from '../variants';
import { listVariant } from '../words';
import type { ISectionProps } from './sectionprops';

/** What was found, in one sentence; what the model is; exported, planned and executed weight casts. */
export function Summary({ state, trans, execute }: ISectionProps) {
  const { info, variant } = state;
  if (info === null) {
    return null;
  }
  const { tone, text, note } = headline(info, trans);
  const { census } = info;
  const planned = plannedCasts(info, state.plans, variant);
  const plan = state.plans.get(variantKey(variant));
  const executed = executedCasts(variant, state.run, state.compare);
  const plannedCount = executed?.plannedWeightCasts ?? null;
  const differs = plannedCount !== null && executed?.weightCasts !== plannedCount;
  const facts = [
    census.format === 'pt2' ? `.pt2, ${census.dialect}` : '.onnx',
    census.producer,
    trans._n('%1 operator', '%1 operators', info.nodeCount),
    trans._n('%1 weight, %2', '%1 weights, %2', info.weightCount, formatBytes(info.weightBytes))
  ];
  return (
    <header className="castlens-Summary">
      <h1 className={`castlens-Headline castlens-mod-${tone}`}>{text}</h1>
      {note ? <p className="castlens-Headline-note">{note}</p> : null}
      <ul className="castlens-Facts">
        {facts.map(fact => (
          <li key={fact}>{fact}</li>
        ))}
        {info.inputs.length > 0 ? (
          <li>{trans.__('in: %1', info.inputs.map(formatPort).join(', '))}</li>
        ) : null}
        {info.outputs.length > 0 ? (
          <li>{trans.__('out: %1', info.outputs.map(formatPort).join(', '))}</li>
        ) : null}
        {state.weights === null ? null : (
          <li>
            {trans.__('weights of %1', PathExt.basename(state.weights))}{' '}
            <button
              type="button"
              className="jp-Button jp-mod-minimal castlens-Facts-action"
              onClick={() => execute(CommandIDs.useOwnWeights)}
            >
              {trans.__('Use its own')}
            </button>
          </li>
        )}
      </ul>
      <dl className="castlens-Census" aria-label={trans.__('Weight casts of one forward')}>
        <CensusCell
          name="exported"
          label={trans.__('Exported')}
          about={trans.__('in the file')}
          figure={formatCount(census.perForward.off.weightCasts)}
          unit={trans.__('weight casts')}
        >
          {trans.__('%1 moved per forward', formatBytes(census.perForward.off.bytesMoved))}
          {' · '}
          {trans._n('%1 activation cast', '%1 activation casts', census.activationCasts)}
        </CensusCell>
        <CensusCell
          name="planned"
          label={trans.__('Planned')}
          about={`${variant.cache}, ${listVariant(variant, trans)}`}
          figure={planned ? formatCount(planned.weightCasts) : '…'}
          unit={trans.__('weight casts')}
        >
          {planned
            ? trans.__('%1 moved per forward', formatBytes(planned.bytesMoved))
            : trans.__('planning')}
          {plan && plan.convertedWeights > 0 ? (
            <>
              {' · '}
              {variant.cache === 'frozen'
                ? trans.__('%1 weights cast ahead of time', formatCount(plan.convertedWeights))
                : trans.__('%1 weights cast at load', formatCount(plan.convertedWeights))}
            </>
          ) : null}
        </CensusCell>
        <CensusCell
          name="executed"
          label={trans.__('Executed')}
          about={executed ? executed.runtime : trans.__('not run yet')}
          figure={executed ? formatCount(executed.weightCasts) : '–'}
          unit={trans.__('weight casts')}
          warn={differs}
        >
          {executed
            ? executed.runs === 1
              ? trans.__('one forward, %1', formatMs(executed.latencyMs))
              : trans.__(
                  'median of %1 forwards, %2',
                  formatCount(executed.runs),
                  formatMs(executed.latencyMs)
                )
            : trans.__('Run counts them in the runtime’s profile')}
          {differs ? (
            <strong className="castlens-Census-warning">
              {' '}
              {trans.__('planned were %1', formatCount(plannedCount))}
            </strong>
          ) : null}
        </CensusCell>
      </dl>
    </header>
  );
}

interface ICensusCell {
  readonly name: string;
  readonly label: string;
  readonly about: string;
  readonly figure: string;
  readonly unit: string;
  readonly warn?: boolean;
  readonly children: ReactNode;
}

function CensusCell({ name, label, about, figure, unit, warn, children }: ICensusCell) {
  return (
    <div className="castlens-Census-cell" data-census={name} data-warn={warn ? 'true' : undefined}>
      <dt>
        <span className="castlens-Census-label">{label}</span>{' '}
        <span className="castlens-Census-about" title={about}>
          {about}
        </span>
      </dt>
      <dd>
        <span className="castlens-Census-figure">{figure}</span>{' '}
        <span className="castlens-Census-unit">{unit}</span>
        <span className="castlens-Census-detail">{children}</span>
      </dd>
    </div>
  );
}
