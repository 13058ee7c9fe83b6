/**
 * The PyTorch side of the repaired model: code for the user's own export script.
 *
 * @packageDocumentation
 */
import { basename, extname } from 'node:path';

import { weightLineage } from '../dataflow';
import { editableParts, Pt2Rewriter, writeFileAtomically } from '../formats';
import type { DType, IExportedModel, IWeight } from '../model';
import { CastlensError } from '../model';
import type { CodeStrategyName, ICodeResult, MixedWeights, Params } from '../protocol';
import type { ICodeFacts, ICodeWeight } from '../torchcode';
import { strategiesFor, writeTorchCode } from '../torchcode';
import type { IFixPlan } from './fixplan';
import { onnxLimits, pt2Limits } from './fixlimits';
import { planFix } from './fixplan';
import type { LoadedModel, ModelStore } from './modelstore';
import { outputTarget, refuseExisting } from './outputtarget';

/**
 * The code of a model, written to `codeFile` where that is given.
 *
 * @throws CastlensError where a strategy does not apply to the format, and for everything that `fix` refuses as well.
 */
export async function torchCodeOf(store: ModelStore, params: Params<'code'>): Promise<ICodeResult> {
  const { path, program, version, codeFile, overwrite = false } = params;
  const loaded = await store.load({ path, program, version });
  const target = codeFile === undefined ? null : await codeTarget(loaded.model, codeFile);
  if (target !== null && !overwrite) {
    await refuseExisting([target]);
  }
  const result = await torchCode(loaded, params);
  if (target === null) {
    return result;
  }
  await writeCode(target, result.code);
  return { ...result, codeFile: target };
}

/** The code that makes the weights of a model what `fix` with the same `mixed` makes them. */
export async function torchCode(
  loaded: LoadedModel,
  params: Pick<Params<'code'>, 'path' | 'mixed' | 'strategies'>
): Promise<ICodeResult> {
  const { path, mixed = 'leave' } = params;
  const facts = factsOf(await planOf(loaded, mixed), loaded, path);
  const known = strategiesFor(facts);
  const strategies = params.strategies ?? known;
  refuseOthers(strategies, known, path);
  const written = known.filter(name => strategies.includes(name));
  return { file: path, strategies: written, code: writeTorchCode(facts, written) };
}

/**
 * Absolute path of a code file to write.
 *
 * @param others - files written along with it.
 * @throws CastlensError where it is one of those or a file of the model, or has the name of a model.
 */
export async function codeTarget(
  model: IExportedModel,
  codeFile: string,
  others: readonly string[] = []
): Promise<string> {
  const target = await outputTarget(model, codeFile);
  const extension = extname(target).toLowerCase();
  if (others.includes(target) || extension === '.pt2' || extension === '.onnx') {
    throw new CastlensError('bad-argument', 'the code needs a file of its own', {
      file: codeFile,
      expected: 'a name that ends in .py',
      found: others.includes(target) ? 'the name of the repaired model' : extension
    });
  }
  return target;
}

/** Write a Python file, whole or not at all. */
export function writeCode(target: string, code: string): Promise<void> {
  return writeFileAtomically(target, sink => sink.write(new TextEncoder().encode(code)));
}

async function planOf(loaded: LoadedModel, mixed: MixedWeights): Promise<IFixPlan> {
  const { model, explicit } = loaded;
  if (model.format === 'onnx') {
    return planFix(explicit, model, mixed, onnxLimits(model, editableParts(model)));
  }
  const rewriter = await Pt2Rewriter.open(model);
  try {
    return planFix(explicit, model, mixed, pt2Limits(rewriter.pinned()));
  } finally {
    rewriter.close();
  }
}

function factsOf(plan: IFixPlan, loaded: LoadedModel, path: string): ICodeFacts {
  const { format, producer } = loaded.model;
  const left = new Map(plan.left.map(({ weight, reason }) => [weight.names[0], reason] as const));
  return {
    file: basename(path),
    format,
    producer,
    weightCasts: loaded.census(path).perForward.off.weightCasts,
    converted: [...plan.storages.values()].flatMap(({ weights, to }) =>
      weights.map(weight => codeWeight(weight, to))
    ),
    copied: plan.copies.map(({ weight, to }) => codeWeight(weight, to)),
    composites: compositesOf(loaded),
    left: [...left].map(([weight, reason]) => ({ weight, reason }))
  };
}

/** Names of weights by the operators that cast them inside. */
function compositesOf({ explicit }: LoadedModel): Map<string, string[]> {
  const { graph, composites, opaque } = explicit;
  const lineage = weightLineage(graph);
  const found = new Map<string, string[]>();
  for (const { op, inputs } of [...composites, ...opaque]) {
    const names = inputs.flatMap(value => (value && lineage.get(value)?.weight.names[0]) ?? []);
    found.set(op, [...new Set([...(found.get(op) ?? []), ...names])]);
  }
  return found;
}

function codeWeight({ names, kind }: IWeight, to: DType): ICodeWeight {
  return { names, kind, to };
}

function refuseOthers(
  strategies: readonly CodeStrategyName[],
  known: readonly CodeStrategyName[],
  file: string
): void {
  const other = strategies.find(name => !known.includes(name));
  if (other !== undefined) {
    throw new CastlensError('bad-argument', 'this strategy does not apply to the model', {
      file,
      expected: known.join(', '),
      found: other
    });
  }
}
