/**
 * Operators that find elements by their place in memory: `as_strided`.
 *
 * ONNX has no places in memory. Where the elements of the operand lay at export is recorded in the file, and what is read there
 * follows from it: the elements in another order, some of them, or some of them several times.
 *
 * @packageDocumentation
 */
import { elementCount, formatDim, formatShape } from '../../../model';
import type { Dim, IValue, Shape } from '../../../model';
import { intAttr } from '../../builder';
import type { Arguments } from '../arguments';
import type { Call, Size } from '../call';
import * as dtypes from '../dtypes';
import { limit, operator } from '../operator';
import type { IOperator } from '../operator';
import { slice } from './layout';

/** Elements of which an operand with gaps, or one whose elements lie upon one another, may have at most. */
const MOST_PLACES = 2 ** 20;

/** Elements lying one after the other: the dimensions, outermost in memory first; those of size 1 anywhere. */
interface IDense {
  readonly order: readonly number[];
  /** Elements of all dimensions but the outermost, and the size of that. */
  readonly inner: number;
  readonly outer: Dim;
}

/** What is read: the operand's memory and the result's, places counted from the operand's first element. */
interface IReading {
  readonly shape: Shape;
  readonly strides: readonly number[];
  readonly newShape: Shape;
  readonly newStrides: readonly number[];
  readonly start: number;
}

/** The arguments of a call, or why they are not supported. */
function readingOf(c: Arguments): IReading | string {
  const { memory } = c.node;
  const newShape = c.result()?.shape ?? null;
  if (memory === undefined || newShape === null) {
    return 'an operand whose strides are not recorded';
  }
  const { strides, offset } = memory;
  if (!c.isStatic('stride') || !strides.every(stride => typeof stride === 'number')) {
    return 'strides that are not static';
  }
  let start: number | null = 0;
  if (c.has('storage_offset')) {
    start =
      c.isStatic('storage_offset') && offset !== null ? c.int('storage_offset') - offset : null;
  }
  if (start === null) {
    return 'a place in memory that is not static';
  }
  return {
    shape: c.shape(c.tensor('self')),
    strides,
    newShape,
    newStrides: c.ints('stride'),
    start
  };
}

/** How a tensor lies in memory where it has no gaps and no size but the outermost is symbolic; null otherwise. */
function denseOf(shape: Shape, strides: readonly number[]): IDense | null {
  const axes = shape.map((_, axis) => axis);
  const wide = axes.filter(axis => shape[axis] !== 1).sort((a, b) => strides[b] - strides[a]);
  let inner = 1;
  let outer: Dim = 1;
  for (const axis of [...wide].reverse()) {
    if (typeof outer !== 'number' || strides[axis] !== inner * outer) {
      return null;
    }
    inner *= outer;
    outer = shape[axis];
  }
  return { order: [...axes.filter(axis => shape[axis] === 1), ...wide], inner, outer };
}

function numbers(shape: Shape): number[] | null {
  return shape.every(size => typeof size === 'number') ? (shape as number[]) : null;
}

/** Whether two dense tensors have as many elements, whatever the size of a symbol. */
function areEqual(a: IDense, b: IDense): boolean {
  return typeof a.outer === 'number' || typeof b.outer === 'number'
    ? countOf(a) !== null && countOf(a) === countOf(b)
    : a.inner === b.inner && formatDim(a.outer) === formatDim(b.outer);
}

function countOf({ inner, outer }: IDense): number | null {
  return typeof outer === 'number' ? inner * outer : null;
}

/** The elements of a dense operand as they lie in memory, in one dimension. */
function inMemory(c: Call, { order }: IDense): IValue {
  return c.reshape(c.transpose(c.tensor('self'), order), [-1]);
}

/** The elements of memory as a tensor that takes all of them. */
function fromMemory(c: Call, value: IValue, { order }: IDense): IValue {
  const sizes = c.sizes('size');
  const arranged = c.reshape(
    value,
    order.map((axis): Size => sizes[axis])
  );
  return c.transpose(
    arranged,
    order.map((_, axis) => order.indexOf(axis))
  );
}

/** The last place read, from the first one on. */
function reach(shape: readonly number[], strides: readonly number[]): number {
  return shape.reduce((sum, size, axis) => sum + (size - 1) * strides[axis], 0);
}

