import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync
} from 'node:fs';
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
  const place = (name: string): string => {
    const path = join(folder, name);
    mkdirSync(path);
    return path;
  };
  const write = (path: string): Promise<void> =>
    writeFileAtomically(path, sink => sink.write(Buffer.from('new')));
  const isPosix = process.platform !== 'win32';

  it('should let nobody else read a file before it is whole', async () => {
    const inside = place('private');
    const seen: number[] = [];
    const before = process.umask(0o022);
    try {
      for (const mode of [null, 0o644, 0o6755, 0o1777]) {
        const path = join(inside, `file-${mode}`);
        if (mode !== null) {
          writeFileSync(path, 'old');
          chmodSync(path, mode);
        }
        await writeFileAtomically(path, async sink => {
          const [temporary] = readdirSync(inside).filter(name => name.endsWith('.tmp'));
          seen.push(statSync(join(inside, temporary)).mode & 0o7777);
          await sink.write(Buffer.from('new'));
        });
        seen.push(statSync(path).mode & 0o7777);
      }
    } finally {
      process.umask(before);
    }
    // A program of somebody else's does not become one of its new writer's: no setuid, setgid and sticky bits.
    expect(seen).toEqual([0o600, 0o644, 0o600, 0o644, 0o600, 0o755, 0o600, 0o777]);
  });

  it('should keep the mode of a file that it replaces', async () => {
    const path = join(place('modes'), 'file');
    writeFileSync(path, 'old');
    chmodSync(path, 0o600);
    await write(path);
    expect([readFileSync(path, 'utf8'), statSync(path).mode & 0o777]).toEqual(['new', 0o600]);
  });

  it('should write the file that links lead to, whether it is there or not', async () => {
    const inside = place('links');
    const [link, first, target] = ['link', 'first', 'target'].map(name => join(inside, name));
    symlinkSync('first', link);
    symlinkSync(target, first);
    for (const text of ['none', 'old']) {
      if (text === 'old') {
        writeFileSync(target, text);
      }
      await write(link);
      expect([readlinkSync(link), readlinkSync(first)]).toEqual(['first', target]);
      expect(lstatSync(target).isFile()).toBe(true);
      expect(readFileSync(target, 'utf8')).toBe('new');
    }
  });

  it('should say so where links lead round and round', async () => {
    const inside = place('round');
    symlinkSync('b', join(inside, 'a'));
    symlinkSync('a', join(inside, 'b'));
    await expect(write(join(inside, 'a'))).rejects.toMatchObject({
      code: 'bad-argument',
      details: { found: 'ELOOP' }
    });
  });

  (isPosix ? it : it.skip)('should write into a pipe and leave it a pipe', async () => {
    const pipe = join(place('pipes'), 'pipe');
    expect(spawnSync('mkfifo', [pipe]).status).toBe(0);
    await expect(write(pipe)).rejects.toMatchObject({
      code: 'bad-argument',
      details: { file: pipe }
    });
    // More than a pipe holds, so that the writer has to wait for its reader.
    const bytes = Buffer.alloc(1 << 20, 7);
    const opened = spawn('sh', ['-c', `cat '${pipe}' | wc -c`], {
      stdio: ['ignore', 'pipe', 'inherit']
    });
    let text = '';
    opened.stdout.on('data', data => (text += String(data)));
    for (;;) {
      try {
        await writeFileAtomically(pipe, sink => sink.write(bytes));
        break;
      } catch (error) {
        // The reader has not opened it yet.
        expect(error).toMatchObject({ message: expect.stringContaining('nobody reads') as string });
        await new Promise(resolve => setImmediate(resolve));
      }
    }
    await once(opened, 'close');
    expect(Number(text)).toBe(bytes.length);
    expect(lstatSync(pipe).isFIFO()).toBe(true);
    expect(readdirSync(join(folder, 'pipes'))).toEqual(['pipe']);
  });

  (isPosix ? it : it.skip)('should write into a device and leave it a device', async () => {
    const inside = place('devices');
    const device = join(inside, 'null');
    if (spawnSync('mknod', [device, 'c', '1', '3']).status !== 0) {
      // Only root may make one.
      return;
    }
    symlinkSync(device, join(inside, 'link'));
    try {
      await write(device);
      await write(join(inside, 'link'));
    } catch (error) {
      // Some containers let nobody open a device of their own.
      expect(error).toMatchObject({ details: { found: 'EACCES' } });
    }
    expect(lstatSync(device).isCharacterDevice()).toBe(true);
    expect(lstatSync(join(inside, 'link')).isSymbolicLink()).toBe(true);
  });

  it('should remove what a killed process left of the same file, and nothing else', async () => {
    const { pid } = spawnSync(process.execPath, ['--version']);
    const own = processTag();
    const [machine, namespace, , start] = own.split('-');
    const ended = [machine, namespace, pid.toString(36), start].join('-');
    const elsewhere = ['00000000', namespace, pid.toString(36), start].join('-');
    const leftover = `.model.pt2.${ended}-0123456789ab.tmp`;
    const others = [
      `.model.pt2.${own}-0123456789ab.tmp`,
      `.model.pt2.${elsewhere}-0123456789ab.tmp`,
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
