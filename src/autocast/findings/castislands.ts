/**
 * `cast-islands`: activations that leave a low precision and come back, and those that are rounded for nothing.
 *
 * @packageDocumentation
 */
import type { INode } from '../../model';
import { castTarget } from '../../model';
import type { IFinding } from '../../protocol';
import type { IExcursion, IRounding } from '../excursions';
import { castBytesOf, findExcursions } from '../excursions';
import { actingRegions } from '../regions';
import type { FindingRule, IFindingContext } from './finding';
import { count, operators, places } from './finding';

/** One finding per pair of dtypes that values commute between, and one for casts that round to no end. */
export const castIslands: FindingRule = context => {
  const { excursions, roundings } = findExcursions(context.explicit.graph);
  return [
    ...excursions.map(excursion => describe(excursion, context)),
    ...(roundings.length > 0 ? [describeRoundings(roundings)] : [])
  ];
};

function describe(excursion: IExcursion, context: IFindingContext): IFinding {
  const { narrow, wide, up, promoting, down, forcing, idle } = excursion;
  const ways: string[] = [];
  if (up.length > 0) {
    const by = forcing.length === 0 ? '' : ` for ${operators(forcing)}`;
    ways.push(`${count(up.length, 'cast')} up${by}`);
  }
  if (promoting.length > 0) {
    ways.push(
      `${count(promoting.length, 'call')} that ${promoting.length === 1 ? 'promotes' : 'promote'} ` +
        `beside a ${wide} operand (${operators(promoting)})`
    );
  }
  const pairs =
    idle.length === 0
      ? ''
      : ` In ${idle.length === 1 ? '1 pair' : `${idle.length} pairs`} nothing happens in between, and no value changes.`;
  return {
    code: 'cast-islands',
    severity: idle.length > 0 ? 'warning' : 'info',
    message:
      `Activations leave ${narrow} for ${wide} and are cast back: ${ways.join(', ')}; ` +
      `${count(down.length, 'cast')} back down.${pairs}`,
    ...places([...forcing, ...promoting, ...up, ...down], firstSource([...forcing, ...promoting])),
    ...costOf([...up, ...down]),
    remedy: remedyFor(excursion, context)
  };
}

function describeRoundings(roundings: readonly IRounding[]): IFinding {
  const casts = roundings.flatMap(({ down, up }) => [down, up]);
  const [{ down, up }] = roundings;
  return {
    code: 'cast-islands',
    severity: 'info',
    message:
      `${count(roundings.length, 'activation')} ${roundings.length === 1 ? 'is' : 'are'} cast down and up again with no operator ` +
      `in between, first to ${castTarget(down)} by ${down.name} and back by ${up.name}: that only rounds.`,
    ...places(casts),
    ...costOf(new Set(casts)),
    remedy:
      'Without the two casts the values keep their precision. No pass drops them, since the results would change.'
  };
}

/** What casts move; nothing where no size is known. */
function costOf(casts: Iterable<INode>): Pick<IFinding, 'cost'> {
  const { bytesMoved, isPartial } = castBytesOf(casts);
  if (isPartial) {
    return bytesMoved === 0 ? {} : { cost: { bytesMoved, isLowerBound: true } };
  }
  return { cost: { bytesMoved } };
}

function firstSource(nodes: readonly INode[]): INode['source'] {
  return nodes.find(({ source }) => source !== null)?.source ?? null;
}

/** What helps against the reasons there are. */
function remedyFor(excursion: IExcursion, { explicit, model }: IFindingContext): string {
  const { narrow, wide, up, promoting, forcing, idle } = excursion;
  const policies = new Set(
    forcing.flatMap(node =>
      node.region === null
        ? []
        : actingRegions(explicit.regions.get(node.region), node).map(
            ({ active }) => active.policies?.get(node.op)?.policy
          )
    )
  );
  const byProgram = up.filter(cast => cast.origin !== 'region').length;
  const parts: string[] = [];
  if (idle.length > 0) {
    parts.push('The pass remove-cast-pairs drops the pairs with nothing in between.');
  }
  if (policies.has('fp32')) {
    parts.push(
      `Autocast asks for ${wide} there, for the sake of accuracy; a nested torch.autocast(..., enabled=False) around such a ` +
        `call runs it in ${narrow}.`
    );
  }
  if (byProgram > idle.length) {
    parts.push(
      model.dialect === 'TRAINING'
        ? `The program itself casts up; leave that out where ${narrow} is enough.`
        : `Where ${narrow} is enough, keep these operators in it before exporting or converting.`
    );
  }
  if (promoting.length > 0 || policies.has('promote')) {
    parts.push(`Cast the ${wide} operand to ${narrow} once, if its precision is not needed.`);
  }
  return parts.join(' ');
}
