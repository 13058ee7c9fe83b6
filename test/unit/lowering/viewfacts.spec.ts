import { makeCastsExplicit, takeCensus } from '../../../src/autocast';
import { findAliases } from '../../../src/dataflow';
import { lowerToOnnx, unsupportedOperators } from '../../../src/lowering';
import { GraphBuilder, makeRegion } from '../autocast/builder';

/** Views that training IR keeps by name, each of a square tensor. */
const VIEWS: readonly (readonly [string, Record<string, number | number[]>])[] = [
  ['aten.mT.default', {}],
  ['aten.mH.default', {}],
  ['aten.matrix_H.default', {}],
  ['aten.adjoint.default', {}],
  ['aten.swapdims.default', { dim0: 0, dim1: 1 }],
  ['aten.moveaxis.int', { source: 0, destination: 1 }],
  ['aten.broadcast_to.default', { size: [2, 2] }],
  ['aten.ravel.default', {}],
  ['aten.positive.default', {}],
  ['aten.real.default', {}],
  ['aten.conj.default', {}],
  ['aten.resolve_conj.default', {}],
  ['aten.resolve_neg.default', {}],
  ['aten.tensor_split.sections', { sections: 1 }],
  ['aten.tensor_split.indices', { indices: [] }],
  ['aten.atleast_2d.default', {}],
  ['aten.diagonal.default', {}],
  ['aten.unfold.default', { dimension: 0, size: 2, step: 1 }],
  ['aten.vsplit.int', { sections: 1 }],
  ['aten.hsplit.int', { sections: 1 }],
  ['aten.dsplit.int', { sections: 1 }]
];

describe('views', () => {
  it.each(VIEWS)('should count a weight cast behind %s', (op, args) => {
    const builder = new GraphBuilder();
    const x = builder.input('x');
    const view = builder.call(op, { self: builder.weight('w'), ...args }, {}, { region: 'r' });
    const call = { self: x, other: view };
    builder.output(
      builder.call('aten.matmul.default', call, { dtype: 'bfloat16' }, { region: 'r' })
    );
    const model = builder.model({ regions: [makeRegion('r')] });
    expect(takeCensus(makeCastsExplicit(model), model, 'f').weightCasts).toHaveLength(1);
  });

  it.each(VIEWS)('should not lose a write through %s', (op, args) => {
    const builder = new GraphBuilder();
    const x = builder.input('x');
    const y = builder.call('aten.add.Tensor', { self: x, other: x });
    const view = builder.call(op, { self: y, ...args });
    builder.call('aten.add_.Tensor', { self: view, other: x });
    builder.output(y);
    const aliases = findAliases(builder.graph);
    expect(aliases.groupOf(view)).toBe(aliases.groupOf(y));
    if (unsupportedOperators(builder.graph).length === 0) {
      const lowered = lowerToOnnx(builder.graph);
      expect(lowered.outputs[0]).not.toBe(lowered.nodes[0].outputs[0]);
    }
  });
});
