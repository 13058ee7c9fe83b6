/**
 * What the last comparison says one should do, in the runtime that the user deploys with.
 *
 * @packageDocumentation
 */
import { recommend } from '../../protocol';
import { deploymentOf } from '../runtimes';
import type { ISectionProps } from './sectionprops';

/** A sentence or two, in the words that notebook and command line have; nothing before anything was compared. */
export function Recommendation({ state }: ISectionProps) {
  const { compare } = state;
  if (compare === null || compare.variants.length === 0) {
    return null;
  }
  const { kind, text } = recommend(compare.variants, deploymentOf(state));
  return (
    <p className="castlens-Recommendation" data-kind={kind}>
      {text}
    </p>
  );
}
