/**
 * What castlens found in the model, in the plan, in what ran and in the values of the weights.
 *
 * @packageDocumentation
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { IFinding, IFindingCost, IMeasuredTime } from '../../protocol';
import { formatBytes, formatMs } from '../../protocol';
import { CommandIDs } from '../commandids';
import { findingKey, findingsOf } from '../findings';
import { formatCount, formatSource } from '../format';
import type { ISectionProps } from './sectionprops';
import { Section } from './section';

/** Names of a list before the rest is only counted. */
const NAME_LIMIT = 50;

/** All findings there are, each with what it is about folded away. */
export function Findings({ state, trans, execute }: ISectionProps) {
  const { info } = state;
  if (info === null) {
    return null;
  }
  const findings = findingsOf(state);
  if (findings.length === 0 && info.warnings.length === 0) {
    return null;
  }
  return (
    <Section name="findings" title={trans.__('Findings')} about={formatCount(findings.length)}>
      <FindingList findings={findings} warnings={info.warnings} {...{ state, trans, execute }} />
    </Section>
  );
}

interface IFindingList extends ISectionProps {
  readonly findings: readonly IFinding[];
  /** Remarks of the reader about the file. */
  readonly warnings: readonly string[];
}

/** Findings one below the other. */
export function FindingList({ findings, warnings, state, trans, execute }: IFindingList) {
  return (
    <ul className="castlens-Findings">
      {findings.map(finding => (
        <Finding
          key={findingKey(finding)}
          finding={finding}
          page={state.pages.get(finding.code)}
          trans={trans}
          execute={execute}
        />
      ))}
      {warnings.map(warning => (
        <li key={warning} className="castlens-Finding" data-severity="warning">
          <span className="castlens-Finding-severity">{trans.__('Warning')}</span>
          <p className="castlens-Finding-message">{warning}</p>
        </li>
      ))}
    </ul>
  );
}

interface IFindingProps extends Pick<ISectionProps, 'trans' | 'execute'> {
  readonly finding: IFinding;
  /** The page about findings of this code, once it was asked for. */
  readonly page: string | undefined;
}

function Finding({ finding, page, trans, execute }: IFindingProps) {
  const { code, severity, message, source, cost, remedy } = finding;
  return (
    <li className="castlens-Finding" data-severity={severity} data-code={code}>
      <span className="castlens-Finding-severity">{severityLabel(severity, trans)}</span>
      <div>
        <p className="castlens-Finding-message">{message}</p>
        {cost ? <p className="castlens-Finding-cost">{describeCost(cost, trans)}</p> : null}
        {remedy ? <p className="castlens-Finding-remedy">{remedy}</p> : null}
        <p className="castlens-Finding-meta">
          <code>{code}</code>
          {source ? <span title={source.code}>{formatSource(source)}</span> : null}
        </p>
        <Details finding={finding} trans={trans} />
        <details
          className="castlens-Finding-details"
          onToggle={event => {
            if (event.currentTarget.open) {
              execute(CommandIDs.explainFinding, { code });
            }
          }}
        >
          <summary>{trans.__('About %1', code)}</summary>
          <pre className="castlens-Finding-page">{page ?? trans.__('Reading the page…')}</pre>
        </details>
      </div>
    </li>
  );
}

/** The weights, operator calls and lines a finding is about; nothing where it names none. */
function Details({ finding, trans }: { finding: IFinding; trans: TranslationBundle }) {
  const { weights = [], nodes = [], sources = [] } = finding;
  const counts = [
    weights.length > 0 ? trans._n('%1 weight', '%1 weights', weights.length) : null,
    nodes.length > 0 ? trans._n('%1 operator call', '%1 operator calls', nodes.length) : null,
    sources.length > 0 ? trans._n('%1 line', '%1 lines', sources.length) : null
  ].filter(text => text !== null);
  if (counts.length === 0) {
    return null;
  }
  return (
    <details className="castlens-Finding-details">
      <summary>{counts.join(', ')}</summary>
      <dl>
        <Names label={trans.__('Weights')} names={weights} trans={trans} />
        <Names label={trans.__('Operator calls')} names={nodes} trans={trans} />
        <Names
          label={trans.__('Source')}
          names={sources.map(({ file, line, code: text }) =>
            text === undefined ? `${file}:${line}` : `${file}:${line}  ${text}`
          )}
          trans={trans}
        />
      </dl>
    </details>
  );
}

function Names({
  label,
  names,
  trans
}: {
  label: string;
  names: readonly string[];
  trans: TranslationBundle;
}) {
  if (names.length === 0) {
    return null;
  }
  const left = names.length - NAME_LIMIT;
  return (
    <>
      <dt>{label}</dt>
      <dd>
        <ul>
          {names.slice(0, NAME_LIMIT).map(name => (
            <li key={name}>
              <code>{name}</code>
            </li>
          ))}
          {left > 0 ? <li>{trans.__('and %1 more', formatCount(left))}</li> : null}
        </ul>
      </dd>
    </>
  );
}

/** What a finding costs: bytes as counted, time as measured. */
function describeCost(cost: IFindingCost, trans: TranslationBundle): string {
  const { bytesMoved, isLowerBound, time } = cost;
  const parts: string[] = [];
  if (bytesMoved !== undefined) {
    const bytes = formatBytes(bytesMoved);
    parts.push(
      isLowerBound
        ? trans.__('At least %1 moved per forward.', bytes)
        : trans.__('%1 moved per forward.', bytes)
    );
  }
  if (time !== undefined) {
    parts.push(describeTime(time, trans));
  }
  return parts.join(' ');
}

function describeTime(time: IMeasuredTime, trans: TranslationBundle): string {
  const { differenceMs, lowMs, highMs, verdict, device, runs } = time;
  const how = trans.__('%1 against %2 on %3, %4 runs each', time.with, time.without, device, runs);
  if (verdict === 'no-difference') {
    return trans.__('Measured: no difference in time beyond the noise (%1).', how);
  }
  const figure = formatMs(differenceMs);
  return lowMs === null || highMs === null
    ? trans.__('Measured: %1 per forward, too few runs for an interval (%2).', figure, how)
    : trans.__(
        'Measured: %1 per forward, 95 % interval %2 to %3 (%4).',
        figure,
        formatMs(lowMs),
        formatMs(highMs),
        how
      );
}

function severityLabel(severity: IFinding['severity'], trans: TranslationBundle): string {
  switch (severity) {
    case 'info':
      return trans.__('Note');
    case 'warning':
      return trans.__('Warning');
    case 'error':
      return trans.__('Error');
  }
}
