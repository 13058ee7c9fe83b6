/**
 * What the passes of the planned variant did.
 *
 * @packageDocumentation
 */
import { formatCount } from '../format';
import { variantKey } from '../variants';
import type { ISectionProps } from './sectionprops';
import { Section } from './section';

/** Places shown where a pass declined. */
const DECLINED_LIMIT = 20;

/** Each pass: what it did and, where it declined, why. */
export function Passes({ state, trans }: ISectionProps) {
  const plan = state.plans.get(variantKey(state.variant));
  if (!plan || plan.passes.length === 0) {
    return null;
  }
  return (
    <Section
      name="passes"
      title={trans.__('Passes')}
      about={trans.__('planned: what each did to the graph')}
    >
      <dl className="castlens-Passes">
        {plan.passes.map(report => (
          <div key={report.pass} data-pass={report.pass}>
            <dt>
              <code>{report.pass}</code>{' '}
              <span className="castlens-Table-note">
                {trans._n('%1 rewrite', '%1 rewrites', report.applied)}
              </span>
            </dt>
            <dd>
              {report.summary}
              {report.declined.length > 0 ? (
                <ul>
                  {report.declined.slice(0, DECLINED_LIMIT).map(({ node, reason }) => (
                    <li key={`${node} ${reason}`}>
                      <code>{node}</code> {reason}
                    </li>
                  ))}
                  {report.declined.length > DECLINED_LIMIT ? (
                    <li>
                      {trans.__(
                        'and %1 more',
                        formatCount(report.declined.length - DECLINED_LIMIT)
                      )}
                    </li>
                  ) : null}
                </ul>
              ) : null}
            </dd>
          </div>
        ))}
      </dl>
    </Section>
  );
}
