/**
 * Casts in the code of compiled packages. The expected numbers are those of the graphs that Inductor lowered when it generated this
 * code (`LoweredGraphs` in src/pytorch/worker.py); where code executes fewer, the reason stands with the case.
 */
import type { ICompiledModel, PackageBuild } from '../../../src/aotinductor';
import { readCompiledModel } from '../../../src/aotinductor';
import { sourcesOf } from './sources';

const read = (name: string): ICompiledModel => readCompiledModel(sourcesOf(name));
const total = (casts: ICompiledModel['perCall']): number =>
  casts.reduce((sum, { count }) => sum + count, 0);

describe('readCompiledModel()', () => {
  it.each<[string, PackageBuild, number, number]>([
    ['cpu-2.15/twouse-off', 'default', 8, 0],
    ['cpu-2.15/twouse-folded', 'folded', 0, 8],
    ['cpu-2.15/twouse-frozen', 'frozen', 0, 0],
    // Channels-last convolutions go through transposed tiles.
    ['cpu-2.15/convcl-off', 'default', 6, 0],
    ['cpu-2.15/convcl-folded', 'folded', 0, 6],
    ['cpu-2.15/convcl-frozen', 'frozen', 0, 0],
    ['cpu-2.15/half-off', 'default', 4, 0],
    ['cpu-2.15/deep-off', 'default', 8, 0],
    // Of four, one is of a bias of 8 elements: it stands in the code.
    ['cpu-2.15/smallbias-off', 'default', 3, 0],
    ['cpu-2.15/smallbias-folded', 'folded', 0, 4],
    ['cpu-2.15/smallbias-frozen', 'frozen', 0, 0],
    ['cpu-2.15/computed-off', 'default', 5, 0],
    ['cpu-2.15/computed-folded', 'folded', 0, 5],
    ['cpu-2.13/twouse-off', 'default', 8, 0],
    ['cpu-2.13/twouse-folded', 'folded', 0, 8],
    ['cpu-2.13/convcl-off', 'default', 6, 0],
    ['cuda-2.15/twouse-off', 'default', 8, 0],
    ['cuda-2.15/twouse-folded', 'folded', 0, 8],
    ['cuda-2.15/computed-off', 'default', 5, 0],
    ['cuda-2.15/tied-off', 'default', 4, 0],
    // Of six, two are of biases of convolutions: Triton adds them in float32, and rounds nothing.
    ['cuda-2.15/convcl-off', 'default', 4, 0],
    ['cuda-2.13/twouse-off', 'default', 8, 0],
    ['cuda-2.13/half-off', 'default', 4, 0]
  ])('should find the casts of %s', (name, build, perCall, atLoad) => {
    const model = read(name);
    expect(model.problem).toBeNull();
    expect(model.build).toBe(build);
    expect(model.device).toBe(name.slice(0, name.indexOf('-')));
    expect([total(model.perCall), total(model.atLoad)]).toEqual([perCall, atLoad]);
    const notCounted = model.notCounted.map(({ why }) => why).join();
    expect(notCounted).toMatch(name === 'cpu-2.15/smallbias-off' ? /8 numbers/u : /^$/u);
  });

  it('should name weights as the exported program does', () => {
    const { perCall } = read('cpu-2.15/twouse-off');
    expect(perCall.map(({ weights, count, kind }) => [weights.join(), count, kind])).toEqual([
      ['l1.weight', 2, 'stored'],
      ['l1.bias', 2, 'stored'],
      ['l2.weight', 2, 'stored'],
      ['l2.bias', 2, 'stored']
    ]);
    // 48 x 16 elements: one read of float32, two writes of bfloat16.
    expect(perCall[0]).toMatchObject({
      from: 'float32',
      to: 'bfloat16',
      bytesMoved: 768 * (4 + 4)
    });
  });

  it('should tell what folded constants are computed from', () => {
    const { constants } = read('cpu-2.15/twouse-folded');
    expect(constants.filter(({ isFolded }) => isFolded).map(c => c.computedFrom.join())).toEqual([
      'l2.bias',
      'l1.bias',
      'l2.bias',
      'l1.bias',
      'l1.weight',
      'l2.weight',
      'l1.weight',
      'l2.weight'
    ]);
    expect(constants[0]).toMatchObject({
      name: 'l1_weight',
      weight: 'l1.weight',
      kind: 'parameter',
      dtype: 'float32',
      shape: [48, 16],
      sizeBytes: 3072
    });
  });

  it('should not name weights of frozen constants', () => {
    const { constants } = read('cpu-2.15/twouse-frozen');
    expect(constants.length).toBeGreaterThan(0);
    expect(constants.every(({ weight }) => weight === null)).toBe(true);
    expect(new Set(constants.map(({ dtype }) => dtype))).toContain('bfloat16');
  });

  it('should tell computed weights from stored ones', () => {
    const computed = read('cpu-2.15/computed-off').perCall.filter(c => c.kind === 'computed');
    expect(computed.map(({ weights }) => weights.join())).toEqual(
      expect.arrayContaining([
        'A,B,w',
        'wn.parametrizations.weight.original0,wn.parametrizations.weight.original1'
      ])
    );
  });

  it('should count calls of kernels', () => {
    const { calledPerCall } = read('cpu-2.15/twouse-off');
    const calls = Object.fromEntries(calledPerCall.map(({ name, calls: n }) => [name, n]));
    expect(calls).toMatchObject({
      cpp_fused__to_copy_0: 1,
      cpp_fused_relu_2: 1,
      aoti_torch_cpu_addmm_out: 4
    });
  });
});

