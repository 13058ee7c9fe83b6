import type { IGpu, ISmiOutput } from '../../../src/runtime';
import { deviceMemory, queryDriver, visibleGpus } from '../../../src/runtime';

/** An nvidia-smi that answers what one has printed; `overview` without arguments. */
function smi(
  query: string | ISmiOutput,
  overview = 'NVIDIA-SMI 580.65.06     Driver Version: 580.65.06      CUDA Version: 13.0     |'
): (args: readonly string[]) => Promise<ISmiOutput> {
  return args => {
    const answer = args.length === 0 ? overview : query;
    return Promise.resolve(typeof answer === 'string' ? { stdout: answer, failure: null } : answer);
  };
}

const MiB = 2 ** 20;

describe('queryDriver', () => {
  it('reads one GPU', async () => {
    const line = '0, NVIDIA H100 80GB HBM3, 580.65.06, 81559, 81079, GPU-5a1c, 9.0, Disabled\n';
    expect(await queryDriver(smi(line))).toEqual({
      kind: 'present',
      driverVersion: '580.65.06',
      cudaVersion: '13.0',
      gpus: [
        {
          index: 0,
          name: 'NVIDIA H100 80GB HBM3',
          uuid: 'GPU-5a1c',
          computeCapability: '9.0',
          totalBytes: 81559 * MiB,
          freeBytes: 81079 * MiB,
          mig: false
        }
      ]
    });
  });

  it('reads two GPUs, one of them split, and what the driver does not tell', async () => {
    const lines = [
      '0, NVIDIA A100-SXM4-40GB, 550.54.15, 40960, [Insufficient Permissions], GPU-1, 8.0, Enabled',
      '1, NVIDIA GeForce GTX 1080, 550.54.15, 8192, 8000, [N/A], 6.1, [N/A]'
    ].join('\n');
    const state = await queryDriver(smi(lines, '| CUDA UMD Version: 12.4 |'));
    expect(state).toMatchObject({
      cudaVersion: '12.4',
      gpus: [
        { index: 0, mig: true, freeBytes: null },
        { index: 1, uuid: null, mig: null, computeCapability: '6.1', freeBytes: 8000 * MiB }
      ]
    });
  });

  it('asks drivers that do not know a field for the others', async () => {
    const asked: string[] = [];
    const state = await queryDriver(args => {
      asked.push(args.join(' '));
      const isNew = args.some(arg => arg.includes('compute_cap'));
      return Promise.resolve(
        isNew
          ? { stdout: 'Field "compute_cap" is not a valid field to query.', failure: 'exit' }
          : {
              stdout: args.length === 0 ? '' : '0, Tesla T4, 470.57.02, 15109, 15000, GPU-2',
              failure: null
            }
      );
    });
    expect(asked).toHaveLength(3);
    expect(state).toMatchObject({
      cudaVersion: null,
      gpus: [{ name: 'Tesla T4', computeCapability: null, mig: null }]
    });
  });

  it('takes a whole answer even where nvidia-smi warns of something', async () => {
    const stdout =
      '0, NVIDIA A10, 550.54.15, 23028, 22000, GPU-3, 8.6, [N/A]\nWARNING: infoROM is corrupted at gpu 0000:00:1E.0\n';
    const state = await queryDriver(smi({ stdout, failure: 'exit' }));
    expect(state).toMatchObject({ kind: 'present', gpus: [{ name: 'NVIDIA A10' }] });
  });

  it.each([
    ['missing', { stdout: '', failure: 'not-found' }, 'nvidia-smi is not installed'],
    ['hung', { stdout: '', failure: 'timeout' }, 'did not answer within 45 s'],
    [
      'failed',
      {
        stdout:
          'Failed to initialize NVML: Driver/library version mismatch\nNVML library version: 580.65\n',
        failure: 'exit'
      },
      'Failed to initialize NVML: Driver/library version mismatch: the driver was updated'
    ],
    [
      'failed',
      {
        stdout: "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.",
        failure: 'exit'
      },
      'the kernel module of the driver is not loaded'
    ],
    [
      'failed',
      {
        stdout:
          'Unable to determine the device handle for GPU0: 0000:01:00.0: GPU is lost. Reboot the system to recover this GPU\n',
        failure: 'exit'
      },
      'GPU is lost'
    ],
    ['failed', { stdout: 'No devices were found\n', failure: 'exit' }, 'No devices were found'],
    ['failed', { stdout: 'No devices were found\n', failure: null }, 'No devices were found'],
    ['failed', { stdout: '', failure: null }, 'finds no GPU']
  ] as const)('reports a driver that is %s', async (kind, output, message) => {
    expect(await queryDriver(smi(output))).toEqual({
      kind,
      message: expect.stringContaining(message) as string
    });
  });
});

describe('visibleGpus', () => {
  const gpu = (index: number, uuid: string): IGpu => ({
    index,
    name: `GPU ${index}`,
    uuid,
    computeCapability: null,
    totalBytes: null,
    freeBytes: null,
    mig: null
  });
  const gpus = [gpu(0, 'GPU-aa10'), gpu(1, 'GPU-ab20'), gpu(2, 'GPU-cc30')];

  it.each([
    [undefined, [0, 1, 2]],
    ['1', [1]],
    ['2,0', [2, 0]],
    [' 2 , 1', [2, 1]],
    ['GPU-cc,GPU-aa10', [2, 0]],
    ['MIG-7f8e', [null]],
    // CUDA stops at the first that is not there.
    ['1,7,0', [1]],
    ['0,-1,2', [0]],
    ['-1', []],
    ['', []],
    ['NoDevFiles', []]
  ])('for %p gives %p', (visible, indices) => {
    expect(visibleGpus(gpus, visible).map(one => one?.index ?? null)).toEqual(indices);
  });
});

describe('deviceMemory', () => {
  const memory = (programs: string, gpus: string): ReturnType<typeof deviceMemory> =>
    deviceMemory(42, ([query]) =>
      Promise.resolve({ stdout: query.includes('compute-apps') ? programs : gpus, failure: null })
    );

  it('adds up the GPUs, of one process and of all', async () => {
    expect(await memory('41, 100\n42, 300\n42, 500\n', '0, 450\n1, 600\n')).toEqual({
      processBytes: 800 * MiB,
      usedBytes: 1050 * MiB
    });
  });

  it.each(['', '41, 100', '42, [N/A]', '42, [Insufficient Permissions]'])(
    'does not know what the process uses from %p',
    async text => {
      const known = await memory(text, '0, 450');
      expect(known).toEqual({ processBytes: null, usedBytes: 450 * MiB });
    }
  );

  it.each(['', '0, [N/A]', '0, 450\n1, [Unknown Error]', 'No devices were found'])(
    'does not know what all use from %p',
    async text => {
      expect((await memory('', text)).usedBytes).toBeNull();
    }
  );

  it('knows nothing without a driver', async () => {
    const nothing = { processBytes: null, usedBytes: null };
    expect(await deviceMemory(42, smi({ stdout: '', failure: 'not-found' }))).toEqual(nothing);
  });
});
