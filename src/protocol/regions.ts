/**
 * What a user can make of an autocast region instead of what the file records: on, off, another dtype.
 *
 * @packageDocumentation
 */

import type { IAutocastDevice } from './contract/requests/open';
import type { IRegionOverride, RegionOverrides } from './contract/variant';
import type { RegionChoice } from './contract/words';
import { REGION_CHOICES } from './contract/words';

/** Whether `value` is a word for an override. */
export function isRegionChoice(value: unknown): value is RegionChoice {
  return REGION_CHOICES.some(choice => choice === value);
}

/** The override that a word stands for. */
export function overrideOf(choice: RegionChoice): IRegionOverride {
  switch (choice) {
    case 'on':
    case 'off':
      return { enabled: choice === 'on' };
    default:
      return { enabled: true, dtype: choice };
  }
}

/** The word for an override in normal form; null for none. */
export function choiceOf(override: IRegionOverride | undefined): RegionChoice | null {
  if (override?.enabled === false) {
    return 'off';
  }
  return override?.dtype ?? (override?.enabled === true ? 'on' : null);
}

/** Overrides in normal form as text: `submod_1=off, submod_2=float16`; empty where there are none. */
export function formatOverrides(overrides: RegionOverrides | undefined): string {
  return Object.entries(overrides ?? {})
    .map(([id, override]) => `${id}=${choiceOf(override) ?? 'as recorded'}`)
    .join(', ');
}

/** A region as recorded, as far as overrides are concerned. */
export interface IRecordedRegion {
  readonly id: string;
  readonly device: string;
  readonly dtype: string | null;
  readonly enabled: boolean;
}

/**
 * The words that change something about a region: `on` or `off`, and the dtypes that its device takes and that it does not
 * have. A region of a device type that is not among `devices` can only be switched off.
 */
export function choicesFor(
  region: IRecordedRegion,
  devices: readonly IAutocastDevice[]
): readonly RegionChoice[] {
  const { dtypes } = devices.find(({ device }) => device === region.device) ?? { dtypes: null };
  if (dtypes === null) {
    return region.enabled ? ['off'] : [];
  }
  const recorded = region.dtype ?? dtypes[0];
  return [region.enabled ? 'off' : 'on', ...dtypes.filter(dtype => dtype !== recorded)];
}

/**
 * Overrides in their normal form: equal for equal programs, so that it can stand for them wherever variants are told apart.
 *
 * An override that asks for what is recorded is none, nor is the dtype of a region that is off; regions come in the order of
 * the file. Overrides of regions that do not exist are left out.
 *
 * @returns undefined where nothing is overridden.
 */
export function normalizeOverrides(
  overrides: RegionOverrides | undefined,
  regions: readonly IRecordedRegion[],
  devices: readonly IAutocastDevice[]
): RegionOverrides | undefined {
  const normal: [string, IRegionOverride][] = [];
  for (const region of regions) {
    const wanted = Object.hasOwn(overrides ?? {}, region.id) ? overrides![region.id] : {};
    const enabled = wanted.enabled ?? region.enabled;
    const recorded =
      region.dtype ?? devices.find(({ device }) => device === region.device)?.dtypes[0];
    const override: IRegionOverride = {
      ...(enabled === region.enabled ? {} : { enabled }),
      ...(!enabled || wanted.dtype === undefined || wanted.dtype === recorded
        ? {}
        : { dtype: wanted.dtype })
    };
    if (Object.keys(override).length > 0) {
      normal.push([region.id, override]);
    }
  }
  return normal.length === 0 ? undefined : Object.fromEntries(normal);
}
