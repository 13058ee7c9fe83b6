/**
 * Interpolation, pixel shuffling and padding that repeats the edge.
 *
 * @packageDocumentation
 */
import type { Attr, IValue } from '../../../model';
import { floatAttr, intAttr, intsAttr, stringAttr } from '../../builder';
import type { Call, Size } from '../call';
import * as dtypes from '../dtypes';
import { limit, operator } from '../operator';
import type { IOperator } from '../operator';

/** Resize by given factors, or to given sizes. */
function resize(c: Call, attrs: Record<string, Attr>): IValue {
  const named = (name: string): boolean => c.schema.args.some(arg => arg.name === name);
  const input = c.toType(c.tensor(named('input') ? 'input' : 'self'), c.outType);
  const factors =
    named('scale_factors') && c.has('scale_factors') ? c.numbers('scale_factors') : null;
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

/** The nearest element to the middle of each new one. */
function nearestExact(c: Call): IValue {
  return resize(c, {
    mode: stringAttr('nearest'),
    coordinate_transformation_mode: stringAttr('half_pixel'),
    nearest_mode: stringAttr('round_prefer_ceil')
  });
}

/** Blocks of the image as channels: what pixel_shuffle undoes. */
function pixelUnshuffle(c: Call): IValue {
  const self = c.tensor('self');
  const factor = c.int('downscale_factor');
  const rank = c.rank(self);
  const lead = Array.from({ length: rank - 3 }, (_, i) => i);
  const sizes = lead.map(axis => c.sizeOf(self, axis));
  const [channels, height, width] = [3, 2, 1].map(back => c.sizeOf(self, rank - back));
  const n = lead.length;
  const parted = (size: Size): Size[] =>
    typeof size === 'number' ? [size / factor, factor] : [divided(c, size, factor), factor];
  const wide = c.reshape(self, [...sizes, channels, ...parted(height), ...parted(width)]);
  const perm = [...lead, n, n + 2, n + 4, n + 1, n + 3];
  const turned = c.emit('Transpose', [wide], { perm: intsAttr(perm) }, c.typeOf(self));
  return c.reshape(turned, [
    ...sizes,
    (channels as number) * factor * factor,
    parted(height)[0],
    parted(width)[0]
  ]);
}

function divided(c: Call, size: IValue, factor: number): IValue {
  return c.emit('Div', [size, c.sizeScalar(factor)], {}, { dtype: 'int64', shape: [] });
}

/** Channels dealt out to groups in turn. */
function channelShuffle(c: Call): IValue {
  const self = c.tensor('self');
  const groups = c.int('groups');
  const sizes = Array.from({ length: c.rank(self) }, (_, i) => c.sizeOf(self, i));
  const [batch, channels, ...rest] = sizes;
  const each = typeof channels === 'number' ? channels / groups : divided(c, channels, groups);
  const wide = c.reshape(self, [batch, groups, each, ...rest]);
  const perm = [0, 2, 1, ...rest.map((_, i) => i + 3)];
  const turned = c.emit('Transpose', [wide], { perm: intsAttr(perm) }, c.typeOf(self));
  return c.reshape(turned, sizes);
}

const GRID_MODES: readonly string[] = ['linear', 'nearest', 'cubic'];
const GRID_PADDINGS: readonly string[] = ['zeros', 'border', 'reflection'];

/** Reading an image at the places of a grid. */
function gridSample(c: Call): IValue {
  const operands = ['input', 'grid'].map(name => c.toType(c.tensor(name), c.outType));
  return c.emit('GridSample', operands, {
    mode: stringAttr(GRID_MODES[c.int('interpolation_mode')]),
    padding_mode: stringAttr(GRID_PADDINGS[c.int('padding_mode')]),
    align_corners: intAttr(c.bool('align_corners') ? 1 : 0)
  });
}

function corners(c: Call): Record<string, Attr> {
  const mode = c.bool('align_corners') ? 'align_corners' : 'half_pixel';
  return { coordinate_transformation_mode: stringAttr(mode) };
}

function linear(c: Call): IValue {
  return resize(c, { mode: stringAttr('linear'), ...corners(c) });
}

function cubic(c: Call): IValue {
  return resize(c, { mode: stringAttr('cubic'), cubic_coeff_a: floatAttr(-0.75), ...corners(c) });
}

/** Where the image becomes smaller, the filter covers all elements that become one. The cubic filter is PIL's. */
function antialiased(mode: 'linear' | 'cubic'): (c: Call) => IValue {
  const attrs = {
    mode: stringAttr(mode),
    antialias: intAttr(1),
    exclude_outside: intAttr(1),
    ...(mode === 'cubic' ? { cubic_coeff_a: floatAttr(-0.5) } : {})
  };
  return c => resize(c, { ...attrs, ...corners(c) });
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

/** Records of this file. */
export const RESIZE: readonly IOperator[] = [
  /** Resize. */
  ...[1, 2, 3].map(n =>
    operator(
      `upsample_nearest${n}d.vec(Tensor input, SymInt[]? output_size, float[]? scale_factors) -> Tensor`,
      { dtype: dtypes.likeFirst, lower: nearest }
    )
  ),
  ...[1, 2, 3].map(n =>
    operator(
      `_upsample_nearest_exact${n}d.vec(Tensor input, SymInt[]? output_size, float[]? scale_factors) -> Tensor`,
      { dtype: dtypes.likeFirst, lower: nearestExact }
    )
  ),
  ...['upsample_linear1d', 'upsample_bilinear2d', 'upsample_trilinear3d'].map(name =>
    operator(
      `${name}.vec(Tensor input, SymInt[]? output_size, bool align_corners, float[]? scale_factors) -> Tensor`,
      { dtype: dtypes.likeFirst, lower: linear }
    )
  ),
  operator(
    'upsample_bicubic2d.vec(Tensor input, SymInt[]? output_size, bool align_corners, float[]? scale_factors) -> Tensor',
    { dtype: dtypes.likeFirst, lower: cubic }
  ),
  ...(['linear', 'cubic'] as const).flatMap(mode => {
    const name = `_upsample_bi${mode}2d_aa`;
    return [
      operator(
        `${name}.vec(Tensor input, SymInt[]? output_size, bool align_corners, float[]? scale_factors) -> Tensor`,
        { dtype: dtypes.likeFirst, lower: antialiased(mode) }
      ),
      operator(
        `${name}(Tensor self, SymInt[2] output_size, bool align_corners, float? scales_h=None, float? scales_w=None) -> Tensor`,
        { dtype: dtypes.likeFirst, lower: antialiased(mode) }
      )
    ];
  }),
  /** DepthToSpace. */
  operator('pixel_shuffle(Tensor self, int upscale_factor) -> Tensor', {
    dtype: dtypes.likeFirst,
    lower: c =>
      c.emit('DepthToSpace', [c.tensor('self')], {
        blocksize: intAttr(c.int('upscale_factor')),
        mode: stringAttr('CRD')
      })
  }),
  /** Reshape, Transpose. */
  operator('pixel_unshuffle(Tensor self, int downscale_factor) -> Tensor', {
    dtype: dtypes.likeFirst,
    limits: [
      limit('channels are static', c => {
        const self = c.tensor('self');
        return typeof c.shape(self)[c.rank(self) - 3] === 'number'
          ? null
          : 'channels whose number is not static';
      })
    ],
    lower: pixelUnshuffle
  }),
  ...['channel_shuffle', 'native_channel_shuffle'].map(name =>
    operator(`${name}(Tensor self, SymInt groups) -> Tensor`, {
      dtype: dtypes.likeFirst,
      lower: channelShuffle
    })
  ),
  /** GridSample. */
  ...['grid_sampler', 'grid_sampler_2d', 'grid_sampler_3d'].map(name =>
    operator(
      `${name}(Tensor input, Tensor grid, int interpolation_mode, int padding_mode, bool align_corners) -> Tensor`,
      { agree: 'all', dtype: dtypes.likeFirst, lower: gridSample }
    )
  ),
  /** AffineGrid. */
  operator('affine_grid_generator(Tensor theta, SymInt[] size, bool align_corners) -> Tensor', {
    dtype: dtypes.likeFirst,
    lower: c =>
      c.emit(
        'AffineGrid',
        [c.toType(c.tensor('theta'), c.outType), c.sizeVector(c.sizes('size'))],
        {
          align_corners: intAttr(c.bool('align_corners') ? 1 : 0)
        }
      )
  }),
  /** Pad. */
  ...['reflection_pad1d', 'reflection_pad2d', 'reflection_pad3d'].map(name =>
    operator(`${name}(Tensor self, SymInt[] padding) -> Tensor`, {
      dtype: dtypes.likeFirst,
      lower: c => padEdges(c, 'self', 'reflect')
    })
  ),
  ...['replication_pad1d', 'replication_pad2d', 'replication_pad3d'].map(name =>
    operator(`${name}(Tensor self, SymInt[] padding) -> Tensor`, {
      dtype: dtypes.likeFirst,
      lower: c => padEdges(c, 'self', 'edge')
    })
  )
];
