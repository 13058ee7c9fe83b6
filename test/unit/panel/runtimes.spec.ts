import { INITIAL_STATE } from '../../../src/panel/model';
import {
  ALL_ROWS,
  comparedRows,
  deploymentOf,
  isOffered,
  rowOf,
  shownRows,
  toggleRuntime,
  variantOfRow
} from '../../../src/panel/runtimes';
import type { IPythonInfo } from '../../../src/protocol';
import { makeInfo } from './samples';

const python: IPythonInfo = {
  path: '/env/bin/python',
  origin: 'the path',
  python: null,
  torch: '2.15.0',
  cuda: null,
  devices: [],
  compiler: null,
  problems: []
};
const found = { ...INITIAL_STATE, info: makeInfo(), pythons: [python] };
const without = { ...found, pythons: [{ ...python, torch: null }] };
const onnx = { ...found, info: makeInfo({ census: { format: 'onnx' } }) };

test('every row is the row of its variant', () => {
  for (const row of ALL_ROWS) {
    expect(rowOf(variantOfRow(row, INITIAL_STATE.variant))).toBe(row);
  }
});

test('PyTorch runs a variant as recorded, on the device', () => {
  const variant = { cache: 'off', device: 'cuda', passes: ['share-casts'] } as const;
  const regions = { a: { enabled: false } };
  expect(variantOfRow('aotinductor repaired', { ...variant, regions })).toEqual({
    cache: 'off',
    device: 'cuda',
    passes: [],
    runtimeName: 'aotinductor',
    repaired: true
  });
});

test.each([
  ['a Python with PyTorch', found, true],
  ['no Python with PyTorch', without, false],
  ['a Python that was chosen', { ...without, python: '/my/python' }, true],
  ['an ONNX model', onnx, false],
  ['Pythons not looked for yet', { ...found, pythons: null }, false]
])('with %s the runtimes of PyTorch are on offer: %#', (_, state, offered) => {
  expect(isOffered('aotinductor', state)).toBe(offered);
  expect(isOffered('onnxruntime', state)).toBe(true);
  expect(deploymentOf(state)).toBe(offered ? 'aotinductor' : 'onnxruntime');
});

test('rows of a runtime are ticked when it is first shown, and left out when it is hidden', () => {
  const shown = { ...found, ...toggleRuntime(found, 'eager') };
  expect(shownRows(shown).slice(0, 4)).toEqual([
    'eager off',
    'eager autocast',
    'eager repaired',
    'off'
  ]);
  expect(comparedRows(shown)).toHaveLength(9);
  const fewer = { ...shown, selected: shown.selected.filter(row => row !== 'eager off') };
  const hidden = { ...fewer, ...toggleRuntime(fewer, 'eager') };
  expect(comparedRows(hidden)).toHaveLength(6);
  const again = { ...hidden, ...toggleRuntime(hidden, 'eager') };
  expect(comparedRows(again)).not.toContain('eager off');
});

test('what one deploys with is as chosen, where it runs the model', () => {
  expect(deploymentOf({ ...found, deployment: 'compile' })).toBe('compile');
  expect(deploymentOf({ ...onnx, deployment: 'compile' })).toBe('onnxruntime');
});
