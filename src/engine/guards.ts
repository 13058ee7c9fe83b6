/**
 * Checks inputs against the guards of an exported program.
 *
 * @packageDocumentation
 */
import type { IExportedModel, IGuard, IGuardFacts } from '../model';
import { CastlensError, evaluateDim, formatShape, holds, inputsOfGuard } from '../model';
import type { ITensor } from '../numerics';

/**
 * Refuse inputs that PyTorch refuses.
 *
 * @param tensors - by the name of the graph's value.
 * @throws CastlensError('bad-input') names the first guard that does not hold and the inputs it is about.
 */
export function checkGuards(model: IExportedModel, tensors: ReadonlyMap<string, ITensor>): void {
  const tensorOf = (input: number): ITensor | undefined =>
    tensors.get(model.inputs[input].value?.name ?? '');
  const broken = firstBroken(model, {
    size: (input, dim) => tensorOf(input)?.shape[dim] ?? null,
    value: input => numberOf(tensorOf(input))
  });
  if (broken === null) {
    return;
  }
  const found = inputsOfGuard(broken).map(input => {
    const tensor = tensorOf(input);
    const shown = numberOf(tensor) ?? formatShape(tensor?.shape ?? []);
    return `${model.inputs[input].name} ${shown}`;
  });
  throw new CastlensError('bad-input', 'the inputs break a guard the model was exported with', {
    file: model.path,
    entry: 'guards_code',
    expected: broken.text,
    found: found.join(', ') || 'a condition that never holds',
    hint: 'Choose other sizes with --dim or --inputs, or export the model for these.'
  });
}

/** The first guard that an assignment of symbols breaks, as far as it can be told; null where none is. */
export function brokenGuard(
  model: IExportedModel,
  dims: ReadonlyMap<string, number>
): IGuard | null {
  return firstBroken(model, {
    size: (input, dim) => {
      const size = model.inputs[input].shape?.[dim];
      return size === undefined ? null : evaluateDim(size, dims);
    },
    value: () => null
  });
}

function firstBroken(model: IExportedModel, facts: IGuardFacts): IGuard | null {
  return (model.guards ?? []).find(guard => holds(guard, facts) === false) ?? null;
}

/** Number inputs become tensors without dimensions, of the dtype that holds a number of Python. */
function numberOf(tensor: ITensor | undefined): number | null {
  const isNumber =
    tensor?.shape.length === 0 && ['int64', 'float64', 'bool'].includes(tensor.dtype);
  return isNumber ? Number(tensor.data[0]) : null;
}
