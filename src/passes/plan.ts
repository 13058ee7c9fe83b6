/**
 * From the explicit graph to the graph of a variant.
 *
 * @packageDocumentation
 */
import type { IExportedModel, IGraph } from '../model';
import { cloneGraph, isFloating } from '../model';
import type {
  CacheMode,
  IForwardCasts,
  IPassReport,
  PassName,
  Reference,
  RegionOverrides
} from '../protocol';
import { countCasts, makeCastsExplicit, resolveRegions, sumCasts } from '../autocast';
import { hoistCasts } from './hoistcasts';
import { applyEagerCache } from './modeautocast';
import { toFloat32 } from './modefloat32';
import { foldWeightCasts } from './modefolded';
import type { IPass } from './pass';
import { passReport } from './pass';
import { removeCastPairs } from './removecastpairs';
import { shareCasts } from './sharecasts';
import { validateGraph } from './validategraph';

/**
 * All passes in the order they are run, whatever order they are asked for in.
 *
 * Pairs first, so that no later pass works on casts that vanish; then hoisting, which brings casts of several views of a
 * weight onto the weight; then sharing, which joins them. The cache mode comes after the passes.
 */
export const PASS_ORDER: readonly IPass[] = [removeCastPairs, hoistCasts, shareCasts];

/** What is wanted of a graph. */
export interface IPlanOptions {
  readonly cache: CacheMode | Reference;
  readonly passes?: readonly PassName[];
  /** Overrides that `explicit` was made with. */
  readonly regions?: RegionOverrides;
  /** Check the graph after every step and throw where it is not well formed. For tests. */
  readonly validate?: boolean;
}

/** The graph of a variant, with its planned census. */
export interface IPlannedGraph extends IForwardCasts {
  readonly graph: IGraph;
  readonly passes: readonly IPassReport[];
  readonly activationCasts: number;
  /** Weights that are converted once instead of on every forward. */
  readonly convertedWeights: number;
}

/**
 * Make the graph of a variant.
 *
 * #### Notes
 * `explicit` is copied, never changed. The reference `onnxruntime` gets the graph as exported: no passes, no cache mode. The
 * reference `float32` reads training IR with all regions off, and takes the low-precision dtypes out of every dialect.
 *
 * @param explicit - what `makeCastsExplicit` made of the model.
 */
export function planGraph(
  explicit: IGraph,
  model: IExportedModel,
  options: IPlanOptions
): IPlannedGraph {
  const { cache } = options;
  const graph = startGraph(explicit, model, options);
  const check = (step: string): void => {
    if (options.validate === true) {
      const problems = validateGraph(graph);
      if (problems.length > 0) {
        throw new Error(`the graph is not valid after ${step}: ${problems.slice(0, 5).join('; ')}`);
      }
    }
  };
  check('reading');
  if (cache === 'float32') {
    toFloat32(graph, model.dialect);
    check('float32');
  }
  const reports: IPassReport[] = [];
  if (cache !== 'onnxruntime') {
    const wanted = new Set(options.passes ?? []);
    for (const pass of PASS_ORDER) {
      if (wanted.has(pass.name)) {
        reports.push(passReport(pass.name, pass.run(graph)));
        check(pass.name);
      }
    }
  }
  let convertedWeights = 0;
  switch (cache) {
    case 'autocast':
      applyEagerCache(graph, model, resolveRegions(model, { overrides: options.regions }));
      break;
    case 'folded':
    case 'frozen':
      convertedWeights = foldWeightCasts(graph).converted;
      break;
    case 'off':
    case 'float32':
    case 'onnxruntime':
      break;
  }
  check(cache);
  const { weightCasts, activationCasts } = countCasts(graph);
  // Casts of integer weights, and those of what is computed from weights, are done by the runtime, when the variant is loaded.
  const isFolded = cache === 'folded' || cache === 'frozen';
  const perForward = weightCasts.filter(
    ({ kind, from, weight }) =>
      !(isFolded && (kind === 'computed' || !isFloating(from) || !isFloating(weight.dtype)))
  );
  return {
    graph,
    passes: reports,
    ...sumCasts(perForward),
    activationCasts,
    convertedWeights
  };
}

function startGraph(explicit: IGraph, model: IExportedModel, options: IPlanOptions): IGraph {
  if (options.cache === 'float32' && model.dialect === 'TRAINING') {
    return makeCastsExplicit(model, { disableAll: true }).graph;
  }
  return cloneGraph(explicit).graph;
}
