import { countCasts, makeCastsExplicit } from '../../../src/autocast';
import { WeightFlows } from '../../../src/dataflow';
import type { ICountedCast } from '../../../src/autocast';
import type { IValue } from '../../../src/model';
import { GraphBuilder } from '../autocast/builder';

const kinds = (b: GraphBuilder): [string, string, string[]][] =>
  countCasts(b.graph).weightCasts.map(({ weight, kind, sources }: ICountedCast) => [
    weight.names[0],
    kind,
    sources.map(source => source.names[0])
  ]);

const mul = (b: GraphBuilder, self: IValue, other: IValue): IValue =>
  b.call('aten.mul.Tensor', { self, other });

describe('casts of what depends on weights alone', () => {
  it('should count casts of computed weights, and name the weights that they come from', () => {
    const b = new GraphBuilder();
    const scaled = mul(b, b.weight('v'), b.weight('g'));
    b.output(b.cast(b.call('aten.t.default', { self: scaled }), 'bfloat16'));
    expect(kinds(b)).toEqual([['t_1', 'computed', ['v', 'g']]]);
  });

  it.each(['int8', 'uint8', 'bool'] as const)(
    'should count casts of %s weights as stored',
    dtype => {
      const b = new GraphBuilder();
      const wide = b.cast(b.weight('q', { dtype, requiresGrad: false }), 'float32');
      b.output(b.cast(mul(b, wide, b.weight('scale')), 'bfloat16'));
      expect(kinds(b)).toEqual([
        ['q', 'stored', []],
        ['mul_1', 'computed', ['q', 'scale']]
      ]);
    }
  );

  it('should not count casts of what depends on an input', () => {
    const b = new GraphBuilder();
    b.output(b.cast(mul(b, b.weight('w'), b.input('x')), 'bfloat16'));
    expect(kinds(b)).toEqual([]);
    expect(countCasts(b.graph).activationCasts).toBe(1);
  });

  it('should not count casts of literals', () => {
    const b = new GraphBuilder();
    b.output(b.cast(b.call('aten.arange.default', { end: 4 }, { dtype: 'int64' }), 'float32'));
    expect(kinds(b)).toEqual([]);
  });

  it.each([
    ['aten.rand_like.default', {}],
    ['aten.bernoulli.default', {}],
    ['aten.dropout.default', { p: 0.5, train: true }]
  ])('should not count casts of what %s draws', (op, args) => {
    const b = new GraphBuilder();
    const drawn = b.call(op, { self: b.weight('w'), ...args });
    b.output(b.cast(mul(b, drawn, b.weight('v')), 'bfloat16'));
    expect(kinds(b)).toEqual([]);
  });

  it('should take dropout that is off for no random operator', () => {
    const b = new GraphBuilder();
    const kept = b.call('aten.dropout.default', { self: b.weight('w'), p: 0.5, train: false });
    b.output(b.cast(mul(b, kept, b.weight('v')), 'bfloat16'));
    expect(kinds(b)).toHaveLength(1);
  });

  it('should follow constants that a program lifts: detach_ writes nothing', () => {
    const b = new GraphBuilder();
    const fresh = b.call('aten.lift_fresh_copy.default', { self: b.weight('size') });
    const size = b.call('aten.detach_.default', { self: fresh });
    b.output(b.cast(b.call('aten.sqrt.default', { self: size }), 'bfloat16'));
    expect(kinds(b)).toEqual([['sqrt_2', 'computed', ['size']]]);
  });

  it('should follow what is written to in place where only weights and literals go into it', () => {
    const b = new GraphBuilder();
    const computed = mul(b, b.weight('w'), b.weight('v'));
    const written = b.call('aten.mul_.Tensor', { self: computed, other: 2 });
    b.output(b.cast(written, 'bfloat16'));
    expect(kinds(b)).toEqual([['mul__1', 'computed', ['w', 'v']]]);
  });

  it('should take for computed what a weight is written into, before and after', () => {
    const b = new GraphBuilder();
    const made = { dtype: 'float32', shape: [2, 2] } as const;
    const zeros = b.call('aten.zeros.default', { size: [2, 2] }, made);
    const row = b.call('aten.select.int', { self: zeros, dim: 0, index: 0 }, { shape: [2] });
    b.call('aten.copy_.default', { self: row, src: b.weight('w', { shape: [2] }) }, { shape: [2] });
    b.output(b.cast(zeros, 'bfloat16'));
    expect(kinds(b)).toHaveLength(1);
    expect(countCasts(b.graph).weightCasts[0].kind).toBe('computed');
  });

  it('should take a copy of a weight that is written to for computed', () => {
    const b = new GraphBuilder();
    const copy = b.call('aten.clone.default', { self: b.weight('w') });
    b.call('aten.mul_.Tensor', { self: copy, other: 2 });
    b.output(b.cast(copy, 'bfloat16'));
    expect(kinds(b)).toEqual([['clone_0', 'computed', ['w']]]);
  });

  it('should follow nothing from a weight that is written to', () => {
    const b = new GraphBuilder();
    const steps = b.weight('steps', { requiresGrad: false });
    b.call('aten.add_.Tensor', { self: steps, other: 1 });
    b.output(b.cast(mul(b, b.weight('w'), steps), 'bfloat16'));
    expect(kinds(b)).toEqual([]);
  });

  it('should follow nothing from what an input is written into later', () => {
    const b = new GraphBuilder();
    const first = mul(b, b.weight('w'), b.weight('v'));
    const second = mul(b, first, b.weight('u'));
    b.output(b.cast(second, 'bfloat16'));
    b.call('aten.add_.Tensor', { self: second, other: b.weight('t') });
    b.call('aten.add_.Tensor', { self: second, other: b.input('x') });
    expect(kinds(b)).toEqual([]);
  });

  it('should follow nothing from what is written to in place, also behind a view', () => {
    const b = new GraphBuilder();
    const computed = mul(b, b.weight('w'), b.weight('v'));
    const row = b.call('aten.select.int', { self: computed, dim: 0, index: 0 }, { shape: [2] });
    b.call('aten.mul_.Tensor', { self: row, other: b.input('x', 'float32', [2]) }, { shape: [2] });
    b.output(b.cast(computed, 'bfloat16'));
    expect(kinds(b)).toEqual([]);
  });

  it('should follow nothing from a weight that a forward updates', () => {
    const b = new GraphBuilder();
    const computed = mul(b, b.weight('w'), b.weight('steps', { isUpdated: true }));
    b.output(b.cast(computed, 'bfloat16'));
    expect(kinds(b)).toEqual([]);
    expect(new WeightFlows(b.graph).of(computed)).toBeNull();
  });

  it('should know of a write that nothing in the same forward reads', () => {
    const b = new GraphBuilder();
    const steps = b.weight('steps', { kind: 'buffer', requiresGrad: false });
    b.output(b.cast(mul(b, b.weight('w'), steps), 'bfloat16'));
    const next = b.call('aten.add.Tensor', { self: steps, other: 1 });
    b.call('aten.copy_.default', { self: steps, src: next });
    const { graph, dropped } = makeCastsExplicit(b.model());
    expect(dropped).toHaveLength(2);
    expect(countCasts(graph).weightCasts).toEqual([]);
  });
});
