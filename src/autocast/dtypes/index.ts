/**
 * Result dtypes of ATen operators.
 *
 * @packageDocumentation
 */
export { promoteTypes, resultType } from './promotion';
export { dtypeRule, isInPlace, writesInPlace } from './rules';
export type { DtypeRule } from './rules';
