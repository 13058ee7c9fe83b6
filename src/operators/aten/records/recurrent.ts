/**
 * Recurrent cells, one step at a time, and recurrent layers over a whole sequence.
 *
 * @packageDocumentation
 */
import type { Attr, IValue } from '../../../model';
import { intAttr, intsAttr, stringAttr } from '../../builder';
import type { Call } from '../call';
import * as dtypes from '../dtypes';
import { limit, operator } from '../operator';
import type { IOperator, Lowered } from '../operator';
import { slice } from './layout';
import { product } from './matmul';

/** `x @ w^T + b`. */
function gates(c: Call, x: IValue, weight: string, bias: string): IValue {
  const value = product(c, x, c.transpose(c.tensor(weight), [1, 0]));
  return c.has(bias) ? c.emit('Add', [value, c.toType(c.tensor(bias), c.outType)]) : value;
}

/** Equal parts of the last dimension. */
function parts(c: Call, value: IValue, count: number): IValue[] {
  return c.emitMany(
    'Split',
    [value],
    { axis: intAttr(-1), num_outputs: intAttr(count) },
    new Array(count).fill({})
  );
}

function lstmCell(c: Call): Lowered {
  const [hidden, cell] = c.tensors('hx').map(value => value ?? c.fail('a state that is None'));
  const sum = c.emit('Add', [
    gates(c, c.tensor('input'), 'w_ih', 'b_ih'),
    gates(c, hidden, 'w_hh', 'b_hh')
  ]);
  const [i, f, g, o] = parts(c, sum, 4);
  const kept = c.emit('Mul', [c.emit('Sigmoid', [f]), c.toType(cell, c.outType)]);
  const added = c.emit('Mul', [c.emit('Sigmoid', [i]), c.emit('Tanh', [g])]);
  const next = c.emit('Add', [kept, added]);
  return [c.emit('Mul', [c.emit('Sigmoid', [o]), c.emit('Tanh', [next])]), next];
}

function gruCell(c: Call): Lowered {
  const hidden = c.toType(c.tensor('hx'), c.outType);
  const [xr, xz, xn] = parts(c, gates(c, c.tensor('input'), 'w_ih', 'b_ih'), 3);
  const [hr, hz, hn] = parts(c, gates(c, hidden, 'w_hh', 'b_hh'), 3);
  const reset = c.emit('Sigmoid', [c.emit('Add', [xr, hr])]);
  const update = c.emit('Sigmoid', [c.emit('Add', [xz, hz])]);
  const fresh = c.emit('Tanh', [c.emit('Add', [xn, c.emit('Mul', [reset, hn])])]);
  const change = c.emit('Mul', [update, c.emit('Sub', [hidden, fresh])]);
  return c.emit('Add', [fresh, change]);
}

function plainCell(op: string): (c: Call) => Lowered {
  return c =>
    c.emit(op, [
      c.emit('Add', [
        gates(c, c.tensor('input'), 'w_ih', 'b_ih'),
        gates(c, c.tensor('hx'), 'w_hh', 'b_hh')
      ])
    ]);
}

/** A recurrent layer of ONNX: its operator, and where it wants the gates of ATen's weights, in its own order. */
interface ILayer {
  readonly op: 'LSTM' | 'GRU' | 'RNN';
  readonly gates: readonly number[];
  readonly attrs: Record<string, Attr>;
  /** The function of every direction, where it is not the operator's own. */
  readonly activation?: string;
}

/** ATen orders input, forget, cell, output; ONNX input, output, forget, cell. */
const LSTM: ILayer = { op: 'LSTM', gates: [0, 3, 1, 2], attrs: {} };
/** ATen orders reset, update, new and applies the reset gate after the product; ONNX update, reset, hidden. */
const GRU: ILayer = { op: 'GRU', gates: [1, 0, 2], attrs: { linear_before_reset: intAttr(1) } };

function plainLayer(activation: string): ILayer {
  return { op: 'RNN', gates: [0], attrs: {}, activation };
}

function functions(name: string, count: number): Attr {
  return { kind: 'list', items: Array.from({ length: count }, () => stringAttr(name)) };
}

/** The gates of a weight or bias, along its first dimension, in another order. */
function reordered(c: Call, value: IValue, gates: readonly number[]): IValue {
  const given = c.toType(value, c.outType);
  if (gates.length === 1) {
    return given;
  }
  const pieces = c.emitMany(
    'Split',
    [given],
    { axis: intAttr(0), num_outputs: intAttr(gates.length) },
    gates.map(() => ({}))
  );
  return c.emit(
    'Concat',
    gates.map(gate => pieces[gate]),
    { axis: intAttr(0) }
  );
}

/**
 * Layers one after the other, each in one or both directions. Parameters stand layer by layer, direction by direction: input
 * weight, hidden weight, and their biases where there are any.
 */
