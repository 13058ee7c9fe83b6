/** @jest-environment jsdom */
import { nullTranslator } from '@jupyterlab/translation';
import { commandArguments } from '../../../src/panel/commandargs';
import { CACHE_MODES, PASSES, REGION_CHOICES, RUNTIMES } from '../../../src/protocol';
import { DEVICE, PYTHON } from '../../../src/protocol/contract/options';

describe('commandArguments()', () => {
  const args = commandArguments(nullTranslator.load('castlens'));

  it.each([
    ['cacheMode', 'mode', CACHE_MODES],
    ['pass', 'pass', PASSES],
    ['region', 'choice', ['recorded', ...REGION_CHOICES]],
    ['runtime', 'runtime', RUNTIMES]
  ] as const)('takes the words of %s from the contract', (command, name, words) => {
    expect(args[command].args).toMatchObject({
      required: expect.arrayContaining([name]),
      properties: { [name]: { type: 'string', enum: words } }
    });
  });

  it('says of options what the contract says', () => {
    expect(args.device.args).toMatchObject({
      properties: { device: { description: DEVICE.about } }
    });
    expect(JSON.stringify(args.python.args)).toContain(PYTHON.about);
  });

  it('is plain JSON Schema', () => {
    for (const each of Object.values(args)) {
      expect(JSON.parse(JSON.stringify(each))).toEqual(each);
    }
  });
});
