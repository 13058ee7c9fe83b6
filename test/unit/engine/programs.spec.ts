/**
 * Archives with several programs: each can be chosen, and nobody takes the first without being told.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { Engine } from '../../../src/engine/service';
import { changedCopy, fixture, readRecords } from '../formats/samples';
import { testFolder } from '../runtime/helpers';

/** Records of a program of `torch.export.save`, under another name and with payloads of its own. */
async function programAs(name: string, file: string): Promise<Map<string, Uint8Array>> {
  const own = await readRecords(file);
  const renamed = new Map<string, Uint8Array>();
  for (const [record, bytes] of own) {
    if (/^(models|data)\//.test(record)) {
      const text = /_config\.json$/.test(record)
        ? Buffer.from(
            Buffer.from(bytes)
              .toString('utf8')
              .replace(/"path_name": ?"/g, start => `${start}${name}_`)
          )
        : bytes;
      renamed.set(
        record.replace(/\/(model|weight|tensor)([._][^/]*)$/, (_, stem: string, rest: string) =>
          stem === 'model' ? `/${name}${rest}` : `/${name}_${stem}${rest}`
        ),
        text
      );
    }
  }
  return renamed;
}

describe('an archive with several programs', () => {
  const folder = testFolder();
  const engine = new Engine();
  let path: string;

  beforeEach(async () => {
    path = join(folder.path, 'two.pt2');
    const encode = await programAs('encode', fixture('seed-mlp/model.pt2'));
    const decode = await programAs('decode', fixture('reused-weights/model.pt2'));
    await changedCopy(fixture('seed-mlp/model.pt2'), path, records => {
      for (const record of [...records.keys()].filter(name => /^(models|data)\//.test(name))) {
        records.delete(record);
      }
      [...encode, ...decode].forEach(([name, bytes]) => records.set(name, bytes));
    });
  });

  async function casts(file: string, program?: string): Promise<number> {
    const { result } = await engine.handle('census', { path: file, program }, {});
    return result.perForward.off.weightCasts;
  }

  it('should name all programs where none is chosen, and keep quiet where one is', async () => {
    const [warning, ...others] = await engine.warnings({ path });
    expect(others).toEqual([]);
    expect(warning).toContain("2 programs (encode, decode); this is 'encode'");
    expect(warning).toContain('--program');
    expect(await engine.warnings({ path, program: 'encode' })).toEqual([]);
  });

  it('should read each program, whichever was read before', async () => {
    const encode = await casts(fixture('seed-mlp/model.pt2'));
    const decode = await casts(fixture('reused-weights/model.pt2'));
    expect(decode).not.toBe(encode);
    expect(await casts(path, 'decode')).toBe(decode);
    expect(await casts(path)).toBe(encode);
    expect(await casts(path, 'encode')).toBe(encode);
    expect(await casts(path, 'decode')).toBe(decode);
  });

  it('should list the names where there is none of the one asked for', async () => {
    await expect(engine.handle('census', { path, program: 'model' }, {})).rejects.toMatchObject({
      code: 'bad-argument',
      details: { file: path, expected: 'encode, decode', found: "'model'" }
    });
    const single = fixture('seed-mlp/model.pt2');
    await expect(engine.handle('census', { path: single, program: 'x' }, {})).rejects.toMatchObject(
      { details: { expected: 'model' } }
    );
    const onnx = fixture('seed-mlp/model.onnx');
    await expect(engine.handle('census', { path: onnx, program: 'x' }, {})).rejects.toMatchObject({
      code: 'bad-argument'
    });
  });

  it.each(['encode', 'decode'])('should repair %s and copy the other', async program => {
    const other = program === 'encode' ? 'decode' : 'encode';
    const output = join(folder.path, `${program}.pt2`);
    const { result } = await engine.handle('fix', { path, program, output }, {});
    expect(result.programs).toEqual({ repaired: program, others: [other] });
    expect(result.converted).not.toHaveLength(0);
    expect(await casts(output, program)).toBe(result.weightCastsAfter);
    expect(await casts(output, other)).toBe(await casts(path, other));
    const [before, after] = [await readRecords(path), await readRecords(output)];
    for (const [name, bytes] of before) {
      if (name.includes(other)) {
        expect(after.get(name)).toEqual(bytes);
      }
    }
    expect(readFileSync(output).length).toBeLessThan(readFileSync(path).length);
  });
});
