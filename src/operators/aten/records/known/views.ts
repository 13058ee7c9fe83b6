/**
 * Operators that castlens knows and cannot run: views and copies of views.
 *
 * @packageDocumentation
 */
import * as dtypes from '../../dtypes';
import { operator, operators } from '../../operator';
import type { IOperator } from '../../operator';

/** Records of this file. */
export const KNOWN_VIEWS: readonly IOperator[] = [
  ...operators({ dtype: dtypes.likeEach }, [
    'atleast_1d.Sequence(Tensor[] tensors) -> Tensor[]',
    'atleast_2d.Sequence(Tensor[] tensors) -> Tensor[]',
    'atleast_3d.Sequence(Tensor[] tensors) -> Tensor[]'
  ]),
  operator('view_copy.dtype(Tensor self, ScalarType dtype) -> Tensor', {
    dtype: dtypes.likeFirstOrDtype
  }),
  operator('view.dtype(Tensor(a) self, ScalarType dtype) -> Tensor(a)', {
    dtype: dtypes.givenDtype
  }),
  ...operators({ dtype: dtypes.likeFirst }, [
    'alias_copy(Tensor self) -> Tensor',
    'as_strided_scatter(Tensor self, Tensor src, SymInt[] size, SymInt[] stride, SymInt? storage_offset=None) -> Tensor',
    'detach_copy(Tensor self) -> Tensor',
    'diagonal_copy(Tensor self, int offset=0, int dim1=0, int dim2=1) -> Tensor',
    'diagonal_scatter(Tensor self, Tensor src, int offset=0, int dim1=0, int dim2=1) -> Tensor',
    'expand_copy(Tensor self, SymInt[] size, *, bool implicit=False) -> Tensor',
    'index_fill.int_Tensor(Tensor self, int dim, Tensor index, Tensor value) -> Tensor',
    'index_reduce(Tensor self, int dim, Tensor index, Tensor source, str reduce, *, bool include_self=True) -> Tensor',
    'lift(Tensor self) -> Tensor',
    'permute_copy(Tensor self, int[] dims) -> Tensor',
    'put(Tensor self, Tensor index, Tensor source, bool accumulate=False) -> Tensor',
    'select_copy.int(Tensor self, int dim, SymInt index) -> Tensor',
    'slice_copy.Tensor(Tensor self, int dim=0, SymInt? start=None, SymInt? end=None, SymInt step=1) -> Tensor',
    'split_copy.Tensor(Tensor self, SymInt split_size, int dim=0) -> Tensor[]',
    'split_with_sizes_copy(Tensor self, SymInt[] split_sizes, int dim=0) -> Tensor[]',
    'squeeze_copy(Tensor self) -> Tensor',
    'squeeze_copy.dim(Tensor self, int dim) -> Tensor',
    'squeeze_copy.dims(Tensor self, int[] dim) -> Tensor',
    't_copy(Tensor self) -> Tensor',
    'transpose_copy.int(Tensor self, int dim0, int dim1) -> Tensor',
    'unbind_copy.int(Tensor self, int dim=0) -> Tensor[]',
    'unsqueeze_copy(Tensor self, int dim) -> Tensor',
    'view_copy(Tensor self, SymInt[] size) -> Tensor',
    '_neg_view(Tensor(a) self) -> Tensor(a)'
  ]),
  operator('narrow.Tensor(Tensor(a) self, int dim, Tensor start, SymInt length) -> Tensor(a)', {
    dtype: dtypes.likeFirst,
    arrangement: 'cut'
  }),
  ...operators({ dtype: dtypes.likeFirst, arrangement: 'parts' }, [
    'split(Tensor(a -> *) self, int[] split_sizes, int dim=0) -> Tensor(a)[]',
    'tensor_split.tensor_indices_or_sections(Tensor(a -> *) self, Tensor tensor_indices_or_sections, int dim=0) -> Tensor(a)[]'
  ]),
  operator('unsafe_split_with_sizes(Tensor self, SymInt[] split_sizes, int dim=0) -> Tensor[]', {
    dtype: dtypes.likeFirst,
    arrangement: 'parts',
    mayReturnOperand: true
  }),
  ...operators({ dtype: dtypes.likeFirst, arrangement: 'whole' }, [
    '_conj(Tensor(a) self) -> Tensor(a)',
    '_reshape_alias(Tensor(a) self, SymInt[] size, SymInt[] stride) -> Tensor(a)',
    'requires_grad_(Tensor(a!) self, bool requires_grad=True) -> Tensor(a!)',
    'pin_memory(Tensor(a) self, Device? device=None) -> Tensor(a)'
  ]),
  operator('view_as_real(Tensor(a) self) -> Tensor(a)', { dtype: dtypes.realPart })
];
