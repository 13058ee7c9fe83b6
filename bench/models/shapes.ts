/**
 * The forms of graph that scale is measured on.
 *
 * @packageDocumentation
 */
import type { ISyntheticModel, ISyntheticWeight, SyntheticStep } from './syntheticmodel';

/** Weights that long programs take turns with. */
const SHARED_WEIGHTS = 16;

/** Rows of the input. */
const ROWS = 1;

/** Makes a model of about `size` operators. */
export type GraphShape = (size: number, width: number) => ISyntheticModel;

/** Layers in a row, each a product with one of a few weights and a ReLU. */
export const chain: GraphShape = (size, width) => {
  const count = Math.max(2, Math.ceil(size / 2));
  const steps: SyntheticStep[] = [];
  for (let i = 0; i < count; i++) {
    const input = i === 0 ? 'x' : `v${2 * i - 1}`;
    const weight = i % SHARED_WEIGHTS;
    steps.push({ op: 'matmul', inputs: [input], weight, output: `v${2 * i}`, ...PLACE });
    steps.push({ op: 'relu', inputs: [`v${2 * i}`], output: `v${2 * i + 1}`, ...PLACE });
  }
  return { weights: weightsOf(SHARED_WEIGHTS, width), width, steps };
};

/** One value used by all others. */
export const fanOut: GraphShape = (size, width) =>
  wide(weightsOf(1, width), width, size, (i): SyntheticStep => ({
    op: 'relu',
    inputs: ['v0'],
    output: `v${i}`,
    ...PLACE
  }));

/** As many weights as operators. */
export const manyWeights: GraphShape = (size, width) =>
  wide(weightsOf(size, width), width, size, (i): SyntheticStep => ({
    op: 'matmul',
    inputs: ['v0'],
    weight: i % size,
    output: `v${i}`,
    ...PLACE
  }));

/** One weight that every operator casts anew. */
export const manyCasts: GraphShape = (size, width) =>
  wide(weightsOf(1, width), width, size, (i): SyntheticStep => ({
    op: 'matmul',
    inputs: ['v0'],
    weight: 0,
    output: `v${i}`,
    ...PLACE
  }));

/** Regions in regions, `size` deep, one layer in each. Only training IR has regions. */
export const nestedRegions: GraphShape = (size, width) => ({
  weights: weightsOf(1, width),
  width,
  steps: Array.from({ length: size }, (_, i): SyntheticStep => ({
    op: 'matmul',
    inputs: [i === 0 ? 'x' : `v${i - 1}`],
    weight: 0,
    output: `v${i}`,
    rows: ROWS,
    depth: i + 1
  }))
});

/** Modules in modules, `size` deep, one layer in each. */
export const nestedModules: GraphShape = (size, width) => {
  const model = nestedRegions(size, width);
  const steps = model.steps.map((step, i): SyntheticStep => ({
    ...step,
    depth: 1,
    module: Array.from({ length: i + 1 }, () => 'm').join('.')
  }));
  return { ...model, steps };
};

const PLACE = { rows: ROWS, depth: 1 };

/** A first product, `size` operators on its result, and one that takes the results of all. */
function wide(
  weights: readonly ISyntheticWeight[],
  width: number,
  size: number,
  branch: (index: number) => SyntheticStep
): ISyntheticModel {
  const branches = Array.from({ length: size }, (_, i) => branch(i + 1));
  return {
    weights,
    width,
    steps: [
      { op: 'matmul', inputs: ['x'], weight: 0, output: 'v0', ...PLACE },
      ...branches,
      {
        op: 'concat',
        inputs: branches.map(({ output }) => output),
        output: 'all',
        rows: size * ROWS,
        depth: 1
      }
    ]
  };
}

function weightsOf(count: number, width: number): ISyntheticWeight[] {
  return Array.from({ length: count }, (_, i) => ({ name: `weights.${i}`, width }));
}
