/**
 * Replaces calls of a model's own functions by their bodies.
 *
 * @packageDocumentation
 */
import { CastlensError, UniqueNames } from '../../model';
import { describeNode } from './order';
import type { IRawAttribute, IRawFunction, IRawGraph, IRawModel, IRawNode } from './rawmodel';
import { normalizeDomain } from './rawmodel';

/** Nodes a model may have once its functions are replaced: calls of calls grow exponentially. */
const MAX_NODES = 1_000_000;

/** Functions that may call one another in a row. */
const MAX_CHAIN = 100;

/**
 * Replace every call, in nested graphs and in functions too.
 *
 * #### Notes
 * Values inside a body get the name of the call in front; operands and results keep the names they have outside. Attributes
 * that refer to those of the function become those of the call, or their defaults. Nodes without metadata of their own take
 * that of the call. Operator sets that only functions import are added to those of the model.
 *
 * @returns remarks, where a function is written against another version of an operator set than the model.
 * @throws CastlensError for functions that call themselves or nest too deep, and for models that grow beyond MAX_NODES nodes;
 * found before anything is replaced.
 */
export function inlineFunctions(file: string, model: IRawModel): string[] {
  if (model.functions.length === 0 || model.graph === null) {
    return [];
  }
  const functions = new Map(
    model.functions.map(made => [keyOf(made.domain, made.name, made.overload), made])
  );
  return new Inliner(file, functions, model.opsets).run(model.graph);
}

class Inliner {
  constructor(
    private readonly _file: string,
    private readonly _functions: ReadonlyMap<string, IRawFunction>,
    private readonly _opsets: Map<string, number>
  ) {}

  run(graph: IRawGraph): string[] {
    this._sizeOf(graph.nodes, []);
    reserveNames(graph, this._names);
    graph.nodes = this._expand(graph.nodes);
    return [...this._warnings];
  }

  /** Number of nodes there will be. `chain` are the functions around them, outermost first. */
  private _sizeOf(nodes: readonly IRawNode[], chain: readonly IRawFunction[]): number {
    let total = 0;
    nodes.forEach((node, index) => {
      const called = this._calledBy(node);
      if (called === undefined) {
        total += 1;
        for (const body of bodiesOf(node)) {
          total += this._sizeOf(body.nodes, chain);
        }
      } else {
        let size = this._sizes.get(called);
        if (size === undefined) {
          if (chain.includes(called) || chain.length >= MAX_CHAIN) {
            throw new CastlensError(
              'bad-file',
              'functions of the model call one another without end',
              {
                file: this._file,
                entry: describeNode(node, index),
                expected: `functions that do not call themselves, at most ${MAX_CHAIN} in a row`,
                found: [...chain.slice(-3), called].map(({ name }) => name).join(' calls ')
              }
            );
          }
          size = this._sizeOf(called.nodes, [...chain, called]);
          this._sizes.set(called, size);
        }
        total += size;
      }
      if (total > MAX_NODES) {
        throw new CastlensError('bad-file', 'the functions of the model grow without bound', {
          file: this._file,
          entry: describeNode(node, index),
          expected: `at most ${MAX_NODES} nodes`,
          found: `${total} or more`
        });
      }
    });
    return total;
  }

  /** The nodes with all calls replaced. */
  private _expand(nodes: readonly IRawNode[]): IRawNode[] {
    const result: IRawNode[] = [];
    for (const node of nodes) {
      const called = this._calledBy(node);
      if (called === undefined) {
        for (const body of bodiesOf(node)) {
          body.nodes = this._expand(body.nodes);
        }
        result.push(node);
      } else {
        for (const inner of this._expand(this._instantiate(node, called))) {
          result.push(inner);
        }
      }
    }
    return result;
  }

  private _calledBy(node: IRawNode): IRawFunction | undefined {
    return this._functions.get(keyOf(node.domain, node.opType, node.overload));
  }

