/**
 * What a table of autocast policies is.
 *
 * @packageDocumentation
 */
import type { RegionDtype } from '../../protocol';

/**
 * What autocast does to the arguments of an operator.
 *
 * The names and rules are those of `CastPolicy` in torch/include/ATen/autocast_mode.h (2.13.0):
 *
 * - `lower_precision_fp`: every eligible argument is cast to the region's dtype.
 * - `fp32`: every eligible argument is cast to float32. These casts are never cached.
 * - `fp32_set_opt_dtype`: arguments stay; where the first is eligible and `dtype` is not given, `dtype=float32` is passed.
 * - `fp32_append_dtype`: the overload with a `dtype` argument is called, with float32 where the first argument is eligible
 *   and with its own dtype where not.
 * - `promote`: every eligible argument is cast to the widest of them and the region's dtype.
 * - `banned`: calling the operator raises.
 */
export type AutocastPolicy =
  'lower_precision_fp' | 'fp32' | 'fp32_set_opt_dtype' | 'fp32_append_dtype' | 'promote' | 'banned';

/** Operators that share a policy. */
export interface IPolicyList {
  readonly policy: AutocastPolicy;
  /** First release of torch the list holds for, `2.12`; absent where it holds for every release that can export regions. */
  readonly since?: string;
  /** Schema names without `aten::`, overload included where it is not the default one: `linear`, `softmax.int`. */
  readonly operators: readonly string[];
}

/** The policies of one device type. */
export interface IDevicePolicies {
  /** Device type as `torch.autocast` takes it. */
  readonly device: string;
  /**
   * Dtypes that `torch.autocast` takes for the device; the first holds where a region leaves it open
   * (`torch.get_autocast_dtype(device)`). Source: `autocast.__init__` in torch/amp/autocast_mode.py (2.13.0), which switches
   * itself off at any dtype but bfloat16 and float16, and on CUDA looks at none.
   */
  readonly dtypes: readonly [RegionDtype, ...RegionDtype[]];
  readonly lists: readonly IPolicyList[];
  /**
   * Composite operators that have no policy of their own while operators inside them do, and what that amounts to for
   * their arguments. Eager PyTorch and the training IR act so; decomposing the program with autocast off loses it
   * (pytorch/pytorch#137274).
   */
  readonly composites: readonly IPolicyList[];
  /**
   * Composite operators in which autocast acts on intermediate values too, so that casts of their arguments cannot stand for
   * it: recurrent layers, whose gates are matrix products. Decomposing the program with autocast off loses these casts.
   */
  readonly opaque: readonly string[];
}
