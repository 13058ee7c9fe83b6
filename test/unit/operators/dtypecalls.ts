/** Calls of ATen operators with the dtypes that PyTorch computes, from the file that test/data/make_aten_dtypes.py writes. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

import { makeValue } from '../../../src/model';
import type { Attr, DType, INode, IValue } from '../../../src/model';

type Written = { t: number[] } | { d: DType } | { f: string } | null | boolean | number | string;
type Argument = Written | readonly Argument[];

/** A call in several dtypes. */
export interface IDtypeCall {
  readonly args: Readonly<Record<string, Argument>>;
  /** For each try a letter per tensor. */
  readonly tried: readonly string[];
  /** For each try a letter per result; `-` where PyTorch refuses. */
  readonly results: readonly string[];
}

type Stored = readonly [IDtypeCall['args'], number, number];

/** Calls by operator (`add.Tensor`), of each version of PyTorch. */
export function readDtypeCalls(): ReadonlyMap<string, ReadonlyMap<string, IDtypeCall[]>> {
  const { texts, versions } = JSON.parse(
    gunzipSync(readFileSync('test/data/aten_dtypes.json.gz')).toString()
  ) as { texts: string[]; versions: Record<string, Record<string, Stored[]>> };
  const callsOf = (stored: Readonly<Record<string, Stored[]>>): Map<string, IDtypeCall[]> =>
    new Map(
      Object.entries(stored).map(([name, calls]) => [
        name,
        calls.map(([args, tried, results]) => ({
          args,
          tried: texts[tried].split(' '),
          results: texts[results].split(' ')
        }))
      ])
    );
  // Of the older version the file has what differs.
  return new Map([
    ['2.15.0', callsOf(versions['2.15.0'])],
    ['2.13.0', callsOf({ ...versions['2.15.0'], ...versions['2.13.0'] })]
  ]);
}

const DTYPE_OF: Readonly<Record<string, DType>> = {
  f: 'float32',
  h: 'float16',
  b: 'bfloat16',
  d: 'float64',
  l: 'int64',
  i: 'int32',
  o: 'bool',
  u: 'uint8',
  c: 'complex64',
  a: 'int8',
  s: 'int16',
  y: 'complex32',
  z: 'complex128'
};

/** The dtypes that letters stand for; null for a result that is no tensor. */
export function dtypesOf(word: string): (DType | null)[] {
  return [...word].map(letter => DTYPE_OF[letter] ?? null);
}

/** A node that makes a call in the dtypes of one try. Arguments that the record of the operator does not know are left out. */
export function nodeOfCall(
  op: string,
  args: IDtypeCall['args'],
  word: string,
  results: number,
  known: ReadonlySet<string>
): INode {
  const dtypes = dtypesOf(word);
  const inputs: IValue[] = [];
  const attrOf = (arg: Argument): Attr => {
    if (arg === null) {
      return { kind: 'none' };
    }
    switch (typeof arg) {
      case 'boolean':
        return { kind: 'bool', value: arg };
      case 'number':
        return { kind: 'int', value: arg };
      case 'string':
        return { kind: 'string', value: arg };
      default:
    }
    if (Array.isArray(arg)) {
      return { kind: 'list', items: (arg as readonly Argument[]).map(attrOf) };
    }
    const one = arg as { t?: number[]; d?: DType; f?: string };
    if (one.t) {
      inputs.push(makeValue(`x${inputs.length}`, dtypes[inputs.length], one.t));
      return { kind: 'input', index: inputs.length - 1 };
    }
    return one.d ? { kind: 'dtype', value: one.d } : { kind: 'float', value: Number(one.f) };
  };
  const attrs = Object.fromEntries(
    Object.entries(args)
      .map(([name, arg]): [string, Attr] => [name, attrOf(arg)])
      .filter(([name]) => known.has(name))
  );
  const outputs = Array.from({ length: results }, (_, i) => makeValue(`y${i}`, null, null));
  return { name: 'n', op, inputs, attrs, outputs, region: null, module: null, source: null };
}
