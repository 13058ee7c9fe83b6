/**
 * Operators that castlens knows and cannot run: decompositions, solvers and products of matrices.
 *
 * @packageDocumentation
 */
import * as dtypes from '../../dtypes';
import { operator, operators } from '../../operator';
import type { IOperator } from '../../operator';

/** Records of this file. */
export const KNOWN_LINALG: readonly IOperator[] = [
  ...operators({ dtype: dtypes.givenOutDtype }, [
    'addmm.dtype(Tensor self, Tensor mat1, Tensor mat2, ScalarType out_dtype, *, Scalar beta=1, Scalar alpha=1) -> Tensor',
    'baddbmm.dtype(Tensor self, Tensor batch1, Tensor batch2, ScalarType out_dtype, *, Scalar beta=1, Scalar alpha=1) -> Tensor',
    'bmm.dtype(Tensor self, Tensor mat2, ScalarType out_dtype) -> Tensor',
    'mm.dtype(Tensor self, Tensor mat2, ScalarType out_dtype) -> Tensor'
  ]),
  ...operators({ dtype: dtypes.likeFirst, factors: 'all' }, [
    'chain_matmul(Tensor[] matrices) -> Tensor',
    'linalg_matmul(Tensor self, Tensor other) -> Tensor'
  ]),
  ...operators({ dtype: dtypes.complexOf }, [
    'linalg_eig(Tensor self) -> (Tensor eigenvalues, Tensor eigenvectors)',
    'linalg_eigvals(Tensor self) -> Tensor'
  ]),
  ...operators({ dtype: dtypes.firstOnly }, [
    '_lu_with_info(Tensor self, bool pivot=True, bool check_errors=True) -> (Tensor LU, Tensor pivots, Tensor info)',
    'linalg_cholesky_ex(Tensor self, *, bool upper=False, bool check_errors=False) -> (Tensor L, Tensor info)',
    'linalg_inv_ex(Tensor A, *, bool check_errors=False) -> (Tensor inverse, Tensor info)',
    'linalg_lstsq(Tensor self, Tensor b, float? rcond=None, *, str? driver=None) -> (Tensor solution, Tensor residuals, Tensor rank, Tensor singular_values)'
  ]),
  operator('mvlgamma(Tensor self, int p) -> Tensor', { dtype: dtypes.floating }),
  ...operators({ dtype: dtypes.int64 }, [
    'linalg_matrix_rank(Tensor self, float tol, bool hermitian=False) -> Tensor',
    'linalg_matrix_rank.atol_rtol_float(Tensor self, *, float? atol=None, float? rtol=None, bool hermitian=False) -> Tensor',
    'linalg_matrix_rank.atol_rtol_tensor(Tensor input, *, Tensor? atol=None, Tensor? rtol=None, bool hermitian=False) -> Tensor',
    'linalg_matrix_rank.tol_tensor(Tensor input, Tensor tol, bool hermitian=False) -> Tensor'
  ]),
  ...operators({ dtype: dtypes.likeFirst }, [
    '_addmm_activation(Tensor self, Tensor mat1, Tensor mat2, *, Scalar beta=1, Scalar alpha=1, bool use_gelu=False) -> Tensor',
    'cholesky(Tensor self, bool upper=False) -> Tensor',
    'det(Tensor self) -> Tensor',
    'inverse(Tensor self) -> Tensor',
    'linalg_cholesky(Tensor self, *, bool upper=False) -> Tensor',
    'linalg_det(Tensor A) -> Tensor',
    'linalg_inv(Tensor A) -> Tensor',
    'linalg_matrix_power(Tensor self, int n) -> Tensor',
    'linalg_pinv(Tensor self, float rcond, bool hermitian=False) -> Tensor',
    'linalg_pinv.atol_rtol_float(Tensor self, *, float? atol=None, float? rtol=None, bool hermitian=False) -> Tensor',
    'linalg_pinv.atol_rtol_tensor(Tensor self, *, Tensor? atol=None, Tensor? rtol=None, bool hermitian=False) -> Tensor',
    'linalg_pinv.rcond_tensor(Tensor self, Tensor rcond, bool hermitian=False) -> Tensor',
    'matrix_exp(Tensor self) -> Tensor',
    'pinverse(Tensor self, float rcond=1.0000000000000001e-15) -> Tensor',
    'cholesky_inverse(Tensor self, bool upper=False) -> Tensor',
    'cholesky_solve(Tensor self, Tensor input2, bool upper=False) -> Tensor',
    'geqrf(Tensor self) -> (Tensor a, Tensor tau)',
    'linalg_householder_product(Tensor input, Tensor tau) -> Tensor',
    'linalg_matrix_sqrth(Tensor self) -> Tensor',
    'linalg_qr(Tensor A, str mode="reduced") -> (Tensor Q, Tensor R)',
    'linalg_solve(Tensor A, Tensor B, *, bool left=True) -> Tensor',
    'linalg_tensorinv(Tensor self, int ind=2) -> Tensor',
    'linalg_tensorsolve(Tensor self, Tensor other, int[]? dims=None) -> Tensor',
    'lu_solve(Tensor self, Tensor LU_data, Tensor LU_pivots) -> Tensor',
    'orgqr(Tensor self, Tensor input2) -> Tensor',
    'ormqr(Tensor self, Tensor input2, Tensor input3, bool left=True, bool transpose=False) -> Tensor',
    'qr(Tensor self, bool some=True) -> (Tensor Q, Tensor R)',
    'triangular_solve(Tensor self, Tensor A, bool upper=True, bool transpose=False, bool unitriangular=False) -> (Tensor solution, Tensor cloned_coefficient)'
  ]),
  operator('linalg_diagonal(Tensor(a) A, *, int offset=0, int dim1=-2, int dim2=-1) -> Tensor(a)', {
    dtype: dtypes.likeFirst,
    arrangement: 'cut'
  }),
  ...operators({ dtype: dtypes.normed }, [
    'linalg_matrix_norm(Tensor self, Scalar ord, int[] dim=[-2, -1], bool keepdim=False, *, ScalarType? dtype=None) -> Tensor',
    'linalg_norm.ord_str(Tensor self, str ord, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor'
  ]),
  ...operators({ dtype: dtypes.realInMiddle }, [
    'linalg_svd(Tensor A, bool full_matrices=True, *, str? driver=None) -> (Tensor U, Tensor S, Tensor Vh)',
    'svd(Tensor self, bool some=True, bool compute_uv=True) -> (Tensor U, Tensor S, Tensor V)'
  ]),
  ...operators({ dtype: dtypes.realPart }, [
    'linalg_cond(Tensor self, Scalar? p=None) -> Tensor',
    'linalg_cond.p_str(Tensor self, str p) -> Tensor',
    'linalg_eigvalsh(Tensor self, str UPLO="L") -> Tensor',
    'linalg_svdvals(Tensor A, *, str? driver=None) -> Tensor'
  ]),
  operator('linalg_eigh(Tensor self, str UPLO="L") -> (Tensor eigenvalues, Tensor eigenvectors)', {
    dtype: dtypes.realThenLike
  })
];
