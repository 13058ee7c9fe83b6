/**
 * The input tensors of a run: from a file, from the model's own samples, or random.
 *
 * @packageDocumentation
 */
import { basename } from 'node:path';

import type { ISafetensor } from '../formats';
import { openSafetensors, readByteRange } from '../formats';
import { carrierOf } from '../lowering';
import type { DType, IExportedModel, IPort, IValue, IWeight, Shape } from '../model';
import {
  CastlensError,
  DTYPES,
  elementCount,
  evaluateDim,
  formatDim,
  formatShape,
  isContiguous,
  isLowPrecision,
  isPacked,
  sizeInBytes
} from '../model';
import type { ElementArray, ITensor } from '../numerics';
import {
  bytesOf,
  castBytes,
  elementsOf,
  normal,
  tensorFromBytes,
  uncarryBytes,
  uniform
} from '../numerics';
import type { IRunInputs } from '../protocol';
import { readElements } from '../runtime';
import { brokenGuard, checkGuards } from './guards';
import { refuseLargeInputs, refuseLargeValues, refuseUntypedInputs } from './inputlimits';

/** Inputs by graph value, and what they are called on screen. */
export interface IBoundInputs {
  readonly tensors: ReadonlyMap<string, ITensor>;
  /** Values of the symbols in shapes. */
  readonly dims: ReadonlyMap<string, number>;
  /** `random, seed 0`, `inputs.safetensors`, `sample inputs of the file`, ... */
  readonly label: string;
  /** The sizes that nobody gave and castlens chose, `batch=4, samples=4`; empty where there are none. */
  readonly chosen: string;
}

/** The error of a run, which may be about sizes that castlens chose. */
export function withChosenSizes(error: unknown, { chosen }: IBoundInputs): unknown {
  if (chosen === '' || !(error instanceof CastlensError) || error.code !== 'runtime') {
    return error;
  }
  const name = chosen.slice(0, chosen.indexOf('='));
  const said = `castlens chose these sizes: ${chosen}. If the model cannot run with them, give others with --dim ${name}=N, or the inputs with --inputs.`;
  const { hint } = error.details;
  return error.with({ hint: hint === undefined ? said : `${hint} ${said}` });
}

/** Sizes of random inputs that neither the user nor a given tensor decides. */
function chosenSizes(
  ports: readonly IPort[],
  wanted: Readonly<Record<string, number>>,
  known: ReadonlyMap<string, ITensor>,
  dims: ReadonlyMap<string, number>
): string {
  const decided = new Map(Object.entries(wanted));
  readSizes(ports, known, decided);
  const used = new Set<string>();
  for (const port of ports) {
    (known.has(port.name) ? [] : (port.shape ?? [])).forEach(dim => collectSymbols(dim, used));
  }
  return [...used]
    .filter(name => !decided.has(name))
    .map(name => `${name}=${dims.get(name)}`)
    .join(', ');
}

/** Size of a symbol the user gives no value for, where its range and the guards allow it. */
const DEFAULT_SIZE = 4;

/** Random integers lie in [0, RANDOM_INTEGERS): small enough to be an index into any embedding. */
const RANDOM_INTEGERS = 2;

/**
 * Tensors for every input of the model, keyed by the name of the graph's value.
 *
 * #### Notes
 * An input the user does not give is the sample the file holds, where its dtype and sizes fit; else it is random. A seed asks
 * for random inputs, whatever the file holds. Sizes that break a guard of the program are refused, as PyTorch refuses them.
 *
 * @throws CastlensError('bad-argument' | 'bad-input') where a file, dtype or size does not fit; names the input.
 */
