import type { DriverState } from '../../../src/runtime';
import {
  cudaDevicesOf,
  describeMachine,
  formatDevice,
  listDevices,
  parseDevice,
  providerOf
} from '../../../src/runtime';

describe('parseDevice', () => {
  it.each(['cpu', 'webgpu', 'cuda:0', 'cuda:12'])('reads %s', text => {
    expect(formatDevice(parseDevice(text))).toBe(text);
  });

  it('takes the first GPU where no number is given', () => {
    expect(parseDevice('cuda')).toEqual({ kind: 'cuda', index: 0 });
  });

  it.each(['', 'CPU', 'cuda:', 'cuda:-1', 'cpu:0', 'cuda:x', 'webgpu:1', ' cpu'])(
    'refuses %p',
    text => {
      expect(() => parseDevice(text)).toThrow(
        expect.objectContaining({ code: 'bad-argument' }) as Error
      );
    }
  );

  it('knows the providers', () => {
    expect(['cpu', 'cuda', 'webgpu'].map(text => providerOf(parseDevice(text)))).toEqual([
      'CPUExecutionProvider',
      'CUDAExecutionProvider',
      'WebGpuExecutionProvider'
    ]);
  });
});

describe('listDevices', () => {
  it('starts with the processor and gives a reason for what is not available', async () => {
    const devices = await listDevices();
    expect(devices[0]).toMatchObject({ id: 'cpu', available: true });
    expect(devices[0].label).toMatch(/\d+ cores?$/);
    expect(devices.length).toBeGreaterThan(1);
    for (const device of devices.slice(1)) {
      expect(device.id).toMatch(/^cuda/);
      expect(device.available ? device.reason : typeof device.reason).toBe(
        device.available ? undefined : 'string'
      );
    }
    expect(describeMachine()).toContain(devices[0].label);
  });
});

describe('cudaDevicesOf', () => {
  const gpu = (index: number, name: string, mig: boolean | null) => ({
    index,
    name,
    uuid: `GPU-${index}`,
    computeCapability: '9.0',
    totalBytes: null,
    freeBytes: null,
    mig
  });
  const driver: DriverState = {
    kind: 'present',
    driverVersion: '580.65.06',
    cudaVersion: '13.0',
    gpus: [gpu(0, 'H100', false), gpu(1, 'A100', true)]
  };

  it('numbers devices as CUDA does', () => {
    expect(cudaDevicesOf(driver, null, undefined)).toEqual([
      { id: 'cuda:0', label: 'H100', available: true },
      { id: 'cuda:1', label: 'A100 (MIG)', available: true }
    ]);
    expect(cudaDevicesOf(driver, null, '1')).toEqual([
      { id: 'cuda:0', label: 'A100 (MIG)', available: true }
    ]);
    expect(cudaDevicesOf(driver, null, 'MIG-1')).toEqual([
      { id: 'cuda:0', label: 'MIG instance', available: true }
    ]);
  });

  it('gives the obstacle for all of them', () => {
    expect(cudaDevicesOf(driver, 'no provider', undefined)).toEqual([
      { id: 'cuda:0', label: 'H100', available: false, reason: 'no provider' },
      { id: 'cuda:1', label: 'A100 (MIG)', available: false, reason: 'no provider' }
    ]);
  });

  it('knows a device without a name where nvidia-smi is missing and nothing else', () => {
    const missing: DriverState = { kind: 'missing', message: 'no nvidia-smi' };
    expect(cudaDevicesOf(missing, null, undefined)).toEqual([
      { id: 'cuda', label: 'CUDA', available: true }
    ]);
    expect(cudaDevicesOf(missing, 'no nvidia-smi', undefined)).toEqual([
      { id: 'cuda', label: 'CUDA', available: false, reason: 'no nvidia-smi' }
    ]);
  });
});
