import { defaultAutocastDtype, DEVICE_POLICIES, policiesOf } from '../../../src/autocast';
import { loweredOperators } from '../../../src/lowering';
import { synonymsOf } from '../../../src/operators';
import registeredLater from './data/registered-2.15.json';
import torch from './data/torch.json';

/** Registered for autocast by special means, not by a policy: cuDNN's recurrent kernels cast their flat weights themselves. */
const NOT_A_POLICY = new Set(['_cudnn_rnn']);

/** Operators that torch 2.14 has no more; files of earlier versions hold them. */
const GONE = new Set(['cholesky', 'qr']);

describe('DEVICE_POLICIES', () => {
  it.each([
    ...Object.entries(torch.registered).map(([device, names]) => ['2.13', device, names] as const),
    ...Object.entries(registeredLater).map(([device, names]) => ['2.15', device, names] as const)
  ])(
    'should name the operators torch %s registers for %s, no more and no less',
    (version, device, registered) => {
      const table = DEVICE_POLICIES.get(device)!;
      const named = table.lists
        .filter(({ since }) => version === '2.15' || since !== '2.14')
        .flatMap(list => list.operators)
        .filter(name => version === '2.13' || !GONE.has(name));
      const wanted = registered.filter(name => !NOT_A_POLICY.has(name));
      // Registered from outside of libtorch's core by builds with CUDA only.
      const built =
        device === 'cuda'
          ? [...wanted, 'cudnn_convolution', 'cudnn_convolution_transpose']
          : wanted;
      expect([...named].sort()).toEqual([...new Set(built)].sort());
    }
  );

  it('should give each operator one policy', () => {
    for (const table of DEVICE_POLICIES.values()) {
      const names = [...table.lists, ...table.composites].flatMap(list => list.operators);
      expect(new Set(names).size).toBe(names.length);
    }
  });
});

describe('linalg_matrix_sqrth', () => {
  it.each(['cpu', 'cuda'])('should run in float32 on %s since torch 2.14', device => {
    const policyIn = (version: string | null): string | undefined =>
      policiesOf(device, version)!.get('aten.linalg_matrix_sqrth.default')?.policy;
    expect(policyIn('2.13.0+cpu')).toBeUndefined();
    expect(policyIn('2.14.0')).toBe('fp32');
    expect(policyIn('2.15.0+cu130')).toBe('fp32');
    expect(policyIn(null)).toBe('fp32');
  });
});

describe('policiesOf()', () => {
  it('should key operators by exact overload', () => {
    const cuda = policiesOf('cuda', '2.13.0')!;
    expect(cuda.get('aten.conv2d.default')?.composite).toBe(false);
    expect(cuda.get('aten.conv2d.padding')).toEqual({
      policy: 'lower_precision_fp',
      composite: true
    });
    expect(cuda.get('aten.softmax.int')?.policy).toBe('fp32_set_opt_dtype');
    expect(cuda.get('aten.softmax.default')).toBeUndefined();
    const cpu = policiesOf('cpu', '2.13.0')!;
    expect(cpu.get('aten.conv2d.padding')).toEqual({
      policy: 'lower_precision_fp',
      composite: false
    });
    for (const op of ['convolution', 'mv', 'layer_norm', 'sum']) {
      expect(cpu.get(`aten.${op}.default`)).toBeUndefined();
    }
  });

  it.each([
    ['2.11.0', undefined],
    ['2.9.1+cu128', undefined],
    ['2.12.0', 'fp32'],
    ['2.13.0+cu130', 'fp32'],
    ['3.0.0', 'fp32'],
    [null, 'fp32']
  ])('should know that rms_norm joined the fp32 list of CUDA in 2.12 (%s)', (version, policy) => {
    expect(policiesOf('cuda', version)!.get('aten.rms_norm.default')?.policy).toBe(policy);
  });

  it.each([...DEVICE_POLICIES.keys()])('should give synonyms the policies on %s', device => {
    const policies = policiesOf(device, '2.13.0')!;
    const own = new Set(torch.registered[device as keyof typeof torch.registered]);
    const synonyms = loweredOperators().flatMap(op => synonymsOf(op).map(other => ({ op, other })));
    expect(synonyms.length).toBeGreaterThan(30);
    for (const { op, other } of synonyms) {
      const name = other.replace(/^aten\./, '').replace(/\.default$/, '');
      expect([other, own.has(name)]).toEqual([other, false]);
      const policy = policies.get(op);
      expect([other, policies.get(other)]).toEqual([
        other,
        policy && { ...policy, composite: true }
      ]);
    }
  });

  it.each(['cuda', 'xpu', 'mps'])('should know names that authors write, on %s', device => {
    const policies = policiesOf(device, '2.13.0')!;
    const named = Object.entries({
      'arccos.default': 'fp32',
      'special_log1p.default': 'fp32',
      'special_logsumexp.default': 'fp32',
      'special_softmax.default': 'fp32_set_opt_dtype',
      'special_log_softmax.default': 'fp32_set_opt_dtype',
      'linalg_norm.default': 'fp32_set_opt_dtype',
      'arctan2.default': 'promote',
      'arctan.default': undefined
    });
    expect(named.map(([name]) => policies.get(`aten.${name}`)?.policy)).toEqual(
      named.map(([, policy]) => policy)
    );
  });

  it('should know no policies of other device types', () => {
    expect(policiesOf('hpu', '2.13.0')).toBeNull();
  });
});

describe('defaultAutocastDtype()', () => {
  it.each([
    ['cpu', 'bfloat16'],
    ['cuda', 'float16'],
    ['mps', 'float16'],
    ['xla', 'bfloat16'],
    ['hpu', 'bfloat16'],
    ['mtia', 'float16']
  ])('should be what torch uses on %s', (device, dtype) => {
    expect(defaultAutocastDtype(device)).toBe(dtype);
  });
});