export async function bindInputs(model: IExportedModel, wanted: IRunInputs): Promise<IBoundInputs> {
  const ports = model.inputs.filter(port => port.value !== null);
  refuseUngivable(model, ports);
  const given =
    wanted.inputsFile === undefined
      ? new Map<string, ITensor>()
      : await fromFile(wanted.inputsFile, ports);
  const samples =
    wanted.seed === undefined ? samplesOf(model, ports, wanted.dims ?? {}, given) : [];
  const defaults = [...(model.defaults ?? [])].map(([name, stored]): [string, ITensor] => [
    name,
    tensorOf(stored)
  ]);
  const known = new Map([...defaults, ...samples, ...given]);
  const dims = bindSymbols(model, ports, wanted.dims ?? {}, known);
  const seed = wanted.seed ?? 0;
  const next = uniform(seed);
  const shapes = new Map(
    ports.filter(port => !known.has(port.name)).map(port => [port.name, shapeOf(model, port, dims)])
  );
  refuseLargeInputs(model, shapes, 'no value for it is given, and random ones would be made');
  refuseUntypedInputs(model);
  refuseLargeValues(model, dims);
  const tensors = new Map<string, ITensor>();
  const origins = new Set<string>();
  for (const port of ports) {
    let tensor = known.get(port.name);
    if (tensor) {
      checkShape(model, port, tensor, dims);
      origins.add(
        given.has(port.name)
          ? basename(wanted.inputsFile!)
          : model.defaults?.has(port.name)
            ? DEFAULTS
            : SAMPLES
      );
    } else {
      tensor = randomTensor(port, shapes.get(port.name)!, next);
      origins.add(`random, seed ${seed}`);
    }
    tensors.set(port.value!.name, tensor);
  }
  checkGuards(model, tensors);
  const chosen = chosenSizes(ports, wanted.dims ?? {}, known, dims);
  const label = describeOrigins(wanted, origins, seed);
  return {
    tensors,
    dims,
    label: chosen === '' ? label : `${label}; sizes chosen by castlens: ${chosen}`,
    chosen
  };
}

const SAMPLES = 'sample inputs of the file';
const DEFAULTS = 'defaults of the file';

/** `inputs.safetensors`, `inputs.safetensors, the rest random, seed 0`, ... */
function describeOrigins(wanted: IRunInputs, origins: ReadonlySet<string>, seed: number): string {
  const random = `random, seed ${seed}`;
  const file = wanted.inputsFile === undefined ? null : basename(wanted.inputsFile);
  const parts = [file, SAMPLES, DEFAULTS, random].filter(
    part => part !== null && origins.has(part)
  );
  return parts.length === 0 ? (file ?? random) : parts.join(', the rest ');
}

/**
 * The samples of the file that can stand for the inputs that are not given.
 *
 * #### Notes
 * Samples share their symbolic sizes: all of them are used, or, where one contradicts what is given, none.
 */
function samplesOf(
  model: IExportedModel,
  ports: readonly IPort[],
  dims: Readonly<Record<string, number>>,
  given: ReadonlyMap<string, ITensor>
): [string, ITensor][] {
  const samples = ports.flatMap((port): [IPort, IWeight][] => {
    const sample = given.has(port.name) ? undefined : model.sampleInputs?.get(port.name);
    return sample === undefined ? [] : [[port, sample]];
  });
  const sizes = new Map<string, number>(Object.entries(dims));
  const shapes: [IPort, readonly number[]][] = [
    ...ports.flatMap((port): [IPort, readonly number[]][] => {
      const tensor = given.get(port.name);
      return tensor === undefined ? [] : [[port, tensor.shape]];
    }),
    ...samples.map(([port, sample]): [IPort, readonly number[]] => [port, sample.shape])
  ];
  for (const [port, shape] of shapes) {
    port.shape?.forEach((dim, i) => {
      if (typeof dim !== 'number' && dim.kind === 'symbol' && !sizes.has(dim.name)) {
        sizes.set(dim.name, shape[i]);
      }
    });
  }
  const fits = samples.every(
    ([port, sample]) =>
      (port.dtype === null || port.dtype === sample.dtype) && fitsShape(port, sample.shape, sizes)
  );
  if (!fits) {
    return [];
  }
  // Strides of 0 make many elements of few bytes.
  const sampled = new Map(
    samples
      .filter(([, sample]) => !isContiguous(sample))
      .map(([port, sample]) => [port.name, sample.shape])
  );
  refuseLargeInputs(model, sampled, 'its sample in the file repeats few bytes');
  return samples.map(([port, sample]) => [port.name, tensorOf(sample)]);
}

