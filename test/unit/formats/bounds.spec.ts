/** What a few bytes may ask for. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readModel } from '../../../src/formats';
import { ReadBudget } from '../../../src/formats/readbudget';
import type { CastlensError } from '../../../src/model';
import { zipArchive } from '../../fuzz/zip';

const folder = mkdtempSync(join(tmpdir(), 'bounds-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function failure(name: string, bytes: Uint8Array): Promise<CastlensError> {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return readModel(path).then(
    () => {
      throw new Error('was read');
    },
    (error: CastlensError) => error
  );
}

describe('ReadBudget', () => {
  it('should allow any file a million items, and more in proportion to its size', () => {
    const take = (sizeBytes: number): number => {
      const budget = new ReadBudget('f', sizeBytes);
      let count = 0;
      try {
        for (;;) {
          budget.takeItem('e');
          count++;
        }
      } catch (error) {
        expect((error as CastlensError).details).toMatchObject({ file: 'f', entry: 'e' });
        return count;
      }
    };
    expect(take(0)).toBe(1_000_000);
    expect(take(8_000_000)).toBe(2_000_000);
  });
});

describe('readModel()', () => {
  it('should refuse a deflated record by the size it claims, before decoding it', async () => {
    const data = Buffer.alloc(65 * 2 ** 20, '[');
    const error = await failure(
      'bomb.pt2',
      zipArchive([{ name: 'm/models/model.json', data, deflated: true }])
    );
    expect(error.message).toContain('the compressed records of the file are too large');
    expect(error.details).toMatchObject({
      file: join(folder, 'bomb.pt2'),
      entry: 'm/models/model.json'
    });
  });

  it('should refuse what describes more values than the file has bytes for', async () => {
    const data = Buffer.from(`{"a":[${'{},'.repeat(2 ** 20)}{}]}`);
    const error = await failure(
      'values.pt2',
      zipArchive([{ name: 'm/models/model.json', data, deflated: true }])
    );
    expect(error.message).toContain('describes more than its size allows');
    expect(error.details.entry).toBe('models/model.json');
  });
});
