/**
 * Families of ATen operators by the dtype of their results, as data.
 *
 * Names are base names: overloads of a name share its rule unless `rules.ts` says otherwise. In-place variants
 * (`relu_`) always give the dtype of the tensor they write to and need no entry.
 *
 * @packageDocumentation
 */

/** Every result has the dtype of the first tensor operand. */
export const LIKE_FIRST = words(`
  alias as_strided clone contiguous detach expand expand_as flatten flip fliplr flipud lift lift_fresh lift_fresh_copy movedim
  moveaxis narrow numpy_T mT mH adjoint matrix_H permute repeat reshape reshape_as resolve_conj resolve_neg select slice squeeze
  swapaxes swapdims t transpose unflatten unsqueeze view view_as _unsafe_view _reshape_alias _conj conj chunk split
  split_with_sizes unbind unsafe_split unsafe_split_with_sizes unsafe_chunk tensor_split hsplit vsplit dsplit
  diagonal diag diag_embed diagonal_copy expand_copy permute_copy squeeze_copy unsqueeze_copy view_copy slice_copy select_copy
  transpose_copy t_copy alias_copy detach_copy split_copy split_with_sizes_copy unbind_copy unfold_copy as_strided_copy
  tril triu roll rot90 tile broadcast_to pad constant_pad_nd reflection_pad1d reflection_pad2d reflection_pad3d
  replication_pad1d replication_pad2d replication_pad3d unfold im2col col2im pixel_shuffle pixel_unshuffle channel_shuffle
  native_channel_shuffle index _unsafe_index index_select gather take take_along_dim masked_select masked_fill masked_scatter
  scatter scatter_add scatter_reduce index_put _unsafe_index_put index_add index_copy index_fill index_reduce put select_scatter
  slice_scatter diagonal_scatter as_strided_scatter atleast_1d atleast_2d atleast_3d ravel
  dropout feature_dropout alpha_dropout feature_alpha_dropout relu relu6 gelu silu mish hardswish hardsigmoid hardtanh leaky_relu
  elu celu selu softplus softshrink hardshrink log_sigmoid threshold rrelu prelu _prelu_kernel glu neg negative positive sign sgn
  round floor ceil trunc fix frac bitwise_not nan_to_num copy fill
  avg_pool1d avg_pool2d avg_pool3d max_pool1d max_pool2d max_pool3d adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d
  _adaptive_avg_pool2d _adaptive_avg_pool3d lp_pool1d lp_pool2d max_unpool2d max_unpool3d
  upsample_nearest1d upsample_nearest2d upsample_nearest3d _upsample_nearest_exact1d _upsample_nearest_exact2d
  _upsample_nearest_exact3d upsample_linear1d upsample_bilinear2d upsample_bicubic2d upsample_trilinear3d
  _upsample_bilinear2d_aa _upsample_bicubic2d_aa grid_sampler grid_sampler_2d grid_sampler_3d affine_grid_generator
  batch_norm instance_norm layer_norm group_norm rms_norm local_response_norm embedding _weight_norm
  linear matmul mm bmm mv addmm _addmm_activation baddbmm addbmm addmv tensordot dot vdot chain_matmul
  linalg_multi_dot linalg_matrix_power linalg_matmul linalg_vecdot
  conv1d conv2d conv3d conv_tbc conv_transpose1d conv_transpose2d conv_transpose3d convolution _convolution
  scaled_dot_product_attention rnn_tanh_cell rnn_relu_cell
  amax amin aminmax logcumsumexp renorm histc meshgrid cartesian_prod combinations
  nll_loss nll_loss2d nll_loss_nd nll_loss_forward nll_loss2d_forward huber_loss soft_margin_loss multi_margin_loss conj_physical
  fake_quantize_per_tensor_affine fake_quantize_per_channel_affine
  matrix_exp linalg_inv inverse linalg_det det pinverse linalg_pinv linalg_cholesky cholesky
`);

