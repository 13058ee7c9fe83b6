import { readModel } from '../../../src/formats';
import { parseGuard } from '../../../src/formats/pt2/guards';
import { holds, inputsOfGuard } from '../../../src/model';
import { changedCopy, editJson, fixture, temporaryFolder } from './samples';

const folder = temporaryFolder();

/** Two tensors, x [6, 8] and d['y'] [3], and a number n = 4. */
const SOURCES = [['x'], ['d', 'y'], ['n']];
const SIZES = [[6, 8], [3]];
const X0 = "L['x'].size()[0]";
const X1 = "L['x'].size()[1]";
const Y0 = "L['d']['y'].size()[0]";

function verdict(text: string): boolean | null {
  const condition = parseGuard(text, SOURCES);
  if (condition === null) {
    throw new Error(`not read: ${text}`);
  }
  return holds(
    { text, condition },
    {
      size: (input, dim) => SIZES[input]?.[dim] ?? null,
      value: input => (input === 2 ? 4 : null)
    }
  );
}

describe('parseGuard()', () => {
  // As torch 2.13 writes them.
  it.each([
    [`${X0} == ${X1}`, false],
    [`${Y0} <= ${X0}`, true],
    [`(${X1} % 2) == 0`, true],
    [`(${X1} // 2) != 4`, false],
    [`${X1} != max(1, ${X1} // 2)`, true],
    [`min(${X0}, ${Y0}) > 3`, false],
    [`1 + 2*${X0} >= ${X1}`, true],
    [`(2 + 2*(((-1) + ${X1}) // 2)) == ${X1}`, true],
    [`(2 + 2*(((-1) + ${Y0}) // 2)) == ${Y0}`, false],
    [`L['n'] >= 0 and L['n'] <= ${X0}`, true],
    [`L['n'] < 0 or L['n'] > ${X0}`, false],
    [`not (${X0} == 6)`, false],
    [`(${X0} / 2) <= 2.5`, false],
    [`1.5*torch.sym_float(max(5, ${X0})) > torch.sym_float(${X1})`, true],
    [`math.ceil(${Y0} / 2) == 2`, true],
    [`L['flat_args'][0].size()[1] == 8`, true],
    [`L["d"]["y"].size()[0] == 3`, true],
    [`L['d'].y.size()[0] == 3`, true]
  ])('should decide %s', (text, expected) => {
    expect(verdict(text)).toBe(expected);
  });

  // Values are those of Python.
  it.each([
    ['7 - 2 - 1 == 4', true],
    ['2 + 3*4 == 14', true],
    ['-7 // 2 == -4', true],
    ['-7 % 3 == 2', true],
    ['1 < 2 < 3', true],
    ['1 < 3 < 2', false],
    ['1 == 2 or 1 == 1 and 2 == 2', true],
    ['not 1 == 2', true],
    ['1e2 == 100', true],
    [`${X0} % (${Y0} // 4) == 0`, false],
    [`${X0} % (${Y0} // 4) != 0`, false],
    [`1 == 2 and ${X0} // 0 == 1`, false],
    [`1 == 1 or ${X0} // 0 == 1`, true]
  ])('should compute %s', (text, expected) => {
    expect(verdict(text)).toBe(expected);
  });

  it('should not decide what is not known', () => {
    expect(verdict(`L['x'].size()[2] == 1`)).toBeNull();
  });

  it.each([
    ['strides', "L['x'].stride()[0] == 1"],
    ['other inputs', "L['z'].size()[0] == 1"],
    ['a position beyond the inputs', "L['flat_args'][3].size()[0] == 1"],
    ['other functions', `print(${X0})`],
    ['attributes', `${X0}.__class__ == 1`],
    ['powers', `${X0}**2 == 36`],
    ['bitwise operators', `${X0} & 1 == 0`],
    ['names', 'x == 1'],
    ['properties of objects', "constructor('') == 1"],
    ['a wrong count of arguments', `math.floor(1, 2) == 1`],
    ['statements', `${X0} == 1; 2`],
    ['an open bracket', `(${X0} == 1`],
    ['nothing', ''],
    ['huge integers', `${X0} == 99999999999999999999`]
  ])('should not read %s', (_, text) => {
    expect(parseGuard(text, SOURCES)).toBeNull();
  });

  it.each(['(', '-', 'not ', 'max(', '1 + ', '1*'])('should survive absurd nesting of %p', part => {
    expect(parseGuard(part.repeat(100_000) + '1', SOURCES)).toBeNull();
  });

  it('should tell the inputs a guard is about', () => {
    const text = `${Y0} <= ${X0} and L['n'] > 0 and ${X1} > 1`;
    expect(inputsOfGuard({ text, condition: parseGuard(text, SOURCES)! })).toEqual([0, 1, 2]);
  });
});

describe('guards of a program', () => {
  it('should be read, and warned about where they cannot be', async () => {
    const file = await changedCopy(
      fixture('dynamic-batch/model.pt2'),
      `${folder}/guards.pt2`,
      records =>
        editJson(records, 'models/model.json', program => {
          program.guards_code = ["L['x'].size()[0] != 7", "L['x'].stride()[0] > 7"];
        })
    );
    const { guards, warnings } = await readModel(file);
    expect(guards!.map(({ text }) => text)).toEqual(["L['x'].size()[0] != 7"]);
    expect(warnings).toEqual([
      "castlens cannot read 1 guard(s) of the program and does not check them: L['x'].stride()[0] > 7."
    ]);
  });
});