function layers({ op, gates, attrs, activation }: ILayer): (c: Call) => IValue[] {
  return c => {
    const both = c.bool('bidirectional');
    const directions = both ? 2 : 1;
    const biases = c.bool('has_biases');
    const each = biases ? 4 : 2;
    const params = c.tensors('params').map(value => value ?? c.fail('a parameter that is None'));
    const states = (op === 'LSTM' ? c.tensors('hx') : [c.tensor('hx')]).map(value =>
      c.toType(value ?? c.fail('a state that is None'), c.outType)
    );
    const hidden = c.shape(params[1])[1] as number;
    const batchFirst = c.bool('batch_first');
    const given = c.toType(c.tensor('input'), c.outType);
    // ONNX wants the sequence first.
    let x = batchFirst ? c.transpose(given, [1, 0, 2]) : given;
    const ends: IValue[][] = states.map(() => []);
    const joined = (values: readonly IValue[], axis: number): IValue =>
      values.length === 1 ? values[0] : c.emit('Concat', values, { axis: intAttr(axis) });
    for (let layer = 0; layer < c.int('num_layers'); layer++) {
      const first = layer * directions;
      const perDirection = (at: (own: readonly IValue[]) => IValue): IValue =>
        joined(
          Array.from({ length: directions }, (_, d) => {
            const start = (first + d) * each;
            return c.emit('Unsqueeze', [at(params.slice(start, start + each)), c.int64s([0])]);
          }),
          0
        );
      const weights = [0, 1].map(i => perDirection(own => reordered(c, own[i], gates)));
      const bias = biases
        ? perDirection(own =>
            joined(
              [2, 3].map(i => reordered(c, own[i], gates)),
              0
            )
          )
        : null;
      const initial = states.map(state => slice(c, state, 0, first, first + directions));
      const [sequence, ...last] = c.emitMany(
        op,
        [x, ...weights, bias, null, ...initial],
        {
          ...attrs,
          ...(activation === undefined ? {} : { activations: functions(activation, directions) }),
          hidden_size: intAttr(hidden),
          direction: stringAttr(both ? 'bidirectional' : 'forward')
        },
        [{}, ...states.map(() => ({}))]
      );
      last.forEach((state, i) => ends[i].push(state));
      // [sequence, directions, batch, hidden]: the directions side by side.
      const turned = c.emit('Transpose', [sequence], { perm: intsAttr([0, 2, 1, 3]) });
      x = c.emit('Reshape', [turned, c.int64s([0, 0, directions * hidden])]);
    }
    return [
      batchFirst ? c.emit('Transpose', [x], { perm: intsAttr([1, 0, 2]) }) : x,
      ...ends.map(all => joined(all, 0))
    ];
  };
}

/** Outside training, and with states as wide as the cells: ONNX has no projections. */
const plainLayers = limit('outside training only, no projections, not in float64', c => {
  if (c.bool('train') && c.number('dropout') > 0) {
    return 'dropout between layers in training mode';
  }
  const params = c.tensors('params').length;
  const directions = c.bool('bidirectional') ? 2 : 1;
  const each = c.bool('has_biases') ? 4 : 2;
  if (params !== c.int('num_layers') * directions * each) {
    return 'projections of the hidden state';
  }
  return c.outType === 'float64' ? 'float64' : null;
});

/** Why the dtypes of such a layer do not follow from those of its operands. */
const INSIDE = 'autocast acts on the products inside';

const LAYER_ARGS =
  'Tensor[] params, bool has_biases, int num_layers, float dropout, bool train, bool bidirectional, bool batch_first';

const CELL_ARGS = 'Tensor w_ih, Tensor w_hh, Tensor? b_ih=None, Tensor? b_hh=None';

/** Records of this file. */
export const RECURRENT: readonly IOperator[] = [
  /** MatMul, Add, Split, Sigmoid, Tanh, Mul. */
  operator(`lstm_cell(Tensor input, Tensor[] hx, ${CELL_ARGS}) -> (Tensor, Tensor)`, {
    dtype: dtypes.likeState,
    lower: lstmCell
  }),
  /** MatMul, Add, Split, Sigmoid, Tanh, Mul, Sub. */
  operator(`gru_cell(Tensor input, Tensor hx, ${CELL_ARGS}) -> Tensor`, {
    dtype: dtypes.likeState,
    lower: gruCell
  }),
  /** MatMul, Add, Tanh. */
  operator(`rnn_tanh_cell(Tensor input, Tensor hx, ${CELL_ARGS}) -> Tensor`, {
    dtype: dtypes.floating,
    lower: plainCell('Tanh')
  }),
  /** MatMul, Add, Relu. */
  operator(`rnn_relu_cell(Tensor input, Tensor hx, ${CELL_ARGS}) -> Tensor`, {
    dtype: dtypes.likeFirst,
    lower: plainCell('Relu')
  }),
  /** LSTM; Split, Concat for the order of gates; Transpose, Reshape. */
  operator(`lstm.input(Tensor input, Tensor[] hx, ${LAYER_ARGS}) -> (Tensor, Tensor, Tensor)`, {
    dtype: dtypes.lstmLayer,
    limits: [plainLayers],
    lower: layers(LSTM)
  }),
  /** GRU; Split, Concat; Transpose, Reshape. */
  operator(`gru.input(Tensor input, Tensor hx, ${LAYER_ARGS}) -> (Tensor, Tensor)`, {
    dtype: { reason: INSIDE },
    limits: [plainLayers],
    lower: layers(GRU)
  }),
  /** RNN; Concat, Transpose, Reshape. */
  operator(`rnn_tanh.input(Tensor input, Tensor hx, ${LAYER_ARGS}) -> (Tensor, Tensor)`, {
    dtype: { reason: INSIDE },
    limits: [plainLayers],
    lower: layers(plainLayer('Tanh'))
  }),
  operator(`rnn_relu.input(Tensor input, Tensor hx, ${LAYER_ARGS}) -> (Tensor, Tensor)`, {
    dtype: { reason: INSIDE },
    limits: [plainLayers],
    lower: layers(plainLayer('Relu'))
  })
];
