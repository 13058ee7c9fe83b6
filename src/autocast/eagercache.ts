/**
 * What the cache of eager `torch.autocast` does with a weight cast.
 *
 * Rules: `cached_cast` in aten/src/ATen/autocast_mode.cpp. A cast is kept until the outermost autocast context ends where the
 * target is the region's lower-precision dtype and the tensor is a float32 leaf that requires grad and is no view. Seen to
 * hold by running 2.13: frozen weights, buffers and views are cast at every use even in eager mode.
 *
 * @packageDocumentation
 */
import type { Dialect, IWeight } from '../model';
import { isLowPrecision } from '../model';
import type { IAliases } from '../dataflow';
import type { RegionStates } from './regions';
import { regionActingOn } from './regions';
import type { ICountedCast } from './weightcasts';
import { weightKey } from './weightcasts';

/** Why the cache does not keep a cast. */
export type CacheRefusal =
  /** The tensor is a buffer or constant, no parameter. */
  | 'not-a-parameter'
  /** The parameter does not require grad. */
  | 'frozen'
  /** What is cast is computed from weights. */
  | 'computed'
  /** A view of the weight is cast, or the result of another cast. */
  | 'view'
  | 'not-float32'
  /** The target is not the region's lower-precision dtype: casts to float32 by the fp32 policies. */
  | 'not-lower-precision'
  /** The program asks for the cast itself. */
  | 'explicit'
  /** The weight is written to in place. */
  | 'mutated';

/** What the cache does with one cast. */
export interface ICacheVerdict {
  /** Why the cast is not kept; null where it is. */
  readonly refusal: CacheRefusal | null;
  /** Casts with the same key are done once. Null where the cast is not kept. */
  readonly key: string | null;
  /** The outermost region, at whose end the cast is forgotten; null where it is kept for the whole forward. */
  readonly region: string | null;
}

/**
 * What eager mode's cache does with a cast.
 *
 * #### Notes
 * Dialects that have lost the regions count as one region with every low-precision dtype as its own. The cache is taken as
 * switched on whatever `cache_enabled` the file records: export records false because tracing switches the cache off, and this
 * asks what eager mode would do.
 */
export function cacheVerdict(
  cast: Pick<ICountedCast, 'node' | 'weight' | 'lineage' | 'to' | 'kind'>,
  dialect: Dialect,
  regions: RegionStates,
  aliases: IAliases
): ICacheVerdict {
  const refuse = (refusal: CacheRefusal): ICacheVerdict => ({
    refusal,
    key: null,
    region: null
  });
  const { node, weight, lineage, to, kind } = cast;
  let region: string | null = null;
  if (kind === 'computed') {
    return refuse('computed');
  }
  if (dialect === 'TRAINING') {
    const state = node.region === null ? undefined : regions.get(node.region);
    if (node.origin !== 'region' || !state) {
      return refuse('explicit');
    }
    if (regionActingOn(state, node.inputs[0])?.dtype !== to) {
      return refuse('not-lower-precision');
    }
    region = state.outermost;
  } else if (!isLowPrecision(to)) {
    return refuse('not-lower-precision');
  }
  if (!isParameter(weight)) {
    return refuse('not-a-parameter');
  }
  if (weight.dtype !== 'float32') {
    return refuse('not-float32');
  }
  if (weight.requiresGrad === false) {
    return refuse('frozen');
  }
  if (lineage.isView || lineage.isCast) {
    return refuse('view');
  }
  if (aliases.mutatorOf(lineage.value) !== null) {
    return refuse('mutated');
  }
  return { refusal: null, key: `${region ?? ''}|${to}|${weightKey(weight)}`, region };
}

/** Whether a weight is a parameter. Initializers of ONNX files, which do not say, are taken as parameters. */
export function isParameter(weight: IWeight): boolean {
  return weight.kind === 'parameter' || weight.kind === 'initializer';
}

/** A reason for the reader. */
export function describeRefusal(refusal: CacheRefusal): string {
  switch (refusal) {
    case 'not-a-parameter':
      return 'a buffer or constant, no parameter';
    case 'frozen':
      return 'requires_grad is False';
    case 'computed':
      return 'computed from weights, no leaf';
    case 'view':
      return 'a view or a cast of the weight is cast, not the weight itself';
    case 'not-float32':
      return 'not stored as float32';
    case 'not-lower-precision':
      return "cast to another dtype than the region's";
    case 'explicit':
      return 'the program casts it itself';
    case 'mutated':
      return 'written to in place';
  }
}
