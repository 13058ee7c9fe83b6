/**
 * The records of all operators of ATen that castlens knows, by exact overload.
 *
 * @packageDocumentation
 */
import { otherNames } from './operator';
import type { IOperator, LoweredOperator } from './operator';
import { KNOWN_ELEMENTWISE } from './records/known/elementwise';
import { KNOWN_FACTORIES } from './records/known/factories';
import { KNOWN_FFT } from './records/known/fft';
import { KNOWN_LAYERS } from './records/known/layers';
import { KNOWN_LINALG } from './records/known/linalg';
import { KNOWN_OTHER } from './records/known/other';
import { KNOWN_VIEWS } from './records/known/views';
import { ARITHMETIC } from './records/arithmetic';
import { ATTENTION } from './records/attention';
import { CAST } from './records/casts';
import { CONVOLUTION } from './records/convolution';
import { CREATE } from './records/create';
import { EMBEDDING_BAG } from './records/embeddingbag';
import { INDEXING } from './records/indexing';
import { LAYOUT } from './records/layout';
import { LOSS } from './records/losses';
import { MATMUL } from './records/matmul';
import { MATRIX } from './records/matrices';
import { NORM } from './records/norm';
import { ORDERING } from './records/ordering';
import { POOLING } from './records/pooling';
import { RECURRENT } from './records/recurrent';
import { RESIZE } from './records/resize';
import { SCATTER } from './records/scatter';
import { REDUCE } from './records/reduce';
import { STRIDED } from './records/strided';
import { SYMBOLIC } from './records/symbolic';
import { UNARY } from './records/unary';

/** The record of an overload (`aten.add.Tensor`), or null. */
export function operatorOf(op: string): IOperator | null {
  return RECORDS.get(op) ?? null;
}

/** The record of an overload that can be lowered, or null. */
export function loweredOperator(op: string): LoweredOperator | null {
  const record = operatorOf(op);
  return record !== null && isLowered(record) ? record : null;
}

/** The other names of an operator, overload included: `aten.special_softmax.default` of `aten.softmax.int`. */
export function synonymsOf(op: string): string[] {
  const record = operatorOf(op);
  return record === null ? [] : otherNames(record).map(other => other.op);
}

/** All records, in no particular order. */
export function knownOperators(): IOperator[] {
  return [...RECORDS.values()];
}

/** Overloads that can be lowered, sorted. */
export function loweredOperators(): string[] {
  return knownOperators()
    .filter(isLowered)
    .map(({ op }) => op)
    .sort();
}

function isLowered(record: IOperator): record is LoweredOperator {
  return record.lower !== undefined;
}

const RECORDS: ReadonlyMap<string, IOperator> = collect([
  ...KNOWN_ELEMENTWISE,
  ...KNOWN_FACTORIES,
  ...KNOWN_FFT,
  ...KNOWN_LAYERS,
  ...KNOWN_LINALG,
  ...KNOWN_OTHER,
  ...KNOWN_VIEWS,
  ...ARITHMETIC,
  ...ATTENTION,
  ...CAST,
  ...CONVOLUTION,
  ...CREATE,
  ...EMBEDDING_BAG,
  ...INDEXING,
  ...LAYOUT,
  ...LOSS,
  ...MATMUL,
  ...MATRIX,
  ...NORM,
  ...ORDERING,
  ...POOLING,
  ...RECURRENT,
  ...RESIZE,
  ...SCATTER,
  ...REDUCE,
  ...STRIDED,
  ...SYMBOLIC,
  ...UNARY
]);

function collect(records: readonly IOperator[]): Map<string, IOperator> {
  const table = new Map<string, IOperator>();
  for (const record of records) {
    for (const one of [record, ...otherNames(record)]) {
      if (table.has(one.op)) {
        throw new Error(`two records of ${one.op}`);
      }
      table.set(one.op, one);
    }
  }
  return table;
}