  /** The body of a function as the call makes it. */
  private _instantiate(call: IRawNode, called: IRawFunction): IRawNode[] {
    this._mergeOpsets(called);
    const prefix = call.name === '' ? call.opType : call.name;
    const names = new Map<string, string>();
    called.inputs.forEach((name, i) => names.set(name, call.inputs[i] ?? ''));
    const identities: IRawNode[] = [];
    called.outputs.forEach((name, i) => {
      const outer = call.outputs[i] ?? '';
      if (outer === '') {
        return;
      }
      const taken = names.get(name);
      if (taken === undefined) {
        names.set(name, outer);
      } else {
        identities.push(identityOf(prefix, taken, outer, call.metadata));
      }
    });
    const rename = (name: string): string => {
      if (name === '') {
        return '';
      }
      let renamed = names.get(name);
      if (renamed === undefined) {
        renamed = this._names.take(`${prefix}/${name}`);
        names.set(name, renamed);
      }
      return renamed;
    };
    const given = new Map(
      [...called.defaults, ...call.attributes].map(attribute => [attribute.name, attribute])
    );
    const copy = (node: IRawNode): IRawNode => ({
      ...node,
      name: node.name === '' ? '' : `${prefix}/${node.name}`,
      inputs: node.inputs.map(rename),
      outputs: node.outputs.map(rename),
      attributes: node.attributes.flatMap(attribute => copyAttribute(attribute, given, copyGraph)),
      metadata: node.metadata.size === 0 ? call.metadata : node.metadata
    });
    const copyGraph = (graph: IRawGraph): IRawGraph => ({
      ...graph,
      inputs: graph.inputs.map(info => ({ ...info, name: rename(info.name) })),
      outputs: graph.outputs.map(info => ({ ...info, name: rename(info.name) })),
      valueInfos: graph.valueInfos.map(info => ({ ...info, name: rename(info.name) })),
      initializers: graph.initializers.map(tensor => ({ ...tensor, name: rename(tensor.name) })),
      nodes: graph.nodes.map(copy)
    });
    return [...called.nodes.map(copy), ...identities];
  }

  private _mergeOpsets(called: IRawFunction): void {
    for (const [domain, version] of called.opsets) {
      const known = this._opsets.get(domain);
      if (known === undefined) {
        this._opsets.set(domain, version);
      } else if (known !== version) {
        this._warnings.add(
          `Function ${called.domain}.${called.name} is written against version ${version} of operator set '${
            domain || 'ai.onnx'
          }', the model against ${known}: it is read as if both were the same.`
        );
      }
    }
  }

  private readonly _names = new UniqueNames();
  private readonly _warnings = new Set<string>();
  private readonly _sizes = new Map<IRawFunction, number>();
}

/** An attribute within a body: itself, or what a reference stands for; nothing where that is left out. */
function copyAttribute(
  attribute: IRawAttribute,
  given: ReadonlyMap<string, IRawAttribute>,
  copyGraph: (graph: IRawGraph) => IRawGraph
): IRawAttribute[] {
  if (attribute.refName !== '') {
    const value = given.get(attribute.refName);
    return value === undefined ? [] : [{ ...value, name: attribute.name }];
  }
  return [
    {
      ...attribute,
      g: attribute.g === null ? null : copyGraph(attribute.g),
      graphs: attribute.graphs.map(copyGraph)
    }
  ];
}

function identityOf(
  prefix: string,
  input: string,
  output: string,
  metadata: Map<string, string>
): IRawNode {
  return {
    name: `${prefix}/${output}`,
    opType: 'Identity',
    domain: '',
    overload: '',
    inputs: [input],
    outputs: [output],
    attributes: [],
    metadata
  };
}

function bodiesOf(node: IRawNode): IRawGraph[] {
  return node.attributes.flatMap(({ g, graphs }) => (g === null ? graphs : [g, ...graphs]));
}

/** Take every name of a graph and of those nested in it, so that no copy gets one of them. */
function reserveNames(graph: IRawGraph, names: UniqueNames): void {
  const stack = [graph];
  while (stack.length > 0) {
    const { nodes, inputs, initializers } = stack.pop()!;
    [...inputs, ...initializers].forEach(({ name }) => names.take(name));
    for (const node of nodes) {
      node.outputs.forEach(name => names.take(name));
      stack.push(...bodiesOf(node));
    }
  }
}

function keyOf(domain: string, name: string, overload: string): string {
  return [normalizeDomain(domain), name, overload].join('\0');
}
