/**
 * Files that are left where a process ends in the middle of its work: none, however it ends.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  writeFileSync
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { writeSynthetic } from '../../bench/models/synthetic';
import { CommClient } from './support/commclient';
import { KernelProcess } from './support/kernelprocess';
import { waitUntil } from './support/wait';

const cli = join(__dirname, '..', '..', 'dist', 'sidecar', 'cli.js');
const model = join(__dirname, '..', 'fixtures', 'seed-mlp', 'model.pt2');

describe('temporary folders', () => {
  let folder: string;
  let scratch: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'castlens-left-'));
    scratch = join(folder, 'tmp');
    mkdirSync(scratch);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const left = (): string[] => readdirSync(scratch);
  const env = () => ({ ...process.env, TMPDIR: scratch });

  /** A kernel whose engine holds converted weights. */
  const startKernel = async (): Promise<{ kernel: KernelProcess; comm: CommClient }> => {
    const kernel = await KernelProcess.start({ env: { TMPDIR: scratch } });
    const comm = await CommClient.open(await kernel.connect());
    const variant = { cache: 'folded', passes: [], device: 'cpu' };
    const { message } = await comm.request('run', { path: model, variant });
    expect(message.type).toBe('result');
    const [made] = left();
    expect(readdirSync(join(scratch, made))).not.toEqual([]);
    return { kernel, comm };
  };

  it.each<[string, (kernel: KernelProcess) => unknown]>([
    [
      'shutdown',
      async kernel =>
        (await kernel.connect()).request('control', 'shutdown_request', { restart: false })
    ],
    [
      'restart',
      async kernel =>
        (await kernel.connect()).request('control', 'shutdown_request', { restart: true })
    ],
    ['SIGTERM', kernel => kernel.kill('SIGTERM')],
    ['SIGHUP', kernel => kernel.kill('SIGHUP')]
  ])('should be gone when the kernel has ended: %s', async (_how, end) => {
    const { kernel } = await startKernel();
    try {
      await end(kernel);
      expect(await kernel.exited).toBe(0);
      expect(left()).toEqual([]);
    } finally {
      await kernel.dispose();
    }
  });

  it.each<[string, (kernel: KernelProcess) => void]>([
    ['kernel', kernel => kernel.kill('SIGKILL')],
    ['engine', kernel => process.kill(kernel.child(/engine/)!, 'SIGKILL')]
  ])('should be gone a moment after the %s was killed', async (_who, kill) => {
    const { kernel } = await startKernel();
    try {
      kill(kernel);
      await waitUntil(() => left().length === 0);
    } finally {
      await kernel.dispose();
    }
  });

  it('should be removed by the next start where nobody was left to do so', async () => {
    const { kernel } = await startKernel();
    const [made] = left();
    const engine = kernel.child(/engine/)!;
    await kernel.dispose();
    await waitUntil(() => left().length === 0);
    // As it would have been left, with the name of its engine.
    expect(made).toContain(`-${engine.toString(36)}-`);
    mkdirSync(join(scratch, made));
    writeFileSync(join(scratch, made, 'weights.bin'), '');
    const next = spawn(process.execPath, [cli, 'census', model], { env: env(), stdio: 'ignore' });
    await once(next, 'exit');
    expect(left()).toEqual([]);
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGKILL'] as const)(
    'should be gone a moment after a command was ended: %s',
    async signal => {
      const args = [cli, 'compare', model, '--cache', 'folded', '--runs', '1000000'];
      const child = spawn(process.execPath, args, { env: env(), stdio: 'ignore' });
      const ended = once(child, 'exit');
      await waitUntil(() => left().some(name => readdirSync(join(scratch, name)).length > 1));
      child.kill(signal);
      expect(await ended).toEqual([null, signal]);
      await waitUntil(() => left().length === 0);
    }
  );

  it.each(['census', 'fix', 'run'])('should end at once while it reads: %s', async command => {
    const path = join(folder, 'wide.pt2');
    // What takes seconds to read.
    const weights = Array.from({ length: 20_000 }, (_, i) => ({ name: `w${i}`, width: 1 }));
    await writeSynthetic(path, 'training', {
      width: 1,
      weights,
      steps: weights.map((_, i) => ({
        op: 'matmul' as const,
        inputs: [i === 0 ? 'x' : `y${i - 1}`],
        weight: i,
        output: `y${i}`,
        rows: 1,
        depth: 1
      }))
    });
    const output = command === 'fix' ? ['-o', join(folder, 'fixed.pt2')] : [];
    const child = spawn(process.execPath, [cli, command, path, ...output], {
      env: env(),
      stdio: 'ignore'
    });
    const ended = once(child, 'exit');
    await waitUntil(() => openFiles(child.pid!).includes(path));
    const start = performance.now();
    child.kill('SIGINT');
    expect(await ended).toEqual([null, 'SIGINT']);
    expect(performance.now() - start).toBeLessThan(500);
    expect(existsSync(join(folder, 'fixed.pt2'))).toBe(false);
    expect(readdirSync(folder).sort()).toEqual(['tmp', 'wide.pt2']);
    await waitUntil(() => left().length === 0);
  });
});

/** Paths of the files that a process has open. */
function openFiles(pid: number): string[] {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).flatMap(name => {
    try {
      return [readlinkSync(join(folder, name))];
    } catch {
      // Closed meanwhile.
      return [];
    }
  });
}
