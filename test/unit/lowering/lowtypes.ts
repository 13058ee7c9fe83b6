/** Types of graphs for devices that compute in low precision, for tests. */
import type { ICapabilities } from '../../../src/lowering';
import { bodiesOf, castTarget, cloneGraph, forEachNode, isLowPrecision } from '../../../src/model';
import type { Attr, DType, IGraph, IValue, IWeight } from '../../../src/model';
import { castBytes } from '../../../src/numerics';

/** The same graph with float16 for bfloat16. What is stored in bfloat16 is cast when the model is loaded. */
export function inFloat16(source: IGraph): IGraph {
  const { graph } = cloneGraph(source);
  const swap = <T extends DType | null>(dtype: T): T =>
    (dtype === 'bfloat16' ? 'float16' : dtype) as T;
  const swapWeight = (weight: IWeight): IWeight => {
    const { data } = weight;
    if (data.kind === 'derived') {
      const storage = `${weight.storage}:float16`;
      const steps = data.steps.map(swap);
      return { ...weight, dtype: swap(weight.dtype), storage, data: { ...data, steps } };
    }
    if (weight.dtype !== 'bfloat16') {
      return weight;
    }
    const own: IWeight = { ...weight, dtype: 'float16', storage: `${weight.storage}->float16` };
    return data.kind === 'inline'
      ? { ...own, data: { kind: 'inline', bytes: castBytes(data.bytes, 'bfloat16', 'float16') } }
      : { ...own, data: { kind: 'derived', source: weight, steps: ['float16'] } };
  };
  const swapValue = (value: IValue | null): void => {
    if (value !== null) {
      value.dtype = swap(value.dtype);
      if (value.accumulates) {
        value.accumulates = swap(value.accumulates);
      }
    }
  };
  const swapAttr = (attr: Attr): Attr => {
    if (attr.kind === 'tensor') {
      return { kind: 'tensor', value: swapWeight(attr.value) };
    }
    return attr.kind === 'dtype' ? { ...attr, value: swap(attr.value) } : attr;
  };
  const swapEnds = (one: IGraph): void => {
    one.inputs.forEach(swapValue);
    one.weights = one.weights.map(({ value, weight }) => {
      const swapped = swapWeight(weight);
      value.dtype = swapped.dtype;
      return { value, weight: swapped };
    });
  };
  swapEnds(graph);
  forEachNode(graph, node => {
    node.outputs.forEach(swapValue);
    for (const key in node.attrs) {
      node.attrs[key] = swapAttr(node.attrs[key]);
    }
    bodiesOf(node).forEach(swapEnds);
  });
  return graph;
}

/**
 * Nodes without a kernel for the low-precision types at their ends, and ends of a type that the runtime does not pass. Types are
 * those of the values, checked against each other by the type parameters of the kernels.
 */
export function typeErrors(graph: IGraph, capabilities: ICapabilities): string[] {
  const errors: string[] = [];
  const text = (values: readonly (IValue | null)[]): string =>
    values.map(value => value?.dtype ?? 'none').join(', ');
  forEachNode(graph, node => {
    const ends = [...node.inputs, ...node.outputs];
    const isLow = ends.some(value => value?.dtype != null && isLowPrecision(value.dtype));
    if (!isLow || node.op === 'onnx.Constant') {
      return;
    }
    const types = (values: readonly (IValue | null)[]): (DType | null | undefined)[] =>
      values.map(value => (value === null ? null : (value.dtype ?? undefined)));
    const opset = graph.opsets[node.op.startsWith('onnx.') ? '' : node.op.split('.')[0]] ?? 1;
    const { inputs, outputs } = node;
    // What a nested graph gives is of several types.
    const hasKernel =
      bodiesOf(node).length > 0 ||
      capabilities.kernels.has(node.op, opset, types(inputs), types(outputs));
    const target = castTarget(node);
    if (!hasKernel || (target !== null && target !== outputs[0]?.dtype)) {
      errors.push(`${node.name}: ${node.op}(${text(inputs)}) -> ${text(outputs)}`);
    }
  });
  for (const value of [...graph.inputs, ...graph.outputs]) {
    if (value.dtype !== null && !capabilities.passes(value.dtype)) {
      errors.push(`${value.name} is ${value.dtype}`);
    }
  }
  return errors;
}
