/**
 * Recurrent cells, one step at a time.
 *
 * @packageDocumentation
 */
import type { IValue } from '../../../model';
import { intAttr } from '../../builder';
import type { Call } from '../call';
import { rule } from '../rule';
import type { IRule, Lowered } from '../rule';
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

const CELL_ARGS = 'Tensor w_ih, Tensor w_hh, Tensor? b_ih=None, Tensor? b_hh=None';

/** Rules of this file. */
export const RECURRENT_RULES: readonly IRule[] = [
  /** MatMul, Add, Split, Sigmoid, Tanh, Mul. */
  rule(`lstm_cell(Tensor input, Tensor[] hx, ${CELL_ARGS}) -> (Tensor, Tensor)`, lstmCell),
  /** MatMul, Add, Split, Sigmoid, Tanh, Mul, Sub. */
  rule(`gru_cell(Tensor input, Tensor hx, ${CELL_ARGS}) -> Tensor`, gruCell),
  /** MatMul, Add, Tanh. */
  rule(`rnn_tanh_cell(Tensor input, Tensor hx, ${CELL_ARGS}) -> Tensor`, plainCell('Tanh')),
  /** MatMul, Add, Relu. */
  rule(`rnn_relu_cell(Tensor input, Tensor hx, ${CELL_ARGS}) -> Tensor`, plainCell('Relu'))
];
