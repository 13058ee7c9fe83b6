/** Graphs of one ATen call, from the cases that test/data/make_aten_cases.py writes. */
import { makeValue } from '../../../src/model';
import type { Attr, DType, Dim, IGraph, IMemory, INode, IValue, IWeight } from '../../../src/model';
import { contiguousStrides } from '../../../src/model';
import { bytesOf, castBytes, tensorFromBytes } from '../../../src/numerics';
import type { ITensor } from '../../../src/numerics';

/** A tensor as written in a case. */
export interface ICaseTensor {
  readonly dtype: DType;
  readonly shape: number[];
  readonly data: (number | string)[];
  readonly weight?: boolean;
  /** Where it lies in memory, of operators that look there. */
  readonly strides?: number[];
  readonly offset?: number;
}

/** An argument as written in a case. */
export type CaseArgument =
  | { readonly tensor: ICaseTensor }
  | { readonly dtype: DType }
  | { readonly list: CaseArgument[] }
  | { readonly none: true }
  | { readonly bool: boolean }
  | { readonly int: number | string }
  | { readonly float: number | string }
  | { readonly string: string };

/** One call with its results. */
export interface IAtenCase {
  readonly op: string;
  readonly args: Readonly<Record<string, CaseArgument>>;
  readonly results: ICaseTensor[];
}

/**
 * The graph of a call. Operands that are weights are weights of the graph, others its inputs.
 *
 * @param symbolic - whether sizes of operands are symbols, as far as export leaves them (it specialises on 0 and 1).
 */
export function callGraph(
  one: IAtenCase,
  symbolic: boolean
): { graph: IGraph; inputs: ICaseTensor[] } {
  const values: IValue[] = [];
  const inputs: IValue[] = [];
  const tensors: ICaseTensor[] = [];
  const weights: { value: IValue; weight: IWeight }[] = [];
  const nodes: INode[] = [];
  const memories: IMemory[] = [];
  const inPlace = /_\.\w+$/.test(one.op) && !/__\.\w+$/.test(one.op);
  const operand = (tensor: ICaseTensor): Attr => {
    const index = values.length;
    const value = makeValue(`x${index}`, tensor.dtype, [...tensor.shape]);
    if (tensor.strides) {
      memories.push({ strides: tensor.strides, offset: tensor.offset! });
    }
    if (tensor.weight) {
      weights.push({ value, weight: weightOf(value.name, tensor) });
      values.push(value);
      return { kind: 'input', index };
    }
    if (symbolic) {
      value.shape = tensor.shape.map((size, i) =>
        size < 2 ? size : { kind: 'symbol', name: `s${index}_${i}` }
      );
    }
    inputs.push(value);
    tensors.push(tensor);
    if (inPlace && index === 0) {
      // Changing an input of the graph is refused; change a copy.
      const copy = makeValue('copy', value.dtype, value.shape);
      nodes.push(
        nodeOf('copy', 'aten.neg.default', [value], { self: { kind: 'input', index: 0 } }, [copy])
      );
      const back = makeValue('back', value.dtype, value.shape);
      nodes.push(
        nodeOf('back', 'aten.neg.default', [copy], { self: { kind: 'input', index: 0 } }, [back])
      );
      values.push(back);
      return { kind: 'input', index };
    }
    values.push(value);
    return { kind: 'input', index };
  };
  const attrs: Record<string, Attr> = {};
  for (const name in one.args) {
    attrs[name] = attrOf(one.args[name], operand);
  }
  const outputs = one.results.map((result, i) =>
    makeValue(`y${i}`, result.dtype, symbolic ? result.shape.map(symbolOf) : result.shape)
  );
  const call = nodeOf('call', one.op, values, attrs, outputs);
  if (memories.length > 0) {
    [call.memory] = memories;
  }
  nodes.push(call);
  return {
    graph: { name: 'case', inputs, outputs, nodes, weights, opsets: {} },
    inputs: tensors
  };
}

/** The attribute of an argument; tensors become what `operand` makes of them. */
export function attrOf(argument: CaseArgument, operand?: (tensor: ICaseTensor) => Attr): Attr {
  if ('tensor' in argument) {
    return operand!(argument.tensor);
  }
  if ('dtype' in argument) {
    return { kind: 'dtype', value: argument.dtype };
  }
  if ('list' in argument) {
    return { kind: 'list', items: argument.list.map(item => attrOf(item, operand)) };
  }
  if ('none' in argument) {
    return { kind: 'none' };
  }
  if ('bool' in argument) {
    return { kind: 'bool', value: argument.bool };
  }
  if ('int' in argument) {
    const { int } = argument;
    return { kind: 'int', value: typeof int === 'string' ? BigInt(int) : int };
  }
  if ('float' in argument) {
    return { kind: 'float', value: parseNumber(argument.float) };
  }
  return { kind: 'string', value: argument.string };
}

/** Python writes inf and nan. */
export function parseNumber(text: number | string): number {
  if (typeof text === 'number') {
    return text;
  }
  return text === 'nan' ? NaN : text === 'inf' ? Infinity : -Infinity;
}

function symbolOf(size: number, i: number): Dim {
  return size === 1 ? 1 : { kind: 'symbol', name: `r${i}` };
}

function nodeOf(
  name: string,
  op: string,
  inputs: IValue[],
  attrs: Record<string, Attr>,
  outputs: IValue[]
): INode {
  return { name, op, inputs, attrs, outputs, region: null, module: null, source: null };
}

function weightOf(name: string, tensor: ICaseTensor): IWeight {
  const wide = bytesOf(Float64Array.from(tensor.data, parseNumber));
  return {
    storage: `inline:${name}`,
    names: [name],
    kind: 'parameter',
    dtype: tensor.dtype,
    shape: tensor.shape,
    strides: contiguousStrides(tensor.shape),
    storageOffset: 0,
    requiresGrad: true,
    data: { kind: 'inline', bytes: castBytes(wide, 'float64', tensor.dtype) }
  };
}

/** A tensor of a case as it is passed to the runtime. */
export function tensorOf(data: ICaseTensor): ITensor {
  const wide = bytesOf(Float64Array.from(data.data, parseNumber));
  return tensorFromBytes(data.dtype, data.shape, castBytes(wide, 'float64', data.dtype));
}
