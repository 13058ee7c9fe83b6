import type { IVariant } from '../../../src/protocol';
import {
  compareParams,
  missingMode,
  RUNTIME_MODES,
  RUNTIMES,
  TORCH_MODE_TEXTS
} from '../../../src/protocol';

const plain = { passes: [], device: 'cpu' } as const;

test.each<[string, Parameters<typeof compareParams>[0], readonly IVariant[]]>([
  [
    'the four cache modes where nothing is said',
    {},
    (['off', 'autocast', 'folded', 'frozen'] as const).map(cache => ({ cache, ...plain }))
  ],
  [
    'all that a runtime of PyTorch has',
    { runtimes: ['aotinductor'] },
    [
      { cache: 'off', runtimeName: 'aotinductor', ...plain },
      { cache: 'folded', runtimeName: 'aotinductor', ...plain },
      { cache: 'frozen', runtimeName: 'aotinductor', ...plain },
      { cache: 'off', repaired: true, runtimeName: 'aotinductor', ...plain }
    ]
  ],
  [
    'what is named, in every runtime that is named',
    { runtimes: ['eager', 'onnxruntime'], cache: ['off'], threads: 2 },
    [
      { cache: 'off', runtimeName: 'eager', threads: 2, ...plain },
      { cache: 'off', threads: 2, ...plain }
    ]
  ]
])('compare asks for %s', (_, options, variants) => {
  expect(compareParams(options).variants).toEqual(variants);
});

test('a mode that a runtime has not is said with those that it has', () => {
  expect(missingMode('eager', 'frozen')).toBe(
    'eager has no mode frozen; it has off, autocast, repaired'
  );
  expect(missingMode('aotinductor', 'frozen')).toBeNull();
});

test("every mode of PyTorch's runtimes is told in PyTorch's words", () => {
  for (const runtime of RUNTIMES) {
    if (runtime !== 'onnxruntime') {
      expect(Object.keys(TORCH_MODE_TEXTS[runtime])).toEqual(RUNTIME_MODES[runtime]);
    }
  }
});
