import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { processTag, writeFileAtomically, writeFilesAtomically } from '../../../src/formats';
import { temporaryFolder } from './samples';

const folder = temporaryFolder();

describe('writeFilesAtomically()', () => {
  it('should give no file its name before all of them are written', async () => {
    const [first, second] = ['first', 'second'].map(name => join(folder, name));
    writeFileSync(first, 'old');
    const write = writeFilesAtomically([
      { path: first, produce: sink => sink.write(Buffer.from('new')) },
      {
        path: second,
        produce: () => {
          expect(readFileSync(first, 'utf8')).toBe('old');
          return Promise.reject(new Error('no'));
        }
      }
    ]);
    await expect(write).rejects.toThrow('no');
    expect(readdirSync(folder)).toEqual(['first']);
    expect(readFileSync(first, 'utf8')).toBe('old');
  });

  it('should say which file cannot take its name', async () => {
    const taken = join(folder, 'taken');
    mkdirSync(join(taken, 'by a folder'), { recursive: true });
    const write = writeFileAtomically(taken, sink => sink.write(Buffer.from('new')));
    await expect(write).rejects.toMatchObject({
      code: 'bad-argument',
      details: { file: taken, found: expect.stringMatching(/^E/) as string }
    });
    expect(readdirSync(folder)).toEqual(['first', 'taken']);
  });
});

describe('writeFileAtomically()', () => {
  it('should remove what a killed process left of the same file, and nothing else', async () => {
    const { pid } = spawnSync(process.execPath, ['--version']);
    const own = processTag();
    const ended = own.replace(/\d+$/, String(pid));
    const leftover = `.model.pt2.${ended}-0123456789ab.tmp`;
    const others = [
      `.model.pt2.${own}-0123456789ab.tmp`,
      `.model.pt2.00000000-${pid}-0123456789ab.tmp`,
      `.model.pt2.data.${ended}-0123456789ab.tmp`,
      `.other.pt2.${ended}-0123456789ab.tmp`,
      '.model.pt2.tmp',
      '.model.pt2.0123456789ab.tmp'
    ];
    const place = join(folder, 'leftovers');
    mkdirSync(place);
    [leftover, ...others].forEach(name => writeFileSync(join(place, name), ''));
    await writeFileAtomically(join(place, 'model.pt2'), sink => sink.write(Buffer.from('new')));
    expect(existsSync(join(place, leftover))).toBe(false);
    expect(readdirSync(place).sort()).toEqual([...others, 'model.pt2'].sort());
  });
});
