import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { cpSync } from 'node:fs';
import { join } from 'node:path';

import type { IErrorInfo } from '../../src/errors';
import type { ICompareResult, IRunResult, ServerMessage } from '../../src/protocol';
import { CommClient } from '../protocol/support/commclient';
import { KernelProcess } from '../protocol/support/kernelprocess';
import { waitUntil } from '../protocol/support/wait';
import { describeWithStub, fixture, itWithout, Machine, withMachine } from './support/castlens';

/** The one message of a run that fails. */
function failure(env: Record<string, string>, name = 'seed-mlp'): Promise<string> {
  return withMachine({ env }, async machine => {
    const args = ['run', fixture(name), '--device', 'cuda'];
    const { code, stdout, stderr } = await machine.castlens(...args);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr.trim().split('\n')).toHaveLength(1);
    return stderr;
  });
}

describeWithStub('a CUDA device that fails', () => {
  it.each([
    ['full while weights are placed', { STUB_CUDA_MEMORY: '1000' }, 'not enough free memory'],
    ['full while a library starts', { STUB_CUDA_FAIL: 'cublasCreate_v2=3' }, 'not enough free'],
    ['not there', { STUB_CUDA_FAIL: 'cudaSetDevice=101' }, 'there is no such CUDA device'],
    ['behind an old driver', { STUB_CUDA_FAIL: 'cudaSetDevice=35' }, 'driver is too old'],
    ['behind another driver', { STUB_CUDA_FAIL: 'cudaSetDevice=803' }, 'is not that of the NVIDIA'],
    ['in use', { STUB_CUDA_FAIL: 'cudaSetDevice=46' }, 'the CUDA device is busy'],
    [
      'waiting for NVSwitch',
      { STUB_CUDA_FAIL: 'cudaSetDevice=802' },
      'the CUDA device is not ready'
    ],
    [
      'unknown to the provider',
      { STUB_CUDA_FAIL: '__cudaLaunchKernel=209' },
      'no code for this GPU'
    ],
    ['lost while loading', { STUB_CUDA_FAIL: 'cudaStreamSynchronize=719@2' }, 'is lost'],
    ['lost in a kernel', { STUB_CUDA_FAIL: '__cudaLaunchKernel=719@3' }, 'is lost'],
    ['lost in a copy', { STUB_CUDA_FAIL: 'cudaMemcpyAsync=700@2' }, 'is lost']
  ])('is reported with one message where it is %s', async (_what, env, text) => {
    expect(await failure(env)).toContain(text);
  });

  it('names the operator', async () => {
    const message = await failure({ STUB_CUDA_FAIL: '__cudaLaunchKernel=719@3' });
    expect(message).toMatch(
      /^castlens: \S+model\.pt2: Cast node '[^']+': onnxruntime failed to run the model/
    );
  });

  itWithout('libcudnn.so.9')('says which operator lacks cuDNN', async () => {
    await withMachine({ libraries: ['cuda'] }, async machine => {
      const { code, stderr } = await machine.castlens('run', fixture('gpt2'), '--device', 'cuda');
      expect(code).toBe(1);
      expect(stderr).toMatch(
        /^castlens: \S+model\.pt2: ReduceMax node .*: the operator needs cuDNN/
      );
    });
  });

  it.each([
    // Room for the weights in bfloat16 alone.
    ['frozen', 'off', '1500000'],
    // Room for those in float32, but not for the others beside them.
    ['off', 'frozen', '2300000']
  ])('leaves %s to a comparison where %s does not fit', async (fits, tooLarge, bytes) => {
    await withMachine({ env: { STUB_CUDA_MEMORY: bytes } }, async machine => {
      const args = ['compare', fixture('seed-mlp'), '--device', 'cuda', '--runs', '1'];
      const result = await machine.json<ICompareResult>(...args, '--cache', 'off,frozen');
      expect(result.variants.map(({ cache }) => cache)).toEqual([fits]);
      expect(result.failed).toEqual([
        {
          variant: { cache: tooLarge, passes: [], device: 'cuda:0' },
          message: expect.stringContaining('not enough free memory') as string,
          error: expect.objectContaining({ code: 'out-of-memory' }) as object
        }
      ]);
    });
  });
});

