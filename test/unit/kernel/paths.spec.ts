import { resolvePaths } from '../../../src/kernel/paths';

describe('resolvePaths()', () => {
  it.each(['path', 'inputsFile', 'outputsFile', 'outputFile', 'output', 'codeFile'])(
    "should start %s from the kernel's folder",
    key => {
      expect(resolvePaths({ [key]: '../m.pt2' }, '/home/user/folder')).toEqual({
        [key]: '/home/user/m.pt2'
      });
      expect(resolvePaths({ [key]: '/m.pt2' }, '/home')).toEqual({ [key]: '/m.pt2' });
    }
  );

  it('should look into the inputs, and leave everything else as it is', () => {
    const params = { inputs: { inputsFile: 'x', seed: 1 }, mixed: 'leave', runs: 3 };
    expect(resolvePaths(params, '/a')).toEqual({
      inputs: { inputsFile: '/a/x', seed: 1 },
      mixed: 'leave',
      runs: 3
    });
    expect(resolvePaths(null, '/a')).toBeNull();
  });
});
