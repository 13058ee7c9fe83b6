import { resolvePaths } from '../../../src/kernel/paths';

describe('resolvePaths()', () => {
  it.each([
    ['open', 'path'],
    ['open', 'weights'],
    ['run', 'outputsFile'],
    ['weightStats', 'outputFile'],
    ['activationStats', 'outputFile'],
    ['fix', 'output'],
    ['fix', 'codeFile'],
    ['code', 'codeFile']
  ])("should start %s's %s from the kernel's folder", (method, key) => {
    expect(resolvePaths(method, { [key]: '../m.pt2' }, '/home/user/folder')).toEqual({
      [key]: '/home/user/m.pt2'
    });
    expect(resolvePaths(method, { [key]: '/m.pt2' }, '/home')).toEqual({ [key]: '/m.pt2' });
  });

  it('should look into the inputs, and leave everything else as it is', () => {
    const params = { inputs: { inputsFile: 'x', seed: 1 }, variant: { device: 'cpu' }, runs: 3 };
    expect(resolvePaths('run', params, '/a')).toEqual({
      inputs: { inputsFile: '/a/x', seed: 1 },
      variant: { device: 'cpu' },
      runs: 3
    });
  });

  it.each([null, 7, 'm.pt2', ['m.pt2'], { path: '' }, { path: 7 }, { inputs: ['x'] }])(
    'should leave %j for the engine to refuse',
    params => {
      expect(resolvePaths('run', params, '/a')).toEqual(params);
      expect(resolvePaths('no-such-request', params, '/a')).toEqual(params);
    }
  );
});
