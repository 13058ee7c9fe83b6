/**
 * The table of all lowering rules, by exact overload.
 *
 * @packageDocumentation
 */
import { synonymsOf } from '../synonyms';
import type { IRule } from './rule';
import { ARITHMETIC_RULES } from './rules/arithmetic';
import { ATTENTION_RULES } from './rules/attention';
import { CAST_RULES } from './rules/casts';
import { CONVOLUTION_RULES } from './rules/convolution';
import { CREATE_RULES } from './rules/create';
import { EMBEDDING_BAG_RULES } from './rules/embeddingbag';
import { INDEXING_RULES } from './rules/indexing';
import { LAYOUT_RULES } from './rules/layout';
import { LOSS_RULES } from './rules/losses';
import { MATMUL_RULES } from './rules/matmul';
import { MATRIX_RULES } from './rules/matrices';
import { NORM_RULES } from './rules/norm';
import { ORDERING_RULES } from './rules/ordering';
import { POOLING_RULES } from './rules/pooling';
import { RECURRENT_RULES } from './rules/recurrent';
import { RESIZE_RULES } from './rules/resize';
import { SCATTER_RULES } from './rules/scatter';
import { REDUCE_RULES } from './rules/reduce';
import { STRIDED_RULES } from './rules/strided';
import { SYMBOLIC_RULES } from './rules/symbolic';
import { UNARY_RULES } from './rules/unary';

/** The rule of an overload, or null. */
export function ruleFor(op: string): IRule | null {
  return RULES.get(op) ?? null;
}

/** Overloads that have a rule, sorted. */
export function loweredOperators(): string[] {
  return [...RULES.keys()].sort();
}

const WRITTEN: readonly IRule[] = [
  ...ARITHMETIC_RULES,
  ...ATTENTION_RULES,
  ...CAST_RULES,
  ...CONVOLUTION_RULES,
  ...CREATE_RULES,
  ...EMBEDDING_BAG_RULES,
  ...INDEXING_RULES,
  ...LAYOUT_RULES,
  ...LOSS_RULES,
  ...MATMUL_RULES,
  ...MATRIX_RULES,
  ...NORM_RULES,
  ...ORDERING_RULES,
  ...POOLING_RULES,
  ...RECURRENT_RULES,
  ...RESIZE_RULES,
  ...SCATTER_RULES,
  ...REDUCE_RULES,
  ...STRIDED_RULES,
  ...SYMBOLIC_RULES,
  ...UNARY_RULES
];

const RULES: ReadonlyMap<string, IRule> = collect(
  WRITTEN.flatMap(rule => [
    rule,
    ...synonymsOf(rule.schema.op).map(op => ({ ...rule, schema: { ...rule.schema, op } }))
  ])
);

function collect(rules: readonly IRule[]): Map<string, IRule> {
  const table = new Map<string, IRule>();
  for (const rule of rules) {
    if (table.has(rule.schema.op)) {
      throw new Error(`two rules for ${rule.schema.op}`);
    }
    table.set(rule.schema.op, rule);
  }
  return table;
}
