/** @jest-environment ./test/support/ortenvironment.cjs */
import { unsupportedOperators } from '../../../src/lowering';
import { makeValue } from '../../../src/model';
import type { Attr, IGraph, INode, IValue } from '../../../src/model';
import { numbersOf, runOnCpu } from './device';

const PLACE = { region: null, module: null, source: null };
const SELF: Attr = { kind: 'input', index: 0 };

function tensor(name: string, dtype: 'float32' | 'bool' = 'float32', shape = [2]): IValue {
  return makeValue(name, dtype, shape);
}

/** A branch of one operator on the value it is given. */
function branch(name: string, op: string): Attr {
  const [given, made] = [tensor(`${name}_x`), tensor(`${name}_y`)];
  const node: INode = {
    name,
    op,
    inputs: [given],
    attrs: { self: SELF },
    outputs: [made],
    ...PLACE
  };
  const value: IGraph = {
    name,
    inputs: [given],
    // The operand itself is returned too.
    outputs: [made, given],
    nodes: [node],
    weights: [],
    opsets: {}
  };
  return { kind: 'graph', value };
}

function choice(operands: Attr): IGraph {
  const [flag, x] = [tensor('flag', 'bool', []), tensor('x')];
  const outputs = [tensor('y'), tensor('same')];
  const cond: INode = {
    name: 'cond',
    op: 'higher_order.cond',
    inputs: [flag, x],
    attrs: {
      arg0: SELF,
      arg1: branch('left', 'aten.neg.default'),
      arg2: branch('right', 'aten.abs.default'),
      arg3: operands
    },
    outputs,
    ...PLACE
  };
  return { name: 'main', inputs: [flag, x], outputs, nodes: [cond], weights: [], opsets: {} };
}

describe('higher_order.cond', () => {
  it.each([
    [1, [1, -3]],
    [0, [1, 3]]
  ])('should run the branch that the condition %d chooses', async (flag, expected) => {
    const graph = choice({ kind: 'list', items: [{ kind: 'input', index: 1 }] });
    expect(unsupportedOperators(graph)).toEqual([]);
    const { outputs } = await runOnCpu(graph, [
      { dtype: 'bool', shape: [], data: Uint8Array.of(flag) },
      { dtype: 'float32', shape: [2], data: Float32Array.of(-1, 3) }
    ]);
    expect(outputs.map(numbersOf)).toEqual([expected, [-1, 3]]);
  });

  it('should be refused where a branch is given a literal', () => {
    const graph = choice({ kind: 'list', items: [{ kind: 'int', value: 1 }] });
    expect(unsupportedOperators(graph)).toMatchObject([
      { op: 'higher_order.cond', reason: 'operands that are literals' }
    ]);
  });
});
