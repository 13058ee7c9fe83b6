/**
 * Repairs of the types of an `.onnx` file: what may be asked for, what is edited, and that in words.
 *
 * @packageDocumentation
 */
import { callText } from '../autocast';
import type { IOnnxEdits } from '../formats';
import { editableParts, inferDtype } from '../formats';
import type { IExportedModel } from '../model';
import { CastlensError } from '../model';
import { planTypeRepairs } from '../operators';
import type { Params } from '../protocol';
import { placed } from './placed';

/** Repairs of types stand alone: they change what a file computes with, which other repairs never do. */
export function refuseWithTypes(
  { format, path }: IExportedModel,
  { mixed, regions, codeFile, foldComputed }: Params<'fix'>
): void {
  if (format !== 'onnx') {
    throw new CastlensError('bad-argument', 'types are repaired in .onnx files alone', {
      file: path,
      hint: 'A .pt2 file has no types that could be wrong: PyTorch computes them.'
    });
  }
  if (
    mixed === 'keep-both' ||
    regions !== undefined ||
    codeFile !== undefined ||
    foldComputed === true
  ) {
    throw new CastlensError('bad-argument', 'types are repaired by themselves', {
      file: path,
      hint: 'Repair the types first, then the weights of the file that this gives.'
    });
  }
}

/** The edits that put types right as far as there is nothing to choose, and what they change. What is in a function of the model stays. */
export function planTypeEdits(model: IExportedModel): {
  readonly edits: IOnnxEdits;
  readonly changes: readonly string[];
} {
  const { values, nodes } = editableParts(model);
  const repairs = planTypeRepairs(model.graph, inferDtype);
  const [targets, operands] = [inFile(repairs.targets, nodes), inFile(repairs.operands, nodes)];
  const [weights, results] = [inFile(repairs.weights, values), inFile(repairs.results, values)];
  const declared = inFile(repairs.declared, values);
  return {
    edits: {
      weights: placed(weights, values),
      dtypes: placed(declared, values),
      casts: new Set(),
      copies: [],
      operands: new Map(),
      newCasts: {
        operands: placed(operands, nodes),
        results: placed(results, values),
        targets: placed(targets, nodes)
      }
    },
    changes: [
      ...[...targets].map(([node, to]) => `${callText(node)} casts to ${to} now`),
      ...[...weights].map(([{ name }, to]) => `${name} is stored in ${to} now`),
      ...[...operands].flatMap(([node, casts]) =>
        [...casts].map(
          ([index, to]) => `${node.inputs[index]?.name} is cast to ${to} before ${callText(node)}`
        )
      ),
      ...[...results].map(([{ name }, to]) => `${name} is cast to ${to} behind what makes it`),
      ...[...declared]
        .filter(([value]) => !weights.has(value) && !results.has(value))
        .map(([{ name }, to]) => `${name} is declared as ${to} now`)
    ]
  };
}

/** The entries of what the file has. */
function inFile<K, T>(
  entries: ReadonlyMap<K, T>,
  places: ReadonlyMap<K, string>
): ReadonlyMap<K, T> {
  return new Map([...entries].filter(([key]) => places.has(key)));
}
