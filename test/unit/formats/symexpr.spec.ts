import { parseSymExpr } from '../../../src/formats/pt2/symexpr';
import { evaluateDim, formatDim } from '../../../src/model';

const N = "Symbol('s77', positive=True, integer=True)";
const M = "Symbol('s27', integer=True)";

describe('parseSymExpr()', () => {
  const bindings = new Map([
    ['s77', 7],
    ['s27', 3]
  ]);

  it.each([
    ['Integer(12)', 12],
    ['Integer(-1)', -1],
    [N, 7],
    [`Mul(Integer(2), ${N})`, 14],
    [`Add(${N}, Mul(Integer(-1), ${M}), Integer(1))`, 5],
    [`Pow(${N}, Integer(2))`, 49],
    [`PowByNatural(${N}, Integer(2))`, 49],
    [`FloorDiv(${N}, ${M})`, 2],
    [`CleanDiv(${N}, Integer(7))`, 1],
    [`Mod(${N}, ${M})`, 1],
    [`PythonMod(Mul(Integer(-1), ${N}), ${M})`, 2],
    [`CeilDiv(${N}, ${M})`, 3],
    [`Min(${N}, ${M}, Integer(5))`, 3],
    [`Max(${N}, Integer(32))`, 32],
    [`ModularIndexing(${N}, Integer(2), Integer(2))`, 1],
    [`Identity(${N})`, 7],
    [`LShift(${N}, Integer(3))`, 56],
    [`RShift(${N}, Integer(1))`, 3],
    [`Add(FloorDiv(Add(${N}, Integer(-1)), Integer(2)), Integer(1))`, 4]
  ])('should read %s', (text, value) => {
    expect(evaluateDim(parseSymExpr(text), bindings)).toBe(value);
  });

  it.each(['FloorDiv', 'CleanDiv', 'Mod', 'CeilDiv'])(
    'should have no value for %s by zero, as PyTorch',
    name => {
      expect(evaluateDim(parseSymExpr(`${name}(${N}, Integer(0))`), bindings)).toBeNull();
    }
  );

  it('should format what it read', () => {
    expect(formatDim(parseSymExpr(`Mul(Integer(2), ${N})`))).toBe('2*s77');
  });

  it.each([
    ['an unknown function', `Where(${N}, Integer(1), Integer(2))`],
    ['a fraction', `Mul(Rational(1, 2), ${N})`],
    ['a negative power', `Pow(${N}, Integer(-1))`],
    ['no text', ''],
    ['an open bracket', 'Add(Integer(1), Integer(2)'],
    ['a stray bracket', 'Integer(1))'],
    ['two expressions', 'Integer(1) Integer(2)'],
    ['other characters', 'Integer(1) + Integer(2)'],
    ['too many arguments', `Mod(${N}, ${M}, ${N})`],
    ['a huge integer', 'Integer(99999999999999999999)']
  ])('should keep %s as text', (_, text) => {
    expect(parseSymExpr(text)).toEqual({ kind: 'opaque', text });
  });

  it('should survive absurd nesting', () => {
    const depth = 100_000;
    const text = 'Add('.repeat(depth) + 'Integer(1)' + ')'.repeat(depth);
    expect(parseSymExpr(text)).toEqual({ kind: 'opaque', text });
  });
});
