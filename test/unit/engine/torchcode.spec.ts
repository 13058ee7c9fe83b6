/**
 * The code request, on real exports.
 *
 * @jest-environment ./test/support/ortenvironment.cjs
 */
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Engine } from '../../../src/engine/service';
import type { ICodeResult, Params } from '../../../src/protocol';

const FIXTURES = join(__dirname, '../../fixtures');
const MLP = join(FIXTURES, 'seed-mlp', 'model.pt2');
/** Tied: one weight is an embedding table and the output layer. */
const MIXED = join(FIXTURES, 'gpt2', 'model.pt2');

/** Keys of a table of the code, with their values. */
function table(code: string, name: string): Record<string, string> {
  const body = new RegExp(`^${name} = [{[]\\n([^}\\]]*)[}\\]]`, 'm').exec(code)?.[1] ?? '';
  return Object.fromEntries(
    [...body.matchAll(/^ {4}\(?"(.*)"[:,] torch\.(\w+)\)?,$/gm)].map(([, key, dtype]) => [
      key,
      dtype
    ])
  );
}

describe('Engine#code', () => {
  const engine = new Engine();
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'castlens-code-'));
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  async function code(params: Params<'code'>): Promise<ICodeResult> {
    return (await engine.handle('code', params, {})).result;
  }

  it.each([MLP, MIXED, join(FIXTURES, 'llama', 'model.core.pt2')])(
    'should list exactly the weights that fix converts: %s',
    async path => {
      for (const mixed of ['leave', 'keep-both'] as const) {
        const { result } = await engine.handle(
          'fix',
          { path, output: join(folder, 'fixed.pt2'), mixed, overwrite: true },
          {}
        );
        const written = await code({ path, mixed });
        const names = (isCopy: boolean) =>
          result.converted
            .filter(({ copy }) => (copy !== undefined) === isCopy)
            .map(({ weight }) => weight);
        expect(Object.keys(table(written.code, 'LOW_PRECISION'))).toEqual(
          expect.arrayContaining(names(false))
        );
        expect(Object.keys(table(written.code, 'KEEP_BOTH'))).toEqual(
          expect.arrayContaining(names(true))
        );
        for (const { weight, reason } of result.left) {
          expect(written.code).toContain(`#   "${weight}": ${reason}`);
          expect(table(written.code, 'LOW_PRECISION')).not.toHaveProperty([weight]);
        }
      }
    }
  );

  it('should write the strategies asked for, and refuse those that do not apply', async () => {
    const { strategies } = await code({ path: MLP, strategies: ['freezing', 'preconvert'] });
    expect(strategies).toEqual(['preconvert', 'freezing']);
    await expect(code({ path: MLP, strategies: ['onnx-folding'] })).rejects.toMatchObject({
      code: 'bad-argument',
      details: { found: 'onnx-folding' }
    });
    const onnx = await code({ path: join(FIXTURES, 'seed-mlp', 'model.onnx') });
    expect(onnx.strategies).toEqual(['onnx-folding', 'preconvert']);
  });

  it('should write a file, and replace one only where that is asked for', async () => {
    const codeFile = join(folder, 'code.py');
    const first = await code({ path: MLP, codeFile });
    expect(readFileSync(codeFile, 'utf8')).toBe(first.code);
    writeFileSync(codeFile, 'mine');
    await expect(code({ path: MLP, codeFile })).rejects.toMatchObject({ code: 'file-exists' });
    expect(readFileSync(codeFile, 'utf8')).toBe('mine');
    await code({ path: MLP, codeFile, overwrite: true });
    expect(readFileSync(codeFile, 'utf8')).toBe(first.code);
  });

  it('should write it beside the repaired file', async () => {
    const output = join(folder, 'fixed.pt2');
    const codeFile = join(folder, 'fixed.py');
    const { result } = await engine.handle('fix', { path: MLP, output, codeFile }, {});
    expect(result.codeFile).toBe(codeFile);
    expect(readFileSync(codeFile, 'utf8')).toBe((await code({ path: MLP })).code);
  });

  it('should name every file that a repair would replace, and write none', async () => {
    const output = join(folder, 'fixed.pt2');
    const codeFile = join(folder, 'fixed.py');
    writeFileSync(codeFile, 'mine');
    const fix = () => engine.handle('fix', { path: MLP, output, codeFile }, {});
    await expect(fix()).rejects.toMatchObject({ code: 'file-exists', details: { file: codeFile } });
    expect(existsSync(output)).toBe(false);
    writeFileSync(output, 'mine too');
    await expect(fix()).rejects.toMatchObject({ details: { file: `${output}, ${codeFile}` } });
    expect(readFileSync(output, 'utf8')).toBe('mine too');
  });

  it('should not write code over a model', async () => {
    const path = join(folder, 'model.pt2');
    copyFileSync(MLP, path);
    const output = join(folder, 'fixed.pt2');
    for (const codeFile of [path, output, join(folder, 'other.onnx')]) {
      const params = { path, output, codeFile, overwrite: true };
      await expect(engine.handle('fix', params, {})).rejects.toMatchObject({
        code: 'bad-argument'
      });
    }
    expect(readFileSync(path).equals(readFileSync(MLP))).toBe(true);
  });
});
