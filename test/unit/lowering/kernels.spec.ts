import { CUDA_CAPABILITIES } from '../../../src/lowering';
import { KernelTable } from '../../../src/lowering/kernels';

describe('KernelTable', () => {
  const table = new KernelTable({
    'onnx.Product': ['1|T,T|T|T=float16', '13|T,T|T|T=bfloat16,float16', '22|T,T|T'],
    'onnx.Norm': ['1|T,U|T,:float|T=float16;U=float32|T=bfloat16;U=bfloat16'],
    'onnx.Join': ['1|T...|T|T=float16,integers']
  });

  it.each([
    ['Product', 13, ['bfloat16', 'bfloat16'], ['bfloat16'], true],
    ['Product', 21, ['bfloat16', 'bfloat16'], ['bfloat16'], true],
    ['Product', 12, ['bfloat16', 'bfloat16'], ['bfloat16'], false],
    ['Product', 22, ['float16', 'float16'], ['float16'], false],
    ['Product', 13, ['bfloat16', 'float16'], ['bfloat16'], false],
    ['Product', 13, ['bfloat16', undefined], ['bfloat16'], false],
    ['Product', 13, ['bfloat16', null], ['bfloat16'], true],
    ['Norm', 1, ['float16', 'float32'], ['float16', 'float32'], true],
    ['Norm', 1, ['float16', 'bfloat16'], ['float16'], false],
    ['Norm', 1, ['float16', 'float32'], ['float16', 'float16'], false],
    ['Join', 1, ['float16', 'float16', 'float16'], ['float16'], true],
    ['Join', 1, ['int64', 'int64'], ['int64'], true],
    ['Other', 1, ['float16'], ['float16'], false]
  ] as const)('%s@%d(%j) -> %j: %p', (op, opset, inputs, outputs, expected) => {
    expect(table.has(`onnx.${op}`, opset, inputs, outputs)).toBe(expected);
  });
});

describe('the kernels of CUDA', () => {
  const { kernels, holds, passes } = CUDA_CAPABILITIES;

  it.each([
    ['MatMul', 13, 'bfloat16', 2, true],
    ['Conv', 20, 'bfloat16', 2, false],
    ['Conv', 22, 'bfloat16', 2, true],
    ['Conv', 20, 'float16', 2, true],
    // Its kernel has an open range, which onnxruntime takes for the version only at which it begins.
    ['Elu', 20, 'float16', 1, true],
    ['Elu', 22, 'float16', 1, false]
  ] as const)('%s@%d in %s', (op, opset, type, operands, expected) => {
    const inputs = new Array(operands).fill(type) as (typeof type)[];
    expect(kernels.has(`onnx.${op}`, opset, inputs, [type])).toBe(expected);
  });

  it('hold float8, and pass no bfloat16', () => {
    expect(
      ['float8_e5m2', 'bfloat16', 'float16', 'float32'].map(type => holds(type as 'float16'))
    ).toEqual([true, false, false, false]);
    expect(['bfloat16', 'float16', 'float32'].map(type => passes(type as 'float16'))).toEqual([
      false,
      true,
      true
    ]);
  });
});
