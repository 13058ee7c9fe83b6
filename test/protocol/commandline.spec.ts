import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { writeSynthetic } from '../../bench/models/synthetic';
import { onnxModel } from '../support/onnxmodel';
import { waitUntil } from './support/wait';

const cli = join(__dirname, '..', '..', 'dist', 'sidecar', 'cli.js');
const model = join(__dirname, '..', 'fixtures', 'seed-mlp', 'model.pt2');

describe('castlens run', () => {
  let home: string;
  beforeEach(() => (home = mkdtempSync(join(tmpdir(), 'castlens-home-'))));
  afterEach(() => rmSync(home, { recursive: true }));

  it("should leave no database of reports in the user's home", () => {
    // onnxruntime reports nothing where it is built or tested, which is what CI tells it.
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

describe('castlens check', () => {
  it.each([
    [['--max-weight-casts', '4'], 0, 'passed'],
    [[], 3, 'failed'],
    [
      ['--fail-on', 'weights-cast-every-forward', '--max-weight-casts', '4', '--markdown'],
      3,
      '### '
    ],
    [['--fail-on', 'no-such-finding'], 2, '']
  ])('should end as its limits say: %j', (options, exit, begins) => {
    const argv = [cli, 'check', model, ...options];
    const { status, stdout } = spawnSync(process.execPath, argv, {
      encoding: 'utf8',
      env: process.env
    });
    expect(status).toBe(exit);
    expect(stdout).toContain(begins);
  });
});

describe('castlens fix', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'castlens-fix-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  it.each(['SIGINT', 'SIGTERM'] as const)('should leave nothing behind on %s', async signal => {
    const path = join(folder, 'large.pt2');
    // Over 4 GB, which nothing copies before the signal arrives.
    await writeSynthetic(path, 'training', {
      width: 16,
      weights: [
        { name: 'w', width: 16 },
        { name: 'unused', width: 32_800 }
      ],
      steps: [{ op: 'matmul', inputs: ['x'], weight: 0, output: 'y', rows: 1, depth: 1 }]
    });
    const output = join(folder, 'fixed.pt2');
    writeFileSync(output, 'what was there');
    const child = spawn(process.execPath, [cli, 'fix', path, '-o', output]);
    let said = '';
    child.stderr.on('data', (text: Buffer) => (said += text.toString()));
    const ended = new Promise(resolve => child.on('close', (_, by) => resolve(by)));
    await waitUntil(() => readdirSync(folder).some(name => name.endsWith('.tmp')));
    child.kill(signal);
    expect(await ended).toBe(signal);
    expect(said).toBe('castlens: cancelled; nothing was written\n');
    expect(readdirSync(folder).sort()).toEqual(['fixed.pt2', 'large.pt2']);
    expect(existsSync(output)).toBe(true);
  });
});

describe('names of a file', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'castlens-names-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  it.each([
    ['census', []],
    ['census', ['--json']],
    ['run', []],
    ['run', ['--json']],
    ['compare', ['--runs', '1']],
    ['stats', []],
    ['stats', ['--activations']],
    ['fix', ['-o', 'fixed.onnx']],
    ['code', []],
    ['run', ['--dim', 'none=3']]
  ])('should steer no terminal: %s %j', (command, options) => {
    const bad = '\u001b]0;x\u0007\u001b[2J\n\u009b31m\u202e\u2028\u007f';
    const dtype = 'float32';
    const path = join(folder, 'model.onnx');
    writeFileSync(
      path,
      onnxModel({
        inputs: [{ name: `x${bad}`, dtype, shape: [2, 2] }],
        outputs: [{ name: `y${bad}`, dtype: 'bfloat16', shape: [2, 2] }],
        initializers: [
          {
            name: `w${bad}`,
            dtype,
            shape: [2, 2],
            data: new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer)
          }
        ],
        nodes: [
          {
            op: 'Cast',
            name: `a${bad}`,
            inputs: [`x${bad}`],
            outputs: [`xc${bad}`],
            ints: { to: 16 }
          },
          {
            op: 'Cast',
            name: `b${bad}`,
            inputs: [`w${bad}`],
            outputs: [`wc${bad}`],
            ints: { to: 16 }
          },
          { op: 'MatMul', name: `c${bad}`, inputs: [`xc${bad}`, `wc${bad}`], outputs: [`y${bad}`] }
        ]
      })
    );
    const { stdout, stderr } = spawnSync(process.execPath, [cli, command, path, ...options], {
      encoding: 'utf8',
      cwd: folder
    });
    expect(stdout + stderr).toMatch(/\\u001b|model\.onnx/);
    // eslint-disable-next-line no-control-regex
    expect(stdout + stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028-\u202e]/);
    for (const line of (stdout + stderr).split('\n')) {
      expect(line).not.toMatch(/^\\u009b/);
    }
  });
});
