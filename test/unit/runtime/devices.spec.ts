import {
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
