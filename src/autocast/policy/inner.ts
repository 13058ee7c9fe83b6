/**
 * Composite operators whose inner operator depends on their arguments.
 *
 * @packageDocumentation
 */
import type { INode } from '../../model';

/**
 * The operator that a call comes down to, where its arguments decide; null for every other operator.
 *
 * `pad` calls `reflection_pad<n>d` or `replication_pad<n>d` by mode and number of padded dimensions, as
 * `_pad_enum` in aten/src/ATen/native/PadNd.cpp does.
 */
export function innerOperator(node: INode): string | null {
  if (node.op !== 'aten.pad.default') {
    return null;
  }
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
