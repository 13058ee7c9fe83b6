/**
 * Operators that are others under another name. Training IR keeps the name the author wrote.
 *
 * Source: each is CompositeImplicitAutograd and calls the other (`torch._C._dispatch_dump`, 2.13.0).
 *
 * @packageDocumentation
 */
import { perOperator } from '../model';

/**
 * The other names of an operator, overload included: `aten.special_softmax.default` of `aten.softmax.int`. Arguments are the same
 * throughout. Autocast acts on the operator called, so that its policies are those of its other names.
 */
export const synonymsOf = perOperator((op): readonly string[] => {
  const [, own, overload] = op.split('.');
  return (BY_NAME.get(own) ?? []).flatMap(([name, , overloads]) => {
    const spelled = overloads === undefined ? overload : overloads[overload];
    return spelled === undefined ? [] : [`aten.${name}.${spelled}`];
  });
});

type Synonym = readonly [string, string, Readonly<Partial<Record<string, string>>>?];

/** Name, name of the operator it is, and, where not all overloads have it or they are called otherwise, its overload for each. */
const SYNONYMS: readonly Synonym[] = [
  ['absolute', 'abs'],
  ['arccos', 'acos'],
  ['arccosh', 'acosh'],
  ['arcsin', 'asin'],
  ['arcsinh', 'asinh'],
  ['arctan', 'atan'],
  ['arctan2', 'atan2'],
  ['arctanh', 'atanh'],
  ['clip', 'clamp'],
  ['concat', 'cat'],
  ['concatenate', 'cat'],
  ['divide', 'div'],
  ['fix', 'trunc'],
  ['ger', 'outer'],
  ['greater', 'gt'],
  ['greater_equal', 'ge'],
  ['less', 'lt'],
  ['less_equal', 'le'],
  ['multiply', 'mul'],
  ['negative', 'neg'],
  ['not_equal', 'ne'],
  ['special_erf', 'erf'],
  ['special_erfc', 'erfc'],
  ['special_exp2', 'exp2'],
  ['special_expit', 'sigmoid'],
  ['special_expm1', 'expm1'],
  ['special_log1p', 'log1p'],
  ['special_log_softmax', 'log_softmax', { int: 'default' }],
  ['special_logit', 'logit'],
  ['special_logsumexp', 'logsumexp'],
  ['special_sinc', 'sinc'],
  ['special_softmax', 'softmax', { int: 'default' }],
  ['special_xlogy', 'xlogy', { Tensor: 'default' }],
  ['subtract', 'sub'],
  ['true_divide', 'div', { Tensor: 'Tensor', Scalar: 'Scalar' }]
];

const BY_NAME = new Map<string, Synonym[]>();
for (const synonym of SYNONYMS) {
  BY_NAME.set(synonym[1], [...(BY_NAME.get(synonym[1]) ?? []), synonym]);
}
