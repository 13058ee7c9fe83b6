/**
 * Repaired types: files that onnxruntime refused run, and compute what castlens computed of them before.
 *
 * @jest-environment ./test/support/ortenvironment.cjs
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { Engine } from '../../../src/engine/service';
import { temporaryFolder } from '../formats/samples';
import type { ITypeCase } from '../operators/typecases';
import { TYPE_CASES, TYPE_FORMS, writeTypeCase } from '../operators/typecases';

const folder = temporaryFolder();
const engine = new Engine();
afterAll(() => engine.dispose());

const fileOf = (one: ITypeCase): string => writeTypeCase(folder, one);

async function fix(path: string) {
  const output = path.replace(/\.onnx$/, '_fixed.onnx');
  const { result } = await engine.handle('fix', { path, output, types: true, overwrite: true }, {});
  return { output, ...result.types! };
}

async function summaryOf(path: string) {
  const variant = { cache: 'off', passes: [], device: 'cpu' } as const;
  return (await engine.handle('run', { path, variant }, {})).result.outputs;
}

const forms = TYPE_FORMS.filter(({ isValid }) => !isValid);

describe('fix with types', () => {
  it.each(forms.map(one => [one.name, one] as const))(
    'should repair %s so that onnxruntime runs it with the same outputs',
    async (_, one) => {
      const path = fileOf(one);
      const { output, changes, left } = await fix(path);
      expect(left).toEqual([]);
      expect(changes).not.toEqual([]);
      const variant = { cache: 'onnxruntime', passes: [], device: 'cpu' } as const;
      const run = await engine.handle('run', { path: output, variant }, {});
      expect(run.result.findings.map(({ code }) => code)).not.toContain('exported-graph-refused');
      const { result } = await engine.handle('census', { path: output }, {});
      expect(result.findings.map(({ code }) => code)).not.toContain('invalid-types');
      // Where an output was declared in another type, callers are given that one.
      if (!/output|Cast|branches of|loop/.test(one.name)) {
        expect(await summaryOf(output)).toEqual(await summaryOf(path));
      }
    }
  );

  it('should store initializers in the type that every use wants, and add no cast of a weight', async () => {
    const { output, changes } = await fix(
      fileOf(TYPE_CASES.find(({ name }) => name.startsWith('LayerNormalization'))!)
    );
    expect(changes).toEqual(['g is stored in float32 now', 'b is stored in float32 now']);
    const { result } = await engine.handle('census', { path: output }, {});
    expect(result.perForward.off.weightCasts).toBe(0);
  });

  it('should cast an initializer that a branch returns as well, and leave it as it is stored', async () => {
    const { changes } = await fix(
      fileOf(
        TYPE_CASES.find(({ name }) => name === 'an initializer that a branch returns and adds')!
      )
    );
    expect(changes).toEqual(['w is cast to float32 before sum (Add)']);
  });

  it('should claim no change in a function of the model, and say what is wrong there still', async () => {
    const { changes, left } = await fix(
      fileOf(TYPE_CASES.find(({ name }) => name === 'operands of two types in a function')!)
    );
    expect(changes).toEqual([]);
    expect(left).toHaveLength(1);
    expect(left[0]).toContain('is float16');
  });

  it('should leave valid files as they are, byte for byte', async () => {
    const path = fileOf(TYPE_CASES.find(({ name }) => name === 'test_abs')!);
    const { output, changes } = await fix(path);
    expect(changes).toEqual([]);
    expect(readFileSync(output)).toEqual(readFileSync(path));
  });

  it('should say what is still wrong where there is something to choose', async () => {
    const path = fileOf(
      TYPE_CASES.find(({ name }) => /^test_reduce_l1.* axes as FLOAT/.test(name))!
    );
    const { left } = await fix(path);
    expect(left).toHaveLength(1);
    expect(left[0]).toMatch(/axes \(axes\) is float(16|32); operator set 18 has int64/);
  });

  it('should refuse a .pt2 file, and other repairs beside it', async () => {
    const output = join(folder, 'out');
    await expect(
      engine.handle('fix', { path: 'examples/mlp.pt2', output: `${output}.pt2`, types: true }, {})
    ).rejects.toMatchObject({ code: 'bad-argument' });
    await expect(
      engine.handle(
        'fix',
        { path: fileOf(forms[0]), output: `${output}.onnx`, types: true, mixed: 'keep-both' },
        {}
      )
    ).rejects.toMatchObject({ code: 'bad-argument' });
  });
});
