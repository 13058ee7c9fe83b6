/**
 * Which operands of `einsum` go into matrix products.
 *
 * @packageDocumentation
 */
import type { INode, IValue, Reach } from '../../model';

/** A tensor on its way through the contraction: its dimensions of sizes other than 1, and what it was multiplied from. */
interface IFactor {
  readonly labels: ReadonlySet<string>;
  /** Operands that went into it through elementwise products alone. */
  readonly operands: readonly number[];
  /** Whether it is an operand as it was given. */
  readonly isGiven: boolean;
}

/**
 * Operands of an `aten.einsum` call that reach a `bmm`, by position in `node.inputs`.
 *
 * `einsum` combines two tensors at a time: by `bmm` where that sums over dimensions both have, else by `mul`, on which autocast
 * does not act (`einsum` and `sumproduct_pair` in aten/src/ATen/native/Linear.cpp). An operand that is first multiplied and then
 * contracted counts: its product is what is cast there. So does one that is first summed over dimensions that only it has.
 *
 * #### Notes
 * A size that is not known counts as other than 1, as export specialises on 1. A call that cannot be read yields all operands, as
 * computed ones.
 */
export function contractedOperands(node: INode): ReadonlyMap<number, Reach> {
  const { equation, tensors, path } = node.attrs;
  if (equation?.kind !== 'string' || tensors?.kind !== 'list') {
    return everyOperand(node);
  }
  const operands = tensors.items.flatMap(item => (item.kind === 'input' ? [item.index] : []));
  const [left, right] = equation.value.replace(/\s/g, '').split('->');
  const terms = left.split(',');
  const dims = terms.map((term, i) => dimensionsOf(term, node.inputs[operands[i]] ?? null));
  if (terms.length !== operands.length || dims.includes(null)) {
    return everyOperand(node);
  }
  const kept = outputLabels(terms, right);
  const factors: IFactor[] = dims.map((labels, i) => ({
    labels: labels!,
    operands: [operands[i]],
    isGiven: true
  }));
  // How many tensors have each dimension that is summed.
  const counts = new Map<string, number>();
  for (const { labels } of factors) {
    for (const label of labels) {
      if (!kept.has(label) && !(kept.has('...') && label.startsWith('.'))) {
        counts.set(label, (counts.get(label) ?? 0) + 1);
      }
    }
  }
  const steps =
    path?.kind === 'list'
      ? path.items.map(item => (item.kind === 'int' ? Number(item.value) : 0))
      : null;
  const contracted = new Map<number, Reach>();
  for (let step = 0; factors.length > 1; step++) {
    const pair = steps === null ? [0, 1] : steps.slice(2 * step, 2 * step + 2);
    const [i, j] = [Math.min(...pair), Math.max(...pair)];
    if (!(i >= 0 && j < factors.length && i < j)) {
      return everyOperand(node);
    }
    const [b] = factors.splice(j, 1);
    const [a] = factors.splice(i, 1);
    const summed = new Set<string>();
    const gone = new Set<string>();
    for (const [label, count] of counts) {
      const shared = a.labels.has(label) && b.labels.has(label);
      if (shared && count === 2) {
        summed.add(label);
      } else if (shared) {
        counts.set(label, count - 1);
      } else if (count === 1 && (a.labels.has(label) || b.labels.has(label))) {
        gone.add(label);
      }
    }
    for (const label of [...summed, ...gone]) {
      counts.delete(label);
    }
    const labels = [...a.labels, ...b.labels].filter(
      label => !summed.has(label) && !gone.has(label)
    );
    if (summed.size > 0) {
      for (const factor of [a, b]) {
        const isSummed = [...gone].some(label => factor.labels.has(label));
        const reach = factor.isGiven && !isSummed ? 'as-given' : 'computed';
        factor.operands.forEach(index => contracted.set(index, reach));
      }
    }
    const result = {
      labels: new Set(labels),
      operands: summed.size > 0 ? [] : [...a.operands, ...b.operands],
      isGiven: false
    };
    if (steps === null) {
      factors.unshift(result);
    } else {
      factors.push(result);
    }
  }
  return contracted;
}

function everyOperand(node: INode): ReadonlyMap<number, Reach> {
  return new Map(node.inputs.map((_, index) => [index, 'computed']));
}

/** Labels of the dimensions whose size is not 1; those of an ellipsis are counted from its end. Null where the rank is unknown. */
function dimensionsOf(term: string, value: IValue | null): Set<string> | null {
  const shape = value?.shape ?? null;
  if (shape === null) {
    return null;
  }
  const [before, after] = term.split('...');
  const covered = after === undefined ? 0 : shape.length - before.length - after.length;
  const labels = [
    ...before,
    ...Array.from({ length: covered }, (_, i) => `.${covered - i}`),
    ...(after ?? '')
  ];
  return new Set(labels.filter((_, i) => shape[i] !== 1));
}

/** Labels of the result: as written, or those that occur once, and every ellipsis. */
function outputLabels(terms: readonly string[], right: string | undefined): Set<string> {
  if (right !== undefined) {
    return new Set([...right.replace('...', ''), ...(right.includes('...') ? ['...'] : [])]);
  }
  const all = terms.join('').replaceAll('.', '');
  return new Set([...[...all].filter(label => all.split(label).length === 2), '...']);
}
