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

/** Weight casts of every module, those of its children included. */
function moduleInfo(loaded: LoadedModel, census: ICensus): IModuleInfo[] {
  const totals = new Map<string, { weightCasts: number; bytesMoved: number }>();
  const add = (path: string, weightCasts: number, bytesMoved: number): void => {
    const total = totals.get(path) ?? { weightCasts: 0, bytesMoved: 0 };
    total.weightCasts += weightCasts;
    total.bytesMoved += bytesMoved;
    totals.set(path, total);
  };
  for (const { module, uses, bytesMoved } of census.weightCasts) {
    add(module ?? '', uses, bytesMoved);
  }
  // Each module hands its sum on once, those inside before those around them; paths between may have no casts of their own.
  const byLength: string[][] = [];
  for (const path of totals.keys()) {
    (byLength[path.length] ??= []).push(path);
  }
  for (let length = byLength.length - 1; length > 0; length--) {
    for (const path of byLength[length] ?? []) {
      const { weightCasts, bytesMoved } = totals.get(path)!;
      const parent = parentOf(path);
      if (!totals.has(parent)) {
        (byLength[parent.length] ??= []).push(parent);
      }
      add(parent, weightCasts, bytesMoved);
    }
  }
  return loaded.model.modules.map(({ path, type }) => ({
    path,
    type,
    ...(totals.get(path) ?? { weightCasts: 0, bytesMoved: 0 })
  }));
}

function parentOf(path: string): string {
  const dot = path.lastIndexOf('.');
  return dot < 0 ? '' : path.slice(0, dot);
}