/** The elements of a stored tensor, in row-major order. */
function tensorOf(stored: IWeight): ITensor {
  const bytes = new Uint8Array(sizeInBytes(stored.dtype, elementCount(stored.shape)));
  let done = 0;
  for (const chunk of readElements(stored)) {
    bytes.set(chunk, done);
    done += chunk.length;
  }
  return tensorFromBytes(stored.dtype, stored.shape, bytes);
}

async function fromFile(path: string, ports: readonly IPort[]): Promise<Map<string, ITensor>> {
  const stored = await openSafetensors(path);
  const tensors = new Map<string, ITensor>();
  const known = new Set<string>();
  for (const [position, port] of ports.entries()) {
    const name = [port.name, `input_${position}`].find(candidate => stored.has(candidate));
    if (name === undefined) {
      continue;
    }
    known.add(name);
    const entry: ISafetensor = stored.get(name)!;
    if (port.dtype !== null && entry.dtype !== givenDtype(port.dtype)) {
      throw new CastlensError('bad-input', `input "${port.name}" has another dtype`, {
        file: path,
        entry: name,
        expected: givenDtype(port.dtype),
        found: entry.dtype
      });
    }
    const bytes = await readByteRange(entry.range);
    tensors.set(port.name, tensorFromBytes(entry.dtype, entry.shape, bytes));
  }
  const unknown = [...stored.keys()].filter(name => !known.has(name));
  if (unknown.length > 0) {
    throw new CastlensError('bad-input', `no input is called "${unknown[0]}"`, {
      file: path,
      expected:
        ports.map((port, i) => `${port.name} (input_${i})`).join(', ') || 'no inputs at all',
      found: [...stored.keys()].join(', ')
    });
  }
  return tensors;
}

/** The dtype in which a file gives an input: elements of packed types are given one by one. */
function givenDtype(dtype: DType): DType {
  return isPacked(dtype) ? carrierOf(dtype) : dtype;
}

/** Refuse inputs that cannot be given in any way. */
function refuseUngivable(model: IExportedModel, ports: readonly IPort[]): void {
  const refused = ports.filter(
    ({ type, dtype }) => type !== undefined || dtype === 'string' || dtype?.startsWith('complex')
  );
  if (refused.length > 0 && model.format === 'onnx') {
    throw new CastlensError('bad-input', 'the model has inputs that castlens cannot give', {
      file: model.path,
      entry: refused.map(({ name }) => name).join(', '),
      expected: 'tensors of numbers or truth values',
      found: refused.map(({ name, type, dtype }) => `${name}: ${type ?? dtype}`).join(', '),
      hint: 'All but running the model works as it is.'
    });
  }
}

/** Values of all symbols: given by name, read off the given tensors, or the default within the allowed range. */
function bindSymbols(
  model: IExportedModel,
  ports: readonly IPort[],
  dims: Readonly<Record<string, number>>,
  given: ReadonlyMap<string, ITensor>
): Map<string, number> {
  const bound = new Map<string, number>();
  const symbols = new Set<string>(model.ranges.keys());
  for (const port of ports) {
    for (const dim of port.shape ?? []) {
      collectSymbols(dim, symbols);
    }
  }
  for (const [name, size] of Object.entries(dims)) {
    if (!symbols.has(name)) {
      throw new CastlensError('bad-argument', `the model has no symbolic size "${name}"`, {
        file: model.path,
        expected: [...symbols].join(', ') || 'no symbolic sizes: all sizes are fixed',
        found: name
      });
    }
    bound.set(name, size);
  }
  readSizes(ports, given, bound);
  for (const [symbol, size] of bound) {
    const [low, high] = rangeOf(model, symbol);
    if (size < low || size > high) {
      throw new CastlensError(
        'bad-argument',
        `size ${symbol} is outside what the model was exported for`,
        {
          file: model.path,
          entry: symbol,
          expected: `${low} to ${high === Infinity ? 'any' : high}`,
          found: String(size)
        }
      );
    }
  }
  return chooseSizes(model, ports, symbols, bound);
}

