/**
 * The repaired model of each format: the plan, as edits of the file.
 *
 * @packageDocumentation
 */
import type { IByteTransfer, IFolding } from '../formats';
import { dataFileOf, editableParts, Pt2Rewriter, rewriteOnnx } from '../formats';
import type { DType, IValue, IWeight } from '../model';
import { graphsOf } from '../model';
import type { IFixResult, MixedWeights, RegionOverrides } from '../protocol';
import type { IJob, WeightWorkers } from '../runtime';
import { onnxFoldLimits, onnxLimits, pt2FoldLimits, pt2Limits } from './fixlimits';
import type { IFixPlan } from './fixplan';
import { planFix, storageOf } from './fixplan';
import { planRegionEdits } from './fixregions';
import type { IComputedFold } from './foldcomputed';
import { foldComputed, withoutFolded } from './foldcomputed';
import { FoldedValues } from './foldvalues';
import { copyFile } from './filecopy';
import type { LoadedModel } from './modelstore';
import { outputTarget } from './outputtarget';
import { placed } from './placed';

/** How a file is to be repaired. */
export interface IWishes {
  readonly mixed: MixedWeights;
  /** In normal form. */
  readonly regions: RegionOverrides | undefined;
  /** Store computed weights too, where that changes no bit and takes no more space. */
  readonly foldComputed: boolean;
}

/** Who writes, and with what. */
export interface IWriting {
  readonly transfer: IByteTransfer;
  readonly workers: WeightWorkers;
  readonly job: IJob;
}

/** What was written. */
export type Written = Pick<IFixResult, 'converted' | 'left' | 'folded'> & {
  readonly changes?: readonly string[];
  /** Why computed weights stay, by name. */
  readonly computedLeft?: ReadonlyMap<string, string>;
};

/** Write the repaired model. */
export async function writeRepaired(
  loaded: LoadedModel,
  target: string,
  wishes: IWishes,
  writing: IWriting
): Promise<Written> {
  const values = wishes.foldComputed ? new FoldedValues(loaded.model, writing.workers) : null;
  try {
    const write = loaded.model.format === 'pt2' ? writePt2 : writeOnnxModel;
    return await write(loaded, target, wishes, writing, values);
  } finally {
    values?.dispose();
  }
}

async function writePt2(
  loaded: LoadedModel,
  target: string,
  { mixed, regions }: IWishes,
  { transfer, job }: IWriting,
  values: FoldedValues | null
): Promise<Written> {
  const { model } = loaded;
  const recorded = loaded.explicitUnder(regions);
  const changes = planRegionEdits(model, regions, recorded, loaded.explicit);
  const rewriter = await Pt2Rewriter.open(model);
  try {
    const pinned = rewriter.pinned();
    const fold =
      values === null
        ? null
        : await foldComputed(
            recorded,
            model,
            pt2FoldLimits(pinned, rewriter.strides()),
            planFix(recorded, model, mixed, pt2Limits(pinned)),
            values,
            job
          );
    const rest =
      fold === null ? { explicit: recorded, model } : withoutFolded(fold, recorded, model);
    const plan = planFix(rest.explicit, rest.model, mixed, pt2Limits(pinned));
    if (isEmpty(plan, fold) && changes.regions.size === 0) {
      await copyFile(model, target, transfer);
      return describe(plan, [], fold);
    }
    const weights = new Map<string, DType>();
    for (const { weights: converted, to } of plan.storages.values()) {
      converted.forEach(({ names }) => names.forEach(name => weights.set(name, to)));
    }
    const freed = [...(fold?.plan.freed ?? [])];
    const removed = [...(fold?.plan.removed ?? [])];
    const fqns = await rewriter.write(
      target,
      {
        storages: plan.storages,
        regions: changes.regions,
        dtypes: new Map([...changes.dtypes, ...byName(plan.dtypes)]),
        casts: new Set([...plan.casts].map(({ name }) => name)),
        operands: operandsOf(plan, fold),
        weights,
        copies: plan.copies.map(({ value, weight, to }) => ({
          value: value.name,
          weight: weight.names[0],
          to
        })),
        added: (fold?.plan.folded ?? []).map(({ roots, to, strides }) => ({
          name: `${[...roots.values()][0].names[0]}_computed_${to}`,
          dtype: to,
          strides
        })),
        addedBytes: fold?.ranges ?? [],
        removed: new Set(removed.map(({ name }) => name)),
        gone: new Set([
          ...removed.flatMap(({ outputs }) => outputs.flatMap(value => value?.name ?? [])),
          ...freed.map(([{ name }]) => name)
        ]),
        freed: new Set(freed.flatMap(([, { names }]) => names))
      },
      transfer
    );
    return describe(plan, fqns, fold);
  } finally {
    rewriter.close();
  }
}

