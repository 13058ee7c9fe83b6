/** @jest-environment jsdom */
import { nullTranslator } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import { Widget } from '@lumino/widgets';
import { act } from 'react';
import { Structure } from '../../../src/panel/body/structure';
import { CommandIDs } from '../../../src/panel/commandids';
import { INITIAL_STATE } from '../../../src/panel/model';
import type { IModelInfo, RegionOverrides } from '../../../src/protocol';
import { makeInfo, makeRegion } from './samples';

Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });

const info = makeInfo({
  census: {
    regions: [
      makeRegion({ id: 'outer' }),
      makeRegion({ id: 'inner', parent: 'outer', enabled: false }),
      makeRegion({ id: 'foreign', device: 'npu' })
    ]
  }
});

/** The table of regions, rendered, with what it asks for. */
function render(regions?: RegionOverrides, model: IModelInfo = info) {
  const asked: [string, unknown][] = [];
  const state = { ...INITIAL_STATE, info: model, variant: { ...INITIAL_STATE.variant, regions } };
  const trans = nullTranslator.load('castlens');
  const widget = ReactWidget.create(
    <Structure state={state} trans={trans} execute={(id, args) => asked.push([id, args])} />
  );
  const { node } = widget;
  act(() => {
    Widget.attach(widget, document.body);
  });
  const select = (region: string) =>
    node.querySelector<HTMLSelectElement>(`select[aria-label="Run region ${region}"]`)!;
  const choose = (region: string, value: string) =>
    act(() => {
      select(region).value = value;
      select(region).dispatchEvent(new Event('change', { bubbles: true }));
    });
  return { node, asked, select, choose };
}

describe('the table of regions', () => {
  it('should offer for each region what would change something', () => {
    const { select } = render();
    const options = (region: string) => [...select(region).options].map(({ value }) => value);
    expect(options('outer')).toEqual(['recorded', 'off', 'float16']);
    expect(options('inner')).toEqual(['recorded', 'on', 'float16']);
    expect(options('foreign')).toEqual(['recorded', 'off']);
    expect(select('foreign').title).toContain('npu are not known');
  });

  it('should ask for the override that was chosen', () => {
    const { asked, choose } = render();
    choose('inner', 'on');
    choose('outer', 'float16');
    expect(asked).toEqual([
      [CommandIDs.overrideRegion, { region: 'inner', choice: 'on' }],
      [CommandIDs.overrideRegion, { region: 'outer', choice: 'float16' }]
    ]);
  });

  it('should show what is recorded beside what is overridden, and mark it', () => {
    const { node, select } = render({ inner: { enabled: true } });
    expect(select('inner').value).toBe('on');
    expect(select('outer').value).toBe('recorded');
    const marked = node.querySelectorAll('[data-overridden]');
    expect(marked).toHaveLength(1);
    expect(marked[0].contains(select('inner'))).toBe(true);
    expect(marked[0].textContent).toContain('overridden');
    const row = select('inner').closest('tr')!;
    expect(row.querySelector('[data-column=enabled]')!.textContent).toBe('no');
    expect(node.querySelector('[role=note]')!.textContent).toContain('Not run as recorded: inner.');
  });

  it('should take all overrides back at once', () => {
    const { node, asked } = render({ inner: { enabled: true } });
    act(() => {
      node.querySelector<HTMLButtonElement>('[role=note] button')!.click();
    });
    expect(asked).toEqual([[CommandIDs.resetRegions, undefined]]);
    expect(render().node.querySelector('[role=note]')).toBeNull();
  });
});
