/**
 * Files that are read are never written to, under whatever name.
 *
 * @jest-environment ./test/support/ortenvironment.cjs
 */
import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { tableFromIPC } from 'apache-arrow';

import { Engine } from '../../../src/engine/service';

const FIXTURE = join(__dirname, '../../fixtures/seed-mlp');
const VARIANT = { cache: 'off', passes: [], device: 'cpu' } as const;

describe('outputTarget()', () => {
  const engine = new Engine();
  let folder: string;
  let model: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'castlens-target-'));
    model = join(folder, 'model.pt2');
    copyFileSync(join(FIXTURE, 'model.pt2'), model);
    symlinkSync(model, join(folder, 'symbolic.pt2'));
    linkSync(model, join(folder, 'hard.pt2'));
    symlinkSync(folder, join(folder, 'round'));
    mkdirSync(join(folder, 'taken'));
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  const write: Record<string, (path: string, output: string) => Promise<unknown>> = {
    run: (path, outputsFile) => engine.handle('run', { path, variant: VARIANT, outputsFile }, {}),
    weightStats: (path, outputFile) => engine.handle('weightStats', { path, outputFile }, {}),
    fix: (path, output) => engine.handle('fix', { path, output }, {})
  };

  describe.each(Object.keys(write))('of %s', request => {
    it.each([
      ['model.pt2', 'model.pt2'],
      ['model.pt2', 'symbolic.pt2'],
      ['model.pt2', 'hard.pt2'],
      ['model.pt2', 'round/model.pt2'],
      ['symbolic.pt2', 'model.pt2'],
      ['round/model.pt2', 'model.pt2']
    ])('should refuse to read %s and write %s', async (source, output) => {
      await expect(
        write[request](join(folder, source), join(folder, output))
      ).rejects.toMatchObject({
        code: 'bad-argument'
      });
      expect(readFileSync(model).equals(readFileSync(join(FIXTURE, 'model.pt2')))).toBe(true);
    });

    it('should refuse folders and missing folders in a sentence', async () => {
      await expect(write[request](model, join(folder, 'taken'))).rejects.toMatchObject({
        code: 'bad-argument'
      });
      await expect(write[request](model, join(folder, 'missing', 'x'))).rejects.toMatchObject({
        code: 'file-not-found'
      });
      expect(existsSync(join(folder, 'missing'))).toBe(false);
    });
  });

  it('should not let outputs replace the inputs', async () => {
    const inputsFile = join(folder, 'inputs.safetensors');
    copyFileSync(join(FIXTURE, 'inputs.safetensors'), inputsFile);
    const params = {
      path: model,
      variant: VARIANT,
      inputs: { inputsFile },
      outputsFile: inputsFile
    };
    await expect(engine.handle('run', params, {})).rejects.toThrow('cannot replace the inputs');
  });

  it('should not give a repaired file the name of another format', async () => {
    const output = join(folder, 'fixed.onnx');
    await expect(engine.handle('fix', { path: model, output }, {})).rejects.toThrow(
      'a name that ends in .pt2'
    );
    expect(existsSync(output)).toBe(false);
  });

  it('should write statistics elsewhere', async () => {
    const outputFile = join(folder, 'stats.arrow');
    const { result, buffers } = await engine.handle('weightStats', { path: model, outputFile }, {});
    const bytes = readFileSync(outputFile);
    expect(bytes.equals(buffers[0])).toBe(true);
    expect(tableFromIPC(bytes).numRows).toBe(result.rows);
  });
});
