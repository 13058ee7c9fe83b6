/**
 * Whether a variant can be asked for at all, and how it is told from others.
 *
 * @packageDocumentation
 */
import { checkOverrides } from '../autocast';
import type { IExportedModel } from '../model';
import { CastlensError } from '../model';
import type { IVariant } from '../protocol';
import { formatDevice, listDevices, parseDevice } from '../runtime';

/**
 * Refuse what this machine and this model cannot be asked for. What a variant is made of was checked with the request.
 *
 * @returns the variant with its overrides in normal form.
 * @throws CastlensError('bad-argument') for unknown devices and regions and for what PyTorch runs, ('runtime') for a device this machine does not have.
 */
export async function checkVariant(variant: IVariant, model: IExportedModel): Promise<IVariant> {
  const { cache, passes, device, runtimeName, repaired, threads } = variant;
  if (isTorchVariant(variant)) {
    throw new CastlensError('bad-argument', `${runtimeName} takes part in comparisons only`, {
      expected: 'the runtime onnxruntime',
      hint: 'Ask for a comparison: castlens compare FILE --runtime aotinductor'
    });
  }
  if (repaired === true) {
    throw new CastlensError('bad-argument', 'onnxruntime runs the repaired model as a file', {
      hint: 'Write it by castlens fix and open that file, or ask for its mode frozen, which computes the same.'
    });
  }
  await checkDevice(variant);
  const rest = {
    ...(runtimeName === undefined ? {} : { runtimeName }),
    ...(threads === undefined ? {} : { threads })
  };
  const overrides = checkOverrides(variant.regions, model);
  // The reference switches all regions off, whatever is wanted of them.
  return overrides === undefined || cache === 'float32'
    ? { cache, passes, device, ...rest }
    : { cache, passes, device, regions: overrides, ...rest };
}

/** Whether PyTorch runs a variant. What it has is checked when it is made ready: what lacks one mode may have others. */
export function isTorchVariant({ runtimeName }: IVariant): boolean {
  return runtimeName !== undefined && runtimeName !== 'onnxruntime';
}

async function checkDevice(variant: IVariant): Promise<void> {
  const device = parseDevice(variant.device);
  if (device.kind === 'cpu') {
    return;
  }
  const wanted = formatDevice(device);
  if (seen.has(wanted)) {
    return;
  }
  const devices = await listDevices();
  const found = devices.find(({ id }) => id === wanted || id === device.kind);
  if (!found?.available) {
    throw new CastlensError('runtime', `device ${variant.device} is not available`, {
      expected: devices
        .filter(({ available }) => available)
        .map(({ id }) => id)
        .join(', '),
      hint: found?.reason ?? 'castlens runs models on the CPU and on CUDA'
    });
  }
  seen.add(wanted);
}

/** Devices that were there once. Asking takes the driver seconds; whether one still works, a session says. */
const seen = new Set<string>();
