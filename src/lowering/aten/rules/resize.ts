/**
 * Interpolation, pixel shuffling and padding that repeats the edge.
 *
 * @packageDocumentation
 */
import type { Attr, IValue } from '../../../model';
import { floatAttr, intAttr, stringAttr } from '../../builder';
import type { Call, Size } from '../call';
import { rule } from '../rule';
import type { IRule } from '../rule';

/** Resize by given factors, or to given sizes. */
function resize(c: Call, attrs: Record<string, Attr>): IValue {
  const input = c.toType(c.tensor('input'), c.outType);
  const factors = c.has('scale_factors') ? c.numbers('scale_factors') : null;
  if (factors !== null) {
    const scales = c.floats([1, 1, ...factors]);
    return c.emit('Resize', [input, null, scales], attrs);
  }
  const sizes: Size[] = [c.sizeOf(input, 0), c.sizeOf(input, 1), ...c.sizes('output_size')];
  return c.emit('Resize', [input, null, null, c.sizeVector(sizes)], attrs);
}

function nearest(c: Call): IValue {
  return resize(c, {
    mode: stringAttr('nearest'),
    coordinate_transformation_mode: stringAttr('asymmetric'),
    nearest_mode: stringAttr('floor')
  });
}

function linear(c: Call): IValue {
  return resize(c, {
    mode: stringAttr('linear'),
    coordinate_transformation_mode: stringAttr(
      c.bool('align_corners') ? 'align_corners' : 'half_pixel'
    )
  });
}

function cubic(c: Call): IValue {
  return resize(c, {
    mode: stringAttr('cubic'),
    cubic_coeff_a: floatAttr(-0.75),
    coordinate_transformation_mode: stringAttr(
      c.bool('align_corners') ? 'align_corners' : 'half_pixel'
    )
  });
}

/** Padding by reflection or repetition, counted from the last dimension. */
export function padEdges(c: Call, name: string, mode: 'reflect' | 'edge' | 'wrap'): IValue {
  const self = c.tensor(name);
  const rank = c.rank(self);
  const padding = c.sizes(c.schema.args.some(arg => arg.name === 'pad') ? 'pad' : 'padding');
  const before = new Array<Size>(rank).fill(0);
  const after = new Array<Size>(rank).fill(0);
  for (let i = 0; i < padding.length / 2; i++) {
    before[rank - 1 - i] = padding[2 * i];
    after[rank - 1 - i] = padding[2 * i + 1];
  }
  return c.emit('Pad', [self, c.sizeVector([...before, ...after])], { mode: stringAttr(mode) });
}

/** Rules of this file. */
export const RESIZE_RULES: readonly IRule[] = [
  /** Resize. */
  ...[1, 2, 3].map(n =>
    rule(
      `upsample_nearest${n}d.vec(Tensor input, SymInt[]? output_size, float[]? scale_factors) -> Tensor`,
      nearest
    )
  ),
  ...['upsample_linear1d', 'upsample_bilinear2d', 'upsample_trilinear3d'].map(name =>
    rule(
      `${name}.vec(Tensor input, SymInt[]? output_size, bool align_corners, float[]? scale_factors) -> Tensor`,
      linear
    )
  ),
  rule(
    'upsample_bicubic2d.vec(Tensor input, SymInt[]? output_size, bool align_corners, float[]? scale_factors) -> Tensor',
    cubic
  ),
  /** DepthToSpace. */
  rule('pixel_shuffle(Tensor self, int upscale_factor) -> Tensor', c =>
    c.emit('DepthToSpace', [c.tensor('self')], {
      blocksize: intAttr(c.int('upscale_factor')),
      mode: stringAttr('CRD')
    })
  ),
  /** Pad. */
  ...['reflection_pad1d', 'reflection_pad2d', 'reflection_pad3d'].map(name =>
    rule(`${name}(Tensor self, SymInt[] padding) -> Tensor`, c => padEdges(c, 'self', 'reflect'))
  ),
  ...['replication_pad1d', 'replication_pad2d', 'replication_pad3d'].map(name =>
    rule(`${name}(Tensor self, SymInt[] padding) -> Tensor`, c => padEdges(c, 'self', 'edge'))
  )
];