describeWithStub('the engine process', () => {
  /** The engine on a machine, asked over its channel. */
  class EngineProcess {
    constructor(private readonly _machine: Machine) {
      this._process = fork(Machine.bundle('engine'), [], {
        env: _machine.env,
        serialization: 'advanced'
      });
    }

    run(cache: string): Promise<IRunResult | IErrorInfo> {
      const id = ++this._lastId;
      return new Promise((resolve, reject) => {
        const listen = ({ message }: { message: ServerMessage }): void => {
          if (message.type === 'result' && message.id === id) {
            resolve(message.result as IRunResult);
          } else if (message.type === 'error' && message.id === id) {
            resolve(message.error);
          } else {
            return;
          }
          this._process.off('message', listen);
        };
        this._process.on('message', listen);
        this._process.once('exit', code => reject(new Error(`the engine ended with ${code}`)));
        const variant = { cache, passes: [], device: 'cuda:0' };
        const params = { path: fixture('seed-mlp'), variant };
        this._process.send({ message: { type: 'request', id, method: 'run', params } });
      });
    }

    dispose(): void {
      this._process.removeAllListeners('exit');
      this._process.kill('SIGKILL');
      this._machine.dispose();
    }

    private readonly _process: ChildProcess;
    private _lastId = 0;
  }

  const engineWith = (env: Record<string, string>): EngineProcess =>
    new EngineProcess(new Machine({ env }));

  it('survives a device that is full, and serves what fits', async () => {
    const engine = engineWith({ STUB_CUDA_FAIL: 'cudaMalloc=2@1' });
    try {
      for (let i = 0; i < 2; i++) {
        expect(await engine.run('off')).toMatchObject({
          code: 'out-of-memory',
          summary: expect.stringContaining('not enough free memory') as string
        });
      }
    } finally {
      engine.dispose();
    }
  });

  it('gives up what it only keeps where the device is full', async () => {
    // Room for two variants with what loading and profiling takes, not for four.
    const engine = engineWith({ STUB_CUDA_MEMORY: '4500000' });
    try {
      for (const cache of ['off', 'autocast', 'folded', 'frozen', 'off']) {
        expect(await engine.run(cache)).toMatchObject({ variant: { cache }, reused: false });
      }
      expect(await engine.run('off')).toMatchObject({ reused: true });
    } finally {
      engine.dispose();
    }
  });

  it('is replaced after the device was lost in the middle of a run', async () => {
    const machine = new Machine({ env: { STUB_CUDA_FAIL: '__cudaLaunchKernel=719@30' } });
    const kernel = await KernelProcess.start({
      env: { ...machine.env, CASTLENS_ENGINE: Machine.bundle('engine') }
    });
    try {
      cpSync(fixture('seed-mlp'), join(kernel.cwd, 'model.pt2'));
      const comm = await CommClient.open(await kernel.connect());
      const variant = (cache: string): object => ({ cache, passes: [], device: 'cuda:0' });
      const run = async (): Promise<ServerMessage> =>
        (await comm.request('run', { path: 'model.pt2', variant: variant('off') })).message;
      expect(await run()).toMatchObject({ type: 'result' });
      const first = kernel.child(/engine/)!;
      const compare = { path: 'model.pt2', variants: [variant('off'), variant('frozen')] };
      expect((await comm.request('compare', { ...compare, runs: 50 })).message).toMatchObject({
        type: 'error',
        error: {
          code: 'device-lost',
          summary: expect.stringContaining('is lost to this process') as string
        }
      });
      await waitUntil(() => kernel.child(/engine/) !== first);
      expect(await run()).toMatchObject({ type: 'result' });
      expect(kernel.child(/engine/)).not.toBe(first);
    } finally {
      await kernel.dispose();
      machine.dispose();
    }
  });
});
