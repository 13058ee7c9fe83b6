/**
 * Models with operators castlens cannot lower: everything but running them works.
 *
 * @jest-environment ./test/support/ortenvironment.cjs
 */
import { join } from 'node:path';

import { Engine } from '../../../src/engine/service';
import type { Records } from '../formats/samples';
import { changedCopy, fixture, temporaryFolder } from '../formats/samples';

/** `seed-mlp` with its relu and its cast replaced by operators castlens does not have. */
function makeForeign(records: Records): void {
  const name = 'models/model.json';
  const text = Buffer.from(records.get(name)!).toString('utf8');
  const changed = text
    .replace('torch.ops.aten.relu.default', 'torch.ops.mylib.gate.default')
    .replace('"torch.ops.aten.to.dtype"', '"torch.ops.mylib.widen.default"');
  records.set(name, Buffer.from(changed, 'utf8'));
}

describe('Engine on a model with foreign operators', () => {
  const engine = new Engine();
  const path = join(temporaryFolder(), 'model.pt2');

  beforeAll(async () => {
    await changedCopy(fixture('seed-mlp/model.pt2'), path, makeForeign);
  });

  it('should say what it cannot lower when the model is opened', async () => {
    const { result } = await engine.handle('open', { path }, {});
    expect(result.unsupported).toEqual([
      expect.objectContaining({
        op: 'mylib.gate.default',
        count: 1,
        source: expect.objectContaining({ file: 'make_public.py', line: 12 })
      }),
      expect.objectContaining({
        op: 'mylib.widen.default',
        count: 1,
        source: expect.objectContaining({ file: 'make_public.py', line: 17 })
      })
    ]);
  });

  it('should take the census all the same', async () => {
    const { result } = await engine.handle('census', { path }, {});
    expect(result.perForward.off).toEqual({ weightCasts: 4, bytesMoved: 395520 });
  });

  it('should plan and summarise the weights all the same', async () => {
    const variant = { cache: 'folded', passes: [], device: 'cpu' } as const;
    const { result: plan } = await engine.handle('plan', { path, variant }, {});
    expect(plan).toMatchObject({ weightCasts: 0, convertedWeights: 4 });
    const { result: stats } = await engine.handle('weightStats', { path }, {});
    expect(stats.rows).toBe(6);
  });

  it('should refuse to run it with one message that lists every operator', async () => {
    const variant = { cache: 'off', passes: [], device: 'cpu' } as const;
    const message = expect.stringMatching(
      /mylib\.gate\.default.*make_public\.py:12.*mylib\.widen\.default.*make_public\.py:17/s
    ) as string;
    await expect(engine.handle('run', { path, variant }, {})).rejects.toMatchObject({
      code: 'unsupported-operator',
      message
    });
    await expect(engine.handle('compare', { path, variants: [variant] }, {})).rejects.toMatchObject(
      {
        code: 'unsupported-operator',
        message
      }
    );
  });
});
