/**
 * Scaled dot-product attention.
 *
 * @packageDocumentation
 */
import type { IValue } from '../../../model';
import { intAttr } from '../../builder';
import type { Call } from '../call';
import * as dtypes from '../dtypes';
import { limit, operator } from '../operator';
import type { IOperator } from '../operator';

/**
 * `softmax(q @ k^T * scale + mask) @ v`, rounded once at the end.
 *
 * A mask of truth values stands for 0 where true and -infinity where false. A row in which everything is masked gives zeros, as
 * PyTorch's kernels do, not the NaN of the formula.
 */
function attention(c: Call): IValue {
  const query = c.toType(c.tensor('query'), c.outType);
  let key = c.toType(c.tensor('key'), c.outType);
  let value = c.toType(c.tensor('value'), c.outType);
  if (c.bool('enable_gqa')) {
    const groups = headsOf(c, query) / headsOf(c, key);
    key = repeatHeads(c, key, groups);
    value = repeatHeads(c, value, headsOf(c, query) / headsOf(c, value));
  }
  const rank = c.rank(key);
  const perm = Array.from({ length: rank }, (_, i) => i);
  [perm[rank - 1], perm[rank - 2]] = [perm[rank - 2], perm[rank - 1]];
  const scores = c.emit('Mul', [
    c.emit('MatMul', [query, c.transpose(key, perm)]),
    scaleOf(c, query)
  ]);
  if (c.has('attn_mask')) {
    const mask = c.tensor('attn_mask');
    const masked = addMask(c, scores, mask);
    const last = c.int64s([c.rank(query) - 1]);
    const top = c.emit('ReduceMax', [masked, last], { keepdims: intAttr(1) });
    const empty = c.emit('Equal', [top, c.scalar(-Infinity)], {}, { dtype: 'bool' });
    const weights = c.emit('Where', [
      empty,
      c.scalar(0),
      c.emit('Softmax', [masked], { axis: intAttr(-1) })
    ]);
    return c.emit('MatMul', [weights, value]);
  }
  const causal = c.bool('is_causal') ? addMask(c, scores, causalMask(c, query, key)) : scores;
  return c.emit('MatMul', [c.emit('Softmax', [causal], { axis: intAttr(-1) }), value]);
}

function addMask(c: Call, scores: IValue, mask: IValue): IValue {
  return mask.dtype === 'bool'
    ? c.emit('Where', [mask, scores, c.scalar(-Infinity)])
    : c.emit('Add', [scores, c.toType(mask, c.outType)]);
}

/** Truth values of a lower triangle, aligned top left: query i sees keys 0 ... i. */
function causalMask(c: Call, query: IValue, key: IValue): IValue {
  const rows = c.sizeOf(query, c.rank(query) - 2);
  const columns = c.sizeOf(key, c.rank(key) - 2);
  const count = (size: number | IValue): IValue =>
    c.emit(
      'Range',
      [c.scalar(0, 'int64'), c.sizeScalar(size), c.scalar(1, 'int64')],
      {},
      {
        dtype: 'int64'
      }
    );
  const column = c.emit('Unsqueeze', [count(rows), c.int64s([1])], {}, { dtype: 'int64' });
  return c.emit('GreaterOrEqual', [column, count(columns)], {}, { dtype: 'bool' });
}

/** The `scale` argument, else one over the root of the last size. */
function scaleOf(c: Call, query: IValue): IValue {
  const given = c.optionalNumber('scale');
  if (given !== null) {
    return c.scalar(given);
  }
  const size = c.sizeOf(query, c.rank(query) - 1);
  return typeof size === 'number'
    ? c.scalar(1 / Math.sqrt(size))
    : c.emit('Reciprocal', [c.emit('Sqrt', [c.castTo(size, c.computeType)])]);
}

function headsOf(c: Call, value: IValue): number {
  const heads = c.shape(value)[c.rank(value) - 3];
  return typeof heads === 'number' ? heads : c.fail('the number of heads is not static');
}

/** Each head `groups` times, one after the other: `repeat_interleave` of the heads. */
function repeatHeads(c: Call, value: IValue, groups: number): IValue {
  if (groups === 1) {
    return value;
  }
  const rank = c.rank(value);
  const heads = headsOf(c, value);
  const order = Array.from({ length: heads * groups }, (_, i) => Math.floor(i / groups));
  return c.emit(
    'Gather',
    [value, c.int64s(order)],
    { axis: intAttr(rank - 3) },
    {
      ...c.typeOf(value),
      shape: c.shape(value).map((size, i) => (i === rank - 3 ? heads * groups : size))
    }
  );
}

const supported = limit('no dropout; with enable_gqa the numbers of heads are static', c => {
  if (c.number('dropout_p') !== 0) {
    return 'dropout in attention is random';
  }
  const heads = ['query', 'key', 'value'].map(name => c.shape(c.tensor(name)).at(-3));
  return c.bool('enable_gqa') && heads.some(size => typeof size !== 'number')
    ? 'a number of heads that is not static'
    : null;
});

/** Records of this file. */
export const ATTENTION: readonly IOperator[] = [
  /** Transpose, MatMul, Mul, Where or Add, Softmax, MatMul. */
  operator(
    'scaled_dot_product_attention(Tensor query, Tensor key, Tensor value, Tensor? attn_mask=None, float dropout_p=0., bool is_causal=False, *, float? scale=None, bool enable_gqa=False) -> Tensor',
    {
      agree: ['query', 'key', 'value'],
      dtype: dtypes.likeFirst,
      limits: [supported],
      lower: attention
    }
  )
];
