/**
 * Which operators have one result only, whoever computes it.
 *
 * @packageDocumentation
 */
import type { Attr, DType, INode, IValue } from '../model';
import { stepOf } from '../dataflow';
import { BATCH_DIM, castTarget, DTYPES, isFloating, isLowPrecision } from '../model';
import { addressesMemory, exactnessOf } from '../operators';

/**
 * Why two runtimes may give other bits for a call; null where its result is determined.
 *
 * #### Notes
 * Determined is what moves elements, compares them, or does one operation of IEEE 754 per element and rounds once: sum, difference,
 * product, quotient, square root, a cast. In low precision PyTorch computes in float32 and rounds the result; as float32 has more than
 * twice the digits of both, that is the rounded result too. Left out is what adds up in an order of its own (sums, products of
 * matrices, norms), what a library approximates (`exp`, `tanh`, `reciprocal`, powers), what may be fused to a multiplication and an
 * addition (`alpha`), and what has no sign for zeros (`maximum`, `clamp`). NaNs have bits of their own on every processor: whoever
 * relies on this must look for them.
 *
 * onnxruntime may leave roundings to low precision out between operators, so for ONNX a result in low precision is determined at the
 * end of a computation only: `isLast`.
 */
export function inexactness(node: INode, isLast: boolean): string | null {
  const name = node.op.startsWith('onnx.') ? node.op.slice('onnx.'.length) : node.op;
  const result = node.outputs[0]?.dtype ?? null;
  const step = stepOf(node);
  if (step === 'same') {
    return null;
  }
  if (step === 'arranged') {
    return addressesMemory(node.op) || VMAP.has(node.op)
      ? `arranged by ${name}, which depends on more than the elements`
      : null;
  }
  const isOnnx = node.op.startsWith('onnx.');
  const exactness = exactnessOf(node.op);
  const isArithmetic = exactness === 'operation' || exactness === 'quotient';
  const mayRound = castTarget(node) !== null || isArithmetic;
  if (isOnnx && !isLast && mayRound && result !== null && isLowPrecision(result)) {
    return `rounded to ${result} on the way, which runtimes may leave out`;
  }
  if (castTarget(node) !== null) {
    return castIsDetermined(node)
      ? null
      : `cast from ${node.inputs[0]?.dtype ?? '?'} to ${castTarget(node)} on the way`;
  }
  switch (exactness) {
    case 'moved':
      return null;
    case 'counted':
      return result !== null && isFloating(result) ? byLibrary(name) : null;
    case 'operation':
    case 'quotient':
      return isOnnx
        ? isComputedIn(result, exactness === 'quotient')
          ? null
          : inDtype(name, result)
        : arithmeticProblem(node, exactness === 'quotient', result);
    case null:
      return byLibrary(name);
  }
}

function byLibrary(name: string): string {
  return `computed by ${name}, whose bits may differ between libraries`;
}

function inDtype(name: string, dtype: DType | null): string {
  return `computed by ${name} in ${dtype ?? 'an unknown dtype'}`;
}

function arithmeticProblem(node: INode, isQuotient: boolean, result: DType | null): string | null {
  const { op, attrs, inputs } = node;
  if (isSome(attrs.rounding_mode)) {
    return `computed by ${op} with a rounding_mode`;
  }
  if (attrs.alpha !== undefined && !isOne(attrs.alpha)) {
    return `computed by ${op} with an alpha, which may be rounded once or twice`;
  }
  if (!isComputedIn(result, isQuotient)) {
    return inDtype(op, result);
  }
  const tensors = inputs.filter((value): value is IValue => value?.kind === 'tensor');
  const isScalar = ({ shape }: IValue): boolean => shape?.length === 0;
  // PyTorch computes with the number in float32, and not rounded to the dtype of the tensor.
  if (
    isLowPrecision(result!) &&
    (tensors.some(value => value.dtype !== result && isScalar(value)) ||
      Object.values(attrs).some(isRoundedNumber))
  ) {
    return `computed by ${op} in ${result} with a number of another dtype`;
  }
  // Kernels for CUDA multiply by the reciprocal of a number.
  const isElsewhere = node.outputs.some(
    value => value?.device !== undefined && value.device !== 'cpu'
  );
  if (isElsewhere && isQuotient && (tensors.length < 2 || isScalar(tensors[1]))) {
    return `computed by ${op} by a number, not on the CPU`;
  }
  return null;
}

function castIsDetermined(node: INode): boolean {
  const from = node.inputs[0]?.dtype ?? null;
  const to = castTarget(node);
  if (from === null || to === null || !PLAIN.has(from) || !PLAIN.has(to)) {
    return false;
  }
  return isFloating(to) || !isFloating(from);
}

/** Whether sums and products of elements are one operation of IEEE 754, or wrap around. */
function isComputedIn(dtype: DType | null, isQuotient: boolean): boolean {
  return (
    dtype !== null && PLAIN.has(dtype) && (isFloating(dtype) || (!isQuotient && WHOLE.has(dtype)))
  );
}

function isSome(attr: Attr | undefined): boolean {
  return attr !== undefined && attr.kind !== 'none';
}

function isOne(attr: Attr): boolean {
  return (
    attr.kind === 'none' ||
    ((attr.kind === 'int' || attr.kind === 'float') && Number(attr.value) === 1)
  );
}

/** Whether a number may be none of bfloat16 and float16. */
function isRoundedNumber(attr: Attr): boolean {
  if (attr.kind !== 'int' && attr.kind !== 'float') {
    return false;
  }
  const value = Math.abs(Number(attr.value));
  return !(Number.isInteger(value) ? value <= 256 : value < 1 && Number.isInteger(value * 256));
}

/** A dimension that the calls in between do not see. */
const VMAP: ReadonlySet<string> = new Set(Object.values(BATCH_DIM));

/** Dtypes that every runtime casts alike. */
const PLAIN: ReadonlySet<DType> = new Set(
  (Object.keys(DTYPES) as DType[]).filter(dtype =>
    /^(float(16|32|64)|bfloat16|u?int(8|16|32|64)|bool)$/u.test(dtype)
  )
);

const WHOLE: ReadonlySet<DType> = new Set<DType>(['int32', 'int64']);
