/**
 * What the inputs of a model must be to run it: of a type, and of a size that can be made.
 *
 * @packageDocumentation
 */
import { totalmem } from 'node:os';

import type { IExportedModel } from '../model';
import {
  CastlensError,
  elementCount,
  evaluateDim,
  forEachNode,
  formatShape,
  sizeInBytes,
  staticShape
} from '../model';
import { leastElements } from './declaredsizes';

const MIB = 1024 ** 2;

/** Sizes are what a file declares: a few bytes can ask for any amount of memory. */
const DEFAULT_INPUT_MIB = 128;

/** Random elements are drawn as float32, whatever they become. */
const DRAWN_BYTES = 4;

/** The variable that sets the limit, in MiB. */
const INPUT_LIMIT_VARIABLE = 'CASTLENS_INPUT_MIB';

/** Most bytes of all inputs together that are made rather than given. */
function inputByteLimit(): number {
  const text = process.env[INPUT_LIMIT_VARIABLE];
  return (text !== undefined && /^\d+$/.test(text) ? Number(text) : DEFAULT_INPUT_MIB) * MIB;
}

/**
 * Refuse inputs that are together too large, before any of them is made.
 *
 * @param shapes - by name of the input.
 * @param why - why castlens would have to make the largest of them.
 * @throws CastlensError that names the largest.
 */
export function refuseLargeInputs(
  model: IExportedModel,
  shapes: ReadonlyMap<string, readonly number[]>,
  why: string
): void {
  let total = 0;
  let largest: {
    name: string;
    shape: readonly number[];
    bytes: number;
    isSymbolic: boolean;
  } | null = null;
  for (const { name, dtype, shape: declared } of model.inputs) {
    const shape = shapes.get(name);
    if (shape === undefined) {
      continue;
    }
    const count = elementCount(shape);
    const bytes = Math.max(sizeInBytes(dtype ?? 'float32', count), count * DRAWN_BYTES);
    total += bytes;
    if (largest === null || bytes > largest.bytes) {
      largest = { name, shape, bytes, isSymbolic: staticShape(declared) === null };
    }
  }
  const limit = inputByteLimit();
  if (largest !== null && !(total <= limit)) {
    throw new CastlensError('bad-input', `input "${largest.name}" is too large: ${why}`, {
      file: model.path,
      entry: largest.name,
      expected: `at most ${limit} bytes for all inputs that are not given, at least ${DRAWN_BYTES} for each element`,
      found: `${total} bytes, ${largest.bytes} of them for ${formatShape(largest.shape)}`,
      hint:
        `Give the input in a .safetensors file with --inputs, ` +
        (largest.isSymbolic ? 'choose smaller sizes with --dim, ' : '') +
        `or allow more with the environment variable ${INPUT_LIMIT_VARIABLE} (MiB)`
    });
  }
}

/**
 * Refuse to run a model with an input that has no element type: no runtime takes such a graph.
 *
 * @throws CastlensError that names the input.
 */
export function refuseUntypedInputs(model: IExportedModel): void {
  const untyped = model.inputs.find(
    ({ value, dtype }) =>
      value !== null && (value.kind === 'tensor' || value.kind === 'other') && dtype === null
  );
  if (untyped !== undefined) {
    throw new CastlensError(
      'bad-file',
      `the file does not say the dtype of input "${untyped.name}"`,
      {
        file: model.path,
        entry: untyped.name,
        expected: 'an element type that castlens reads',
        found: 'none'
      }
    );
  }
}

/**
 * Refuse a run in which one value alone would be larger than the memory of the machine, by the sizes that the file declares, or by
 * stored numbers from which an operator makes it (`ConstantOfShape`, `Expand`, `Tile`, ...).
 *
 * @param dims - values of the symbols in shapes.
 * @throws CastlensError that names the node that makes it.
 */
export function refuseLargeValues(model: IExportedModel, dims: ReadonlyMap<string, number>): void {
  const limit = machineBytes();
  const least = leastElements(model.graph, dims);
  forEachNode(model.graph, node => {
    for (const [index, value] of node.outputs.entries()) {
      const sizes = value?.shape?.map(dim => evaluateDim(dim, dims) ?? 1);
      const declared = sizes === undefined ? 0 : elementCount(sizes);
      const asked = index === 0 ? (least(node) ?? 0) : 0;
      const bytes = sizeInBytes(value?.dtype ?? 'uint8', Math.max(declared, asked));
      if (!(bytes <= limit)) {
        throw new CastlensError(
          'bad-input',
          `value "${value!.name}" would be larger than the memory of the machine`,
          {
            file: model.path,
            entry: node.name,
            expected: `at most ${limit} bytes`,
            found:
              asked > declared
                ? `${bytes} bytes for ${asked} elements, by the numbers that ${node.op} is given`
                : `${bytes} bytes for ${formatShape(sizes!)}`,
            hint:
              dims.size > 0
                ? 'Choose smaller sizes with --dim, or smaller inputs with --inputs'
                : undefined
          }
        );
      }
    }
  });
}

/** Memory that the process may have: of the machine, or of the container. */
function machineBytes(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}
