/** Some thousand damaged models, as many as fit in the time. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(__dirname, '..', '..');

describe('npm run fuzz', () => {
  let out: string;
  beforeEach(() => (out = mkdtempSync(join(tmpdir(), 'castlens-found-'))));
  afterEach(() => rmSync(out, { recursive: true }));

  it('should find nothing but errors that name the file', () => {
    const { stdout, stderr } = spawnSync(
      process.execPath,
      [
        'scripts/run-ts.mjs',
        'test/fuzz/fuzz.ts',
        ...['--seed', '1', '--count', '3000', '--seconds', '50', '--run', '20', '--out', out]
      ],
      { cwd: root, encoding: 'utf8' }
    );
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^\d+ cases in process, \d+ through run: 0 faults of 0 kinds\n$/);
    expect(Number(/^\d+/.exec(stdout)![0])).toBeGreaterThan(100);
  }, 180_000);
});
