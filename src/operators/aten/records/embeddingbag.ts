/**
 * Bags of embeddings: sums, means and largest elements of the rows that indices choose, bag by bag.
 *
 * @packageDocumentation
 */
import type { IValue } from '../../../model';
import { intAttr, stringAttr } from '../../builder';
import type { Call } from '../call';
import * as dtypes from '../dtypes';
import { limit, operator } from '../operator';
import type { IOperator } from '../operator';
import { slice } from './layout';

const INT64 = { dtype: 'int64' } as const;
const BOOL = { dtype: 'bool' } as const;

/** `EmbeddingBagMode` of aten/src/ATen/native/EmbeddingBag.h. */
const SUM = 0;
const LARGEST = 2;

/** Indices, and which bags have begun at each of them: `[bags, indices]`, true from the first index of a bag on. */
interface IBags {
  readonly indices: IValue;
  readonly begun: IValue;
  /** Whether each index counts; null where all do. */
  readonly kept: IValue | null;
}

function bagsOf(c: Call): IBags {
  const indices = c.castTo(c.tensor('indices'), 'int64');
  const given = c.castTo(c.tensor('offsets'), 'int64');
  const offsets = c.bool('include_last_offset') ? slice(c, given, 0, 0, -1) : given;
  const count = c.sizeScalar(c.sizeOf(indices, 0));
  const place = c.emit('Range', [c.sizeScalar(0), count, c.sizeScalar(1)], {}, INT64);
  const starts = c.emit('Unsqueeze', [offsets, c.int64s([1])], {}, INT64);
  const begun = c.emit('LessOrEqual', [starts, place], {}, BOOL);
  const padding = c.optionalInt('padding_idx');
  if (padding === null || padding < 0) {
    return { indices, begun, kept: null };
  }
  const padded = c.emit('Equal', [indices, c.sizeScalar(padding)], {}, BOOL);
  return { indices, begun, kept: c.emit('Not', [padded], {}, BOOL) };
}

/** What is in which bag, as ones and zeros `[bags, indices]`. */
function membersOf(c: Call, { begun, kept }: IBags): IValue {
  // An element is in the last bag that began at or before it: in bag b, but not yet in bag b + 1.
  const numbers = c.castTo(begun, c.computeType);
  const later = c.emit('Pad', [numbers, c.int64s([-1, 0, 1, 0])]);
  const members = c.emit('Sub', [numbers, later]);
  return kept === null ? members : c.emit('Mul', [members, c.castTo(kept, c.computeType)]);
}

/** How many elements each bag has: `[bags, 1]`. */
function sizesOf(c: Call, members: IValue): IValue {
  return c.emit('ReduceSum', [members, c.int64s([1])], { keepdims: intAttr(1) });
}

/** The largest element of each column in each bag; zeros for bags without elements. */
function largest(c: Call, bags: IBags, members: IValue, rows: IValue): IValue {
  const { begun, kept } = bags;
  const least = c.scalar(-Infinity);
  const counts = c.emit(
    'ReduceSum',
    [c.castTo(begun, 'int64'), c.int64s([0])],
    { keepdims: intAttr(0) },
    INT64
  );
  const bag = c.emit('Sub', [counts, c.sizeScalar(1)], {}, INT64);
  const column = c.emit('Unsqueeze', [bag, c.int64s([1])], {}, INT64);
  const places = c.emit('Expand', [column, c.emit('Shape', [rows], {}, INT64)], {}, INT64);
  const counted =
    kept === null
      ? rows
      : c.emit('Where', [c.emit('Unsqueeze', [kept, c.int64s([1])], {}, BOOL), rows, least]);
  const sizes = sizesOf(c, members);
  const width = c.sizeVector([1, c.sizeOf(c.tensor('weight'), 1)]);
  const none = c.emit('Expand', [c.emit('Mul', [sizes, c.scalar(0)]), width]);
  const start = c.emit('Add', [none, least]);
  const result = c.emit('ScatterElements', [start, places, counted], {
    axis: intAttr(0),
    reduction: stringAttr('max')
  });
  return c.emit('Where', [c.emit('Equal', [sizes, c.scalar(0)], {}, BOOL), c.scalar(0), result]);
}

/** Sums and means are products with the matrix that says what is in which bag. */
function embeddingBag(c: Call): IValue {
  const bags = bagsOf(c);
  const members = membersOf(c, bags);
  const weight = c.toType(c.tensor('weight'), c.outType);
  const rows = c.emit('Gather', [weight, bags.indices], { axis: intAttr(0) }, c.typeOf(weight));
  const mode = c.int('mode');
  if (mode === LARGEST) {
    return largest(c, bags, members, rows);
  }
  const weighted = c.has('per_sample_weights')
    ? c.emit('Mul', [members, c.toType(c.tensor('per_sample_weights'), c.outType)])
    : members;
  const sums = c.emit('MatMul', [weighted, rows]);
  return mode === SUM
    ? sums
    : c.emit('Div', [sums, c.emit('Max', [sizesOf(c, members), c.scalar(1)])]);
}

const vectorOfIndices = limit('vectors of indices', c =>
  c.rank(c.tensor('indices')) === 1 ? null : 'indices that are no vector'
);

const RESULTS = '(Tensor, Tensor, Tensor, Tensor)';

/** Records of this file. */
export const EMBEDDING_BAG: readonly IOperator[] = [
  /** Range, LessOrEqual, Pad, Sub, Gather, MatMul; ReduceSum, Div for means; ScatterElements for the largest. */
  operator(
    `embedding_bag.padding_idx(Tensor weight, Tensor indices, Tensor offsets, bool scale_grad_by_freq, int mode, bool sparse, Tensor? per_sample_weights, bool include_last_offset, int? padding_idx) -> ${RESULTS}`,
    { dtype: dtypes.firstOnly, limits: [vectorOfIndices], makes: 1, lower: embeddingBag }
  ),
  ...['_embedding_bag', '_embedding_bag_forward_only'].map(name =>
    operator(
      `${name}(Tensor weight, Tensor indices, Tensor offsets, bool scale_grad_by_freq=False, int mode=0, bool sparse=False, Tensor? per_sample_weights=None, bool include_last_offset=False, int padding_idx=-1) -> ${RESULTS}`,
      { dtype: dtypes.firstOnly, limits: [vectorOfIndices], makes: 1, lower: embeddingBag }
    )
  )
];
