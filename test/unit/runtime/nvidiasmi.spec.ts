import type { ISmiOutput } from '../../../src/runtime';
import { processDeviceBytes, queryDriver } from '../../../src/runtime';

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
    const line = '0, NVIDIA H100 80GB HBM3, 580.65.06, 81559, 81079, 9.0, Disabled\n';
    expect(await queryDriver(smi(line))).toEqual({
      kind: 'present',
      driverVersion: '580.65.06',
      cudaVersion: '13.0',
      gpus: [
        {
          index: 0,
          name: 'NVIDIA H100 80GB HBM3',
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
      '0, NVIDIA A100-SXM4-40GB, 550.54.15, 40960, [Insufficient Permissions], 8.0, Enabled',
      '1, NVIDIA GeForce GTX 1080, 550.54.15, 8192, 8000, 6.1, [N/A]'
    ].join('\n');
    const state = await queryDriver(smi(lines, '| CUDA UMD Version: 12.4 |'));
    expect(state).toMatchObject({
      cudaVersion: '12.4',
      gpus: [
        { index: 0, mig: true, freeBytes: null },
        { index: 1, mig: null, computeCapability: '6.1', freeBytes: 8000 * MiB }
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
              stdout: args.length === 0 ? '' : '0, Tesla T4, 470.57.02, 15109, 15000',
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

  it.each([
    ['missing', { stdout: '', failure: 'not-found' }, 'nvidia-smi is not installed'],
    ['hung', { stdout: '', failure: 'timeout' }, 'did not answer within 10 s'],
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

describe('processDeviceBytes', () => {
  it('adds up the GPUs of one process', async () => {
    expect(await processDeviceBytes(42, smi('41, 100\n42, 300\n42, 500\n'))).toBe(800 * MiB);
  });

  it.each(['', '41, 100', '42, [N/A]'])('gives null for %p', async text => {
    expect(await processDeviceBytes(42, smi(text))).toBeNull();
  });

  it('gives null without a driver', async () => {
    expect(await processDeviceBytes(42, smi({ stdout: '', failure: 'not-found' }))).toBeNull();
  });
});
