import type { IVariantResult } from '../../../src/protocol';
import { recommend, recommendations } from '../../../src/protocol';
import { makeResult } from '../panel/samples';

const aoti = (patch: Partial<IVariantResult>) =>
  makeResult({ runtimeName: 'aotinductor', executedWeightCasts: 0, ...patch });
const off = aoti({ executedWeightCasts: 4 });
const faster = (cache: IVariantResult['cache'], ratio: number, bits: boolean) =>
  aoti({
    cache,
    ratioToOff: ratio,
    ratioLow: ratio - 0.05,
    ratioHigh: ratio + 0.05,
    verdict: 'faster',
    bitIdenticalToOff: bits,
    maxRelativeDifferenceToOff: bits ? 0 : 1e-3
  });

test('the fastest mode of the runtime is recommended, with figures, bits and what to do', () => {
  const ort = makeResult({ cache: 'folded', ratioToOff: 0.1, verdict: 'faster' });
  const best = faster('frozen', 0.3, false);
  const { kind, text, variant } = recommend(
    [off, ort, faster('folded', 0.6, true), best],
    'aotinductor'
  );
  expect(kind).toBe('act');
  expect(variant).toBe(best);
  expect(text).toBe(
    'In AOTInductor, frozen takes 0.300× (0.250–0.350) of the time of off. Outputs differ by 1.0e-3 of the largest. ' +
      'Compile with freezing under torch.no_grad: weights cannot be updated afterwards.'
  );
});

test('of modes that are as fast, one with the same bits is recommended', () => {
  const same = faster('folded', 0.33, true);
  expect(recommend([off, faster('frozen', 0.3, false), same], 'aotinductor').variant).toBe(same);
});

test.each<[string, IVariantResult[], string]>([
  ['the runtime was not compared', [makeResult({})], 'unmeasured'],
  ['off alone was compared', [off], 'unmeasured'],
  [
    'too few forwards were timed',
    [off, aoti({ cache: 'folded', verdict: 'unknown' })],
    'unmeasured'
  ],
  ['nothing is faster', [off, aoti({ cache: 'folded', verdict: 'no-difference' })], 'keep'],
  ['no weight is cast', [aoti({}), faster('folded', 0.5, true)], 'keep']
])('nothing is recommended where %s', (_, results, kind) => {
  expect(recommend(results, 'aotinductor')).toMatchObject({ kind, variant: null });
});

test('references are not recommended', () => {
  const reference = makeResult({ cache: 'onnxruntime', ratioToOff: 0.2, verdict: 'faster' });
  const folded = makeResult({ cache: 'folded', ratioToOff: 0.5, ratioLow: 0.4, verdict: 'faster' });
  expect(recommend([makeResult({}), reference, folded], 'onnxruntime').variant).toBe(folded);
});

test('every runtime that was compared with its own off has its say', () => {
  const results = [
    off,
    faster('frozen', 0.3, false),
    makeResult({}),
    makeResult({ runtimeName: 'eager' })
  ];
  expect(recommendations(results)).toEqual([expect.stringMatching(/^In AOTInductor, frozen /)]);
});
