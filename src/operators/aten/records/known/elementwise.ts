/**
 * Operators that castlens knows and cannot run: elementwise functions and reductions.
 *
 * @packageDocumentation
 */
import * as dtypes from '../../dtypes';
import { operator, operators } from '../../operator';
import type { IOperator } from '../../operator';

/** Records of this file. */
export const KNOWN_ELEMENTWISE: readonly IOperator[] = [
  ...operators({ dtype: dtypes.bool }, [
    'isin.Scalar_Tensor(Scalar element, Tensor test_elements, *, bool assume_unique=False, bool invert=False) -> Tensor',
    'isreal(Tensor self) -> Tensor'
  ]),
  operator('where(Tensor condition) -> Tensor[]', { exact: 'moved', dtype: dtypes.chosen }),
  operator('float_power.Scalar(Scalar self, Tensor exponent) -> Tensor', {
    dtype: dtypes.doublePrecision
  }),
  ...operators({ dtype: dtypes.extremum }, [
    'nanmedian(Tensor self) -> Tensor',
    'nanmedian.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)'
  ]),
  ...operators({ dtype: dtypes.floating }, [
    'digamma(Tensor self) -> Tensor',
    'erfinv(Tensor self) -> Tensor',
    'i0(Tensor self) -> Tensor',
    'lgamma(Tensor self) -> Tensor',
    'special_i0(Tensor self) -> Tensor',
    'special_ndtr(Tensor self) -> Tensor',
    'special_ndtri(Tensor self) -> Tensor'
  ]),
  operator('argwhere(Tensor self) -> Tensor', { dtype: dtypes.int64 }),
  ...operators({ dtype: dtypes.likeFirst }, [
    'cartesian_prod(Tensor[] tensors) -> Tensor',
    'combinations(Tensor self, int r=2, bool with_replacement=False) -> Tensor',
    'nanquantile(Tensor self, Tensor q, int? dim=None, bool keepdim=False, *, str interpolation="linear") -> Tensor',
    'nanquantile.scalar(Tensor self, float q, int? dim=None, bool keepdim=False, *, str interpolation="linear") -> Tensor',
    'repeat_interleave.Tensor(Tensor repeats, *, SymInt? output_size=None) -> Tensor',
    'repeat_interleave.self_Tensor(Tensor self, Tensor repeats, int? dim=None, *, SymInt? output_size=None) -> Tensor',
    'round.decimals(Tensor self, *, int decimals) -> Tensor',
    'scatter.reduce(Tensor self, int dim, Tensor index, Tensor src, *, str reduce) -> Tensor',
    'scatter.value_reduce(Tensor self, int dim, Tensor index, Scalar value, *, str reduce) -> Tensor',
    'pdist(Tensor self, float p=2.) -> Tensor'
  ]),
  ...operators({ dtype: dtypes.positions }, [
    'bucketize.Scalar(Scalar self, Tensor boundaries, *, bool out_int32=False, bool right=False) -> Tensor',
    'searchsorted.Scalar(Tensor sorted_sequence, Scalar self, *, bool out_int32=False, bool right=False, str? side=None, Tensor? sorter=None) -> Tensor'
  ]),
  ...operators({ dtype: dtypes.promoted }, [
    'bitwise_and.Scalar_Tensor(Scalar self, Tensor other) -> Tensor',
    'bitwise_left_shift.Scalar_Tensor(Scalar self, Tensor other) -> Tensor',
    'bitwise_or.Scalar_Tensor(Scalar self, Tensor other) -> Tensor',
    'bitwise_right_shift.Scalar_Tensor(Scalar self, Tensor other) -> Tensor',
    'bitwise_xor.Scalar_Tensor(Scalar self, Tensor other) -> Tensor',
    'fmax(Tensor self, Tensor other) -> Tensor',
    'fmin(Tensor self, Tensor other) -> Tensor',
    'gcd(Tensor self, Tensor other) -> Tensor',
    'lcm(Tensor self, Tensor other) -> Tensor',
    'remainder.Scalar_Tensor(Scalar self, Tensor other) -> Tensor'
  ]),
  ...operators({ dtype: dtypes.promotedFloat }, [
    'special_xlog1py(Tensor self, Tensor other) -> Tensor',
    'special_xlog1py.other_scalar(Tensor self, Scalar other) -> Tensor',
    'special_xlog1py.self_scalar(Scalar self, Tensor other) -> Tensor',
    'special_xlogy.other_scalar(Tensor self, Scalar other) -> Tensor',
    'special_xlogy.self_scalar(Scalar self, Tensor other) -> Tensor'
  ]),
  operator(
    '_unique2(Tensor self, bool sorted=True, bool return_inverse=False, bool return_counts=False) -> (Tensor, Tensor, Tensor)',
    { dtype: dtypes.withCounts }
  ),
  ...operators({ dtype: dtypes.withIndices }, [
    'cummax(Tensor self, int dim) -> (Tensor values, Tensor indices)',
    'cummin(Tensor self, int dim) -> (Tensor values, Tensor indices)',
    'mode(Tensor self, int dim=-1, bool keepdim=False) -> (Tensor values, Tensor indices)'
  ])
];
