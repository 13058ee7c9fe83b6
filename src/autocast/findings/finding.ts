/**
 * What findings are made from.
 *
 * @packageDocumentation
 */
import type { IExportedModel, INode, ISourceLocation, IWeight } from '../../model';
import type { CacheMode, IFinding, IForwardCasts, ISourceRef } from '../../protocol';
import type { ICacheVerdict } from '../eagercache';
import type { IExplicitGraph } from '../explicit';
import { sourceRef } from '../sourceref';
import type { ICountedCast } from '../weightcasts';

/** A weight cast with what has been worked out about it. */
export interface IJudgedCast extends ICountedCast {
  readonly verdict: ICacheVerdict;
  /** Whether eager mode finds the result in its cache: always, or in all runs but the first. */
  readonly isRepeated: boolean;
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

/** `aten.add.Tensor (4), aten.softmax.int`: operators of calls, the most frequent first. */
export function operators(nodes: Iterable<INode>): string {
  const calls = new Map<string, number>();
  for (const { op } of nodes) {
    calls.set(op, (calls.get(op) ?? 0) + 1);
  }
  return some(
    [...calls].sort((a, b) => b[1] - a[1]).map(([op, n]) => (n === 1 ? op : `${op} (${n})`))
  );
}

/**
 * The operator calls a finding is about, each once, and the lines they stand in.
 *
 * @param first - a place to look at before those of the nodes.
 */
export function places(
  nodes: Iterable<INode>,
  first: ISourceLocation | null = null
): Required<Pick<IFinding, 'nodes' | 'source' | 'sources'>> {
  const distinct = new Set(nodes);
  const sources = linesOf([first, ...[...distinct].map(node => node.source)]);
  return {
    nodes: [...distinct].map(node => node.name),
    source: sources[0] ?? null,
    sources
  };
}

/** Lines of source, each once, in order; unknown ones are left out. */
export function linesOf(locations: Iterable<ISourceLocation | null>): ISourceRef[] {
  const lines = new Map<string, ISourceRef>();
  for (const location of locations) {
    const key = location === null ? '' : `${location.file}:${location.line}`;
    if (location !== null && !lines.has(key)) {
      lines.set(key, sourceRef(location)!);
    }
  }
  return [...lines.values()];
}

/** Sum of what some casts move. */
export function bytesMovedBy(casts: Iterable<{ readonly bytesMoved: number }>): number {
  let sum = 0;
  for (const { bytesMoved } of casts) {
    sum += bytesMoved;
  }
  return sum;
}
