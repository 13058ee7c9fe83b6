import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const cli = join(__dirname, '..', '..', 'dist', 'sidecar', 'cli.js');
const model = join(__dirname, '..', 'fixtures', 'seed-mlp', 'model.pt2');

describe('running a model', () => {
  let home: string;
  beforeEach(() => (home = mkdtempSync(join(tmpdir(), 'castlens-home-'))));
  afterEach(() => rmSync(home, { recursive: true }));

  it('should make no database of reports about it', () => {
    // onnxruntime reports nothing where it is built or tested, which is what this variable tells it.
    const env = { ...process.env, HOME: home, CI: undefined, XDG_CACHE_HOME: undefined };
    const { status, stdout } = spawnSync(process.execPath, [cli, 'run', model, '--json'], {
      env,
      encoding: 'utf8'
    });
    expect(status).toBe(0);
    expect((JSON.parse(stdout) as { outputs: unknown[] }).outputs).toHaveLength(1);
    expect(readdirSync(home)).toEqual([]);
  });
});
