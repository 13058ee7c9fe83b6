import { join } from 'node:path';
import { makeCastsExplicit, takeCensus } from '../../../src/autocast';
import { checkCensus, limitsOf } from '../../../src/cli/check';
import { checkMarkdown, checkText } from '../../../src/cli/checktext';
import { readModel } from '../../../src/formats';
import type { ICensus } from '../../../src/protocol';

async function censusOf(name: string): Promise<ICensus> {
  const model = await readModel(join(__dirname, '..', '..', 'fixtures', name, 'model.pt2'));
  return takeCensus(makeCastsExplicit(model), model, 'model.pt2');
}

describe('limitsOf()', () => {
  it('should allow no weight cast where no limit is given', () => {
    expect(limitsOf({ failOn: ['warning'] })).toMatchObject({ maxWeightCasts: 0, cache: 'off' });
  });

  it('should leave weight casts alone where another limit is given', () => {
    expect(limitsOf({ maxActivationCasts: 0 }).maxWeightCasts).toBeUndefined();
  });
});

describe('checkCensus()', () => {
  it.each([
    ['off', 12, true],
    ['off', 11, false],
    ['autocast', 8, true],
    ['autocast', 7, false],
    ['folded', 0, true]
  ] as const)(
    'should count in mode %s, and say of at most %d: %s',
    async (cache, limit, passed) => {
      const report = checkCensus(
        await censusOf('reused-weights'),
        limitsOf({ cache, maxWeightCasts: limit, failOn: [] })
      );
      expect(report.passed).toBe(passed);
      expect(report.limits.map(({ name }) => name)).toEqual(['weight-casts', 'findings']);
    }
  );

  it('should take a severity with all that are worse, and codes', async () => {
    const census = await censusOf('reused-weights');
    const failing = (failOn: string[]): number =>
      checkCensus(census, { cache: 'off', failOn }).findings.length;
    expect(failing(['info'])).toBe(census.findings.length);
    expect(failing(['error'])).toBe(census.findings.filter(one => one.severity === 'error').length);
    expect(failing(['weight-cast-per-use'])).toBe(1);
    expect(failing(['none'])).toBe(0);
  });

  it('should list the casts that move most bytes first', async () => {
    const { weightCasts } = checkCensus(await censusOf('bert'), limitsOf({}));
    const bytes = weightCasts.map(cast => cast.bytesMoved);
    expect(bytes).toEqual([...bytes].sort((a, b) => b - a));
    expect(bytes.length).toBeGreaterThan(10);
  });
});

describe('checkMarkdown()', () => {
  it('should let no name of a model leave its cell', async () => {
    const census = await censusOf('seed-mlp');
    const report = checkCensus(
      {
        ...census,
        file: 'a`b.pt2',
        weightCasts: census.weightCasts.map(cast => ({ ...cast, weight: 'x|y`z' })),
        findings: [{ code: 'c', severity: 'error', message: '<b>*x*</b>\n# y' }]
      },
      limitsOf({})
    );
    const text = checkMarkdown(report);
    expect(text).toContain('### castlens: `` a`b.pt2 `` failed');
    expect(text).toContain('| `` x\\|y`z `` |');
    expect(text).toContain('- **error** `c`: \\<b>\\*x\\*\\</b> # y'.replace(/>/g, '\\>'));
  });

  it('should show ten casts and say how many more there are', async () => {
    const report = checkCensus(await censusOf('bert'), limitsOf({}));
    const more = `and ${report.weightCasts.length - 10} more`;
    expect(checkMarkdown(report)).toContain(more);
    expect(checkText(report)).toContain(more);
  });
});