function rangeOf(model: IExportedModel, symbol: string): readonly [number, number] {
  const range = model.ranges.get(symbol);
  return [range?.min ?? 0, range?.max ?? Infinity];
}

/**
 * Sizes for the symbols that are still open: the default, or, where that breaks a guard of the program, those of the file's samples,
 * which were exported with sizes that break none.
 */
function chooseSizes(
  model: IExportedModel,
  ports: readonly IPort[],
  symbols: ReadonlySet<string>,
  bound: ReadonlyMap<string, number>
): Map<string, number> {
  const chosen = new Map(bound);
  for (const symbol of symbols) {
    if (!bound.has(symbol)) {
      const [low, high] = rangeOf(model, symbol);
      chosen.set(symbol, Math.min(Math.max(DEFAULT_SIZE, low), high));
    }
  }
  if (model.sampleInputs === undefined || brokenGuard(model, chosen) === null) {
    return chosen;
  }
  const sampled = new Map(bound);
  readSizes(ports, model.sampleInputs, sampled);
  return new Map([...chosen, ...sampled]);
}

/** Binds the open symbols to what the shapes of tensors say, by name of the input. */
function readSizes(
  ports: readonly IPort[],
  tensors: ReadonlyMap<string, { readonly shape: readonly number[] }>,
  bound: Map<string, number>
): void {
  for (const port of ports) {
    const tensor = tensors.get(port.name);
    port.shape?.forEach((dim, i) => {
      const size = tensor?.shape[i];
      if (
        size !== undefined &&
        typeof dim !== 'number' &&
        dim.kind === 'symbol' &&
        !bound.has(dim.name)
      ) {
        bound.set(dim.name, size);
      }
    });
  }
  solveDerivedSizes(ports, tensors, bound);
}

/**
 * Symbols that occur only within expressions (`4*h`): read off a given size where the expression is linear in one of them. Sizes
 * that no integer fits are left to the check of shapes.
 */
function solveDerivedSizes(
  ports: readonly IPort[],
  tensors: ReadonlyMap<string, { readonly shape: readonly number[] }>,
  bound: Map<string, number>
): void {
  const open = ports.flatMap(port =>
    (port.shape ?? []).flatMap((dim, i) => {
      const size = tensors.get(port.name)?.shape[i];
      return typeof dim === 'number' || size === undefined ? [] : [{ dim, size }];
    })
  );
  for (let solved = true; solved;) {
    solved = false;
    for (const { dim, size } of open) {
      const names = new Set<string>();
      collectSymbols(dim, names);
      const unknown = [...names].filter(name => !bound.has(name));
      if (unknown.length !== 1) {
        continue;
      }
      const [name] = unknown;
      const at = (value: number): number | null =>
        evaluateDim(dim, new Map(bound).set(name, value));
      const [origin, one] = [at(0), at(1)];
      if (origin === null || one === null || one === origin) {
        continue;
      }
      const value = (size - origin) / (one - origin);
      if (Number.isInteger(value) && value >= 0 && at(value) === size) {
        bound.set(name, value);
        solved = true;
      }
    }
  }
}

function collectSymbols(dim: Shape[number], into: Set<string>): void {
  const stack = [dim];
  while (stack.length > 0) {
    const current = stack.pop()!;
    if (typeof current === 'number') {
      continue;
    }
    if (current.kind === 'symbol') {
      into.add(current.name);
    } else if (current.kind === 'call') {
      stack.push(...current.args);
    }
  }
}

