/**
 * `composite-diverges`: calls whose casts PyTorch loses when it decomposes the program.
 *
 * @packageDocumentation
 */
import type { INode } from '../../model';
import type { IFinding } from '../../protocol';
import { isEligible } from '../applypolicy';
import { regionActingOn } from '../regions';
import { dtypeDifferences } from './dtypecauses';
import type { FindingRule, IFindingContext } from './finding';
import { bytesMovedBy, count, places, some, weightNames } from './finding';

/** Composite operators without a policy of their own, on whose inner operators autocast acts (pytorch/pytorch#137274). */
export const compositeDiverges: FindingRule = context => [
  ...expressed(context),
  ...leftOut(context)
];

/** Those whose inner casts castlens makes, as casts of their arguments. */
function expressed(context: IFindingContext): IFinding[] {
  const { explicit, casts, perForward } = context;
  const { composites } = explicit;
  if (composites.length === 0) {
    return [];
  }
  const operands = new Set(composites.flatMap(node => node.inputs));
  const lost = casts.filter(cast => operands.has(cast.node.outputs[0]));
  const total = perForward.off.weightCasts;
  return [
    {
      code: 'composite-diverges',
      severity: 'warning',
      message:
        `Autocast acts on ${count(composites.length, 'call')} of ${some(operatorsOf(composites))} only through the operators ` +
        'inside. castlens casts their operands, as eager PyTorch and the exported program do; run_decompositions() and ' +
        `torch.onnx.export lose these casts. ${count(lost.length, 'weight cast')} of ${total} per forward ` +
        `${lost.length === 1 ? 'is' : 'are'} theirs, so the decomposed program has ${total - lost.length}.` +
        dtypesFromInside(context),
      weights: weightNames(lost.map(cast => cast.weight)),
      ...places(composites),
      cost: { bytesMoved: bytesMovedBy(lost) },
      remedy:
        'Write the call with operators that have a policy of their own, such as matmul or linear.'
    }
  ];
}

/** What of the recorded dtypes does not hold because of such a call; empty where all do. */
function dtypesFromInside(context: IFindingContext): string {
  const differences = dtypeDifferences(context).get('inside');
  if (differences === undefined || context.explicit.overridden) {
    return '';
  }
  const [{ node, computed, declared }] = differences.roots;
  return (
    ` ${node.op} gives ${computed} when the program runs, as here, where the file records ${declared}: ` +
    `${count(differences.all.length, 'value')} ${differences.all.length === 1 ? 'is' : 'are'} of another dtype than recorded.`
  );
}

/** Those whose inner casts castlens leaves out. */
function leftOut({ explicit }: IFindingContext): IFinding[] {
  const { opaque } = explicit;
  if (opaque.length === 0) {
    return [];
  }
  const weights = new Map(explicit.graph.weights.map(({ value, weight }) => [value, weight]));
  const cast = opaque.flatMap(node => {
    const state = explicit.regions.get(node.region!);
    return node.inputs.flatMap(value => {
      const to = regionActingOn(state, value)?.dtype;
      const weight = value === null ? undefined : weights.get(value);
      return weight !== undefined && to !== undefined && isEligible(value) && value!.dtype !== to
        ? [weight]
        : [];
    });
  });
  return [
    {
      code: 'composite-diverges',
      severity: 'warning',
      message:
        `${count(opaque.length, 'call')} of ${some(operatorsOf(opaque))} cast weights and gates inside of the operator in eager ` +
        `PyTorch and in the exported program: ${count(cast.length, 'weight')}` +
        (opaque.some(isOverSequence)
          ? ', those of recurrent products anew in every step. '
          : '. ') +
        'run_decompositions() and ' +
        'torch.onnx.export lose these casts, so the decomposed program has 0 of them, and castlens leaves them out too: the ' +
        'calls run on their operands as they are, their casts are not counted, and results keep the dtype the file records, where ' +
        'eager PyTorch may give another.',
      weights: weightNames(cast),
      ...places(opaque),
      remedy:
        'Keep such a layer out of the region with torch.autocast(..., enabled=False): then every program computes it alike.'
    }
  ];
}

/** Whether a recurrent layer goes over a sequence; cells are one step of it. */
function isOverSequence({ op }: INode): boolean {
  return /\.(?:input|data)$/u.test(op);
}

function operatorsOf(nodes: readonly INode[]): string[] {
  return [...new Set(nodes.map(node => node.op))];
}
