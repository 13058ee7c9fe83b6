/**
 * The messages of an ONNX file as they are in the file, tensors as byte ranges.
 *
 * @packageDocumentation
 */
import type { IByteRange } from '../../model';
import { packStrings } from './stringtensor';

/** TensorProto. */
export interface IRawTensor {
  name: string;
  dims: (number | bigint)[];
  dataType: number;
  /** `raw_data`, or a typed field that is stored as the same bytes. */
  range: IByteRange | null;
  /** Elements of typed fields: numbers as written, before they are packed to the element type. */
  numbers: (number | bigint)[];
  strings: Uint8Array[] | null;
  /** `external_data`, where the tensor is in another file. */
  external: Map<string, string> | null;
}

/** One size: number, symbol, or null where nothing is said. */
export type RawDim = number | string | null;

/** ValueInfoProto. Sequences and optionals have the element type of what they hold. */
export interface IRawValueInfo {
  name: string;
  elemType: number;
  dims: RawDim[] | null;
  isTensor: boolean;
  /** The type in words where it is none of a tensor: `seq(map)`; empty for tensors and where nothing is said. */
  typeText: string;
  metadata: Map<string, string>;
}

/** AttributeProto. */
export interface IRawAttribute {
  name: string;
  type: number;
  refName: string;
  f: number | null;
  i: number | bigint | null;
  s: Uint8Array | null;
  t: IRawTensor | null;
  g: IRawGraph | null;
  floats: number[];
  ints: (number | bigint)[];
  strings: Uint8Array[];
  tensors: IRawTensor[];
  graphs: IRawGraph[];
  /** Messages of kinds castlens hands on as they are: types and sparse tensors. */
  messages: Uint8Array[];
}

/** NodeProto. */
export interface IRawNode {
  name: string;
  opType: string;
  domain: string;
  overload: string;
  inputs: string[];
  outputs: string[];
  attributes: IRawAttribute[];
  metadata: Map<string, string>;
}

/** GraphProto. */
export interface IRawGraph {
  name: string;
  nodes: IRawNode[];
  initializers: IRawTensor[];
  inputs: IRawValueInfo[];
  outputs: IRawValueInfo[];
  valueInfos: IRawValueInfo[];
  sparseInitializers: number;
  metadata: Map<string, string>;
}

/** FunctionProto. */
export interface IRawFunction {
  name: string;
  domain: string;
  overload: string;
  inputs: string[];
  outputs: string[];
  attributes: string[];
  defaults: IRawAttribute[];
  nodes: IRawNode[];
  opsets: Map<string, number>;
}

/** ModelProto. */
export interface IRawModel {
  irVersion: number;
  producerName: string;
  producerVersion: string;
  graph: IRawGraph | null;
  opsets: Map<string, number>;
  functions: IRawFunction[];
}

/** The default domain has two spellings. */
export function normalizeDomain(domain: string): string {
  return domain === 'ai.onnx' ? '' : domain;
}

/** Elements of a string tensor as they are kept in memory. */
export function packedStringsOf(tensor: IRawTensor): Uint8Array {
  return packStrings(tensor.strings ?? []);
}
