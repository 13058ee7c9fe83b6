import { contractedOperands } from '../../../src/autocast';
import { GraphBuilder } from './builder';

/** Operands of an einsum over tensors of these shapes that reach a matrix product. */
function contracted(equation: string, shapes: number[][], path?: number[]): number[] {
  const make = new GraphBuilder();
  const tensors = shapes.map((shape, i) => make.input(`x${i}`, 'float32', shape));
  const node = make.node('aten.einsum.default', { equation, tensors, ...(path ? { path } : {}) });
  return [...contractedOperands(node)].sort();
}

describe('contractedOperands()', () => {
  it.each([
    [
      'ij,jk->ik',
      [
        [2, 3],
        [3, 4]
      ],
      [0, 1]
    ],
    // No sum: an elementwise product.
    [
      'bld,dn->bldn',
      [
        [2, 3, 4],
        [4, 5]
      ],
      []
    ],
    // The only shared dimension has size 1, or only one operand has the dimension that is summed.
    [
      'ij,jk->ik',
      [
        [2, 1],
        [1, 4]
      ],
      []
    ],
    ['ij,k->ik', [[2, 3], [4]], []],
    ['ii->i', [[3, 3]], []],
    [
      '...i,ij',
      [
        [2, 3, 4],
        [4, 5]
      ],
      [0, 1]
    ],
    // Left to right: an elementwise product, then a contraction with the third.
    [
      'bi,bi,ij->bj',
      [
        [2, 3],
        [2, 3],
        [3, 4]
      ],
      [0, 1, 2]
    ],
    // A contraction of the first two, then an elementwise product with the third.
    [
      'bi,ij,bj->bj',
      [
        [2, 3],
        [3, 4],
        [2, 4]
      ],
      [0, 1]
    ],
    [
      'bld,bln,bld->bldn',
      [
        [2, 3, 4],
        [2, 3, 5],
        [2, 3, 4]
      ],
      []
    ]
  ] as [string, number[][], number[]][])(
    'should find those of %s over %j',
    (equation, shapes, expected) => {
      expect(contracted(equation, shapes)).toEqual(expected);
    }
  );

  it('should follow the path of the call', () => {
    const shapes = [
      [2, 3],
      [3, 4],
      [2, 4]
    ];
    expect(contracted('bi,ij,bj->bj', shapes, [0, 2, 0, 1])).toEqual([0, 1, 2]);
  });
});
