import { completeOption } from '../../../src/kernel/evaluator/optioncompletion';

function complete(code: string): readonly string[] | null {
  const found = completeOption(code, code.length, object => object !== 'other');
  return found === null ? null : found.matches;
}

describe('completeOption()', () => {
  it.each<[string, string[] | null]>([
    ["m.run({ cache: '", ['off', 'autocast', 'folded', 'frozen', 'float32', 'onnxruntime']],
    ["await m.plan({ cache: 'f", ['folded', 'frozen', 'float32']],
    ["m.run({ dims: { batch: 4 }, cache: 'fo", ['folded']],
    ["m.update('w.safetensors', { cache: 'fr", ['frozen']],
    ["m.run({ passes: ['share-casts', 'h", ['hoist-casts']],
    ["m.compare({ cache: ['off', \"fo", ['folded']],
    ["m.compare({ cache: 'al", ['all']],
    ["m.run({\n  device: 'cpu',\n  regions: { submod_1: 'o", ['on', 'off']],
    ["m.run({ regions: { a: 'on', b: 'bf", ['bfloat16']],
    ["m.run({ regions: { a: 'on' }, cache: 'fo", ['folded']],
    ["m.fix('f.pt2', { mixed: 'k", ['keep-both']],
    ["m.code({ strategies: ['fr", ['freezing']],
    ["m.run({ device: '", []],
    ["m.run({ runs: '", null],
    ['m.run({ cache', null],
    ["other.run({ cache: '", null],
    ["m.walk({ cache: '", null],
    ["m.run({ cache: 'off' }); f('", null]
  ])('should offer behind %s', (code, offered) => {
    expect(complete(code)).toEqual(offered);
  });

  it('should say where the string starts', () => {
    const code = "m.run({ cache: 'fo";
    expect(completeOption(code, code.length, () => true)).toEqual({
      matches: ['folded'],
      types: ['value'],
      start: code.length - 2,
      end: code.length
    });
  });

  it('should take no long time for long code', () => {
    const code = `${'m.run({ a: [1, 2], b: { c: 1 } }); '.repeat(2000)}m.run({ cache: 'fo`;
    const before = Date.now();
    expect(complete(code)).toEqual(['folded']);
    expect(Date.now() - before).toBeLessThan(2000);
  });
});
