import { COMMAND_NAMES, commandOf } from '../../../src/cli/commands';
import { usage, usageOf } from '../../../src/cli/usage';

describe('usage()', () => {
  it('should name every command', () => {
    for (const name of COMMAND_NAMES) {
      expect(usage()).toMatch(new RegExp(`^  ${name}\\b`, 'm'));
    }
  });
});

describe('usageOf()', () => {
  it.each(COMMAND_NAMES)('should tell of every option of %s, its words and defaults', name => {
    const text = usageOf(name);
    const flat = text.replace(/\s+/g, ' ');
    for (const { flags, standard } of commandOf(name).options) {
      for (const { name: flag, takes } of flags) {
        expect(text).toMatch(new RegExp(`--${flag}\\b`));
        if (takes !== undefined && standard !== undefined) {
          expect(flat).toContain(`(default: ${standard})`);
        }
      }
    }
    expect(text.split('\n').filter(line => line.length > 104)).toEqual([]);
  });

  it('should list the words of an option', () => {
    const text = usageOf('run').replace(/\s+/g, ' ');
    expect(text).toContain('off | autocast | folded | frozen | float32 | onnxruntime');
    expect(text).toContain('share-casts,hoist-casts,remove-cast-pairs');
    expect(text).toContain('may be given several times');
  });

  it('should set apart what is for activations alone', () => {
    const [always, activations] = usageOf('stats').split('Options with --activations');
    expect(always).toContain('--arrow');
    expect(always).not.toContain('--cache');
    expect(activations).toContain('--cache');
  });
});