describe('readCompiledModel() of code it does not know', () => {
  const source = sourcesOf('cpu-2.15/twouse-off');

  it('should name a kernel that the package does not hold, with its weights', () => {
    const model = readCompiledModel({ ...source, kernels: [] });
    expect(total(model.perCall)).toBe(0);
    expect(model.notCounted).toContainEqual({
      what: 'cpp_fused__to_copy_0',
      why: 'the package does not hold its code',
      weights: ['l1.bias', 'l1.weight']
    });
  });

  it.each<[string, string]>([
    ['nested blocks', '{'.repeat(5000) + '}'.repeat(5000)],
    ['nested expressions', `auto tmp0 = ${'('.repeat(5000)}1${')'.repeat(5000)};`],
    ['brackets that do not fit', 'auto tmp0 = a)))) = b;']
  ])('should name a kernel with %s, and count the others', (_, hostile) => {
    const kernels = source.kernels.map(text =>
      text.replace(/(cpp_fused__to_copy_0\([^)]*\)\s*\{)/u, `$1\n${hostile}\n`)
    );
    const model = readCompiledModel({ ...source, kernels });
    expect(model.notCounted.map(({ what }) => what)).toEqual(['cpp_fused__to_copy_0']);
    expect(total(model.perCall)).toBe(4);
  });

  it('should say so where the function of a call is missing or cut off', () => {
    const at = source.wrapper.indexOf('::run_impl(');
    const cut = readCompiledModel({ ...source, wrapper: source.wrapper.slice(0, at + 900) });
    expect(cut.problem).toBe('a function without an end');
    const none = readCompiledModel({ ...source, wrapper: '' });
    expect(none.problem).toContain('no function');
  });

  it('should not take state that a call writes to for a weight', () => {
    const wrapper = source.wrapper.replace(
      'inputs.clear();',
      'inputs.clear(); AOTI_TORCH_ERROR_CODE_CHECK(aoti_torch_cpu_copy_(l1_weight, arg4_1, 0));'
    );
    const { perCall } = readCompiledModel({ ...source, wrapper });
    expect(perCall.flatMap(({ weights }) => weights)).not.toContain('l1.weight');
  });

  it('should name casts in branches', () => {
    const wrapper = source.wrapper.replace(
      /^( *)(cpp_fused__to_copy_0\(.*\);)$/mu,
      '$1if (x) { $2 }'
    );
    const model = readCompiledModel({ ...source, wrapper });
    expect(model.notCounted.map(({ why }) => why).join()).toContain('branch or a loop');
    expect(model.calledPerCall[0].isConditional).toBe(true);
  });
});
