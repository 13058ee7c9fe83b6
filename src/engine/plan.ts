/**
 * The planned census of a variant.
 *
 * @packageDocumentation
 */
import { unsupportedOperators } from '../lowering';
import type { IPlan, IVariant } from '../protocol';
import type { LoadedModel } from './modelstore';
import { planFindings, planVariantGraph, prepareVariant } from './variant';

/**
 * The casts of the graph that the runtime would be given. Runs nothing and reads no weights.
 *
 * #### Notes
 * A model with operators that cannot be lowered is planned in its own dialect: its casts are known all the same.
 */
export function planVariant(loaded: LoadedModel, variant: IVariant): IPlan {
  const findings = planFindings(loaded, variant);
  if (unsupportedOperators(loaded.explicitUnder(variant.regions).graph).length === 0) {
    const { forward, passes, ...counts } = prepareVariant(loaded, variant);
    const { activationCasts, loweringCasts, convertedWeights } = counts;
    return {
      variant,
      ...forward,
      activationCasts,
      loweringCasts,
      convertedWeights,
      passes,
      findings
    };
  }
  const { weightCasts, bytesMoved, activationCasts, convertedWeights, passes } = planVariantGraph(
    loaded,
    variant
  );
  return {
    variant,
    weightCasts,
    bytesMoved,
    activationCasts,
    loweringCasts: 0,
    convertedWeights,
    passes,
    findings
  };
}
