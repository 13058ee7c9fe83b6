/**
 * Regions run otherwise than recorded, at the user's wish.
 *
 * @packageDocumentation
 */
import type { IExportedModel } from '../model';
import { CastlensError } from '../model';
import type { IAutocastDevice, IFinding, IRegionOverride, RegionOverrides } from '../protocol';
import { formatOverrides, normalizeOverrides, REGION_DTYPES } from '../protocol';
import type { IExplicitGraph } from './explicit';
import { makeCastsExplicit } from './explicit';
import { autocastError } from './findings/autocasterror';
import { DEVICE_POLICIES } from './policy';

/** What the regions of a model can be overridden with: their device types, as far as the policies are known. */
export function autocastDevicesOf({ regions }: IExportedModel): IAutocastDevice[] {
  const devices = new Set(regions.map(({ device }) => device));
  return [...DEVICE_POLICIES.values()]
    .filter(({ device }) => devices.has(device))
    .map(({ device, dtypes }) => ({ device, dtypes }));
}

/**
 * Check overrides and bring them into normal form. They come from outside the process: their types promise nothing.
 *
 * A region of a device type whose policies are not known can be switched off, and no more.
 *
 * @returns undefined where nothing is overridden.
 * @throws CastlensError('bad-argument') where the file has no such region, or PyTorch would not take the override.
 */
export function checkOverrides(
  overrides: RegionOverrides | undefined,
  model: IExportedModel
): RegionOverrides | undefined {
  if (overrides === undefined) {
    return undefined;
  }
  if (!isRecord(overrides)) {
    throw new CastlensError('bad-argument', 'overrides of regions are no table by region id', {
      found: JSON.stringify(overrides)
    });
  }
  const entries = Object.entries(overrides);
  if (entries.length > 0 && model.dialect !== 'TRAINING') {
    throw new CastlensError('bad-argument', 'the file has no autocast regions to override', {
      file: model.path,
      expected: 'a program in training IR',
      found: `dialect ${model.dialect}, where their casts stand in the graph`,
      hint: 'Save what torch.export.export returns before run_decompositions() or torch.onnx.export().'
    });
  }
  const devices = autocastDevicesOf(model);
  for (const [id, override] of entries) {
    checkOverride(id, override, model, devices);
  }
  return normalizeOverrides(overrides, model.regions, devices);
}

function checkOverride(
  id: string,
  override: IRegionOverride,
  model: IExportedModel,
  devices: readonly IAutocastDevice[]
): void {
  const region = model.regions.find(candidate => candidate.id === id);
  if (region === undefined) {
    throw new CastlensError('bad-argument', `there is no autocast region "${id}"`, {
      file: model.path,
      expected:
        model.regions.map(known => known.id).join(', ') || 'no override: the file has no region'
    });
  }
  const refuse = (summary: string, expected: string, found: unknown): never => {
    throw new CastlensError('bad-argument', summary, {
      file: model.path,
      entry: id,
      expected,
      found: typeof found === 'string' ? found : JSON.stringify(found)
    });
  };
  if (!isRecord(override)) {
    refuse('this is no override of a region', 'enabled, dtype or both', override);
  }
  const { enabled, dtype, ...others } = override;
  const [other] = Object.keys(others);
  if (other !== undefined) {
    refuse('a region cannot be overridden in this', 'enabled, dtype', other);
  }
  if (enabled !== undefined && typeof enabled !== 'boolean') {
    refuse('enabled is no truth value', 'true or false', enabled);
  }
  if (dtype !== undefined && !REGION_DTYPES.includes(dtype)) {
    refuse('autocast casts to no such dtype', REGION_DTYPES.join(', '), dtype);
  }
  const device = devices.find(known => known.device === region.device);
  if (device === undefined) {
    if (enabled !== false) {
      refuse(
        `the autocast policies of ${region.device} are not known, so that the region can only be switched off`,
        `a region of ${[...DEVICE_POLICIES.keys()].join(', ')}`,
        region.device
      );
    }
  } else if (dtype !== undefined && !device.dtypes.includes(dtype)) {
    refuse(
      `torch.autocast('${region.device}') takes no ${dtype}: it would switch itself off`,
      device.dtypes.join(', '),
      dtype
    );
  }
}

/**
 * `makeCastsExplicit` under overrides.
 *
 * @param overrides - in normal form.
 * @throws CastlensError('bad-argument') where it cannot be known what the program computes then.
 */
export function makeOverriddenExplicit(
  model: IExportedModel,
  overrides: RegionOverrides
): IExplicitGraph {
  const explicit = makeCastsExplicit(model, { regions: overrides });
  const [node] = explicit.unknown;
  if (node !== undefined) {
    const where = node.source === null ? '' : `, ${node.source.file}:${node.source.line}`;
    throw new CastlensError(
      'bad-argument',
      `the program cannot be run with ${formatOverrides(overrides)}: the dtype of ${node.name} (${node.op}${where}) is only ` +
        'known for its region as recorded',
      { file: model.path, hint: 'Export the model with the regions wanted.' }
    );
  }
  return explicit;
}

/** What a variant's findings say of its overrides: the calls that PyTorch would refuse under them. */
export function findOverrideErrors(explicit: IExplicitGraph): IFinding[] {
  return explicit.overridden ? autocastError({ explicit }) : [];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
