/**
 * What findings are made from.
 *
 * @packageDocumentation
 */
import type { IExportedModel, INode, IWeight } from '../../model';
import type { CacheMode, IFinding, IForwardCasts } from '../../protocol';
import type { ICacheVerdict } from '../eagercache';
import type { IExplicitGraph } from '../explicit';
import type { IWeightCastNode } from '../weightcasts';

/** A weight cast with what has been worked out about it. */
export interface IJudgedCast extends IWeightCastNode {
  readonly verdict: ICacheVerdict;
  /** Whether the cast can be done ahead of time: nothing writes to the weight or the result in place. */
  readonly isFoldable: boolean;
  readonly module: string | null;
}

/** What findings are made from. */
export interface IFindingContext {
  readonly model: IExportedModel;
  readonly explicit: IExplicitGraph;
  readonly casts: readonly IJudgedCast[];
  readonly perForward: Readonly<Record<CacheMode, IForwardCasts>>;
}

/** Looks for one kind of thing. */
export type FindingRule = (context: IFindingContext) => IFinding[];

/** `3 weights`, `1 weight`. */
export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

/** The first few of a list of names, and how many more there are. */
export function some(names: readonly string[], most = 3): string {
  const shown = names.slice(0, most).join(', ');
  return names.length > most ? `${shown} and ${names.length - most} more` : shown;
}

/** First names of weights, each once. */
export function weightNames(weights: Iterable<IWeight>): string[] {
  return [...new Set([...weights].map(weight => weight.names[0]))];
}

/** Names of nodes. */
export function nodeNames(nodes: Iterable<INode>): string[] {
  return [...nodes].map(node => node.name);
}
