/**
 * Result dtypes of ATen operators.
 *
 * @packageDocumentation
 */
export { dtypeDisagreement } from './agreement';
export { promoteTypes, resultType } from './promotion';
export { dtypeRule, isInPlace, writesInPlace } from './rules';
export type { DtypeRule } from './rules';
