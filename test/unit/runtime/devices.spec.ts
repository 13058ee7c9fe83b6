import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import {
  describeMachine,
  formatDevice,
  listDevices,
  missingCudaProvider,
  parseDevice,
  providerOf
} from '../../../src/runtime';
import { testFolder } from './helpers';

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

describe('missingCudaProvider', () => {
  const folder = testFolder();
  const isLinux = process.platform === 'linux' && process.arch === 'x64';
  const libraries = join(folder.path, 'bin/napi-v6/linux/x64');
  mkdirSync(libraries, { recursive: true });

  (isLinux ? it : it.skip)('says what to do until the library is there', () => {
    expect(missingCudaProvider(libraries)).toContain('Microsoft.ML.OnnxRuntime.Gpu.Linux');
    mkdirSync(join(folder.path, 'script'));
    const script = folder.write('script/install.js', new Uint8Array(0));
    expect(missingCudaProvider(libraries)).toContain(`run: node ${script} `);
    folder.write('bin/napi-v6/linux/x64/libonnxruntime_providers_cuda.so', new Uint8Array(0));
    expect(missingCudaProvider(libraries)).toBeNull();
  });

  it('says where there is no such provider', () => {
    expect(missingCudaProvider(null)).toContain('Linux on x64 only');
  });
});
