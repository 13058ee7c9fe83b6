/**
 * Repaired files, read and run by castlens itself.
 *
 * @jest-environment ./test/support/ortenvironment.cjs
 */
import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Engine } from '../../../src/engine/service';
import type { IFixResult, IVariant, MixedWeights } from '../../../src/protocol';
import { writeExternalOnnx } from './externalonnx';

const FIXTURES = join(__dirname, '../../fixtures');
const FILES = ['model.pt2', 'model.core.pt2', 'model.onnx'];
const OFF: IVariant = { cache: 'off', passes: [], device: 'cpu' };

const cases = readdirSync(FIXTURES, { withFileTypes: true })
  .filter(entry => entry.isDirectory())
  .flatMap(({ name }) =>
    FILES.filter(file => existsSync(join(FIXTURES, name, file))).map(file => [name, file])
  );

/** Tied: one weight is an embedding table and the output layer. */
const MIXED = 'gpt2';

describe('Engine#fix', () => {
  let folder: string;
  const engine = new Engine();

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'castlens-fix-'));
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  async function fix(path: string, output: string, mixed?: MixedWeights): Promise<IFixResult> {
    return (await engine.handle('fix', { path, output, mixed }, {})).result;
  }

  async function outputs(path: string, inputsFile: string): Promise<Buffer> {
    const outputsFile = join(folder, 'out.safetensors');
    await engine.handle('run', { path, variant: OFF, inputs: { inputsFile }, outputsFile }, {});
    return readFileSync(outputsFile);
  }

  it('should have found the files', () => {
    expect(cases).toHaveLength(29);
  });

  it.each(cases)(
    'should write %s %s without removable casts, computing the same bits',
    async (name, file) => {
      const path = join(FIXTURES, name, file);
      const output = join(folder, file);
      const before = readFileSync(path);
      const result = await fix(path, output);
      expect(readFileSync(path).equals(before)).toBe(true);
      const { result: old } = await engine.handle('open', { path }, {});
      const { result: opened } = await engine.handle('open', { path: output }, {});
      expect(result.weightCastsBefore).toBe(old.census.perForward.off.weightCasts);
      expect(result.weightCastsAfter).toBe(name === MIXED ? 1 : 0);
      expect(opened.census.perForward.off.weightCasts).toBe(result.weightCastsAfter);
      expect(opened.census.activationCasts).toBe(old.census.activationCasts);
      expect(opened.census.findings.map(({ code }) => code)).not.toContain('dtype-mismatch');
      expect(result.left.map(({ weight }) => weight)).toEqual(
        opened.census.weightCasts.map(({ weight }) => weight)
      );
      expect(result.sizeAfter).toBe(readFileSync(output).length);
      if (opened.unsupported.length === 0) {
        const inputs = join(FIXTURES, name, 'inputs.safetensors');
        expect((await outputs(output, inputs)).equals(await outputs(path, inputs))).toBe(true);
      }
    }
  );

  it.each(FILES)('should find nothing to do in what it wrote: %s', async file => {
    const once = join(folder, `once-${file}`);
    const twice = join(folder, `twice-${file}`);
    await fix(join(FIXTURES, 'seed-mlp', file), once);
    const result = await fix(once, twice);
    expect(result).toMatchObject({ converted: [], left: [], weightCastsBefore: 0 });
    expect(readFileSync(twice).equals(readFileSync(once))).toBe(true);
  });

  it.each(['model.pt2', 'model.onnx'])(
    'should keep both copies of a weight used in both precisions: %s',
    async file => {
      const path = join(FIXTURES, MIXED, file);
      const output = join(folder, file);
      const result = await fix(path, output, 'keep-both');
      expect(result.left).toEqual([]);
      expect(result.weightCastsAfter).toBe(0);
      expect(result.converted.filter(({ copy }) => copy !== undefined)).toHaveLength(1);
      const { result: opened } = await engine.handle('open', { path: output }, {});
      if (opened.unsupported.length === 0) {
        const inputs = join(FIXTURES, MIXED, 'inputs.safetensors');
        expect((await outputs(output, inputs)).equals(await outputs(path, inputs))).toBe(true);
      }
    }
  );

  it('should keep external data external, in one new file', async () => {
    const source = join(folder, 'source');
    const target = join(folder, 'target');
    [source, target].forEach(path => mkdirSync(path));
    const path = await writeExternalOnnx(join(FIXTURES, 'seed-mlp', 'model.onnx'), source);
    const output = join(target, 'model.onnx');
    const result = await fix(path, output);
    expect(result.files).toEqual([output, `${output}.data`]);
    expect(result.weightCastsAfter).toBe(0);
    expect(result.converted.length).toBeGreaterThan(0);
    expect(result.sizeAfter).toBeLessThan(0.6 * result.sizeBefore);
    const inputs = join(FIXTURES, 'seed-mlp', 'inputs.safetensors');
    expect((await outputs(output, inputs)).equals(await outputs(path, inputs))).toBe(true);
    await expect(fix(path, path.replace(/\.data$/, ''))).rejects.toMatchObject({
      code: 'bad-argument'
    });
    const again = await fix(output, join(folder, 'model.onnx'));
    expect(again.converted).toEqual([]);
    expect(readFileSync(join(folder, 'model.onnx')).equals(readFileSync(output))).toBe(true);
  });

  it('should never write over a file of the model, under whatever name', async () => {
    const path = join(folder, 'model.pt2');
    copyFileSync(join(FIXTURES, 'seed-mlp', 'model.pt2'), path);
    const before = readFileSync(path);
    symlinkSync(path, join(folder, 'symbolic.pt2'));
    linkSync(path, join(folder, 'hard.pt2'));
    for (const name of ['model.pt2', 'symbolic.pt2', 'hard.pt2']) {
      await expect(fix(path, join(folder, name))).rejects.toMatchObject({ code: 'bad-argument' });
    }
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it('should refuse a folder that does not exist, and one in place of the file', async () => {
    const path = join(FIXTURES, 'seed-mlp', 'model.pt2');
    await expect(fix(path, join(folder, 'missing', 'm.pt2'))).rejects.toMatchObject({
      code: 'file-not-found'
    });
    await expect(fix(path, folder)).rejects.toMatchObject({ code: 'bad-argument' });
  });

  it.each(FILES)('should leave nothing behind when cancelled: %s', async file => {
    const controller = new AbortController();
    const running = engine.handle(
      'fix',
      { path: join(FIXTURES, 'seed-mlp', file), output: join(folder, file) },
      { signal: controller.signal, progress: () => controller.abort() }
    );
    await expect(running).rejects.toMatchObject({ code: 'cancelled' });
    expect(readdirSync(folder)).toEqual([]);
  });
});
