/**
 * What opening a model tells.
 *
 * @packageDocumentation
 */
import { autocastDevicesOf } from '../autocast';
import { unsupportedOperators } from '../lowering';
import type { IPort } from '../model';
import { formatDim, sizeInBytes, elementCount } from '../model';
import type { ICensus, IModelInfo, IModuleInfo, IPortInfo } from '../protocol';
import type { LoadedModel } from './modelstore';

/** Structure and census of a model. Linear in the graph; reads no weights. */
export function describeModel(loaded: LoadedModel, displayFile: string): IModelInfo {
  const { model, explicit } = loaded;
  const census = loaded.census(displayFile);
  const storages = new Map<string, number>();
  for (const weight of model.weights) {
    const size = sizeInBytes(weight.dtype, elementCount(weight.shape));
    storages.set(weight.storage, Math.max(size, storages.get(weight.storage) ?? 0));
  }
  return {
    file: displayFile,
    path: model.path,
    version: loaded.version,
    files: model.files.map(({ path, version }) => ({ path, version })),
    sizeBytes: model.files.reduce((total, file) => total + file.sizeBytes, 0),
    nodeCount: model.graph.nodes.length,
    weightCount: storages.size,
    weightBytes: [...storages.values()].reduce((total, size) => total + size, 0),
    inputs: model.inputs.map(portInfo),
    outputs: model.outputs.map(portInfo),
    symbols: [...model.ranges].map(([name, range]) => ({ name, ...range })),
    modules: moduleInfo(loaded, census),
    autocastDevices: autocastDevicesOf(model),
    census,
    unsupported: unsupportedOperators(explicit.graph),
    warnings: model.warnings
  };
}

function portInfo(port: IPort): IPortInfo {
  return {
    name: port.name,
    dtype: port.dtype,
    shape:
      port.shape === null ? null : port.shape.map(d => (typeof d === 'number' ? d : formatDim(d))),
    literal: port.literal
  };
}

/** Weight casts of every module, those of its children included. Linear in casts and modules but for sorting these. */
function moduleInfo(loaded: LoadedModel, census: ICensus): IModuleInfo[] {
  const totals = new Map<string, { weightCasts: number; bytesMoved: number }>();
  for (const cast of census.weightCasts) {
    // Up to a module that is known: those around it are then known too.
    let path: string | null = cast.module ?? '';
    for (; path !== null && !totals.has(path); path = parentOf(path)) {
      totals.set(path, { weightCasts: 0, bytesMoved: 0 });
    }
    const own = totals.get(cast.module ?? '')!;
    own.weightCasts += cast.uses;
    own.bytesMoved += cast.bytesMoved;
  }
  // Every module after those in it, which have longer paths, so that each sum is handed on once.
  const inward = [...totals].sort(([a], [b]) => b.length - a.length);
  for (const [path, { weightCasts, bytesMoved }] of inward) {
    const parent = parentOf(path);
    if (parent !== null) {
      const around = totals.get(parent)!;
      around.weightCasts += weightCasts;
      around.bytesMoved += bytesMoved;
    }
  }
  return loaded.model.modules.map(({ path, type }) => ({
    path,
    type,
    ...(totals.get(path) ?? { weightCasts: 0, bytesMoved: 0 })
  }));
}

/** The module around one; null for the root. */
function parentOf(path: string): string | null {
  const dot = path.lastIndexOf('.');
  return path === '' ? null : path.slice(0, Math.max(0, dot));
}
