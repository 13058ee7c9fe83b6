import { countCasts, makeCastsExplicit } from '../../../src/autocast';
import type { IValue } from '../../../src/model';
import { BATCH_DIM } from '../../../src/model';
import { GraphBuilder, makeRegion } from './builder';

const IN_REGION = { region: 'r' };

/** A weight of three batches, as the calls inside of torch.vmap see it. */
function batched(b: GraphBuilder, name: string, shape: readonly number[]): IValue {
  const weight = b.weight(name, { shape: [3, ...shape] });
  return b.call(BATCH_DIM.add, { self: weight, in_dim: 0, level: 1 }, { shape }, IN_REGION);
}

function castsOf(b: GraphBuilder): [string, string, number][] {
  const { graph, mismatches } = makeCastsExplicit(b.model({ regions: [makeRegion('r')] }));
  expect(mismatches).toEqual([]);
  return countCasts(graph).weightCasts.map(({ weight, kind, bytesMoved }) => [
    weight.names[0],
    kind,
    bytesMoved
  ]);
}

describe('calls inside of torch.vmap', () => {
  it('should cast what is multiplied, of the whole batch, and not what is added to it', () => {
    const b = new GraphBuilder();
    const args = {
      input: b.input('x'),
      weight: batched(b, 'w', [2, 2]),
      bias: batched(b, 'b', [2])
    };
    const product = b.call('aten.linear.default', args, { dtype: 'float32' }, IN_REGION);
    b.output(b.call(BATCH_DIM.remove, { self: product }, { dtype: 'float32', shape: [3, 2, 2] }));
    // Twelve elements read as float32 and written as bfloat16; the sum is float32.
    expect(castsOf(b)).toEqual([['w', 'stored', 12 * (4 + 2)]]);
  });

  it('should return the lower precision where nothing is added', () => {
    const b = new GraphBuilder();
    const args = { self: b.input('x'), other: batched(b, 'w', [2, 2]) };
    b.output(b.call('aten.matmul.default', args, { dtype: 'bfloat16' }, IN_REGION));
    expect(castsOf(b)).toEqual([['w', 'stored', 12 * (4 + 2)]]);
  });

  it('should cast what an equation multiplies, whose operands come as a list', () => {
    const b = new GraphBuilder();
    const args = { equation: 'ij,jk->ik', tensors: [b.input('x'), batched(b, 'w', [2, 2])] };
    b.output(b.call('aten.einsum.default', args, { dtype: 'bfloat16' }, IN_REGION));
    expect(castsOf(b)).toEqual([['w', 'stored', 12 * (4 + 2)]]);
  });

  it('should cast nothing of a convolution, which is called below autocast', () => {
    const b = new GraphBuilder();
    const args = { input: b.input('x', 'float32', [1, 2, 2]), weight: batched(b, 'w', [2, 2, 1]) };
    b.output(
      b.call('aten.conv1d.default', args, { dtype: 'float32', shape: [1, 2, 2] }, IN_REGION)
    );
    expect(castsOf(b)).toEqual([]);
  });

  it('should cast everything of a call that has left the batch', () => {
    const b = new GraphBuilder();
    const args = { self: b.input('x'), other: batched(b, 'w', [2, 2]) };
    const product = b.call('aten.matmul.default', args, { dtype: 'bfloat16' }, IN_REGION);
    const whole = b.call(
      BATCH_DIM.remove,
      { self: product },
      { dtype: 'bfloat16', shape: [3, 2, 2] },
      IN_REGION
    );
    const layer = { input: whole, weight: b.weight('v'), bias: b.weight('c', { shape: [2] }) };
    b.output(
      b.call('aten.linear.default', layer, { dtype: 'bfloat16', shape: [3, 2, 2] }, IN_REGION)
    );
    expect(castsOf(b).map(([name]) => name)).toEqual(['w', 'v', 'c']);
  });
});
