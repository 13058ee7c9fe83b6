/**
 * Autocast policies of the accelerators that reuse the header's lists: XPU and MPS.
 *
 * Source: the registrations for the dispatch keys AutocastXPU (117 operators) and AutocastMPS (95) in torch 2.13.0, which
 * give the names; the policies are those the header gives the same names for CUDA.
 *
 * @packageDocumentation
 */
import { RECURRENT_LAYERS, SHARED_COMPOSITES, SHARED_LISTS } from './cuda';
import type { IDevicePolicies, IPolicyList } from './table';

/** Policies of XPU: the shared lists as they are. */
export const XPU: IDevicePolicies = {
  device: 'xpu',
  dtypes: ['float16', 'bfloat16'],
  lists: SHARED_LISTS,
  composites: SHARED_COMPOSITES,
  opaque: RECURRENT_LAYERS
};

/** Operators of the shared lists that MPS does not register. */
const NOT_ON_MPS: ReadonlySet<string> = new Set([
  '_scaled_dot_product_flash_attention',
  '_thnn_fused_gru_cell',
  '_thnn_fused_lstm_cell',
  '_upsample_bicubic2d_aa',
  '_upsample_bilinear2d_aa',
  '_upsample_nearest_exact1d',
  '_upsample_nearest_exact2d',
  '_upsample_nearest_exact3d',
  'binary_cross_entropy',
  'gru_cell',
  'linalg_vecdot',
  'norm.Scalar',
  'norm.ScalarOpt_dim',
  'rms_norm',
  'rnn_relu_cell',
  'rnn_tanh_cell',
  'upsample_bicubic2d',
  'upsample_bilinear2d',
  'upsample_linear1d',
  'upsample_nearest1d',
  'upsample_nearest2d',
  'upsample_nearest3d',
  'upsample_trilinear3d',
  'vdot'
]);

/** Policies of MPS: fewer of the shared operators, its own convolution, and batch norm in float32. */
export const MPS: IDevicePolicies = {
  device: 'mps',
  dtypes: ['float16', 'bfloat16'],
  lists: [
    ...SHARED_LISTS.map((list): IPolicyList => ({
      ...list,
      operators: list.operators.filter(name => !NOT_ON_MPS.has(name))
    })),
    { policy: 'lower_precision_fp', operators: ['_mps_convolution'] },
    { policy: 'fp32', operators: ['batch_norm'] }
  ],
  composites: SHARED_COMPOSITES,
  opaque: RECURRENT_LAYERS
};