function shapeOf(
  model: IExportedModel,
  port: IPort,
  dims: ReadonlyMap<string, number>
): readonly number[] {
  if (port.shape === null) {
    throw new CastlensError(
      'bad-argument',
      `the file does not say the shape of input "${port.name}"`,
      {
        file: model.path,
        entry: port.name,
        hint: 'Give this input in a .safetensors file with --inputs.'
      }
    );
  }
  return port.shape.map(dim => {
    const size = evaluateDim(dim, dims);
    if (size === null) {
      throw new CastlensError(
        'bad-argument',
        `size ${formatDim(dim)} of input "${port.name}" is not known`,
        {
          file: model.path,
          entry: port.name,
          hint: `Give it with --dim, or the whole input with --inputs.`
        }
      );
    }
    return size;
  });
}

function checkShape(
  model: IExportedModel,
  port: IPort,
  tensor: ITensor,
  dims: ReadonlyMap<string, number>
): void {
  const { shape } = port;
  if (shape === null) {
    return;
  }
  if (!fitsShape(port, tensor.shape, dims)) {
    const values = [...dims].map(([name, size]) => `${name}=${size}`).join(', ');
    throw new CastlensError('bad-input', `input "${port.name}" has another shape`, {
      file: model.path,
      entry: port.name,
      expected: values ? `${formatShape(shape)} with ${values}` : formatShape(shape),
      found: formatShape(tensor.shape)
    });
  }
}

/** Whether sizes are those of the port, as far as the symbols are known. */
function fitsShape(
  { shape }: IPort,
  sizes: readonly number[],
  dims: ReadonlyMap<string, number>
): boolean {
  return (
    shape === null ||
    (shape.length === sizes.length &&
      shape.every((dim, i) => (evaluateDim(dim, dims) ?? sizes[i]) === sizes[i]))
  );
}

function randomTensor(port: IPort, shape: readonly number[], next: () => number): ITensor {
  const count = elementCount(shape);
  const dtype = port.dtype ?? 'float32';
  const value: IValue = port.value!;
  if (isLowPrecision(dtype) && DTYPES[dtype].bits <= 8) {
    // Small whole numbers: all of these types have them.
    const draw = normal(next);
    const numbers = Float32Array.from({ length: count }, () =>
      Math.max(-4, Math.min(4, Math.round(draw())))
    );
    const tensor: ITensor = { dtype: 'float32', shape, data: numbers };
    return isPacked(dtype)
      ? tensor
      : { dtype, shape, data: uncarryBytes(bytesOf(numbers), 'float32', dtype) };
  }
  switch (givenDtype(dtype)) {
    case 'float32':
    case 'float64':
    case 'float16':
    case 'bfloat16': {
      const draw = normal(next);
      const numbers = Float32Array.from({ length: count }, draw);
      const bytes = castBytes(bytesOf(numbers), 'float32', dtype);
      return { dtype, shape, data: elementsOf(dtype, bytes) };
    }
    case 'int64':
    case 'uint64':
      return { dtype, shape, data: bigIntegers(dtype as 'int64' | 'uint64', count, next) };
    case 'int32':
    case 'int16':
    case 'int8':
    case 'uint32':
    case 'uint16':
    case 'uint8':
    case 'bool': {
      const numbers = Float32Array.from({ length: count }, () =>
        Math.floor(next() * RANDOM_INTEGERS)
      );
      const given = givenDtype(dtype);
      const bytes = castBytes(bytesOf(numbers), 'float32', given);
      return { dtype: given, shape, data: elementsOf(given, bytes) };
    }
    default:
      throw new CastlensError('bad-argument', `no random input of dtype ${dtype} can be made`, {
        entry: value.name,
        hint: 'Give this input in a .safetensors file with --inputs.'
      });
  }
}

function bigIntegers(dtype: 'int64' | 'uint64', count: number, next: () => number): ElementArray {
  const draw = (): bigint => BigInt(Math.floor(next() * RANDOM_INTEGERS));
  return dtype === 'int64'
    ? BigInt64Array.from({ length: count }, draw)
    : BigUint64Array.from({ length: count }, draw);
}
