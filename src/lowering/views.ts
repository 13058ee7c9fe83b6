/**
 * Which ATen operators return views whatever the layout of their operand, and how each result is read from the operand.
 *
 * @packageDocumentation
 */
import { cutsIntoParts, intAttr } from '../operators';
import type { Attr, INode } from '../model';

/**
 * For each result of a node an operator with that one result that reads it from the first operand: one of {@link VIEWS}, whose
 * other operands are sizes. Null where a result may as well be a copy (`reshape`, `contiguous`, `to`), or where it is not known
 * which elements it holds.
 */
export function asViews(node: INode): readonly INode[] | null {
  if (node.inputs.slice(1).some(value => value !== null && value.kind === 'tensor')) {
    return null;
  }
  if (VIEWS.has(node.op)) {
    return [node];
  }
  const { dim, start, length } = node.attrs;
  switch (node.op) {
    case 'aten.mT.default':
      return [reading(node, 0, 'aten.transpose.int', { dim0: intAttr(-2), dim1: intAttr(-1) })];
    case 'aten.narrow.default': {
      const [from, count] = [integer(start), integer(length)];
      // A negative start counts from the end; its end would be none where it is 0.
      return from === null || count === null || from < 0
        ? null
        : [reading(node, 0, SLICE, { dim, start, end: intAttr(from + count) })];
    }
    case 'aten.unbind.int':
      return node.outputs.map((_, i) =>
        reading(node, i, 'aten.select.int', { dim: dim ?? intAttr(0), index: intAttr(i) })
      );
    default:
      // These two say by their names along which dimension, not by an argument.
      return cutsIntoParts(node) && !/^aten\.[hd]split\./.test(node.op) ? parts(node) : null;
  }
}

/** The dimensions that undo an `aten.permute.default`, or null where they are not known. */
export function inversePermutation({ attrs: { dims } }: INode): number[] | null {
  const order = dims?.kind === 'list' ? dims.items.map(integer) : [null];
  const rank = order.length;
  const forward = order.map(axis => (axis === null ? -1 : axis < 0 ? axis + rank : axis));
  const back = forward.map((_, axis) => forward.indexOf(axis));
  return back.includes(-1) ? null : back;
}

/** Consecutive parts of one dimension, whose sizes must be known. */
function parts(node: INode): INode[] | null {
  const shapes = node.outputs.map(value => value?.shape ?? null);
  const given = node.attrs.dim === undefined ? 0 : integer(node.attrs.dim);
  const rank = shapes[0]?.length ?? 0;
  const axis = given === null || given >= 0 ? given : given + rank;
  const sizes = shapes.map(shape => (shape === null || axis === null ? null : shape[axis]));
  if (axis === null || sizes.some(size => typeof size !== 'number')) {
    return null;
  }
  const whole = node.inputs[0]?.shape?.[axis];
  if (typeof whole === 'number' && (sizes as number[]).reduce((a, b) => a + b, 0) !== whole) {
    // Places that do not ascend: parts overlap.
    return null;
  }
  let start = 0;
  return node.outputs.map((_, i) => {
    const end = start + (sizes[i] as number);
    const bounds = { start: intAttr(start), end: intAttr(end) };
    start = end;
    return reading(node, i, SLICE, { dim: intAttr(axis), ...bounds });
  });
}

function reading(node: INode, result: number, op: string, attrs: Record<string, Attr>): INode {
  return {
    ...node,
    op,
    inputs: node.inputs.slice(0, 1),
    attrs: { self: { kind: 'input', index: 0 }, ...attrs },
    outputs: [node.outputs[result]]
  };
}

function integer(attr: Attr | undefined): number | null {
  return attr?.kind === 'int' ? Number(attr.value) : null;
}

const SLICE = 'aten.slice.Tensor';

/** Views that a write can be undone through: not what operators are, but what `Functionalization` can do. Others are refused or copied. */
const VIEWS: ReadonlySet<string> = new Set([
  'aten.alias.default',
  'aten.detach.default',
  'aten.expand.default',
  'aten.permute.default',
  'aten.select.int',
  SLICE,
  'aten.squeeze.default',
  'aten.squeeze.dim',
  'aten.squeeze.dims',
  'aten.t.default',
  'aten.transpose.int',
  'aten.unflatten.int',
  'aten.unsqueeze.default',
  'aten.view.default'
]);
