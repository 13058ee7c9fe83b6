/**
 * What castlens knows of ATen's operators, against ATen's own schemas: arguments, defaults and aliases, in PyTorch 2.13.0 and 2.15.0.
 */
import { readFileSync } from 'node:fs';

import { loweredOperators } from '../../../src/lowering';
import { ruleFor } from '../../../src/operators/aten/registry';
import type { IArgument } from '../../../src/operators/aten/schema';
import { parseSchema } from '../../../src/operators/aten/schema';
import { viewSchemas } from '../../../src/operators';

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

/** `aten.add.Tensor` as the schema calls it, `add.Tensor`; `aten.relu.default` is `relu`. */
const schemaName = (op: string): string => op.replace(/^aten\./u, '').replace(/\.default$/u, '');

/** A type without what is said about sizes only: `SymInt[2]` is `int[]`. */
const plainType = ({ type }: IArgument): string =>
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

describe.each(VERSIONS)('ATen of PyTorch %s', (_, schemas) => {
  const rules = loweredOperators()
    .filter(op => op.startsWith('aten.') && schemas[schemaName(op)] !== '')
    .map(op => [op, ruleFor(op)!.schema.args] as const);

  it('should have the operators that have a rule', () => {
    expect(rules.length).toBeGreaterThan(500);
    expect(rules.map(([op]) => schemaName(op)).filter(name => !(name in schemas))).toEqual([]);
  });

  it('should give every argument of a rule the name, the type and the default of the rule, in its order', () => {
    const wrong: string[] = [];
    for (const [op, args] of rules) {
      const text = schemas[schemaName(op)];
      const theirs = new Map(parseSchema(text).args.map(arg => [arg.name, arg]));
      const order = [...theirs.keys()];
      let last = -1;
      for (const arg of args) {
        const other = theirs.get(arg.name);
        const at = order.indexOf(arg.name);
        if (other === undefined || at <= last) {
          wrong.push(`${op}: ${arg.name}, of ${text}`);
          continue;
        }
        last = at;
        if (
          plainType(arg) !== plainType(other) ||
          JSON.stringify(plainDefault(arg)) !== JSON.stringify(plainDefault(other))
        ) {
          wrong.push(`${op}: ${JSON.stringify(arg)}, of ${text}`);
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  it('should need no argument that a rule does not know', () => {
    const wrong: string[] = [];
    for (const [op, args] of rules) {
      const known = new Set(args.map(({ name }) => name));
      for (const arg of parseSchema(schemas[schemaName(op)]).args) {
        if (arg.default === null && !known.has(arg.name)) {
          wrong.push(`${op}: ${arg.name}`);
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  it('should write the schemas of views as the records do', () => {
    const differing = viewSchemas().filter(schema => schemas[nameOf(schema)] !== schema);
    expect(differing).toEqual([]);
  });

  it('should annotate no other operator as a view of its first operand', () => {
    const recorded = new Set(viewSchemas().map(nameOf));
    const others = Object.values(schemas)
      .filter(schema => /^[\w.]+\(Tensor\(\w( -> \*)?\) /u.test(schema))
      .map(nameOf)
      .filter(name => !recorded.has(name) && !NOT_RECORDED.test(name));
    expect(others).toEqual([]);
  });
});

/**
 * Views that no exported program of dense tensors holds: of sparse and nested tensors, of forward-mode gradients, and what TorchScript alone
 * has. `to` is a cast, which knows for itself when it returns its operand.
 */
const NOT_RECORDED =
  /^(to\.\w+|_?(indices|values)|(ccol|col|crow|row)_indices|coalesce|_sparse_broadcast_to|_nested_\w+|_(fw_primal|make_dual|unpack_dual)|_autocast_to_\w+|_grad_sum_to_size|_ncf_\w+|_test_\w+|slice_inverse|as_tensor|cpu|cuda|m[HT]\.a|matrix_H\.a|numpy_T\.a)$/u;
