/**
 * Runs whose temporary files find no room. A file system of some KiB is mounted for each, which takes root on Linux.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const cli = join(__dirname, '..', '..', 'dist', 'sidecar', 'cli.js');
const model = join(__dirname, '..', 'fixtures', 'convnet', 'model.pt2');

/** Mount a small disk, fill it but for `$2` KiB, run a command with its temporary files there, and say what is left. */
const SCRIPT = `
set -e
mount -t tmpfs -o size=1024k tmpfs "$1"
head -c $(( (1024 - $2) * 1024 )) /dev/zero > "$1/filler"
export TMPDIR="$1"; shift 2
set +e
"$@" > /dev/null; status=$?
echo "$(ls -A "$TMPDIR")"
exit $status
`;

const canMount =
  process.platform === 'linux' &&
  process.getuid?.() === 0 &&
  spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0;

(canMount ? describe : describe.skip)('a run on a full disk', () => {
  let folder: string;
  beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'castlens-full-'))));
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each([
    ['off', 0],
    ['off', 8],
    ['folded', 0],
    ['folded', 8]
  ])('should say so: mode %s, %i KiB free', (cache, freeKib) => {
    const command = [process.execPath, cli, 'run', model, '--cache', cache];
    const args = ['-m', 'sh', '-c', SCRIPT, 'sh', folder, String(freeKib), ...command];
    const { status, stdout, stderr } = spawnSync('unshare', args, { encoding: 'utf8' });
    expect(stderr).toMatch(/^castlens: .*: the disk is full; found ENOSPC.*TMPDIR/);
    expect(stderr).toContain(folder);
    expect(status).toBe(1);
    expect(stdout).toBe('filler\n');
  });
});
