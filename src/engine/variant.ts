/**
 * From a variant to the graph that the runtime is given.
 *
 * @packageDocumentation
 */
import type { IRunRange } from '../autocast';
import { countCasts, ExecutionCounts, findOverrideErrors, sumCasts } from '../autocast';
import type { ICapabilities, ILegalGraph } from '../lowering';
import {
  CPU_CAPABILITIES,
  CUDA_CAPABILITIES,
  isShown,
  legalize,
  lowerToOnnx,
  passAsExported
} from '../lowering';
import type { IExportedModel, IGraph } from '../model';
import { CastlensError, cloneGraph, forEachNode } from '../model';
import type { IPlannedGraph } from '../passes';
import { planGraph } from '../passes';
import type { IFinding, IForwardCasts, IPassReport, IVariant } from '../protocol';
import { parseDevice } from '../runtime';
import { refuseUntypedInputs } from './inputlimits';
import type { IComputedPart } from './computedpart';
import { splitComputed } from './computedpart';
import type { LoadedModel } from './modelstore';

/** A variant's graph, and the casts in it: the planned census. */
export interface IPreparedVariant {
  readonly variant: IVariant;
  /** ONNX operators with kernels on the device. Weights may be derived. */
  readonly legal: ILegalGraph;
  /** Weight casts of one forward. */
  readonly forward: IForwardCasts;
  /** The nodes that are weight casts, by name, with how often one forward can run each. */
  readonly weightCastNodes: ReadonlyMap<string, IRunRange>;
  /** How often one forward can run all of them together: what runs in branches and loops may depend on the inputs. */
  readonly possibleRuns: IRunRange;
  readonly activationCasts: number;
  /** Casts that lowering added for operators without kernels in low precision. */
  readonly loweringCasts: number;
  readonly passes: readonly IPassReport[];
  /** Weights that the variant converts before the forward. */
  readonly convertedWeights: number;
  /** What the variant computes from weights once, when it is loaded; its results are weights of `legal`. */
  readonly computed: IComputedPart | null;
}

/**
 * The graph of an `.onnx` file as its exporter wrote it, for the reference `onnxruntime`. The runtime may refuse it: few of its
 * kernels take bfloat16.
 *
 * @throws CastlensError('unsupported-operator') that lists every operator the runtime has not.
 */
export function prepareAsExported(loaded: LoadedModel, variant: IVariant): IPreparedVariant {
  refuseUntypedInputs(loaded.model);
  const { graph } = cloneGraph(loaded.model.graph);
  const lowered = lowerToOnnx(graph, loaded.model.path);
  checkShown(lowered, loaded.model);
  const legal = passAsExported(lowered);
  return describeVariant(variant, legal, { passes: [], convertedWeights: 0 });
}

/**
 * Plan a variant, lower it and legalise it for its device. Reads no weights.
 *
 * @throws CastlensError('unsupported-operator') that lists every operator that cannot be lowered.
 */
export function prepareVariant(loaded: LoadedModel, variant: IVariant): IPreparedVariant {
  refuseUntypedInputs(loaded.model);
  const planned = planVariantGraph(loaded, variant);
  const lowered = lowerToOnnx(planned.graph, loaded.model.path);
  checkShown(lowered, loaded.model);
  const legal = legalize(lowered, capabilitiesOf(variant));
  const isFolded = variant.cache === 'folded' || variant.cache === 'frozen';
  const computed = isFolded ? splitComputed(legal.graph) : null;
  // What was computed, and is an output too, is now the result of another node.
  const outputs = legal.outputs.map((port, i) => ({ ...port, value: legal.graph.outputs[i] }));
  return { ...describeVariant(variant, { ...legal, outputs }, planned), computed };
}

/** Refuse a model none of whose outputs can be handed on. */
function checkShown({ outputs }: IGraph, { path, outputs: ports }: IExportedModel): void {
  if (outputs.length > 0 && !outputs.some(isShown)) {
    throw new CastlensError(
      'unsupported-operator',
      'the model has no output that castlens can show',
      {
        file: path,
        expected: 'an output that is a tensor of numbers or truth values',
        found: ports.map(({ name, type, dtype }) => `${name}: ${type ?? dtype ?? '?'}`).join(', '),
        hint: 'Add an output that is such a tensor; all but running the model works as it is.'
      }
    );
  }
}

/** The variant's graph in the dialect of the file, with its regions, cache mode and passes applied. */
export function planVariantGraph(loaded: LoadedModel, variant: IVariant): IPlannedGraph {
  const { cache, passes, regions } = variant;
  return planGraph(loaded.explicitUnder(regions).graph, loaded.model, { cache, passes, regions });
}

/** What is found in a variant before it runs, beyond what the file has: calls that PyTorch would refuse. */
export function planFindings(loaded: LoadedModel, { regions }: IVariant): IFinding[] {
  return findOverrideErrors(loaded.explicitUnder(regions));
}

/**
 * Abilities of the variant's device. What onnxruntime's other providers have is not known: they get what the CPU's gets. The reference `onnxruntime` keeps operands where the exporter put them: it shows what the
 * runtime does by itself.
 */
function capabilitiesOf(variant: IVariant): ICapabilities {
  const isCuda = parseDevice(variant.device).kind === 'cuda';
  const capabilities = isCuda ? CUDA_CAPABILITIES : CPU_CAPABILITIES;
  return variant.cache === 'onnxruntime' ? { ...capabilities, weightSide: null } : capabilities;
}

function describeVariant(
  variant: IVariant,
  legal: ILegalGraph,
  { passes, convertedWeights }: Pick<IPlannedGraph, 'passes' | 'convertedWeights'>
): IPreparedVariant {
  const counts = new ExecutionCounts(legal.graph);
  const { weightCasts: casts, activationCasts } = countCasts(legal.graph, counts);
  return {
    variant,
    legal,
    forward: sumCasts(casts),
    weightCastNodes: new Map(casts.map(({ node, executions }) => [node.name, executions])),
    possibleRuns: counts.rangeOf(new Set(casts.map(({ node }) => node))),
    activationCasts,
    loweringCasts: heldCasts(legal.graph, counts),
    passes,
    convertedWeights,
    computed: null
  };
}

function heldCasts(graph: IGraph, counts: ExecutionCounts): number {
  let count = 0;
  forEachNode(graph, node => {
    count += node.role === 'hold' ? counts.of(node).count : 0;
  });
  return count;
}