/** The places of all elements, in row-major order. */
function placesOf(shape: readonly number[], strides: readonly number[], start = 0): number[] {
  return shape.reduce(
    (places, size, axis) =>
      places.flatMap(place => Array.from({ length: size }, (_, i) => place + i * strides[axis])),
    [start]
  );
}

/** Places as a sum of the places along each dimension. */
function placeSums(c: Call, { newStrides, start }: IReading, shape: readonly number[]): IValue {
  const along = shape.map((size, axis) =>
    c.int64Tensor(
      Array.from({ length: size }, (_, i) => i * newStrides[axis] + (axis === 0 ? start : 0)),
      [size, ...new Array<number>(shape.length - axis - 1).fill(1)]
    )
  );
  return along.length === 0
    ? c.int64Tensor([start], [])
    : along.reduce((a, b) => c.emit('Add', [a, b], {}, { dtype: 'int64' }));
}

function gather(c: Call, flat: IValue, places: IValue): IValue {
  return c.emit('Gather', [flat, places], { axis: intAttr(0) }, c.typeOf(flat));
}

/** Where the elements that are read stand in an operand with gaps; null where some are none of its elements. */
function elementsRead(reading: IReading): number[] | null {
  const shape = reading.shape as number[];
  const elements = new Map(placesOf(shape, reading.strides).map((place, i) => [place, i]));
  const read = placesOf(reading.newShape as number[], reading.newStrides, reading.start).map(
    place => elements.get(place) ?? -1
  );
  return read.includes(-1) ? null : read;
}

/** Why the elements cannot be read, or null. */
const unread = limit(
  'strides are recorded and static, elements of the operand only; sizes are static, or all elements are taken and the outermost size is not',
  c => {
    const reading = readingOf(c);
    if (typeof reading === 'string') {
      return reading;
    }
    const { shape, strides, newShape, newStrides, start } = reading;
    const operand = denseOf(shape, strides);
    const result = denseOf(newShape, newStrides);
    if (operand && result && start === 0 && areEqual(operand, result)) {
      return null;
    }
    const [before, after] = [numbers(shape), numbers(newShape)];
    if (before === null || after === null) {
      return 'sizes that are not static';
    }
    if (after.includes(0) || before.includes(0)) {
      return 'tensors without elements';
    }
    const outside = 'elements of its memory outside of the operand';
    if (operand) {
      return start < 0 || start + reach(after, newStrides) >= elementCount(before) ? outside : null;
    }
    return Math.max(elementCount(before), elementCount(after)) > MOST_PLACES
      ? `an operand with gaps of more than ${MOST_PLACES} elements`
      : elementsRead(reading) === null
        ? outside
        : null;
  }
);

function asStrided(c: Call): IValue {
  const reading = readingOf(c);
  if (typeof reading === 'string') {
    return c.fail(reading);
  }
  const { shape, strides, newShape, newStrides, start } = reading;
  const operand = denseOf(shape, strides);
  const result = denseOf(newShape, newStrides);
  if (operand === null) {
    const places = c.int64Tensor(elementsRead(reading)!, newShape as number[]);
    return gather(c, c.reshape(c.tensor('self'), [-1]), places);
  }
  if (result === null) {
    return gather(c, inMemory(c, operand), placeSums(c, reading, newShape as number[]));
  }
  const whole = start === 0 && areEqual(operand, result);
  if (
    whole &&
    formatShape(shape) === formatShape(newShape) &&
    String(operand.order) === String(result.order)
  ) {
    return c.tensor('self');
  }
  const flat = inMemory(c, operand);
  const part = whole ? flat : slice(c, flat, 0, start, start + countOf(result)!);
  return fromMemory(c, part, result);
}

const ARGUMENTS = 'SymInt[] size, SymInt[] stride, SymInt? storage_offset=None';

/** Records of this file. */
export const STRIDED: readonly IOperator[] = [
  /** Transpose, Reshape, Slice where elements are read in the order of memory; Add, Gather otherwise. */
  operator(`as_strided(Tensor(a) self, ${ARGUMENTS}) -> Tensor(a)`, {
    dtype: dtypes.likeFirst,
    arrangement: 'reordered',
    addressesMemory: true,
    limits: [unread],
    lower: asStrided
  }),
  operator(`as_strided_copy(Tensor self, ${ARGUMENTS}) -> Tensor`, {
    dtype: dtypes.likeFirst,
    addressesMemory: true,
    limits: [unread],
    lower: asStrided
  })
];
