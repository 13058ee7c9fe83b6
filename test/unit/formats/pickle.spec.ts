import type { IPickleConstructors, PickleValue } from '../../../src/formats/pt2/pickle';
import { PickleError, PickleObject, PickleTuple, unpickle } from '../../../src/formats/pt2/pickle';

const CONSTRUCTORS: IPickleConstructors = {
  isKnown: name => name === 'known.make',
  call: (name, args) => new PickleObject(name, args),
  persistent: id => new PickleObject('persistent', id)
};

function load(text: string): PickleValue {
  return unpickle(Buffer.from(text, 'latin1'), CONSTRUCTORS);
}

function reasonOf(text: string): string {
  try {
    load(text);
  } catch (error) {
    if (error instanceof PickleError) {
      return `${error.reason}: ${error.message}`;
    }
    throw error;
  }
  throw new Error('expected an error');
}

describe('unpickle()', () => {
  // As pickle.dumps(value, protocol) of CPython 3.11 writes them.
  it.each<[string, string, unknown]>([
    ['None', '\x80\x02N.', null],
    ['an int of four bytes', '\x80\x02J\xfe\xff\xff\xff.', -2],
    ['an int of two bytes', '\x80\x02M\x00\x01.', 256],
    ['a long', '\x80\x02\x8a\x05\x00\x00\x00\x00\x01.', 4294967296],
    ['a negative long', '\x80\x02\x8a\x01\xff.', -1],
    ['2**62', '\x80\x02\x8a\x08\x00\x00\x00\x00\x00\x00\x00@.', 2n ** 62n],
    ['a float', '\x80\x02G?\xf8\x00\x00\x00\x00\x00\x00.', 1.5],
    ['text', '\x80\x02X\x03\x00\x00\x00a\xc3\xa4q\x00.', 'aä'],
    ['text of protocol 4', '\x80\x04\x95\x05\x00\x00\x00\x00\x00\x00\x00\x8c\x01a\x94.', 'a'],
    ['a list', '\x80\x02]q\x00(K\x01K\x02e.', [1, 2]],
    ['a list of one', '\x80\x02]q\x00K\x07a.', [7]],
    [
      'a dict',
      '\x80\x02}q\x00(K\x01\x88K\x02\x89u.',
      new Map([
        [1, true],
        [2, false]
      ])
    ],
    ['a set', '\x80\x04\x8f\x94(K\x01\x90.', new Set([1])],
    ['a tuple', '\x80\x02K\x01K\x02\x86q\x00.', new PickleTuple([1, 2])],
    ['a long tuple', '\x80\x02(K\x01K\x01K\x01K\x01tq\x00.', new PickleTuple([1, 1, 1, 1])],
    ['a call', '\x80\x02cknown\nmake\nq\x00K\x01\x85R.', new PickleObject('known.make', [1])],
    [
      'a call of protocol 4',
      '\x80\x04\x8c\x05known\x94\x8c\x04make\x94\x93\x94)R.',
      new PickleObject('known.make', [])
    ],
    ['a persistent id', '\x80\x02K\x05Q.', new PickleObject('persistent', 5)]
  ])('should read %s', (_, text, expected) => {
    expect(load(text)).toEqual(expected);
  });

  it('should share what is memoized, also with itself', () => {
    const [first, second] = load('\x80\x02](]q\x01h\x01e.') as PickleValue[];
    expect(second).toBe(first);
    const own = load('\x80\x02]q\x00h\x00a.') as PickleValue[];
    expect(own[0]).toBe(own);
  });

  it('should read what is nested a million deep', () => {
    const value = load(`\x80\x02${']'.repeat(1_000_000)}${'a'.repeat(999_999)}.`);
    expect(Array.isArray(value)).toBe(true);
  });

  it.each([
    ['a name that is not on the list', '\x80\x02cos\nsystem\n.', 'refused: os.system'],
    ['such a name from the stack', '\x80\x04\x8c\x02os\x8c\x06system\x93.', 'refused: os.system'],
    ['an instance of protocol 0', '(ios\nsystem\n.', 'refused: pickle opcode 0x69'],
    ['an extension', '\x80\x02\x82\x01.', 'refused: pickle opcode 0x82'],
    ['a buffer outside', '\x80\x05\x97.', 'refused: pickle opcode 0x97'],
    ['state of an object', '\x80\x02cknown\nmake\n)R}b.', 'refused: the state of an object'],
    ['protocol 6', '\x80\x06.', 'refused: pickle protocol 6'],
    ['nothing', '', 'damaged'],
    ['no end', '\x80\x02N', 'damaged'],
    ['an empty stack', '\x80\x02.', 'damaged'],
    ['no mark', '\x80\x02t.', 'damaged'],
    ['text beyond the end', '\x80\x02X\xff\xff\xff\xffa.', 'damaged'],
    ['broken UTF-8', '\x80\x02X\x01\x00\x00\x00\xff.', 'damaged: UTF-8'],
    ['an unknown memo', '\x80\x02h\x09.', 'damaged: memo 9'],
    ['an endless integer', `\x80\x02\x8a\xff${'\x01'.repeat(255)}.`, 'damaged: an integer'],
    ['items for no list', '\x80\x02NK\x01a.', 'damaged: a list'],
    ['values below a mark', '\x80\x02K\x01(\x85.', 'damaged: 1 values']
  ])('should refuse %s', (_, text, reason) => {
    expect(reasonOf(text)).toContain(reason);
  });

  it('should survive any bytes', () => {
    let state = 1;
    for (let i = 0; i < 20_000; i++) {
      const bytes = Buffer.alloc(24);
      for (let j = 0; j < bytes.length; j++) {
        state = (Math.imul(state, 1103515245) + 12345) >>> 0;
        bytes[j] = state >>> 24;
      }
      try {
        unpickle(bytes, CONSTRUCTORS);
      } catch (error) {
        expect(error).toBeInstanceOf(PickleError);
      }
    }
  });
});
