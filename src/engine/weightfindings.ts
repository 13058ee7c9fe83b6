/**
 * What only shows when weights have been read: values that the dtype they are cast to does not hold.
 *
 * @packageDocumentation
 */
import type { IWeightCastNode } from '../autocast';
import { count, places, some, weightCastsOf, weightKey } from '../autocast';
import type { DType, IGraph, IWeight } from '../model';
import { elementCount } from '../model';
import type { INarrowing, ITensorStats } from '../numerics';
import type { IFinding } from '../protocol';

const OVERFLOW = 'weight-overflow';
const VANISHES = 'weight-vanishes';

/** Codes of the findings that only show in statistics; docs/findings has a page for each. */
export const STATS_FINDING_CODES: readonly string[] = [OVERFLOW, VANISHES];

/** Shares of values that become zero, and that become subnormal, from which a weight is named: every trained weight has a few. */
const VANISHING_SHARE = 0.01;
const SUBNORMAL_SHARE = 0.1;

/** A weight, a dtype the program casts it to, and what becomes of its elements in it. */
interface INarrowedWeight {
  readonly weight: IWeight;
  readonly casts: readonly IWeightCastNode[];
  readonly narrowing: INarrowing;
}

/**
 * Weights that overflow, vanish or become subnormal in a dtype the program casts them to.
 *
 * @param graph - with explicit casts.
 * @param stats - statistics of the weights by `weightKey`.
 *
 * #### Notes
 * Each weight is judged against the dtypes it is cast to itself, float16 and bfloat16, and as a whole: a cast of a slice is
 * judged by all elements. Casts of a weight that was cast before are left out.
 */
export function weightFindings(
  graph: IGraph,
  stats: ReadonlyMap<string, ITensorStats>
): IFinding[] {
  const byTarget = new Map<DType, Map<string, INarrowedWeight & { casts: IWeightCastNode[] }>>();
  for (const cast of weightCastsOf(graph)) {
    const { weight, to, lineage } = cast;
    const key = weightKey(weight);
    const known = stats.get(key);
    const narrowing = to === 'float16' || to === 'bfloat16' ? (known?.[to] ?? null) : null;
    if (narrowing === null || lineage.isCast || cast.kind === 'computed') {
      continue;
    }
    let weights = byTarget.get(to);
    if (weights === undefined) {
      weights = new Map();
      byTarget.set(to, weights);
    }
    const entry = weights.get(key);
    if (entry === undefined) {
      weights.set(key, { weight, casts: [cast], narrowing });
    } else {
      entry.casts.push(cast);
    }
  }
  return [...byTarget].flatMap(([to, weights]) => [
    ...overflowing(to, [...weights.values()]),
    ...vanishing(to, [...weights.values()])
  ]);
}

function overflowing(to: DType, weights: readonly INarrowedWeight[]): IFinding[] {
  const found = weights
    .filter(({ narrowing }) => narrowing.overflow > 0)
    .sort((a, b) => b.narrowing.overflow - a.narrowing.overflow);
  if (found.length === 0) {
    return [];
  }
  const listed = found.map(
    ({ weight, narrowing }) =>
      `${weight.names[0]} ${shareOf(narrowing.overflow, elementCount(weight.shape))}`
  );
  return [
    {
      code: OVERFLOW,
      severity: 'warning',
      message:
        `${count(found.length, 'weight')} ${found.length === 1 ? 'holds' : 'hold'} values beyond the range of ${to}; cast to it, ` +
        `they become infinite: ${some(listed)}.`,
      ...about(found),
      remedy:
        to === 'float16'
          ? 'Use bfloat16, which has the range of float32, or keep the calls that use these weights in float32.'
          : 'Keep the calls that use these weights in float32.'
    }
  ];
}

function vanishing(to: DType, weights: readonly INarrowedWeight[]): IFinding[] {
  const isVanishing = ({ narrowing }: INarrowedWeight): boolean =>
    narrowing.vanish >= VANISHING_SHARE;
  const found = weights
    .filter(weight => isVanishing(weight) || weight.narrowing.subnormal >= SUBNORMAL_SHARE)
    .sort(
      (a, b) =>
        b.narrowing.vanish - a.narrowing.vanish || b.narrowing.subnormal - a.narrowing.subnormal
    );
  if (found.length === 0) {
    return [];
  }
  const listed = found.map(({ weight, narrowing: { vanish, subnormal } }) => {
    const elements = elementCount(weight.shape);
    const parts = [
      ...(vanish > 0 ? [`${shareOf(vanish, elements)} become zero`] : []),
      ...(subnormal > 0 ? [`${shareOf(subnormal, elements)} subnormal`] : [])
    ];
    return `${weight.names[0]}: ${parts.join(', ')}`;
  });
  return [
    {
      code: VANISHES,
      severity: found.some(isVanishing) ? 'warning' : 'info',
      message:
        `${count(found.length, 'weight')} ${found.length === 1 ? 'has' : 'have'} many values too small for ${to}, which become ` +
        `zero or, as subnormal numbers, lose digits. ${some(listed)}.`,
      ...about(found),
      remedy:
        to === 'float16'
          ? 'Use bfloat16, which has the range of float32, or scale these weights up and their results down.'
          : 'Scale these weights up and their results down, or keep the calls that use them in float32.'
    }
  ];
}

function about(found: readonly INarrowedWeight[]): Pick<IFinding, 'weights' | 'nodes' | 'sources'> {
  return {
    weights: found.map(({ weight }) => weight.names[0]),
    ...places(found.flatMap(({ casts }) => casts.map(({ node }) => node)))
  };
}

/** `12 % (96 of 800)` */
function shareOf(share: number, elements: number): string {
  return `${Number((share * 100).toPrecision(2))} % (${Math.round(share * elements)} of ${elements})`;
}
