/**
 * The records of ATen's operators, against ATen's own schemas: arguments, defaults, aliases and results, in PyTorch 2.13.0 and 2.15.0.
 */
import { readFileSync } from 'node:fs';

import { DEVICE_POLICIES } from '../../../src/autocast/policy';
import { isInPlace, knownOperators, operatorOf } from '../../../src/operators';
import type { IArgument, ISchema } from '../../../src/operators/aten/schema';
import { operatorName, parseSchema } from '../../../src/operators/aten/schema';

type Schemas = Readonly<Record<string, string>>;

const dump = JSON.parse(readFileSync('test/data/aten_schemas.json', 'utf8')) as Record<
  '2.15.0' | '2.13.0',
  Schemas
>;
/** Schemas by name and overload; of the older version, those that differ. */
const VERSIONS: readonly (readonly [string, Schemas])[] = [
  ['2.15.0', dump['2.15.0']],
  ['2.13.0', { ...dump['2.15.0'], ...dump['2.13.0'] }]
];

const nameOf = (schema: string): string => schema.slice(0, schema.indexOf('('));

/** A type without what is said about sizes only: `SymInt[2]` is `int[]`. */
const plainType = (type: string): string =>
  type
    .replace('SymInt', 'int')
    .replace(/\[\d+\]/u, '[]')
    .replace(/^(MemoryFormat|Layout|ScalarType)/u, 'int');

/** Constants that native_functions.yaml names and PyTorch prints as numbers. */
const CONSTANTS: Readonly<Record<string, number>> = { contiguous_format: 0, long: 4 };

/** A default as a number where it is one for every dimension (`int[2] stride=1`, which PyTorch prints as `[1, 1]`). */
function plainDefault({ default: given }: IArgument): unknown {
  if (given?.kind === 'string' && Object.hasOwn(CONSTANTS, given.value)) {
    return CONSTANTS[given.value];
  }
  const items = given?.kind === 'list' ? given.items : [given];
  const [first] = items;
  const isOne =
    first?.kind === 'int' &&
    items.every(item => item?.kind === 'int' && item.value === first.value);
  return isOne ? first.value : given;
}

const plainArgument = (arg: IArgument): string =>
  JSON.stringify([arg.name, plainType(arg.type), arg.alias, plainDefault(arg)]);

const plainResults = ({ results }: ISchema): string =>
  JSON.stringify(results.map(({ type, alias }) => [plainType(type), alias]));

describe.each(VERSIONS)('ATen of PyTorch %s', (_, schemas) => {
  /** Whether the other version alone has an operator. */
  const isOfAnother = (name: string): boolean =>
    schemas[name] === '' || (!(name in schemas) && name in dump['2.13.0']);
  const theirs = (text: string): ISchema => parseSchema(schemas[nameOf(text)]);
  const records = knownOperators().filter(
    ({ op, text }) => op.startsWith('aten.') && !isOfAnother(nameOf(text))
  );

  it('should have the operators that have a record', () => {
    expect(records.length).toBeGreaterThan(800);
    expect(records.map(({ text }) => nameOf(text)).filter(name => !(name in schemas))).toEqual([]);
  });

  it('should give every argument the name, type, default and alias of the record, in its order', () => {
    const wrong: string[] = [];
    for (const { op, text, schema } of records) {
      const all = theirs(text).args.map(plainArgument);
      let last = -1;
      for (const arg of schema.args.map(plainArgument)) {
        const at = all.indexOf(arg);
        if (at <= last) {
          wrong.push(`${op}: ${arg}, of ${schemas[nameOf(text)]}`);
        }
        last = Math.max(at, last);
      }
    }
    expect(wrong).toEqual([]);
  });

  it('should need and write to no argument that a record does not know', () => {
    const wrong: string[] = [];
    for (const { op, text, schema } of records) {
      const known = new Set(schema.args.map(({ name }) => name));
      for (const arg of theirs(text).args) {
        if ((arg.default === null || arg.alias !== null) && !known.has(arg.name)) {
          wrong.push(`${op}: ${arg.name}`);
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  it('should give the results of the record, which share memory with the same arguments', () => {
    const wrong = records.filter(
      ({ text, schema }) => plainResults(schema) !== plainResults(theirs(text))
    );
    expect(wrong.map(({ text }) => [text, schemas[nameOf(text)]])).toEqual([]);
  });

  it('should annotate no other operator as a view of its first operand', () => {
    const others = Object.values(schemas)
      .filter(schema => /^[\w.]+\(Tensor\(\w( -> \*)?\) /u.test(schema))
      .filter(schema => operatorOf(operatorName(schema)) === null)
      .map(nameOf)
      .filter(name => !NOT_RECORDED.test(name));
    expect(others).toEqual([]);
  });

  it('should tell by their names which operators write in place', () => {
    const wrong = Object.values(schemas)
      .filter(schema => schema !== '' && !schema.includes('...') && !OTHER_NAMES.test(schema))
      .filter(schema => {
        const op = operatorName(schema);
        const written = /^[\w.]+\(Tensor\(\w!\)(\[\])? /u.test(schema);
        const node = { name: 'n', op, inputs: [], attrs: {}, outputs: [], source: null };
        return isInPlace({ ...node, region: null, module: null }) !== written;
      });
    expect(wrong).toEqual([]);
  });
});

describe('the records of operators', () => {
  it('should tell the dtypes of all tensors that they make, or why they are not known', () => {
    const silent = knownOperators().filter(
      ({ schema, dtype }) =>
        schema.results.some(({ type }) => type.startsWith('Tensor')) &&
        typeof dtype !== 'function' &&
        !dtype?.reason
    );
    expect(silent.map(({ op }) => op)).toEqual([]);
  });

  it('should exist for every operator that a policy names', () => {
    const names = [...DEVICE_POLICIES.values()].flatMap(({ lists, composites, opaque }) => [
      ...[...lists, ...composites].flatMap(({ operators }) => operators),
      ...opaque
    ]);
    expect(names.filter(name => operatorOf(operatorName(`${name}(`)) === null)).toEqual([]);
  });

  it('should know how results hold elements only where some are those of the first operand', () => {
    const wrong = knownOperators().filter(
      ({ arrangement, schema }) =>
        arrangement !== undefined && !/^Tensor(\[\])?$/u.test(schema.results[0]?.type ?? '')
    );
    expect(wrong.map(({ op }) => op)).toEqual([]);
  });
});

/**
 * Views that no exported program of dense tensors holds: of sparse and nested tensors, of forward-mode gradients, and what TorchScript alone
 * has.
 */
const NOT_RECORDED =
  /^(to\.prim_\w+|_?(indices|values)|(ccol|col|crow|row)_indices|coalesce|_sparse_broadcast_to|_nested_\w+|_(fw_primal|make_dual|unpack_dual)|_autocast_to_\w+|_grad_sum_to_size|_ncf_\w+|_test_\w+|slice_inverse|as_tensor|cpu|cuda|m[HT]\.a|matrix_H\.a|numpy_T\.a)$/u;

/** Functions of TorchScript on lists and objects, and operators whose names do not tell: none is part of an exported program's forward. */
const OTHER_NAMES =
  /^(__is(not)?__|remove\.Tensor|add_\.t|mul_\.t|_cudnn_attention_forward_no_dropout_inplace|_flash_attention_forward_no_dropout_inplace|_no_grad_embedding_renorm_|record_stream|retain_grad|set_data)\b/u;
