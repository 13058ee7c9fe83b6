/**
 * Which module a weight cast belongs to.
 *
 * @packageDocumentation
 */
import type { IExportedModel, INode, IWeight } from '../model';

/** Finds the modules of weights and casts. */
export class ModuleAttribution {
  constructor(model: IExportedModel) {
    this._paths = new Set(model.modules.map(module => module.path));
    this._hasRegions = model.dialect === 'TRAINING';
  }

  /**
   * The module that holds a weight: the longest module path that is a prefix of its name, else the name without its last
   * component; null for a name without components.
   */
  holderOf(weight: IWeight): string | null {
    const name = weight.names[0];
    for (let dot = name.lastIndexOf('.'); dot >= 0; dot = name.lastIndexOf('.', dot - 1)) {
      const path = name.slice(0, dot);
      if (this._paths.has(path)) {
        return path;
      }
      if (dot === 0) {
        break;
      }
    }
    const last = name.lastIndexOf('.');
    return last > 0 ? name.slice(0, last) : this._paths.has('') ? '' : null;
  }

  /**
   * The module a weight cast belongs to: that of its node, where recorded, else that of the weight.
   *
   * #### Notes
   * Decomposition keeps only the module around a region for the nodes from inside it. In dialects without regions the module
   * that holds the weight therefore wins where it lies below the recorded one.
   */
  moduleOf(node: INode, weight: IWeight): string | null {
    const holder = this.holderOf(weight);
    if (node.module === null) {
      return holder;
    }
    if (!this._hasRegions && holder !== null && isBelow(holder, node.module)) {
      return holder;
    }
    return node.module;
  }

  private readonly _paths: ReadonlySet<string>;
  private readonly _hasRegions: boolean;
}

function isBelow(path: string, ancestor: string): boolean {
  return ancestor === '' ? path !== '' : path.startsWith(`${ancestor}.`);
}
