import { makeValue } from '../../../src/model';
import type { IGraph, INode, IValue } from '../../../src/model';
import { probedValues } from '../../../src/probes';
import { graphOf, nodeOf } from './support';

/** A cast node to `dtype`, named after its result. */
function castNode(source: IValue, result: IValue): INode {
  return {
    ...nodeOf('Cast', [source], result),
    attrs: { to: { kind: 'dtype', value: result.dtype! } }
  };
}

const value = (name: string, dtype: 'float32' | 'bfloat16' | 'int64' | 'complex64'): IValue =>
  makeValue(name, dtype, [4]);

describe('probedValues()', () => {
  const x = value('x', 'float32');
  const [low, product, wide] = [
    value('x_low', 'bfloat16'),
    value('product', 'bfloat16'),
    value('wide', 'float32')
  ];
  const planned = graphOf(
    [x],
    [castNode(x, low), nodeOf('Neg', [low], product), castNode(product, wide)],
    [wide]
  );
  const reference = (): ReturnType<typeof graphOf> => {
    const [input, result] = [value('x', 'float32'), value('product', 'float32')];
    return graphOf([input], [nodeOf('Neg', [input], result)], [result]);
  };

  it('should find counterparts by name, and those of casts by what they cast', () => {
    const float32 = reference();
    const pair = { planned: float32, legal: float32 };
    const { values } = probedValues({ planned, legal: planned }, planned, pair);
    expect(values.map(({ name, reference: found }) => [name, found])).toEqual([
      ['x_low', 'x'],
      ['product', 'product'],
      ['wide', 'product']
    ]);
  });

  it('should say what low-precision dtype a value is meant for', () => {
    const { values } = probedValues({ planned, legal: planned }, planned, null);
    expect(values.map(({ name, limit, reference: none }) => [name, limit, none])).toEqual([
      ['x_low', 'bfloat16', null],
      ['product', 'bfloat16', null],
      ['wide', null, null]
    ]);
  });

  it('should find a value whose cast the device left out, on either side of the cast', () => {
    const held = (name: string): ReturnType<typeof graphOf> => {
      const [input, lowered, only] = [
        value('x', 'float32'),
        value('x_low', 'float32'),
        value(name, 'float32')
      ];
      return graphOf(
        [input],
        [nodeOf('Neg', [input], lowered), nodeOf('Neg', [lowered], only)],
        [only]
      );
    };
    for (const name of ['product', 'wide']) {
      const { values } = probedValues({ planned, legal: held(name) }, planned, null);
      expect(values.map(({ place }) => place)).toEqual(['x_low', name, name]);
      expect(values.map(({ dtype }) => dtype)).toEqual(['bfloat16', 'bfloat16', 'float32']);
    }
  });

  it('should not take a square matrix for its transpose, which has the same shape', () => {
    const [matrix, copy, turned] = ['matrix', 'copy', 'turned'].map(name =>
      makeValue(name, 'float32', [2, 2])
    );
    const nodes = [nodeOf('Identity', [matrix], copy), nodeOf('Transpose', [matrix], turned)];
    const whole = graphOf([matrix], nodes, [copy, turned]);
    const legal = graphOf([matrix], [], []);
    const { values, skipped } = probedValues({ planned: whole, legal }, whole, null);
    expect(values.map(({ name, place }) => [name, place])).toEqual([['copy', 'matrix']]);
    expect(skipped.map(({ name }) => name)).toEqual(['turned']);
  });

  it('should not take the dtype of an input for its elements', () => {
    const [one, cast, root] = [
      value('one', 'float32'),
      value('cast', 'float32'),
      value('root', 'float32')
    ];
    const graph = graphOf(
      [x],
      [
        nodeOf('Constant', [], one),
        nodeOf('CastLike', [one, x], cast),
        nodeOf('Sqrt', [cast], root)
      ],
      [root]
    );
    expect(probedValues({ planned: graph, legal: graph }, graph, null).values).toEqual([]);
  });

  it('should say why a value is left out, and pass over what does not depend on inputs', () => {
    const [odd, gone, constant] = [
      value('odd', 'complex64'),
      value('gone', 'float32'),
      value('constant', 'int64')
    ];
    const graph = graphOf(
      [x],
      [nodeOf('Exotic', [x], odd), nodeOf('Neg', [x], gone), nodeOf('Range', [], constant)],
      [odd, gone, constant]
    );
    const legal = graphOf([x], [nodeOf('Exotic', [x], odd)], [odd]);
    expect(probedValues({ planned: graph, legal }, graph, null)).toEqual({
      values: [],
      skipped: [
        { name: 'odd', reason: 'there are no statistics of complex64' },
        { name: 'gone', reason: 'it is not computed by itself in this variant' }
      ]
    });
  });

  it('should say of values in nested graphs that they are left out, but not of what depends on weights alone', () => {
    const [state, inner, still, result, deeper, branch] = [
      'state',
      'inner',
      'still',
      'result',
      'deeper',
      'branch'
    ].map(name => value(name, 'float32'));
    const graphAttr = (body: IGraph): INode['attrs'] => ({ body: { kind: 'graph', value: body } });
    const nested = graphOf([], [nodeOf('Neg', [inner], deeper)], [deeper]);
    const body = graphOf(
      [state],
      [
        nodeOf('Constant', [], still),
        nodeOf('Add', [state, still], inner),
        { ...nodeOf('If', [inner], branch), attrs: graphAttr(nested) }
      ],
      [branch]
    );
    const graph = graphOf(
      [x],
      [{ ...nodeOf('Loop', [x], result), attrs: graphAttr(body) }],
      [result]
    );
    const { values, skipped } = probedValues({ planned: graph, legal: graph }, graph, null);
    expect(values.map(({ name }) => name)).toEqual(['result']);
    expect(skipped.map(({ name }) => name)).toEqual(['inner', 'branch', 'deeper']);
    expect(new Set(skipped.map(({ reason }) => reason))).toEqual(
      new Set(['it is computed in the body of Loop, as often as that runs'])
    );
  });
});
