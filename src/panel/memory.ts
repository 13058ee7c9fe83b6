/**
 * What a panel remembers over a page reload.
 *
 * @packageDocumentation
 */
import type { IStateDB } from '@jupyterlab/statedb';
import type { ReadonlyPartialJSONValue } from '@lumino/coreutils';
import type { IRegionOverride, IVariant, RegionOverrides, RuntimeName } from '../protocol';
import { REGION_DTYPES } from '../protocol';
import type { RowId } from './runtimes';
import { isRowId, isRuntime } from './runtimes';
import { isPassName, isVariantCache, withRegions } from './variants';

/** The part of a panel's state that cannot be asked of the kernel again. */
export interface IMemory {
  readonly variant: IVariant;
  /** The file that weights are taken from, as the contents manager names it; null for the model's own. */
  readonly weights: string | null;
  readonly selected: readonly RowId[];
  /** Runtimes whose rows are shown. */
  readonly runtimes: readonly RuntimeName[];
  /** The Python whose PyTorch runs variants; null for the first that has it. */
  readonly python: string | null;
  /** Version of the files that PyTorch may load. */
  readonly trusted: string | null;
  /** What the user deploys with; null where it was not said. */
  readonly deployment: RuntimeName | null;
  /** The kernel the panel last talked to, and the folder that kernel was started in. */
  readonly kernel: { readonly id: string; readonly folder: string } | null;
}

/** Keeps the memory of panels in JupyterLab's state database, one entry per document. */
export class PanelMemory {
  /** Memory of the document whose path `path` returns. `database` may be absent: then nothing is remembered. */
  constructor(database: IStateDB | null, path: () => string) {
    this._database = database;
    this._path = path;
  }

  /** What was remembered; null where there is nothing or it cannot be understood. */
  async load(): Promise<IMemory | null> {
    return parseMemory(await this._database?.fetch(this._key()));
  }

  /** Remember `memory` instead. */
  async save(memory: IMemory): Promise<void> {
    await this._database?.save(this._key(), memory as unknown as ReadonlyPartialJSONValue);
  }

  /** Not in the widget tracker's namespace, `castlens`, where the layout restorer keeps a document under its path. */
  private _key(): string {
    return `castlens-memory:${this._path()}`;
  }

  private _database: IStateDB | null;
  private _path: () => string;
}

/** Check what came out of a database that anybody can write to. */
export function parseMemory(value: unknown): IMemory | null {
  if (!isRecord(value) || !isRecord(value.variant)) {
    return null;
  }
  const { cache, device, passes } = value.variant;
  if (!isVariantCache(cache) || typeof device !== 'string' || !Array.isArray(passes)) {
    return null;
  }
  const { kernel, selected, weights, runtimes, python, trusted, deployment } = value;
  const shown = Array.isArray(runtimes) ? runtimes.filter(isRuntime) : [];
  return {
    variant: withRegions(
      { cache, device, passes: passes.filter(isPassName) },
      parseOverrides(value.variant.regions)
    ),
    weights: typeof weights === 'string' ? weights : null,
    selected: Array.isArray(selected) ? selected.filter(isRowId) : [],
    runtimes: shown.length === 0 ? ['onnxruntime'] : shown,
    python: typeof python === 'string' ? python : null,
    trusted: typeof trusted === 'string' ? trusted : null,
    deployment: isRuntime(deployment) ? deployment : null,
    kernel:
      isRecord(kernel) && typeof kernel.id === 'string' && typeof kernel.folder === 'string'
        ? { id: kernel.id, folder: kernel.folder }
        : null
  };
}

/** Overrides as far as they can be understood; whether the model has such regions shows when it is read. */
function parseOverrides(value: unknown): RegionOverrides | undefined {
  if (!isRecord(value)) {
    return undefined;
  }
  const overrides = Object.entries(value).flatMap(([id, wanted]): [string, IRegionOverride][] => {
    if (!isRecord(wanted)) {
      return [];
    }
    const dtype = REGION_DTYPES.find(known => known === wanted.dtype);
    return [
      [
        id,
        {
          ...(typeof wanted.enabled === 'boolean' ? { enabled: wanted.enabled } : {}),
          ...(dtype === undefined ? {} : { dtype })
        }
      ]
    ];
  });
  return overrides.length === 0 ? undefined : Object.fromEntries(overrides);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
