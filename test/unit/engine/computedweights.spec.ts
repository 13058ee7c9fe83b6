/**
 * What is computed from weights alone: counted in the file, and computed once in the modes that fold.
 *
 * @jest-environment ./test/support/ortenvironment.cjs
 */
import * as fs from 'node:fs';
import { join } from 'node:path';

import { ModelStore } from '../../../src/engine/modelstore';
import { Engine } from '../../../src/engine/service';
import { prepareVariant } from '../../../src/engine/variant';
import type { ICompareResult } from '../../../src/protocol';
import type { Field } from '../formats/proto';
import { attribute, model, node, port, TYPES } from '../formats/proto';
import { temporaryFolder } from '../formats/samples';
import { weight, X } from './nestedmodels';

const folder = temporaryFolder();
const engine = new Engine();
const MODES = ['off', 'autocast', 'folded', 'frozen'] as const;
let files = 0;

const to = (type: number): Field => attribute('to', 2, [3, type]);

/** `w * v` in bfloat16, multiplied from the right. */
const MERGED = [
  node('Mul', ['w', 'v'], ['merged']),
  node('Cast', ['merged'], ['low'], to(TYPES.bfloat16)),
  node('Cast', ['x'], ['xl'], to(TYPES.bfloat16))
];
const PRODUCT = [
  node('MatMul', ['xl', 'low'], ['yl']),
  node('Cast', ['yl'], ['y'], to(TYPES.float))
];

function open(nodes: readonly Field[][], outputs: readonly Field[][]): string {
  const path = join(folder, `model${files++}.onnx`);
  const initializers = [weight('w'), weight('v')];
  fs.writeFileSync(path, model({ inputs: [X], outputs, initializers, nodes }));
  return path;
}

async function compare(path: string): Promise<ICompareResult> {
  const variants = MODES.map(cache => ({ cache, passes: [], device: 'cpu' }));
  const params = { path, variants, runs: 1, warmup: 0, inputs: {} };
  return (await engine.handle('compare', params, {})).result;
}

describe('computed weights', () => {
  const Y = port('y', TYPES.float, [2, 4]);

  it('should be counted with the weights they come from', async () => {
    const path = open([...MERGED, ...PRODUCT], [Y]);
    const { result: census } = await engine.handle('census', { path }, {});
    expect(census.weightCasts).toMatchObject([
      { weight: 'merged', kind: 'computed', computedFrom: ['w', 'v'], uses: 1 }
    ]);
    expect(census.perForward.folded.weightCasts).toBe(0);
  });

  it('should be named among what a repaired file leaves', async () => {
    const path = open([...MERGED, ...PRODUCT], [Y]);
    const output = join(folder, 'fixed.onnx');
    const { result } = await engine.handle('fix', { path, output, overwrite: true }, {});
    expect(result).toMatchObject({ converted: [], weightCastsBefore: 1, weightCastsAfter: 1 });
    expect(result.left).toEqual([
      {
        weight: 'merged',
        reason: 'computed from w, v on every forward; the modes folded and frozen compute it once'
      }
    ]);
  });

  it.each([
    ['used by a product', [...MERGED, ...PRODUCT], [Y]],
    ['that are outputs too', [...MERGED, ...PRODUCT], [port('merged', TYPES.float, [4, 4]), Y]],
    ['that are outputs only', MERGED, [port('low', TYPES.bfloat16, [4, 4])]]
  ])('should have the same bits in all modes, cast as planned: %s', async (_, nodes, outputs) => {
    const { variants } = await compare(open(nodes, outputs));
    expect(variants.map(one => [one.cache, one.plannedWeightCasts])).toEqual([
      ['off', 1],
      ['autocast', 1],
      ['folded', 0],
      ['frozen', 0]
    ]);
    for (const one of variants) {
      expect(one.executedWeightCasts).toBe(one.plannedWeightCasts);
      expect(one.bitIdenticalToOff).toBe(true);
    }
  });

  it('should leave what draws random numbers to the forward', async () => {
    const noise = node('RandomNormalLike', ['w'], ['noise']);
    const path = open(
      [noise, node('Mul', ['noise', 'v'], ['merged']), ...MERGED.slice(1), ...PRODUCT],
      [Y]
    );
    const loaded = await new ModelStore().load({ path });
    const prepared = prepareVariant(loaded, { cache: 'frozen', passes: [], device: 'cpu' });
    expect(prepared.computed).toBeNull();
  });
});
