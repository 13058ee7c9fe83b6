/**
 * What castlens found in the model and in the plan.
 *
 * @packageDocumentation
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { IFinding } from '../../protocol';
import { formatCount, formatSource } from '../format';
import { variantKey } from '../variants';
import type { ISectionProps } from './sectionprops';
import { Section } from './section';

/** Weights named in a finding before the rest is only counted. */
const NAME_LIMIT = 6;

/** Findings of the file, then those of the plan and the last run that the file does not have. */
export function Findings({ state, trans }: ISectionProps) {
  const { info, run } = state;
  if (info === null) {
    return null;
  }
  const plan = state.plans.get(variantKey(state.variant));
  const findings = distinct([
    ...info.census.findings,
    ...(plan?.findings ?? []),
    ...(run && variantKey(run.variant) === variantKey(state.variant) ? run.findings : [])
  ]);
  if (findings.length === 0 && info.warnings.length === 0) {
    return null;
  }
  return (
    <Section name="findings" title={trans.__('Findings')} about={formatCount(findings.length)}>
      <ul className="castlens-Findings">
        {findings.map(finding => (
          <Finding key={keyOf(finding)} finding={finding} trans={trans} />
        ))}
        {info.warnings.map(warning => (
          <li key={warning} className="castlens-Finding" data-severity="warning">
            <span className="castlens-Finding-severity">{trans.__('Warning')}</span>
            <p className="castlens-Finding-message">{warning}</p>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function Finding({ finding, trans }: { finding: IFinding; trans: TranslationBundle }) {
  const { code, severity, message, weights = [], source, remedy } = finding;
  const named = weights.slice(0, NAME_LIMIT);
  return (
    <li className="castlens-Finding" data-severity={severity} data-code={code}>
      <span className="castlens-Finding-severity">{severityLabel(severity, trans)}</span>
      <div>
        <p className="castlens-Finding-message">{message}</p>
        {remedy ? <p className="castlens-Finding-remedy">{remedy}</p> : null}
        <p className="castlens-Finding-meta">
          <code>{code}</code>
          {source ? <span title={source.code}>{formatSource(source)}</span> : null}
          {named.map(weight => (
            <code key={weight}>{weight}</code>
          ))}
          {weights.length > named.length ? (
            <span>{trans.__('and %1 more', formatCount(weights.length - named.length))}</span>
          ) : null}
        </p>
      </div>
    </li>
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

function distinct(findings: readonly IFinding[]): readonly IFinding[] {
  return [...new Map(findings.map(finding => [keyOf(finding), finding])).values()];
}

function keyOf(finding: IFinding): string {
  return `${finding.code} ${finding.message}`;
}