/** The result type of all operands, numbers included (`torch.result_type`). */
export const PROMOTING = words(`
  add sub subtract rsub mul multiply remainder fmod floor_divide maximum minimum fmax fmin bitwise_and bitwise_or bitwise_xor
  bitwise_left_shift bitwise_right_shift __and__ __or__ __xor__ __lshift__ __rshift__ pow
  addcmul addcdiv lerp heaviside hypot gcd lcm logaddexp logaddexp2 outer ger inner cross linalg_cross addr kron
  clamp clip clamp_min clamp_max diff bilinear mse_loss l1_loss smooth_l1_loss kl_div
  binary_cross_entropy dist
`);

/** As PROMOTING, with integers turned into the default float. */
export const PROMOTING_FLOAT = words(`
  true_divide atan2 arctan2 xlogy special_xlogy special_xlog1py copysign ldexp cosine_similarity cdist margin_ranking_loss
`);

/** The dtype of the first tensor, with integers turned into the default float. */
export const FLOATING = words(`
  acos acosh asin asinh atan atanh arccos arccosh arcsin arcsinh arctan arctanh cos cosh sin sinh tan tanh sinc exp exp2 expm1
  log log10 log1p log2 logit sqrt rsqrt reciprocal sigmoid erf erfc erfinv lgamma digamma mvlgamma i0 special_i0 special_erf
  special_erfc special_sinc special_expm1 special_exp2 special_log1p special_logit special_expit special_ndtr special_ndtri deg2rad rad2deg
  logsumexp special_logsumexp tanhshrink softsign hinge_embedding_loss std var std_mean var_mean
`);

/** bool. */
export const BOOLEAN = words(`
  eq ne lt le gt ge greater greater_equal less less_equal not_equal isnan isinf isfinite isposinf isneginf
  isreal isclose isin signbit logical_and logical_or logical_xor logical_not
`);

/** int64. */
export const INTEGER = words(`
  argmax argmin argsort nonzero argwhere count_nonzero one_hot multinomial tril_indices triu_indices
`);

/** The first result has the dtype of the first tensor, the second holds int64 indices. */
export const WITH_INDICES = words(`
  sort topk kthvalue mode cummax cummin max_pool1d_with_indices max_pool2d_with_indices
  max_pool3d_with_indices adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d fractional_max_pool2d
  fractional_max_pool3d
`);

/** `dtype` where given, else int64 for integers and bool, else the operand's dtype. */
export const SUMMING = words('sum nansum prod cumsum cumprod trace');

/** `dtype` where given, else the dtype of the first tensor, integers turned into the default float, complex into real. */
export const NORMS = words(
  'norm linalg_vector_norm linalg_matrix_norm linalg_norm frobenius_norm nuclear_norm'
);

/** `dtype` where given, else the dtype of the first tensor. */
export const LIKE_FIRST_OR_DTYPE = words(`
  mean nanmean softmax log_softmax special_softmax special_log_softmax empty_like zeros_like ones_like full_like rand_like
  randn_like randint_like new_empty new_empty_strided new_zeros new_ones new_full to _to_copy type_as
`);

/** `dtype` where given, else the default float. */
export const FACTORY = words(`
  empty empty_strided empty_permuted zeros ones eye rand randn normal linspace logspace scalar_tensor hann_window hamming_window
  bartlett_window blackman_window kaiser_window
`);

/** Real to complex: fft of real or complex input. */
export const TO_COMPLEX = words(`
  fft_fft fft_ifft fft_fft2 fft_ifft2 fft_fftn fft_ifftn fft_rfft fft_rfft2 fft_rfftn fft_ihfft _fft_r2c _fft_c2c view_as_complex
  polar complex
`);

/** Complex to real. */
export const TO_REAL = words(
  'fft_irfft fft_irfft2 fft_irfftn fft_hfft _fft_c2r view_as_real real imag abs absolute angle'
);

function words(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}
