/** @jest-environment ./test/support/ortenvironment.cjs */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { loweredOperators, unsupportedOperators } from '../../../src/lowering';
import { loweredOperator } from '../../../src/operators';
import { elementCount, isFloating, isLowPrecision } from '../../../src/model';
import type { ITensor } from '../../../src/numerics';
import { attrOf, callGraph, parseNumber, tensorOf } from './atencases';
import type { CaseArgument, IAtenCase, ICaseTensor } from './atencases';
import { numbersOf, runOnCpu } from './device';

const { cases, schemas } = JSON.parse(
  readFileSync(join(__dirname, '../../data/aten_cases.json'), 'utf8')
) as { schemas: Record<string, [string, CaseArgument | null][]>; cases: IAtenCase[] };

const BY_OP = new Map<string, IAtenCase[]>();
for (const one of cases) {
  BY_OP.set(one.op, [...(BY_OP.get(one.op) ?? []), one]);
}

/** float32 kernels of two libraries agree to some units in the last place; narrow ones to one unit of their own. */
function expectClose(actual: ITensor, expected: ICaseTensor): void {
  expect(actual.shape).toEqual(expected.shape);
  const numbers = numbersOf(actual);
  const wanted = expected.data.map(parseNumber);
  expect(numbers.length).toBe(elementCount(expected.shape));
  if (!isFloating(expected.dtype)) {
    expect(numbers).toEqual(wanted);
    return;
  }
  const unit = isLowPrecision(expected.dtype)
    ? expected.dtype === 'float16'
      ? 2 ** -10
      : 2 ** -7
    : 2e-5;
  const scale = Math.max(0, ...wanted.map(Math.abs).filter(Number.isFinite));
  wanted.forEach((y, i) => {
    const x = numbers[i];
    if (Number.isFinite(y)) {
      expect(Math.abs(x - y)).toBeLessThanOrEqual(unit * Math.abs(y) + unit * 0.25 * scale);
    } else {
      expect(x).toBe(y);
    }
  });
}

/** Overloads that make no tensor. */
const UNTESTED = new Set([
  'aten._assert_async.msg',
  'aten._assert_scalar.default',
  'aten._assert_tensor_metadata.default',
  'aten._local_scalar_dense.default',
  'aten.item.default',
  'aten.sym_constrain_range.default',
  'aten.sym_constrain_range_for_size.default',
  'aten.sym_numel.default',
  'aten.sym_size.int'
]);

describe('lowering rules', () => {
  it('have a case for every overload that computes', () => {
    const untested = loweredOperators().filter(
      op => op.startsWith('aten.') && !BY_OP.has(op) && !UNTESTED.has(op)
    );
    expect(untested).toEqual([]);
  });

  it.each(Object.keys(schemas))('%s has the arguments and defaults of ATen', op => {
    const { args } = loweredOperator(op)!.schema;
    expect(args.map(arg => arg.name)).toEqual(schemas[op].map(([name]) => name));
    for (const [i, [name, value]] of schemas[op].entries()) {
      const own = args[i].default;
      if (value !== null && own?.kind !== 'string') {
        const expected = attrOf(value);
        // `int[2] padding=0` stands for a list of zeros.
        const list = expected.kind === 'list' && own?.kind === 'int';
        expect([name, list ? list && [own] : own]).toEqual([
          name,
          expected.kind === 'list' && list ? expected.items.slice(0, 1) : expected
        ]);
      }
    }
  });

  it.each([...BY_OP.keys()])('%s computes what PyTorch computes', async op => {
    for (const one of BY_OP.get(op)!) {
      const { graph, inputs } = callGraph(one, false);
      expect(unsupportedOperators(graph)).toEqual([]);
      const { outputs, legal } = await runOnCpu(graph, inputs.map(tensorOf));
      one.results.forEach((expected, i) => {
        try {
          expect(legal.outputs[i].dtype).toBe(expected.dtype);
          expectClose(outputs[i], expected);
        } catch (error) {
          throw new Error(
            `${JSON.stringify(one)}\ngives ${numbersOf(outputs[i]).join(', ')}\n${String(error)}`
          );
        }
      });
    }
  });

  it.each([...BY_OP.keys()])('%s computes the same with sizes known only at run time', async op => {
    for (const one of BY_OP.get(op)!) {
      const { graph, inputs } = callGraph(one, true);
      if (unsupportedOperators(graph).length > 0) {
        continue;
      }
      const { outputs } = await runOnCpu(graph, inputs.map(tensorOf));
      one.results.forEach((expected, i) => {
        try {
          expectClose(outputs[i], expected);
        } catch (error) {
          throw new Error(
            `${JSON.stringify(one)}\ngives ${numbersOf(outputs[i]).join(', ')}\n${String(error)}`
          );
        }
      });
    }
  });
});
