/** What opening a model loads: nothing that runs models, speaks to sockets or writes tables. */
import { join } from 'node:path';

import { Engine } from '../../../src/engine/service';

const fail = (name: string) => (): never => {
  throw new Error(`${name} was loaded`);
};

jest.mock('onnxruntime-node', () => fail('onnxruntime-node')());
jest.mock('apache-arrow', () => fail('apache-arrow')());
jest.mock('zeromq', () => fail('zeromq')());

describe('a cold start', () => {
  const engine = new Engine();
  const path = join(__dirname, '../../fixtures/seed-mlp/model.pt2');

  afterAll(() => engine.dispose());

  it('should count casts without loading what only other requests need', async () => {
    const { result } = await engine.handle('census', { path }, {});
    expect(result.perForward.off.weightCasts).toBe(4);
  });

  it('should load Arrow for statistics', async () => {
    await expect(engine.handle('weightStats', { path }, {})).rejects.toThrow(
      'apache-arrow was loaded'
    );
  });
});
