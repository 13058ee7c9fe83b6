/**
 * Projections of recurrent layers.
 *
 * @packageDocumentation
 */
import type { INode } from '../../model';

/** Whether the hidden state of a recurrent layer is projected: each cell then has one parameter more. */
export function hasProjections({ attrs }: INode): boolean {
  const { params, has_biases: biases, num_layers: layers, bidirectional } = attrs;
  const cells =
    (layers?.kind === 'int' ? Number(layers.value) : 1) *
    (bidirectional?.kind === 'bool' && bidirectional.value ? 2 : 1);
  const each = biases?.kind === 'bool' && !biases.value ? 2 : 4;
  return params?.kind === 'list' && params.items.length !== cells * each;
}
