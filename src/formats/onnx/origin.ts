/**
 * Where an ONNX node comes from: what torch.onnx.export keeps in `metadata_props`.
 *
 * @packageDocumentation
 */
import type { ISourceLocation } from '../../model';
import type { IOrigin } from '../pt2/trace';
import { modulePath, parseStackTrace } from '../pt2/trace';

/** Module and line of a node. */
export interface INodeOrigin {
  readonly module: string | null;
  readonly source: ISourceLocation | null;
}

const PREFIX = 'pkg.torch.onnx.';

/** Reads the metadata of nodes; texts that repeat are parsed once. */
export class OriginReader {
  /** Python class of each module path that a node names. */
  readonly moduleTypes = new Map<string, string>();

  /** Origin of the node with these `metadata_props`. */
  read(metadata: ReadonlyMap<string, string>): INodeOrigin {
    const trace = metadata.get(`${PREFIX}stack_trace`) ?? '';
    let origin = this._traces.get(trace);
    if (origin === undefined) {
      origin = parseStackTrace(trace);
      this._traces.set(trace, origin);
    }
    const scopes = this._scopes(metadata);
    const innermost = scopes.at(-1) ?? null;
    return {
      // Inside a decomposed region only the module that entered it is left, not the one that was called.
      module: origin.generated ? null : innermost,
      source: origin.source
    };
  }

  /** Paths of the modules around a node, outermost first. */
  private _scopes(metadata: ReadonlyMap<string, string>): readonly string[] {
    const names = metadata.get(`${PREFIX}name_scopes`);
    const text = names ?? metadata.get('namespace') ?? '';
    let scopes = this._parsed.get(text);
    if (scopes !== undefined) {
      return scopes;
    }
    if (names !== undefined) {
      // The last entry is the node itself.
      scopes = parseReprList(names).slice(0, -1).map(modulePath);
      const types = parseReprList(metadata.get(`${PREFIX}class_hierarchy`) ?? '');
      scopes.forEach((path, i) => {
        if (i < types.length - 1 && !this.moduleTypes.has(path)) {
          this.moduleTypes.set(path, types[i]);
        }
      });
    } else {
      scopes = this._namespace(text);
    }
    this._parsed.set(text, scopes);
    return scopes;
  }

  /** `: __main__.M/sub: __main__.Sub/linear: aten.linear.default`. */
  private _namespace(text: string): string[] {
    const scopes: string[] = [];
    for (const part of text === '' ? [] : text.split('/').slice(0, -1)) {
      const separator = part.indexOf(': ');
      if (separator < 0) {
        return [];
      }
      const path = modulePath(part.slice(0, separator));
      scopes.push(path);
      if (!this.moduleTypes.has(path)) {
        this.moduleTypes.set(path, part.slice(separator + 2));
      }
    }
    return scopes;
  }

  private readonly _traces = new Map<string, IOrigin>();
  private readonly _parsed = new Map<string, readonly string[]>();
}

/** The strings of a Python list literal: `['', 'sub', 'linear']`. */
export function parseReprList(text: string): string[] {
  const items: string[] = [];
  for (const match of text.matchAll(/'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"/g)) {
    items.push((match[1] ?? match[2]).replace(/\\(.)/g, '$1'));
  }
  return items;
}
