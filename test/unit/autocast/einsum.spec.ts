import { contractedOperands, makeCastsExplicit, takeCensus } from '../../../src/autocast';
import { planGraph } from '../../../src/passes';
import { CACHE_MODES, PASSES } from '../../../src/protocol';
import { GraphBuilder, makeRegion } from './builder';

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

describe('weights in einsum', () => {
  it.each<[string, string, number[], number]>([
    ['cast as they are', 'bi,ij->bj', [3, 4], 1],
    ['summed, which is cast then', 'bi,ijk->bj', [3, 4, 5], 0]
  ])('should be counted where they are %s', (_, equation, shape, expected) => {
    const make = new GraphBuilder();
    const tensors = [make.input('x', 'float32', [2, 3]), make.weight('w', { shape })];
    const result = { dtype: 'bfloat16', shape: [2, 4] } as const;
    const region = { region: 'r' };
    make.output(make.call('aten.einsum.default', { equation, tensors }, result, region));
    // The same weight once more, as it is: another cast, also for share-casts.
    make.output(
      make.call('aten.linear.default', { input: tensors[1], weight: tensors[1] }, result, region)
    );
    const model = make.model({ regions: [makeRegion('r')] });
    const explicit = makeCastsExplicit(model);
    const census = takeCensus(explicit, model, 'model.pt2');
    expect(census.perForward.off.weightCasts).toBe(expected + 2);
    expect(census.activationCasts).toBe(2 - expected);
    expect(census.perForward.folded.weightCasts).toBe(0);
    for (const cache of CACHE_MODES) {
      for (const passes of [[], PASSES]) {
        const planned = planGraph(explicit.graph, model, { cache, passes, validate: true });
        expect(planned.activationCasts).toBe(2 - expected);
      }
      expect(planGraph(explicit.graph, model, { cache }).weightCasts).toBe(
        census.perForward[cache].weightCasts
      );
    }
  });
});