async function writeOnnxModel(
  loaded: LoadedModel,
  target: string,
  { mixed }: IWishes,
  { transfer, job }: IWriting,
  folder: FoldedValues | null
): Promise<Written> {
  const { model, explicit } = loaded;
  await outputTarget(model, dataFileOf(target));
  const editable = editableParts(model);
  const { values, nodes } = editable;
  const fold =
    folder === null
      ? null
      : await foldComputed(
          explicit,
          model,
          onnxFoldLimits(editable),
          planFix(explicit, model, mixed, onnxLimits(model, editable)),
          folder,
          job
        );
  const rest = fold === null ? { explicit, model } : withoutFolded(fold, explicit, model);
  const plan = planFix(rest.explicit, rest.model, mixed, onnxLimits(rest.model, editable));
  if (isEmpty(plan, fold) && model.files.length === 1) {
    await copyFile(model, target, transfer);
    return describe(plan, [], fold);
  }
  const weights = new Map<IValue, DType>();
  for (const graph of graphsOf(rest.model.graph)) {
    for (const { value, weight } of graph.weights) {
      const conversion = plan.storages.get(storageOf(weight));
      if (conversion !== undefined) {
        weights.set(value, conversion.to);
      }
    }
  }
  const casts = new Map([...plan.casts].map(node => [node, true]));
  const { copies } = await rewriteOnnx(
    model,
    target,
    {
      weights: placed(weights, values),
      dtypes: placed(plan.dtypes, values),
      // Casts in functions are not in the file as often as they run: they stay, and cast nothing.
      casts: new Set(placed(casts, nodes).keys()),
      copies: plan.copies.map(({ value, to }) => ({
        value: values.get(value)!,
        name: value.name,
        to
      })),
      operands: new Map(
        [...placed(plan.operands, nodes)].map(([place, operands]) => [
          place,
          placed(operands, values)
        ])
      ),
      ...(fold === null ? {} : { folded: onnxFolding(fold, values) })
    },
    transfer
  );
  const names = (fold?.plan.folded ?? []).map(({ casts: [{ outputs }] }) => outputs[0]!.name);
  return describe(plan, [...copies, ...names], fold);
}

function isEmpty(plan: IFixPlan, fold: IComputedFold | null): boolean {
  return (
    plan.storages.size === 0 && plan.copies.length === 0 && (fold?.plan.folded ?? []).length === 0
  );
}

/** Operands of nodes of a program that become copies, or folded weights, which come after those. */
function operandsOf(
  plan: IFixPlan,
  fold: IComputedFold | null
): Map<string, ReadonlyMap<string, number>> {
  const operands = new Map(
    [...byName(plan.operands)].map(([name, redirects]) => [name, byName(redirects)])
  );
  for (const [{ name }, redirects] of fold?.plan.operands ?? []) {
    const all = operands.get(name) ?? new Map<string, number>();
    redirects.forEach((index, value) => all.set(value.name, plan.copies.length + index));
    operands.set(name, all);
  }
  return operands;
}

/** An initializer has the name of the result that it stands for: those who use it need not change. */
function onnxFolding(
  { plan, ranges }: IComputedFold,
  places: ReadonlyMap<IValue, string>
): IFolding {
  const gone = new Set<string>();
  const add = (value: IValue | null): void => {
    const place = value === null ? undefined : places.get(value);
    if (place !== undefined) {
      gone.add(place);
    }
  };
  plan.removed.forEach(({ outputs }) => outputs.forEach(add));
  [...plan.freed.keys()].forEach(add);
  return {
    gone,
    values: plan.folded.map(({ casts, to, shape }, i) => {
      const [result, ...equal] = casts.map(({ outputs }) => outputs[0]!);
      return {
        place: places.get(result)!,
        name: result.name,
        equal: equal.map(value => places.get(value)!),
        dtype: to,
        shape: shape!,
        range: ranges[i]
      };
    })
  };
}

/** The same by names. */
function byName<T>(entries: ReadonlyMap<{ readonly name: string }, T>): Map<string, T> {
  return new Map([...entries].map(([{ name }, item]) => [name, item]));
}

/** @param names - of the copies, and of the folded weights. */
function describe(plan: IFixPlan, names: readonly string[], fold: IComputedFold | null): Written {
  const converted: IFixResult['converted'][number][] = [];
  for (const { weights, from, to } of plan.storages.values()) {
    converted.push(...weights.map(weight => ({ weight: weight.names[0], from, to })));
  }
  plan.copies.forEach(({ weight, to }, i) =>
    converted.push({ weight: weight.names[0], from: weight.dtype, to, copy: names[i] })
  );
  const reasons = new Map<IWeight, string>();
  plan.left.forEach(({ weight, reason }) =>
    reasons.set(weight, fold?.plan.left.get(weight.names[0]) ?? reason)
  );
  return {
    converted,
    left: [...reasons].map(([weight, reason]) => ({ weight: weight.names[0], reason })),
    ...(fold === null
      ? {}
      : {
          computedLeft: fold.plan.left,
          folded: {
            weights: fold.plan.folded.map(({ roots, to, sizeBytes }, i) => ({
              weight: names[plan.copies.length + i],
              from: [...new Set([...roots.values()].map(({ names: [name] }) => name))],
              to,
              sizeBytes
            })),
            freed: [...new Set([...fold.plan.freed.values()].map(({ names: [name] }) => name))],
            freedBytes: fold.plan.freedBytes
          }
        })
  };
}
