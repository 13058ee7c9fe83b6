import { executedCasts, isWholeProfile, parseProfile } from '../../../src/runtime';

function kernel(name: string, op: string, ts: number, extra: object = {}): object {
  return {
    cat: 'Node',
    pid: 1,
    tid: 1,
    dur: 5,
    ts,
    ph: 'X',
    name: `${name}_kernel_time`,
    args: { op_name: op, provider: 'CPUExecutionProvider', parameter_size: '0', ...extra }
  };
}

const run = (ts: number): object => ({ cat: 'Session', name: 'model_run', dur: 9, ts, args: {} });

describe('isWholeProfile', () => {
  it('should tell a profile from one that ends before its end', () => {
    const text = JSON.stringify([kernel('a', 'Cast', 1)]);
    expect([text, `${text}\n`, '[]'].map(isWholeProfile)).toEqual([true, true, true]);
    expect(['', '[', text.slice(0, -1), `${text.slice(0, -1)},\n`].map(isWholeProfile)).toEqual([
      false,
      false,
      false,
      false
    ]);
  });
});

describe('parseProfile', () => {
  it('lists kernels in the order of their start', () => {
    const profile = parseProfile(
      JSON.stringify([kernel('b', 'Add', 20), kernel('a', 'Cast', 10), run(9), run(30)])
    );
    expect(profile.runs).toBe(2);
    expect(profile.kernels.map(({ node }) => node)).toEqual(['a', 'b']);
    expect(profile.kernels[0]).toEqual({
      node: 'a',
      op: 'Cast',
      provider: 'CPUExecutionProvider',
      durationUs: 5,
      weightBytes: 0,
      bytesMoved: 0,
      outputShapes: []
    });
  });

  it('tells the sizes of results', () => {
    const shapes = (types: unknown): unknown =>
      parseProfile(JSON.stringify([kernel('a', 'Split', 1, { output_type_shape: types })]))
        .kernels[0].outputShapes;
    expect(shapes([{ float: [2, 3] }, { int64: [] }])).toEqual([[2, 3], []]);
    expect(shapes([{ float: [2, 3] }, { seq: 'what' }])).toEqual([]);
    expect(shapes('none')).toEqual([]);
  });

  it('passes over what it does not know', () => {
    const events = [
      null,
      'text',
      {},
      { cat: 'Node', name: 'fence_before' },
      { cat: 'Node', name: 'x_kernel_time' },
      { cat: 'Node', name: 'y_kernel_time', args: { parameter_size: 'many', op_name: 7 } }
    ];
    expect(parseProfile(JSON.stringify(events))).toEqual({
      runs: 1,
      kernels: ['x', 'y'].map(node => ({
        node,
        op: '',
        provider: '',
        durationUs: 0,
        weightBytes: 0,
        bytesMoved: 0,
        outputShapes: []
      }))
    });
  });

  it('reads what was written before the process died', () => {
    const text = `[\n${JSON.stringify(kernel('a', 'Cast', 1))},\n${JSON.stringify(kernel('b', 'Cast', 2)).slice(0, 50)}`;
    expect(parseProfile(text).kernels.map(({ node }) => node)).toEqual(['a']);
  });

  it.each(['', 'no profile', '{"a": 1}'])('refuses %p', text => {
    expect(() => parseProfile(text)).toThrow('the profile of onnxruntime cannot be read');
  });
});

describe('executedCasts', () => {
  const profile = parseProfile(
    JSON.stringify([
      run(0),
      kernel('cast_w', 'Cast', 1, { parameter_size: '128' }),
      kernel('hold_w', 'Cast', 2),
      kernel('InsertedPrecisionFreeCast_v', 'Cast', 3, { parameter_size: '64' }),
      kernel('InsertedCast_w2', 'Cast', 4),
      kernel('InsertedPrecisionFreeCast_activation', 'Cast', 5, {
        activation_size: '32',
        output_size: '16'
      }),
      kernel('InsertedCast_of_the_file', 'Cast', 5),
      kernel('cast_activation', 'Cast', 6),
      kernel('gemm', 'Gemm', 7, { parameter_size: '128' }),
      run(10),
      kernel('cast_w', 'Cast', 11, { parameter_size: '128' }),
      kernel('InsertedPrecisionFreeCast_v', 'Cast', 12, { parameter_size: '64' }),
      kernel('InsertedCast_w2', 'Cast', 13)
    ])
  );

  it('counts planned casts that ran and casts the runtime inserted, per run', () => {
    const own = ['cast_w', 'folded_away', 'InsertedCast_of_the_file'];
    expect(executedCasts(profile, ['cast_w', 'folded_away'], ['w2'], own)).toEqual({
      total: 3,
      planned: 1,
      inserted: 2,
      insertedCasts: [
        { value: 'v', isWeight: true, perForward: 1, bytesMoved: 64 },
        { value: 'w2', isWeight: true, perForward: 1, bytesMoved: 0 },
        { value: 'activation', isWeight: false, perForward: 0.5, bytesMoved: 24 }
      ],
      runs: new Map([
        ['cast_w', 1],
        ['folded_away', 0]
      ])
    });
  });

  it('does not count a node that is no cast', () => {
    expect(executedCasts(profile, ['gemm'], []).planned).toBe(0);
  });
});
