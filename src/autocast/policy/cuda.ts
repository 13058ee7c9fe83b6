/**
 * Autocast policies of CUDA.
 *
 * Source: `AT_FORALL_LOWER_PRECISION_FP`, `AT_FORALL_FP32`, `AT_FORALL_FP32_SET_OPT_DTYPE`,
 * `AT_FORALL_DIFFERENT_REDISPATCH_SIGNATURE` and `AT_FORALL_PROMOTE` in torch/include/ATen/autocast_mode.h of 2.13.0
 * (unchanged in 2.14.1), plus what aten/src/ATen/autocast_mode.cpp registers beside them (the two cudnn convolutions, the
 * banned `binary_cross_entropy`). `rms_norm` joined the fp32 list in 2.12 (pytorch/pytorch#174824).
 *
 * @packageDocumentation
 */
import type { IDevicePolicies, IPolicyList } from './table';

/** Operators every backend that reuses the header's lists has in common with CUDA. */
export const SHARED_LISTS: readonly IPolicyList[] = [
  {
    policy: 'lower_precision_fp',
    operators: [
      '_convolution',
      '_convolution.deprecated',
      'conv1d',
      'conv2d',
      'conv3d',
      'conv_tbc',
      'conv_transpose1d',
      'conv_transpose2d.input',
      'conv_transpose3d.input',
      'convolution',
      'prelu',
      'addmm',
      'addmv',
      'addr',
      'matmul',
      'einsum',
      'mm',
      'mv',
      'linalg_vecdot',
      'linear',
      'addbmm',
      'baddbmm',
      'bmm',
      'chain_matmul',
      'linalg_multi_dot',
      '_thnn_fused_lstm_cell',
      '_thnn_fused_gru_cell',
      'lstm_cell',
      'gru_cell',
      'rnn_tanh_cell',
      'rnn_relu_cell',
      '_scaled_dot_product_flash_attention',
      'scaled_dot_product_attention'
    ]
  },
  {
    policy: 'fp32',
    operators: [
      'acos',
      'asin',
      'cosh',
      'erfinv',
      'exp',
      'expm1',
      'log',
      'log10',
      'log2',
      'log1p',
      'reciprocal',
      'rsqrt',
      'sinh',
      'tan',
      'pow.Tensor_Scalar',
      'pow.Tensor_Tensor',
      'pow.Scalar',
      'softplus',
      'layer_norm',
      'native_layer_norm',
      'group_norm',
      'frobenius_norm.dim',
      'nuclear_norm',
      'nuclear_norm.dim',
      'cosine_similarity',
      'poisson_nll_loss',
      'cosine_embedding_loss',
      'nll_loss',
      'nll_loss2d',
      'hinge_embedding_loss',
      'kl_div',
      'l1_loss',
      'smooth_l1_loss',
      'huber_loss',
      'mse_loss',
      'margin_ranking_loss',
      'multilabel_margin_loss',
      'soft_margin_loss',
      'triplet_margin_loss',
      'multi_margin_loss',
      'binary_cross_entropy_with_logits',
      'dist',
      'pdist',
      'cdist',
      'renorm',
      'logsumexp',
      'upsample_nearest1d',
      'upsample_nearest2d',
      'upsample_nearest3d',
      '_upsample_nearest_exact1d',
      '_upsample_nearest_exact2d',
      '_upsample_nearest_exact3d',
      'upsample_linear1d',
      'upsample_bilinear2d',
      '_upsample_bilinear2d_aa',
      'upsample_trilinear3d',
      'upsample_bicubic2d',
      '_upsample_bicubic2d_aa'
    ]
  },
  { policy: 'fp32', since: '2.12', operators: ['rms_norm'] },
  {
    policy: 'fp32_set_opt_dtype',
    operators: [
      'prod',
      'prod.dim_int',
      'softmax.int',
      'log_softmax.int',
      'cumprod',
      'cumsum',
      'linalg_vector_norm',
      'linalg_matrix_norm',
      'linalg_matrix_norm.str_ord',
      'sum',
      'sum.dim_IntList'
    ]
  },
  { policy: 'fp32_append_dtype', operators: ['norm.Scalar', 'norm.ScalarOpt_dim'] },
  {
    policy: 'promote',
    operators: [
      'addcdiv',
      'addcmul',
      'atan2',
      'bilinear',
      'cross',
      'dot',
      'vdot',
      'grid_sampler',
      'index_put',
      'tensordot',
      'scatter_add'
    ]
  },
  { policy: 'banned', operators: ['binary_cross_entropy'] }
];

/**
 * Composites over the shared lists: the convolutions with named padding call `convolution`, `inner` calls `tensordot`, the losses
 * call `log_softmax` and `nll_loss`, `linalg_norm` passes its `dtype` on to the norm of vectors or of matrices. Checked against the
 * dtypes that export records for tensors on CUDA (2.13.0).
 */
export const SHARED_COMPOSITES: readonly IPolicyList[] = [
  {
    policy: 'lower_precision_fp',
    operators: ['conv1d.padding', 'conv2d.padding', 'conv3d.padding', 'linalg_matmul']
  },
  { policy: 'fp32', operators: ['cross_entropy_loss', 'nll_loss_nd'] },
  { policy: 'fp32_set_opt_dtype', operators: ['linalg_norm', 'linalg_norm.ord_str'] },
  { policy: 'promote', operators: ['inner'] }
];

/** Recurrent layers over whole sequences. On CUDA the kernel for `_cudnn_rnn` casts weights and input by itself. */
export const RECURRENT_LAYERS: readonly string[] = [
  'lstm.input',
  'lstm.data',
  'gru.input',
  'gru.data',
  'rnn_tanh.input',
  'rnn_tanh.data',
  'rnn_relu.input',
  'rnn_relu.data'
];

/** Policies of CUDA. */
export const CUDA: IDevicePolicies = {
  device: 'cuda',
  dtypes: ['float16', 'bfloat16', 'float32'],
  lists: [
    ...SHARED_LISTS,
    {
      policy: 'lower_precision_fp',
      operators: ['cudnn_convolution', 'cudnn_convolution_transpose']
    },
    { policy: 'fp32', since: '2.14', operators: ['linalg_matrix_sqrth'] }
  ],
  composites: SHARED_COMPOSITES,
  // Casts its weights into one new buffer.
  opaque: [...RECURRENT_LAYERS, '_cudnn_rnn']
};
