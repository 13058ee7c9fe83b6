/**
 * Operators that are others under another name. Training IR keeps the name the author wrote.
 *
 * @packageDocumentation
 */
import type { IRule } from '../rule';

/** The rules of operators that have other names, under these names. Arguments are the same throughout. */
export function synonymRules(rules: readonly IRule[]): IRule[] {
  const byName = new Map<string, IRule[]>();
  for (const rule of rules) {
    const [, name] = rule.schema.op.split('.');
    byName.set(name, [...(byName.get(name) ?? []), rule]);
  }
  return SYNONYMS.flatMap(([name, own, overloads]) =>
    (byName.get(own) ?? []).flatMap(rule => {
      const overload = rule.schema.op.split('.')[2];
      const spelled = overloads === undefined ? overload : overloads[overload];
      return spelled === undefined
        ? []
        : [{ ...rule, schema: { ...rule.schema, op: `aten.${name}.${spelled}` } }];
    })
  );
}

/** Name, name of the operator it is, and, where not all overloads have it or they are called otherwise, its overload for each. */
const SYNONYMS: readonly (readonly [string, string, Readonly<Record<string, string>>?])[] = [
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
