import { contractedOperands } from '../../../src/autocast';
import { GraphBuilder } from './builder';

type Operands = [number, string][];

/** Operands of an einsum over tensors of these shapes that reach a matrix product, and how. */
function reaches(equation: string, shapes: number[][], path?: number[]): Operands {
  const make = new GraphBuilder();
  const tensors = shapes.map((shape, i) => make.input(`x${i}`, 'float32', shape));
  const node = make.node('aten.einsum.default', { equation, tensors, ...(path ? { path } : {}) });
  return [...contractedOperands(node)].sort(([a], [b]) => a - b);
}

function contracted(equation: string, shapes: number[][], path?: number[]): number[] {
  return reaches(equation, shapes, path).map(([index]) => index);
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

  it.each<[string, number[][], Operands]>([
    // Only the first has b: it is summed over it, then cast.
    [
      'abi,ij->aj',
      [
        [2, 3, 4],
        [4, 5]
      ],
      [
        [0, 'computed'],
        [1, 'as-given']
      ]
    ],
    [
      'abi,ij->abj',
      [
        [2, 3, 4],
        [4, 5]
      ],
      [
        [0, 'as-given'],
        [1, 'as-given']
      ]
    ],
    // The sum over a size of 1 changes nothing.
    [
      'abi,ij->aj',
      [
        [2, 1, 4],
        [4, 5]
      ],
      [
        [0, 'as-given'],
        [1, 'as-given']
      ]
    ],
    [
      'bi,bi,ij->bj',
      [
        [2, 3],
        [2, 3],
        [3, 4]
      ],
      [
        [0, 'computed'],
        [1, 'computed'],
        [2, 'as-given']
      ]
    ]
  ])('should tell what is computed before the cast in %s over %j', (equation, shapes, expected) => {
    expect(reaches(equation, shapes)).toEqual(expected);
  });
});
