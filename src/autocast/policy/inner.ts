/**
 * Composite operators whose inner operator depends on their arguments.
 *
 * @packageDocumentation
 */
import type { INode, Reach } from '../../model';
import { hasProjections } from '../../operators';
import { contractedOperands } from './einsum';

/**
 * The operator that a call comes down to, where its arguments decide; null for every other operator.
 *
 * `pad` calls `reflection_pad<n>d` or `replication_pad<n>d` by mode and number of padded dimensions, as
 * `_pad_enum` in aten/src/ATen/native/PadNd.cpp does. On a CPU `lstm` without projections calls `mkldnn_rnn_layer` for every layer
 * and direction (`use_mkldnn` in aten/src/ATen/native/RNN.cpp), an operator that other devices have no policy for.
 */
export function innerOperator(node: INode): string | null {
  switch (node.op) {
    case 'aten.pad.default':
      return paddingOperator(node);
    case 'aten.lstm.input':
      return hasProjections(node) ? null : 'aten.mkldnn_rnn_layer.default';
    default:
      return null;
  }
}

function paddingOperator(node: INode): string | null {
  const { mode, pad } = node.attrs;
  if (mode?.kind !== 'string' || pad?.kind !== 'list') {
    return null;
  }
  const dims = pad.items.length / 2;
  switch (mode.value) {
    case 'reflect':
      return `aten.reflection_pad${dims}d.default`;
    case 'replicate':
      return `aten.replication_pad${dims}d.default`;
    default:
      return null;
  }
}

/**
 * Operands of a call of a composite operator that the operators inside cast, by position in `node.inputs`; as seen by running each
 * under autocast with operands of either dtype, in 2.13.0.
 */
export function operandsCastInside(node: INode): ReadonlyMap<number, Reach> {
  switch (node.op) {
    case 'aten.einsum.default':
      return contractedOperands(node);
    case 'aten.linalg_matmul.default':
    case 'aten.rnn_tanh_cell.default':
    case 'aten.rnn_relu_cell.default':
      return everyOperand(node, 'as-given');
    case 'aten.linalg_matrix_power.default': {
      // The powers 0 and 1 multiply nothing.
      const { n } = node.attrs;
      const exponent = n?.kind === 'int' ? Number(n.value) : -1;
      return exponent === 0 || exponent === 1
        ? new Map()
        : everyOperand(node, exponent > 1 ? 'as-given' : 'computed');
    }
    case 'aten.inner.default':
      // With a number it is an elementwise product.
      return node.inputs.some(value => value?.shape?.length === 0)
        ? new Map()
        : everyOperand(node, 'checked');
    case 'aten.chain_matmul.default':
      return node.inputs.length === 1 ? new Map() : everyOperand(node, 'checked');
    default:
      return everyOperand(node, 'checked');
  }
}

function everyOperand(node: INode, reach: Reach): ReadonlyMap<number, Reach> {
  return new Map(node.inputs.map((_, index) => [index, reach]));
}
