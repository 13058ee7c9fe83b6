/**
 * The reference `float32`: a graph without low-precision dtypes.
 *
 * @packageDocumentation
 */
import type { Attr, DType, IExportedModel, IGraph, INode, IValue, IWeight } from '../model';
import { bodiesOf, castTarget, contiguousStrides, graphsOf, makeValue } from '../model';
import type { IAliases } from '../dataflow';
import { dropDeadNodes, findAliases, GraphEditor, outputsOf } from '../dataflow';
import { weightKey } from '../autocast';

/**
 * Take float16 and bfloat16 out of a graph: casts to them become casts to float32, weights stored in them are held in float32,
 * and every value that had one of them has float32. Changes `graph` in place.
 *
 * #### Notes
 * Inputs of the graph keep their dtype and are cast where they come in. Casts that have become casts of float32 to float32
 * vanish, except those that make an output of the graph. Constants written into nodes keep their dtype and are cast behind
 * the node. Outputs become float32. A cast whose operand or result is written to in place stays, as a copy.
 */
export function toFloat32(graph: IGraph, dialect: IExportedModel['dialect']): void {
  const editor = new GraphEditor(graph);
  // Who shares memory is told by the casts as they are.
  const aliases = findAliases(graph);
  const derived = new Map<string, IWeight>();
  for (const one of graphsOf(graph)) {
    if (one === graph) {
      for (const input of one.inputs) {
        if (isReduced(input.dtype)) {
          editor.prepend(graph, castBehind(input, null, dialect, editor));
        }
      }
    } else {
      one.inputs.forEach(widen);
    }
    one.weights = one.weights.map(({ value, weight }) => {
      if (!isReduced(weight.dtype)) {
        return { value, weight };
      }
      widen(value);
      const key = weightKey(weight);
      const held = derived.get(key) ?? heldInFloat32(weight, key);
      derived.set(key, held);
      return { value, weight: held };
    });
    for (const node of one.nodes) {
      const holdsConstant = Object.values(node.attrs).some(
        attr => attr.kind === 'tensor' && isReduced(attr.value.dtype)
      );
      if (holdsConstant) {
        for (const value of node.outputs) {
          if (value !== null && isReduced(value.dtype)) {
            editor.insertAfter(node, castBehind(value, node, dialect, editor));
          }
        }
        continue;
      }
      node.attrs = widenAttrs(node.attrs);
      node.outputs.forEach(value => {
        if (value !== null) {
          widen(value);
        }
      });
    }
  }
  editor.apply();
  dropIdleCasts(editor, dialect, aliases);
}

function isReduced(dtype: DType | null): boolean {
  return dtype === 'float16' || dtype === 'bfloat16';
}

function widen(value: IValue): void {
  if (isReduced(value.dtype)) {
    value.dtype = 'float32';
  }
}

function widenAttrs(attrs: Record<string, Attr>): Record<string, Attr> {
  const widened: Record<string, Attr> = {};
  for (const key in attrs) {
    const attr = attrs[key];
    widened[key] =
      attr.kind === 'dtype' && isReduced(attr.value) ? { kind: 'dtype', value: 'float32' } : attr;
  }
  return widened;
}

function heldInFloat32(weight: IWeight, key: string): IWeight {
  const source = weight.data.kind === 'derived' ? weight.data.source : weight;
  const steps: DType[] =
    weight.data.kind === 'derived' ? [...weight.data.steps, 'float32'] : ['float32'];
  return {
    ...weight,
    storage: `${key}->float32`,
    dtype: 'float32',
    strides: contiguousStrides(weight.shape),
    storageOffset: 0,
    data: { kind: 'derived', source, steps }
  };
}

/**
 * A cast to float32 that is to stand right behind `value`, for all of its users.
 *
 * @param maker - of the value; null for an input.
 */
function castBehind(
  value: IValue,
  maker: INode | null,
  dialect: IExportedModel['dialect'],
  editor: GraphEditor
): INode {
  const name = editor.names.node(`${value.name}_float32`);
  const cast: INode = {
    name,
    ...castToFloat32(dialect),
    inputs: [value],
    outputs: [makeValue(name, 'float32', value.shape)],
    region: null,
    module: maker?.module ?? null,
    source: maker?.source ?? null,
    origin: 'runtime'
  };
  editor.replaceBehind(value, cast);
  return cast;
}

function castToFloat32(dialect: IExportedModel['dialect']): Pick<INode, 'op' | 'attrs'> {
  const target: Attr = { kind: 'dtype', value: 'float32' };
  return dialect === 'ONNX'
    ? { op: 'onnx.Cast', attrs: { to: target } }
    : {
        op: 'aten._to_copy.default',
        attrs: { self: { kind: 'input', index: 0 }, dtype: target }
      };
}

/** Drop casts of float32 to float32 that this rewrite left behind. */
function dropIdleCasts(
  editor: GraphEditor,
  dialect: IExportedModel['dialect'],
  aliases: IAliases
): void {
  const outputs = outputsOf(editor.graph);
  for (const one of graphsOf(editor.graph)) {
    for (const node of one.nodes) {
      const source = node.inputs[0] ?? null;
      const result = node.outputs[0] ?? null;
      if (
        castTarget(node) === 'float32' &&
        source?.dtype === 'float32' &&
        result !== null &&
        !outputs.has(result) &&
        bodiesOf(node).length === 0
      ) {
        const isWritten = [source, result].some(value => aliases.mutatorOf(value) !== null);
        if (!isWritten) {
          editor.replace(result, source);
        } else if (dialect !== 'ONNX' && aliases.groupOf(source) !== aliases.groupOf(result)) {
          Object.assign(node, castToFloat32(dialect));
          node.inputs = [source];
        }
      }
    }
  }
  editor.apply();
  // Weights may be held without any cast.
  dropDeadNodes(editor.graph);
}
