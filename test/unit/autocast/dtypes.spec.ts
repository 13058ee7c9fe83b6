import { dtypeRule, isInPlace, promoteTypes } from '../../../src/operators';
import type { Attr, DType, INode } from '../../../src/model';
import { makeValue } from '../../../src/model';
import { GraphBuilder } from './builder';
import torch from './data/torch.json';

interface ICase {
  op: string;
  /** `float32 [2,2]` */
  inputs: string[];
  attrs: Record<string, Attr>;
  outputs: (DType | null)[];
}

const cases = torch.dtypes as unknown as ICase[];

function nodeOf({ op, inputs, attrs, outputs }: ICase): INode {
  return {
    name: 'node',
    op,
    inputs: inputs.map((text, i) => {
      const [dtype, shape] = text.split(' ');
      return makeValue(`x${i}`, dtype as DType, JSON.parse(shape) as number[]);
    }),
    attrs,
    outputs: outputs.map((_, i) => makeValue(`y${i}`, null, null)),
    region: null,
    module: null,
    source: null
  };
}

describe('dtypeRule()', () => {
  const byOperator = new Map<string, ICase[]>();
  for (const one of cases) {
    byOperator.set(one.op, [...(byOperator.get(one.op) ?? []), one]);
  }

  it('should have been compared with torch on many calls', () => {
    expect(cases.length).toBeGreaterThan(2000);
    expect(byOperator.size).toBeGreaterThan(120);
  });

  it.each([...byOperator])('should give what torch returns for %s', (op, calls) => {
    const rule = dtypeRule(op)!;
    expect(rule).not.toBeNull();
    const wrong = calls.filter(call => {
      const computed = rule(nodeOf(call));
      return call.outputs.some((expected, i) => {
        const dtype = computed === null || typeof computed === 'string' ? computed : computed[i];
        // A rule may leave further results open (saved statistics), never the first.
        return !(dtype === expected || (i > 0 && (dtype ?? null) === null));
      });
    });
    const describeCall = (call: ICase): string =>
      `${JSON.stringify(call)} computed ${String(dtypeRule(call.op)!(nodeOf(call)))}`;
    expect(wrong.map(describeCall)).toEqual([]);
  });

  it('should know no rule for operators it does not know', () => {
    expect(dtypeRule('aten.some_new_operator.default')).toBeNull();
    expect(dtypeRule('mylib.relu.default')).toBeNull();
    expect(dtypeRule('aten.add.out')).toBeNull();
  });

  it('should give in-place operators the dtype they write to', () => {
    const builder = new GraphBuilder();
    const x = builder.input('x', 'bfloat16');
    const node = builder.node('aten.add_.Tensor', {
      self: x,
      other: builder.input('y', 'float32')
    });
    expect(dtypeRule(node.op)!(node)).toBe('bfloat16');
  });
});

describe('isInPlace()', () => {
  it.each([
    ['aten.relu_.default', true],
    ['aten.__iand__.Tensor', true],
    ['aten.__and__.Tensor', false],
    ['aten.relu.default', false],
    ['onnx.Relu_', false]
  ])('should know that %s is %s', (op, expected) => {
    const builder = new GraphBuilder();
    expect(isInPlace(builder.node(op, { self: builder.input('x') }))).toBe(expected);
  });
});

describe('promoteTypes()', () => {
  it.each<[DType, DType, DType | null]>([
    ['float16', 'bfloat16', 'float32'],
    ['int64', 'float16', 'float16'],
    ['uint8', 'int8', 'int16'],
    ['uint8', 'int32', 'int32'],
    ['bool', 'uint8', 'uint8'],
    ['float64', 'complex64', 'complex128'],
    ['bfloat16', 'complex32', 'complex64'],
    ['uint16', 'int32', null]
  ])('should promote %s and %s to %s', (a, b, expected) => {
    expect(promoteTypes(a, b)).toBe(expected);
    expect(promoteTypes(b, a)).toBe(expected);
  });
});
