/** @jest-environment jsdom */
import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import { Widget } from '@lumino/widgets';
import { CommandIDs } from '../../../src/panel/commandids';
import type { IActivations } from '../../../src/panel/model';
import { PanelModel, STATISTICS_KINDS } from '../../../src/panel/model';
import { StatisticsSection } from '../../../src/panel/stats';
import { makeActivationStats, makeInfo } from './samples';

/** The section in the document, with commands that only note what they were asked. */
function setup(canSummarise = true) {
  const model = new PanelModel();
  const commands = new CommandRegistry();
  const asked: unknown[] = [];
  commands.addCommand(CommandIDs.showStatistics, {
    execute: args => {
      model.update({ statisticsKind: STATISTICS_KINDS.find(kind => kind === args.kind) });
    }
  });
  commands.addCommand(CommandIDs.summariseWeights, { execute: () => asked.push('weights') });
  commands.addCommand(CommandIDs.summariseActivations, {
    isEnabled: () => canSummarise,
    execute: () => asked.push('activations')
  });
  const trans = nullTranslator.load('castlens');
  const section = new StatisticsSection({ model, commands, trans, themeManager: null });
  Widget.attach(section, document.body);
  return { model, asked, section };
}

/** Rendered text and elements, once `test` holds. */
async function until(test: () => boolean): Promise<void> {
  while (!test()) {
    await new Promise(resolve => setTimeout(resolve, 1));
  }
}

const radio = (section: Widget, kind: string) =>
  section.node.querySelector<HTMLButtonElement>(`[role=radio][data-kind=${kind}]`)!;
const button = (section: Widget) =>
  section.node.querySelector<HTMLButtonElement>('button.jp-mod-styled')!;

/** Activations whose table is not looked at here. */
function activations(cache: 'off' | 'frozen'): IActivations {
  const about = makeActivationStats(cache);
  return { rows: about.rows, ipc: new Uint8Array(0), about };
}

describe('StatisticsSection', () => {
  let section: StatisticsSection | null = null;
  afterEach(() => section?.dispose());

  it('should switch between weights and activations, and run the model only on demand', async () => {
    const made = setup();
    section = made.section;
    made.model.update({ info: makeInfo() });
    await until(() => section!.node.querySelector('[role=radiogroup]') !== null);
    expect(radio(section, 'weights').getAttribute('aria-checked')).toBe('true');
    radio(section, 'activations').click();
    await until(() => radio(section!, 'activations').getAttribute('aria-checked') === 'true');
    expect(made.asked).toEqual([]);
    expect(button(section).textContent).toBe('Summarise the values of off');
    button(section).click();
    expect(made.asked).toEqual(['activations']);
  });

  it('should choose by the arrow keys, with one stop for the tab key', async () => {
    const made = setup();
    section = made.section;
    made.model.update({ info: makeInfo() });
    await until(() => section!.node.querySelector('[role=radiogroup]') !== null);
    expect([radio(section, 'weights').tabIndex, radio(section, 'activations').tabIndex]).toEqual([
      0, -1
    ]);
    radio(section, 'weights').focus();
    radio(section, 'weights').dispatchEvent(
      new KeyboardEvent('keydown', { key: 'ArrowRight', bubbles: true })
    );
    await until(() => radio(section!, 'activations').getAttribute('aria-checked') === 'true');
    expect(document.activeElement).toBe(radio(section, 'activations'));
    expect(radio(section, 'activations').tabIndex).toBe(0);
  });

  it('should say what was run and what it cost, and offer the variant chosen since', async () => {
    const made = setup();
    section = made.section;
    made.model.update({
      info: makeInfo(),
      statisticsKind: 'activations',
      activations: activations('off')
    });
    const text = () => section!.node.textContent ?? '';
    await until(() => text().includes('of a plain forward'));
    expect(text()).toContain(
      '3 values of off on random, seed 0; 2 runs in 8.000 ms with loading, 4.000×'
    );
    expect(text()).toContain('memory 1.250×');
    expect(text()).toContain('; 1 value left out (odd): there are no statistics of complex64');
    expect(button(section)).toBeNull();
    made.model.update({ variant: { cache: 'frozen', passes: [], device: 'cpu' } });
    await until(() => button(section!) !== null);
    expect(button(section).textContent).toBe('Summarise those of frozen');
  });

  it('should offer nothing where the model cannot be run', async () => {
    const made = setup(false);
    section = made.section;
    made.model.update({ info: makeInfo(), statisticsKind: 'activations' });
    await until(() => button(section!) !== null);
    expect(button(section).disabled).toBe(true);
  });
});
