/** @jest-environment jsdom */
import { nullTranslator } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import { Widget } from '@lumino/widgets';
import { act } from 'react';
import type { ReactElement } from 'react';
import { Repaired } from '../../../src/panel/body/repaired';
import { TorchCode } from '../../../src/panel/body/torchcode';
import { INITIAL_STATE } from '../../../src/panel/model';
import type { IFixResult } from '../../../src/protocol';
import { makeFix } from './samples';

Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });

// jsdom lays nothing out, and so scrolls nothing.
Element.prototype.scrollIntoView = () => undefined;

const trans = nullTranslator.load('castlens');
const regions = { submod_1: { enabled: false } } as const;

function textOf(element: ReactElement): string {
  const widget = ReactWidget.create(element);
  act(() => {
    Widget.attach(widget, document.body);
  });
  const text = widget.node.textContent;
  act(() => widget.dispose());
  return text;
}

function repaired(patch: Partial<IFixResult>): string {
  const state = {
    ...INITIAL_STATE,
    repaired: { result: makeFix(patch), path: 'model.fixed.pt2', codePath: null }
  };
  return textOf(<Repaired state={state} trans={trans} execute={() => undefined} />);
}

describe('the repaired model', () => {
  it('should say that outputs change where regions are written otherwise, also with no weight converted', () => {
    const text = repaired({ converted: [], regions });
    expect(text).toContain('regions are written as they were run, so outputs change: submod_1=off');
    expect(text).not.toContain('nothing to do');
  });

  it('should say that there was nothing to do only where the file is a copy', () => {
    expect(repaired({ converted: [] })).toContain('nothing to do: a copy of the model');
    expect(repaired({ converted: [], left: [{ weight: 'a', reason: 'b' }] })).toContain(
      'no weight to convert: a copy of the model'
    );
    expect(repaired({})).not.toContain('nothing to do');
    expect(repaired({})).not.toContain('outputs change');
  });
});

describe('the PyTorch code', () => {
  const code = { file: 'model.pt2', strategies: ['preconvert'] as const, code: 'pass\n' };
  const shown = (variant: typeof INITIAL_STATE.variant): string =>
    textOf(
      <TorchCode
        state={{ ...INITIAL_STATE, code, variant }}
        trans={trans}
        execute={() => undefined}
      />
    );

  it('should say that it does not follow overridden regions', () => {
    const text = 'about the program as recorded: it does not follow overridden regions';
    expect(shown({ ...INITIAL_STATE.variant, regions })).toContain(text);
    expect(shown(INITIAL_STATE.variant)).not.toContain(text);
  });
});
