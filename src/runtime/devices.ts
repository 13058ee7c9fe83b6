/**
 * Where a model can be run.
 *
 * @packageDocumentation
 */
import { cpus, totalmem } from 'node:os';

import { CastlensError } from '../model';
import type { IDeviceInfo } from '../protocol';
import { formatBytes } from '../protocol';
import { loadOrt } from './binding';
import { cudaObstacle } from './cudasetup';
import type { DriverState } from './nvidiasmi';
import { queryDriver, visibleGpus } from './nvidiasmi';

/** A device by kind and number. */
export type Device =
  | { readonly kind: 'cpu' }
  | { readonly kind: 'cuda'; readonly index: number }
  | { readonly kind: 'webgpu' };

/**
 * Parse `cpu`, `cuda`, `cuda:N` or `webgpu`.
 *
 * @throws CastlensError for anything else.
 */
export function parseDevice(text: string): Device {
  const match = /^(?:(cpu)|(webgpu)|cuda(?::(\d{1,3}))?)$/.exec(text);
  if (match === null) {
    throw new CastlensError('bad-argument', `unknown device '${text}'`, {
      expected: 'cpu, cuda, cuda:N or webgpu'
    });
  }
  if (match[1]) {
    return { kind: 'cpu' };
  }
  return match[2] ? { kind: 'webgpu' } : { kind: 'cuda', index: Number(match[3] ?? 0) };
}

/** Name of a device as users write it: `cpu`, `cuda:0`. */
export function formatDevice(device: Device): string {
  return device.kind === 'cuda' ? `cuda:${device.index}` : device.kind;
}

/** Name of the execution provider that runs a device. */
export function providerOf(device: Device): string {
  switch (device.kind) {
    case 'cpu':
      return 'CPUExecutionProvider';
    case 'cuda':
      return 'CUDAExecutionProvider';
    case 'webgpu':
      return 'WebGpuExecutionProvider';
  }
}

/**
 * The devices of this machine, the CPU first. Those that cannot be used say why and what to do.
 *
 * #### Notes
 * Whether a GPU works is known for certain only once a session has been made on it: here its driver is asked for its name, and
 * the provider's library is looked for.
 */
export async function listDevices(): Promise<IDeviceInfo[]> {
  return [await cpuDevice(), ...(await cudaDevices())];
}

/** Processor, cores, memory, operating system: what a measurement must name. */
export function describeMachine(): string {
  return `${cpuLabel()}, ${formatBytes(totalmem())} memory, ${process.platform} ${process.arch}, Node ${process.versions.node}`;
}

function cpuLabel(): string {
  const processors = cpus();
  const model = processors[0]?.model.trim() || process.arch;
  const count = processors.length;
  return `${model}, ${count} ${count === 1 ? 'core' : 'cores'}`;
}

async function cpuDevice(): Promise<IDeviceInfo> {
  const device = { id: 'cpu', label: cpuLabel() };
  try {
    await loadOrt();
    return { ...device, available: true };
  } catch (error) {
    return { ...device, available: false, reason: (error as Error).message };
  }
}

async function cudaDevices(): Promise<IDeviceInfo[]> {
  const driver = await queryDriver();
  return cudaDevicesOf(driver, cudaObstacle(driver));
}

/**
 * The devices of CUDA, by CUDA's own numbers.
 *
 * @param obstacle - why none can be used, or null.
 * @param visible - CUDA_VISIBLE_DEVICES.
 */
export function cudaDevicesOf(
  driver: DriverState,
  obstacle: string | null,
  visible = process.env.CUDA_VISIBLE_DEVICES
): IDeviceInfo[] {
  const state = obstacle === null ? { available: true } : { available: false, reason: obstacle };
  const gpus = driver.kind === 'present' ? visibleGpus(driver.gpus, visible) : [];
  return gpus.length === 0
    ? [{ id: 'cuda', label: 'CUDA', ...state }]
    : gpus.map((gpu, i) => ({
        id: `cuda:${i}`,
        label: gpu === null ? 'MIG instance' : `${gpu.name}${gpu.mig ? ' (MIG)' : ''}`,
        ...state
      }));
}
