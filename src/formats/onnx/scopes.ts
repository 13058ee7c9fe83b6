/**
 * Names in the graphs of an `.onnx` file, nested ones included.
 *
 * @packageDocumentation
 */
import type { IGraph, IValue } from '../../model';
import { ATTRIBUTE, FUNCTION, GRAPH, MODEL, NODE, TENSOR, VALUE_INFO } from './fields';
import { normalizeDomain } from './rawmodel';
import type { FieldSplitter, IField } from './wirepieces';

/**
 * Place of a value in a file: the graph that makes it, and its name there. Graphs nested in others may use a name for another value.
 */
export type Place = string;

/**
 * Places of all values of a graph and of those nested in it. Linear in values.
 *
 * A nested graph is known by the first result of the node that holds it, the attribute, and its position there.
 */
export function placesOf(graph: IGraph): Map<IValue, Place> {
  const places = new Map<IValue, Place>();
  const pending = [{ graph, path: ROOT }];
  for (const { graph: current, path } of pending) {
    const add = (value: IValue | null): void => {
      if (value !== null) {
        places.set(value, placeOf(path, value.name));
      }
    };
    current.inputs.forEach(add);
    current.weights.forEach(({ value }) => add(value));
    for (const { attrs, outputs } of current.nodes) {
      outputs.forEach(add);
      const holder = outputs.find(value => value !== null)?.name ?? '';
      for (const [name, attr] of Object.entries(attrs)) {
        const items = attr.kind === 'list' ? attr.items : [attr];
        items.forEach((item, i) => {
          if (item.kind === 'graph') {
            pending.push({ graph: item.value, path: nestedPath(path, holder, name, i) });
          }
        });
      }
    }
  }
  return places;
}

/** A graph of a file. */
export interface IScope {
  readonly outer: IScope | null;
  readonly path: string;
  /** Of the GraphProto, in order. */
  readonly fields: readonly IField[];
  /** What the graph itself makes or is given. */
  readonly names: ReadonlySet<string>;
  /** Results of calls of the model's own functions. */
  readonly called: ReadonlySet<string>;
}

/** The graphs of a file, as its bytes have them. */
export class Scopes {
  /**
   * @param model - fields of the ModelProto.
   * @throws CastlensError where the bytes are no messages.
   */
  constructor(
    private readonly _wire: FieldSplitter,
    model: readonly IField[]
  ) {
    const functions = new Set(
      model.filter(({ number }) => number === MODEL.functions).map(field => this._function(field))
    );
    const pending: { graph: IField; outer: IScope | null; path: string }[] = model
      .filter(({ number }) => number === MODEL.graph)
      .map(graph => ({ graph, outer: null, path: ROOT }));
    for (const { graph, outer, path } of pending) {
      const names = new Set<string>();
      const called = new Set<string>();
      const fields = _wire.split(graph.start, graph.end);
      const scope: IScope = { outer, path, fields, names, called };
      this._scopes.set(graph.start, scope);
      for (const field of fields) {
        switch (field.number) {
          case GRAPH.initializer:
            names.add(this._textIn(field, TENSOR.name));
            break;
          case GRAPH.input:
            names.add(this._textIn(field, VALUE_INFO.name));
            break;
          case GRAPH.node: {
            const { operator, results, bodies } = this._node(field);
            results.forEach(name => names.add(name));
            if (functions.has(operator)) {
              results.forEach(name => called.add(name));
            }
            for (const { body, attribute, position } of bodies) {
              const holder = results.find(name => name !== '') ?? '';
              const inner = nestedPath(path, holder, attribute, position);
              pending.push({ graph: body, outer: scope, path: inner });
            }
            break;
          }
          default:
        }
      }
    }
  }

  /** All graphs, each before those nested in it. */
  get all(): Iterable<IScope> {
    return this._scopes.values();
  }

  /** The scope of a GraphProto; null where it belongs to a function. */
  of(graph: IField): IScope | null {
    return this._scopes.get(graph.start) ?? null;
  }

  /** The place that a name means in a graph; undefined where nothing has that name. */
  resolve(scope: IScope, name: string): Place | undefined {
    for (let current: IScope | null = scope; current !== null; current = current.outer) {
      if (current.names.has(name)) {
        return placeOf(current.path, name);
      }
    }
    return undefined;
  }

  /** Domain and name, as calls give them. */
  private _function(field: IField): string {
    return operatorKey(this._textIn(field, FUNCTION.domain), this._textIn(field, FUNCTION.name));
  }

  private _node(node: IField): {
    readonly operator: string;
    readonly results: readonly string[];
    readonly bodies: readonly {
      readonly body: IField;
      readonly attribute: string;
      readonly position: number;
    }[];
  } {
    const results: string[] = [];
    const bodies: { body: IField; attribute: string; position: number }[] = [];
    let [domain, type] = ['', ''];
    for (const part of this._wire.split(node.start, node.end)) {
      if (part.number === NODE.output) {
        results.push(this._wire.text(part));
      } else if (part.number === NODE.opType) {
        type = this._wire.text(part);
      } else if (part.number === NODE.domain) {
        domain = this._wire.text(part);
      } else if (part.number === NODE.attribute) {
        const items = this._wire.split(part.start, part.end);
        const graphs = items.filter(
          ({ number }) => number === ATTRIBUTE.g || number === ATTRIBUTE.graphs
        );
        graphs.forEach((body, position) =>
          bodies.push({ body, attribute: this._textIn(part, ATTRIBUTE.name), position })
        );
      }
    }
    return { operator: operatorKey(domain, type), results, bodies };
  }

  private _textIn(message: IField, number: number): string {
    const part = this._wire.split(message.start, message.end).find(one => one.number === number);
    return part === undefined ? '' : this._wire.text(part);
  }

  /** By the first byte of the GraphProto. */
  private readonly _scopes = new Map<number, IScope>();
}

const ROOT = '';

/** Place of a name in the graph at `path`. Names may hold any character but this one. */
export function placeOf(path: string, name: string): Place {
  return `${path}\0${name}`;
}

function nestedPath(path: string, holder: string, attribute: string, position: number): string {
  return [path, holder, attribute, position].join('\0');
}

function operatorKey(domain: string, type: string): string {
  return `${normalizeDomain(domain)}\0${type}`;
}
