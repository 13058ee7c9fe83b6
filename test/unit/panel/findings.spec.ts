import { nullTranslator } from '@jupyterlab/translation';
import { createElement } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';

import { Findings } from '../../../src/panel/body/findings';
import { findingsOf } from '../../../src/panel/findings';
import type { IPanelState } from '../../../src/panel/model';
import { INITIAL_STATE } from '../../../src/panel/model';
import { variantKey } from '../../../src/panel/variants';
import type { IFinding, IMeasuredTime } from '../../../src/protocol';
import { makeCompare, makeInfo, makePlan, makeResult } from './samples';

const finding = (code: string, patch: Partial<IFinding> = {}): IFinding => ({
  code,
  severity: 'warning',
  message: `about ${code}`,
  ...patch
});

const time: IMeasuredTime = {
  with: 'off',
  without: 'folded',
  differenceMs: 1.5,
  lowMs: 1.25,
  highMs: 1.75,
  verdict: 'faster',
  device: 'cpu',
  runs: 20
};

const inFile = finding('of-the-file', { cost: { bytesMoved: 2048 } });
const { variant } = INITIAL_STATE;
const state: IPanelState = {
  ...INITIAL_STATE,
  info: makeInfo({ census: { findings: [inFile] } })
};

describe('findingsOf', () => {
  it('should gather file, statistics, plan and comparison, each finding once', () => {
    const planned = finding('of-the-plan');
    const compared = finding('of-a-variant');
    const found = findingsOf({
      ...state,
      plans: new Map([[variantKey(variant), { ...makePlan(variant, 2), findings: [planned] }]]),
      statistics: { rows: 1, ipc: new Uint8Array(), findings: [finding('of-values')] },
      compare: makeCompare([
        makeResult({ findings: [compared] }),
        makeResult({ cache: 'folded', findings: [compared] })
      ])
    });
    expect(found.map(({ code }) => code)).toEqual([
      'of-the-file',
      'of-values',
      'of-the-plan',
      'of-a-variant'
    ]);
  });

  it('should leave out what was found in variants with other regions', () => {
    const regions = { submod_1: { enabled: false } };
    const compare = makeCompare([
      makeResult({ regions, findings: [finding('overridden')] }),
      makeResult({ cache: 'float32', findings: [finding('reference')] })
    ]);
    const codes = (shown: IPanelState) => findingsOf(shown).map(({ code }) => code);
    expect(codes({ ...state, compare })).toEqual(['of-the-file', 'reference']);
    const chosen = { ...state, compare, variant: { ...variant, regions } };
    expect(codes(chosen)).toEqual(['of-the-file', 'overridden', 'reference']);
  });

  it('should add the measured cost to the finding of the file', () => {
    const compare = {
      ...makeCompare([]),
      findings: [{ ...inFile, cost: { bytesMoved: 2048, time } }, finding('no-longer-found')]
    };
    expect(findingsOf({ ...state, compare })).toEqual([compare.findings[0]]);
  });
});

describe('Findings', () => {
  const render = (...findings: IFinding[]): string =>
    renderToStaticMarkup(
      createElement(Findings, {
        state: { ...state, info: makeInfo({ census: { findings } }) },
        trans: nullTranslator.load('castlens'),
        execute: () => undefined
      })
    );

  it('should show what a finding is about, what it costs and what to do', () => {
    const html = render(
      finding('some-code', {
        weights: ['a.weight'],
        nodes: ['linear', 'linear_1'],
        source: { file: 'lib/model.py', line: 3 },
        sources: [
          { file: 'lib/model.py', line: 3 },
          { file: 'lib/model.py', line: 8, code: 'y = f(x)' }
        ],
        cost: { bytesMoved: 2048, isLowerBound: true, time },
        remedy: 'Do this.'
      })
    );
    for (const text of [
      'about some-code',
      'At least 2.0 KiB moved per forward.',
      'Measured: 1.500 ms per forward, 95 % interval 1.250 ms to 1.750 ms (off against folded on cpu, 20 runs each).',
      'Do this.',
      '1 weight, 2 operator calls, 2 lines',
      '<code>a.weight</code>',
      '<code>linear_1</code>',
      'lib/model.py:8  y = f(x)'
    ]) {
      expect(html).toContain(text);
    }
  });

  it('should say that no difference was shown, or that there were too few runs', () => {
    const cost = (patch: Partial<IMeasuredTime>) => ({ cost: { time: { ...time, ...patch } } });
    expect(render(finding('c', cost({ verdict: 'no-difference' })))).toContain(
      'no difference in time beyond the noise'
    );
    expect(render(finding('c', cost({ verdict: 'unknown', lowMs: null, highMs: null })))).toContain(
      'too few runs for an interval'
    );
  });

  it('should only count names beyond the first fifty, and show no empty details', () => {
    const weights = Array.from({ length: 60 }, (_, i) => `w${i}`);
    const html = render(finding('many', { weights }));
    expect(html).toContain('<code>w49</code>');
    expect(html).not.toContain('<code>w50</code>');
    expect(html).toContain('and 10 more');
    expect(render(finding('bare'))).not.toContain('operator call');
  });
});
