/**
 * Which findings there are to show.
 *
 * @packageDocumentation
 */
import type { IFinding } from '../protocol';
import type { IPanelState } from './model';
import { formatOverrides } from '../protocol';
import { variantKey } from './variants';

/** What is known of the model and of what was done with it. */
type IKnown = Pick<IPanelState, 'info' | 'variant' | 'plans' | 'run' | 'compare' | 'statistics'>;

/**
 * Findings of the file, of the values of its weights, and of what ran, each once: of the plan and the last run of the chosen
 * variant, and of every variant compared with its regions. Where a comparison measured what one costs, the cost is with it.
 */
export function findingsOf({
  info,
  variant,
  plans,
  run,
  compare,
  statistics
}: IKnown): readonly IFinding[] {
  const key = variantKey(variant);
  const findings = new Map<string, IFinding>();
  const all = [
    ...(info?.census.findings ?? []),
    ...(statistics?.findings ?? []),
    ...(plans.get(key)?.findings ?? []),
    ...(run && variantKey(run.variant) === key ? run.findings : []),
    ...(compare?.variants
      // The reference `float32` has all regions off, whatever is overridden.
      .filter(
        ({ cache, regions }) =>
          cache === 'float32' || formatOverrides(regions) === formatOverrides(variant.regions)
      )
      .flatMap(result => result.findings) ?? [])
  ];
  for (const finding of all) {
    findings.set(findingKey(finding), finding);
  }
  // The comparison may be older than the file: what is no longer found has no cost either.
  for (const finding of compare?.findings ?? []) {
    if (findings.has(findingKey(finding))) {
      findings.set(findingKey(finding), finding);
    }
  }
  return [...findings.values()];
}

/** Equal for equal findings, whatever their cost. */
export function findingKey({ code, message }: IFinding): string {
  return `${code} ${message}`;
}
