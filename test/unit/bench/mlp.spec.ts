import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { IMlpOptions } from '../../../bench/models/mlp';
import { mlpRecords, writeMlp } from '../../../bench/models/mlp';
import { readModel } from '../../../src/formats';
import { testFolder } from '../runtime/helpers';

const OPTIONS: IMlpOptions = { layers: 4, width: 48, hidden: 64, batch: 4, dtype: 'bfloat16' };

/** What torch 2.13.0 wrote: `python bench/models/mlp.py OUT.pt2 --layers 4 --width 48 --hidden 64`, paths shortened. */
const torchs = JSON.parse(readFileSync(join(__dirname, 'data/mlp.json'), 'utf8')) as {
  records: string[];
  model: unknown;
  weights: unknown;
};

function textOf(name: string): string {
  const record = mlpRecords('m', OPTIONS).find(candidate => candidate.name === `m/${name}`);
  return record?.source.kind === 'text' ? record.source.text : '';
}

describe('mlpRecords', () => {
  it('describes the program as torch does, to the letter', () => {
    expect(JSON.parse(textOf('models/model.json'))).toEqual(torchs.model);
    // The order of keys too.
    expect(textOf('models/model.json') === JSON.stringify(torchs.model)).toBe(true);
    expect(textOf('data/weights/model_weights_config.json')).toBe(JSON.stringify(torchs.weights));
  });

  it('has the records that torch writes', () => {
    expect(mlpRecords('m', OPTIONS).map(({ name }) => name.slice(2))).toEqual(torchs.records);
  });

  it('names lines that are there', () => {
    const lines = readFileSync(join(__dirname, '../../../bench/models/mlp.py'), 'utf8').split('\n');
    const named = textOf('models/model.json').matchAll(
      /bench\/models\/mlp\.py\\", line (\d+), in forward\\n {4}(.*?)(?:\\n|")/g
    );
    const found = [...named].map(([, line, code]) => [lines[Number(line) - 1].trim(), code]);
    expect(found).toHaveLength(7);
    found.forEach(([line, code]) => expect(line).toBe(code));
  });
});

describe('writeMlp', () => {
  const folder = testFolder();

  it('writes a file that castlens reads', async () => {
    const path = join(folder.path, 'small.pt2');
    await writeMlp(path, OPTIONS);
    const model = await readModel(path);
    expect(model).toMatchObject({ dialect: 'TRAINING', torchVersion: '2.13.0' });
    expect(model.weights.map(({ names, shape }) => [names[0], shape])).toEqual([
      ['layers.0.weight', [64, 48]],
      ['layers.1.weight', [48, 64]],
      ['layers.2.weight', [64, 48]],
      ['layers.3.weight', [48, 64]]
    ]);
    expect(model.regions).toMatchObject([{ device: 'cpu', dtype: 'bfloat16', enabled: true }]);
  });

  it('writes the same weights every time, and others for another seed', async () => {
    const write = async (name: string, seed: number): Promise<Buffer> => {
      const path = join(folder.path, `${name}.pt2`);
      await writeMlp(path, { ...OPTIONS, seed });
      return readFileSync(path).subarray(200, 12_000);
    };
    const first = await write('a', 0);
    expect((await write('b', 0)).equals(first)).toBe(true);
    expect((await write('c', 1)).equals(first)).toBe(false);
  });
});
