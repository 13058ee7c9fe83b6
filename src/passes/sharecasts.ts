/**
 * The pass `share-casts`.
 *
 * @packageDocumentation
 */
import type { Attr, DType, IGraph, INode, IValue } from '../model';
import { castTarget, changesDtype, graphsOf } from '../model';
import { count, weightKey } from '../autocast';
import { findAliases, GraphEditor, outputsOf } from '../dataflow';
import type { IDecline, IPass, IPassResult } from './pass';

/**
 * Casts of the same value to the same dtype become one.
 *
 * Two casts are the same where
 *
 * 1. their operands are the same value, or
 * 2. their operands are weights with the same storage and the same place in it (tied weights), and
 *
 * their target dtype and their other arguments (device, memory format, saturation) agree. The first one is kept. Chains are
 * followed: casts of casts that became one are the same too.
 *
 * #### Notes
 * Regions play no part: the result of a cast does not depend on where it was asked for. Nested graphs are handled each for
 * itself, since a body may run never or many times. Casts that lowering added are left alone.
 *
 * Declines where the operand or a result is written to in place, and where the later cast makes an output of the graph, which
 * must stay a value of its own.
 */
export const shareCasts: IPass = {
  name: 'share-casts',
  run(graph: IGraph): IPassResult {
    const declined: IDecline[] = [];
    const aliases = findAliases(graph);
    const outputs = outputsOf(graph);
    const editor = new GraphEditor(graph);
    const tensors = new StoredTensors(graph);
    for (const one of graphsOf(graph)) {
      const firsts = new Map<IValue, IFirstCast[]>();
      for (const node of one.nodes) {
        const result = node.outputs[0] ?? null;
        if (node.role !== undefined || result === null || !changesDtype(node)) {
          continue;
        }
        const source = editor.resolve(node.inputs[0]!);
        const earlier = firstLike(node, tensors.representativeOf(source), firsts);
        if (earlier === null) {
          continue;
        }
        const mutator =
          aliases.mutatorOf(source) ??
          aliases.mutatorOf(result) ??
          aliases.mutatorOf(earlier.outputs[0]!);
        if (mutator !== null) {
          declined.push({ node: node.name, reason: `${mutator.name} writes to it in place` });
        } else if (outputs.has(result)) {
          declined.push({ node: node.name, reason: 'its result is an output of the graph' });
        } else {
          editor.remove(node);
          editor.replace(result, earlier.outputs[0]!);
        }
      }
    }
    const applied = editor.replaced;
    return {
      modified: editor.finish(),
      applied,
      declined,
      summary:
        applied > 0
          ? `${count(applied, 'repeated cast')} now ${applied === 1 ? 'uses' : 'use'} the first one's result`
          : 'no cast is repeated'
    };
  }
};

/** Tells which weights are the same tensor of the file. */
class StoredTensors {
  constructor(graph: IGraph) {
    const first = new Map<string, IValue>();
    for (const one of graphsOf(graph)) {
      for (const { value, weight } of one.weights) {
        const key = weightKey(weight);
        const same = first.get(key);
        if (same === undefined) {
          first.set(key, value);
        } else {
          this._first.set(value, same);
        }
      }
    }
  }

  /** One value for all that are the same tensor; other values stand for themselves. */
  representativeOf(value: IValue): IValue {
    return this._first.get(value) ?? value;
  }

  private readonly _first = new Map<IValue, IValue>();
}

/** The first cast of a value to a dtype with certain other arguments. */
interface IFirstCast {
  readonly node: INode;
  readonly to: DType;
  readonly others: string;
}

/** The first cast that is the same as this one; null where this one is, which is noted then. */
function firstLike(node: INode, source: IValue, firsts: Map<IValue, IFirstCast[]>): INode | null {
  const to = castTarget(node)!;
  // What a composite operator casts is not its operand where it computes first.
  const others = otherArguments(node) + (node.reach === 'computed' ? '|computed' : '');
  // As many as there are dtypes and ways to write a cast: few.
  const list = firsts.get(source);
  const same = list?.find(first => first.to === to && first.others === others);
  if (same !== undefined) {
    return same.node;
  }
  const first = { node, to, others };
  if (list === undefined) {
    firsts.set(source, [first]);
  } else {
    list.push(first);
  }
  return null;
}

/** Arguments of a cast beside operand and target dtype, as text. */
function otherArguments(node: INode): string {
  const texts: string[] = [];
  for (const name in node.attrs) {
    const text = TARGET_ARGUMENTS.has(name) ? '' : attrText(node.attrs[name]);
    if (text !== '') {
      texts.push(`${name}=${text}`);
    }
  }
  return texts.sort().join(',');
}

/** Arguments that say what is cast and to which dtype, or that have no effect on the values. */
const TARGET_ARGUMENTS: ReadonlySet<string> = new Set([
  'self',
  'dtype',
  'to',
  'other',
  'copy',
  'non_blocking'
]);

function attrText(attr: Attr): string {
  switch (attr.kind) {
    case 'none':
      return '';
    case 'bool':
    case 'int':
    case 'float':
    case 'string':
    case 'dtype':
    case 'device':
    case 'memory-format':
    case 'layout':
      return `${attr.kind}:${String(attr.value)}`;
    case 'input':
      return `input:${attr.index}`;
    case 'list':
      return `list:${attr.items.map(attrText).join(';')}`;
    case 'tensor':
      return `tensor:${attr.value.storage}`;
    case 'encoded':
      return `encoded:${attr.messages.map(message => message.join()).join(';')}`;
    case 'graph':
      return `graph:${attr.value.name}`;
  }
}
