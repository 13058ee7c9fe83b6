/**
 * The census: which weights a model casts, how often, and what that costs.
 *
 * @packageDocumentation
 */
import type { IExportedModel, INode } from '../model';
import type { CacheMode, ICensus, IForwardCasts, IRegionInfo, IWeightCast } from '../protocol';
import { findAliases } from '../dataflow';
import { ModuleAttribution } from './attribution';
import { cachedCasts } from './cachedcasts';
import { cacheVerdict } from './eagercache';
import { ExecutionCounts } from './executions';
import type { IExplicitGraph } from './explicit';
import { collectFindings } from './findings';
import type { IJudgedCast } from './findings';
import { sourceRef } from './sourceref';
import type { ICountedCast } from './weightcasts';
import { countCasts, storedBytes, weightKey } from './weightcasts';

/**
 * The census of the casts in a file.
 *
 * One implementation for all dialects: the graph comes from `makeCastsExplicit`, which gives training IR explicit casts too.
 *
 * @param displayFile - the file as the user named it.
 *
 * #### Complexity
 * Linear in operands of the graph.
 */
export function takeCensus(
  explicit: IExplicitGraph,
  model: IExportedModel,
  displayFile: string
): ICensus {
  const aliases = findAliases(explicit.graph);
  const attribution = new ModuleAttribution(model);
  const executions = new ExecutionCounts(explicit.graph);
  const counts = countCasts(explicit.graph, executions);
  const judged = counts.weightCasts.map(cast => ({
    ...cast,
    verdict: cacheVerdict(cast, model.dialect, explicit.regions, aliases)
  }));
  const { cached, repeated } = sumCached(explicit, judged, executions);
  const casts: IJudgedCast[] = judged.map(cast => ({
    ...cast,
    isRepeated: repeated.has(cast.node),
    isFoldable:
      cast.kind === 'computed' ||
      (aliases.mutatorOf(cast.node.inputs[0]!) === null &&
        aliases.mutatorOf(cast.node.outputs[0]!) === null),
    module: attribution.moduleOf(cast.node, cast.weight)
  }));
  const perForward = countForwards(casts, cached);
  const weightCasts = listWeightCasts(casts, model);
  return {
    file: displayFile,
    format: model.format,
    dialect: model.dialect,
    producer: model.producer,
    regions: model.regions.map(region => ({
      id: region.id,
      parent: region.parent,
      device: region.device,
      dtype: region.dtype,
      enabled: region.enabled,
      cacheEnabled: region.cacheEnabled,
      module: region.module,
      source: sourceRef(region.source)
    })) satisfies IRegionInfo[],
    weightCasts,
    activationCasts: counts.activationCasts,
    perForward,
    findings: collectFindings({ model, explicit, casts, perForward })
  };
}

/** Sum of some casts in one forward. */
export function sumCasts(
  casts: Iterable<Pick<ICountedCast, 'executions' | 'bytesMoved'>>
): IForwardCasts {
  let weightCasts = 0;
  let bytesMoved = 0;
  for (const cast of casts) {
    weightCasts += cast.executions.count;
    bytesMoved += cast.bytesMoved;
  }
  return { weightCasts, bytesMoved };
}

type ICacheJudgedCast = Omit<IJudgedCast, 'isRepeated' | 'isFoldable' | 'module'>;

/** What eager mode does once while its cache lives: in one forward, and the casts that it spares. */
function sumCached(
  { graph, regions }: IExplicitGraph,
  casts: readonly ICacheJudgedCast[],
  counts: ExecutionCounts
): { readonly cached: IForwardCasts; readonly repeated: ReadonlySet<INode> } {
  const repeated = new Set<INode>();
  const done = cachedCasts(graph, regions, casts).map(group => {
    const [first] = group.casts;
    const executions = counts.inGraph(group.home);
    group.casts.forEach((cast, i) => {
      if (i > 0 || cast.executions.count > executions.count) {
        repeated.add(cast.node);
      }
    });
    return { executions, bytesMoved: executions.count * first.bytesPerRun };
  });
  return { cached: sumCasts(done), repeated };
}

function countForwards(
  casts: readonly IJudgedCast[],
  cached: IForwardCasts
): Record<CacheMode, IForwardCasts> {
  const uncached = sumCasts(casts.filter(({ verdict }) => verdict.key === null));
  const unfoldable = sumCasts(casts.filter(cast => !cast.isFoldable));
  return {
    off: sumCasts(casts),
    autocast: {
      weightCasts: cached.weightCasts + uncached.weightCasts,
      bytesMoved: cached.bytesMoved + uncached.bytesMoved
    },
    folded: unfoldable,
    frozen: unfoldable
  };
}

/** Each weight and pair of dtypes once, in order of first use. A cast of a cast weight starts from the narrower dtype. */
function listWeightCasts(casts: readonly IJudgedCast[], model: IExportedModel): IWeightCast[] {
  const namesByKey = new Map<string, Set<string>>();
  for (const weight of model.weights) {
    const key = weightKey(weight);
    const names = namesByKey.get(key) ?? new Set<string>();
    weight.names.forEach(name => names.add(name));
    namesByKey.set(key, names);
  }
  const rows = new Map<
    string,
    { first: IJudgedCast; uses: number; bytesMoved: number; cacheEligible: boolean }
  >();
  for (const cast of casts) {
    const key = `${cast.from}|${cast.to}|${weightKey(cast.weight)}`;
    const row = rows.get(key);
    if (row === undefined) {
      rows.set(key, {
        first: cast,
        uses: cast.executions.count,
        bytesMoved: cast.bytesMoved,
        cacheEligible: cast.verdict.refusal === null
      });
    } else {
      row.uses += cast.executions.count;
      row.bytesMoved += cast.bytesMoved;
      row.cacheEligible &&= cast.verdict.refusal === null;
    }
  }
  return [...rows.values()].map(({ first, uses, bytesMoved, cacheEligible }) => {
    const { weight, node } = first;
    const names = new Set([...weight.names, ...(namesByKey.get(weightKey(weight)) ?? [])]);
    names.delete(weight.names[0]);
    return {
      weight: weight.names[0],
      kind: first.kind,
      computedFrom: first.sources.map(source => source.names[0]),
      aliases: [...names],
      from: first.from,
      to: first.to,
      uses,
      bytesMoved,
      shape: weight.shape,
      sizeBytes: storedBytes(weight),
      module: first.module,
      source: sourceRef(node.source),
      cacheEligible,
      origin: node.origin ?? 'explicit'
    };
  });
}
