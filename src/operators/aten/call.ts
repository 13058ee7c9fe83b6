/**
 * One ATen operator being lowered.
 *
 * @packageDocumentation
 */
import { DTYPES, isLowPrecision } from '../../model';
import type { Attr, DType, INode, IValue, Shape } from '../../model';
import { dtypeAttr, intAttr, onnxOperator } from '../builder';
import type { NodeBuilder, Provenance } from '../builder';
import { roundTo } from '../numbers';
import { Arguments, literalInt } from './arguments';
import type { ISchema } from './schema';

/** A size: known, or an int64 scalar computed when the model runs. */
export type Size = number | IValue;

/** "To the end" of slices: every integer from here on means it. */
const INT64_MAX = 9223372036854775807n;

/**
 * One call being lowered: its arguments, and the means to emit ONNX operators for it.
 *
 * #### Notes
 * Low precision: where the result is bfloat16 or float16, `emit` declares intermediate results as float32 (see
 * `IValue.accumulates`), and only the value the rule returns has the operator's own dtype. So every operator computes in
 * float32 and rounds once at its end, as PyTorch's kernels do.
 */
export class Call extends Arguments {
  constructor(
    node: INode,
    schema: ISchema,
    private readonly _builder: NodeBuilder,
    lowered: (value: IValue) => IValue
  ) {
    super(node, schema, lowered);
  }

  // Sizes

  /** One size. */
  size(name: string): Size {
    return this.optionalSize(name) ?? this._wrong(name, 'a size');
  }

  /** One size, or null for None. */
  optionalSize(name: string): Size | null {
    const attr = this._arg(name);
    return attr.kind === 'none' ? null : (this._size(attr) ?? this._wrong(name, 'a size'));
  }

  /** A list of sizes. */
  sizes(name: string): Size[] {
    const attr = this._arg(name);
    if (attr.kind !== 'list') {
      const one = this._size(attr);
      return one === null ? this._wrong(name, 'a list of sizes') : [one];
    }
    return attr.items.map(item => this._size(item) ?? this._wrong(name, 'a list of sizes'));
  }

  /** Size of a dimension: a number where it is static, else an int64 scalar. */
  sizeOf(value: IValue, axis: number): Size {
    const dim = this.shape(value)[axis];
    if (typeof dim === 'number') {
      return dim;
    }
    const one = this.emit(
      'Shape',
      [value],
      { start: intAttr(axis), end: intAttr(axis + 1) },
      { dtype: 'int64', shape: [1] }
    );
    return this.emit('Squeeze', [one, this.int64s([0])], {}, { dtype: 'int64', shape: [] });
  }

  /** Sizes as one int64 vector: a constant where all are known, else a Concat. */
  sizeVector(sizes: readonly Size[]): IValue {
    if (sizes.every(size => typeof size === 'number')) {
      return this.int64s(sizes as number[]);
    }
    const parts: IValue[] = [];
    let known: number[] = [];
    const flush = (): void => {
      if (known.length > 0) {
        parts.push(this.int64s(known));
        known = [];
      }
    };
    for (const size of sizes) {
      if (typeof size === 'number') {
        known.push(size);
      } else {
        flush();
        parts.push(
          this.emit('Reshape', [size, this.int64s([1])], {}, { dtype: 'int64', shape: [1] })
        );
      }
    }
    flush();
    return parts.length === 1
      ? parts[0]
      : this.emit('Concat', parts, { axis: intAttr(0) }, { dtype: 'int64', shape: [sizes.length] });
  }

  /** A size as an int64 scalar. */
  sizeScalar(size: Size): IValue {
    return typeof size === 'number' ? this._builder.constant('int64', [], [size]) : size;
  }

  // Constants

  /** An int64 vector. Infinite values become the ends of int64. */
  int64s(values: readonly number[]): IValue {
    return this._builder.constant('int64', [values.length], values.map(clampInt64));
  }

  /** An int64 tensor. Infinite values become the ends of int64. */
  int64Tensor(values: readonly number[], shape: readonly number[]): IValue {
    return this._builder.constant('int64', shape, values.map(clampInt64));
  }

  /** A tensor in the type computed in. */
  constant(values: readonly number[], shape: readonly number[]): IValue {
    return this.constantOf(this.computeType, values, shape);
  }

  /** A tensor of a given type; narrow floats are held as float32. */
  constantOf(dtype: DType, values: readonly number[], shape: readonly number[]): IValue {
    const type = isLowPrecision(dtype) ? 'float32' : dtype;
    return this._builder.constant(
      type,
      shape,
      type === 'float32' ? values.map(Math.fround) : values
    );
  }

  /** A float32 vector. */
  floats(values: readonly number[]): IValue {
    return this._builder.constant('float32', [values.length], values.map(Math.fround));
  }

  /** A 0-d constant. In low precision the number is kept in float32, as PyTorch's kernels take Python numbers. */
  scalar(value: number, dtype: DType = this.computeType): IValue {
    const type = isLowPrecision(dtype) ? 'float32' : dtype;
    const exact = DTYPES[type].kind === 'int' || DTYPES[type].kind === 'uint';
    return this._builder.constant(
      type,
      [],
      [exact ? clampInt64(Math.trunc(value)) : type === 'float32' ? Math.fround(value) : value]
    );
  }

  /** A 0-d constant rounded to `dtype`, for operators that compare in it. */
  roundedScalar(value: number, dtype: DType): IValue {
    return this.scalar(roundTo(dtype, value), dtype);
  }

  /** A number argument as a 0-d value of `dtype`: a literal, or a size or 0-d tensor computed at run time. */
  scalarArgument(name: string, dtype: DType = this.computeType): IValue {
    const attr = this._arg(name);
    return attr.kind === 'input'
      ? this.toType(this._input(attr.index), dtype)
      : this.scalar(this.number(name), dtype);
  }

  // Emission

  /**
   * Emit one ONNX operator with one result.
   *
   * @param type - type of the result where it is not the operator's own compute type.
   */
  emit(
    op: string,
    inputs: readonly (IValue | null)[],
    attrs: Record<string, Attr> = {},
    type: { dtype?: DType | null; shape?: Shape | null } = {}
  ): IValue {
    return this.emitMany(op, inputs, attrs, [type])[0];
  }

  /** Emit one ONNX operator with several results. */
  emitMany(
    op: string,
    inputs: readonly (IValue | null)[],
    attrs: Record<string, Attr>,
    types: readonly { dtype?: DType | null; shape?: Shape | null }[]
  ): IValue[] {
    return this._builder.emit(
      onnxOperator(op),
      `${this.node.name}/${op}`,
      inputs,
      attrs,
      types.map(type => {
        if (type.dtype !== undefined) {
          return { dtype: type.dtype, shape: type.shape };
        }
        const own = this.outType;
        return isLowPrecision(own)
          ? { dtype: 'float32' as const, shape: type.shape, accumulates: own }
          : { dtype: own, shape: type.shape };
      }),
      this._provenance
    );
  }

  /**
   * The value in a type that an operator with results of `dtype` can take. No census counts these casts: they are type
   * promotion inside an operator.
   *
   * #### Notes
   * Operands of operators that compute in float32 may be of any floating type up to float32: a device that lacks narrower
   * kernels holds them in float32 anyway.
   */
  toType(value: IValue, dtype: DType): IValue {
    const from = value.dtype;
    if (from === dtype) {
      return value;
    }
    if (isLowPrecision(dtype)) {
      if (from === 'float32' || (from !== null && isLowPrecision(from))) {
        return value;
      }
      return this.castTo(value, 'float32');
    }
    return this.castTo(value, dtype);
  }

  /** A cast that lowering adds. */
  castTo(value: IValue, dtype: DType): IValue {
    if (value.dtype === dtype) {
      return value;
    }
    return this._builder.emit(
      'onnx.Cast',
      `${this.node.name}/Cast`,
      [value],
      { to: dtypeAttr(dtype) },
      [{ dtype, shape: value.shape }],
      this._provenance,
      'hold'
    )[0];
  }

  /** The cast that this operator itself is. Keeps the operator's name, origin and reach. */
  ownCast(value: IValue, dtype: DType): IValue {
    const [result] = this._builder.emit(
      'onnx.Cast',
      this.node.name,
      [value],
      { to: dtypeAttr(dtype) },
      [{ dtype, shape: value.shape }],
      this._provenance
    );
    const cast = this._builder.nodes[this._builder.nodes.length - 1];
    const { origin, reach } = this.node;
    if (origin !== undefined) {
      cast.origin = origin;
    }
    if (reach !== undefined) {
      cast.reach = reach;
    }
    return result;
  }

  /** Reshape to sizes; at most one -1, which is inferred. */
  reshape(value: IValue, sizes: readonly Size[], shape: Shape | null = null): IValue {
    const symbolic = sizes.filter(size => typeof size !== 'number').length;
    const inferred = sizes.includes(-1);
    const zero = sizes.includes(0);
    // One size that is not known follows from the others, unless one of them is 0.
    const target =
      symbolic === 1 && !inferred && !zero
        ? sizes.map(size => (typeof size === 'number' ? size : -1))
        : sizes;
    // Without allowzero a computed 0 would mean "copy the input's size"; with it, -1 is refused.
    const attrs: Record<string, Attr> =
      target.includes(-1) || (symbolic === 0 && !zero) ? {} : { allowzero: intAttr(1) };
    return this.emit('Reshape', [value, this.sizeVector(target)], attrs, {
      ...this.typeOf(value),
      shape:
        shape ??
        (sizes.every(size => typeof size === 'number' && size >= 0) ? (sizes as number[]) : null)
    });
  }

  /** Transpose; the identity permutation emits nothing. */
  transpose(value: IValue, perm: readonly number[]): IValue {
    if (perm.every((axis, i) => axis === i)) {
      return value;
    }
    const shape = value.shape;
    return this.emit(
      'Transpose',
      [value],
      { perm: { kind: 'list', items: perm.map(intAttr) } },
      { ...this.typeOf(value), shape: shape === null ? null : perm.map(axis => shape[axis]) }
    );
  }

  /** Insert dimensions of size 1, positions counted in the result. */
  unsqueeze(value: IValue, axes: readonly number[]): IValue {
    if (axes.length === 0) {
      return value;
    }
    let shape: Shape | null = null;
    if (value.shape !== null) {
      const rest = [...value.shape];
      shape = Array.from({ length: rest.length + axes.length }, (_, i) =>
        axes.includes(i) ? 1 : rest.shift()!
      );
    }
    return this.emit('Unsqueeze', [value, this.int64s(axes)], {}, { ...this.typeOf(value), shape });
  }

  /** Remove dimensions of size 1. */
  squeeze(value: IValue, axes: readonly number[]): IValue {
    if (axes.length === 0) {
      return value;
    }
    const shape = value.shape?.filter((_, i) => !axes.includes(i)) ?? null;
    return this.emit('Squeeze', [value, this.int64s(axes)], {}, { ...this.typeOf(value), shape });
  }

  /** Type of a result that holds the elements of `value` unchanged. */
  typeOf(value: IValue): { dtype?: DType | null } {
    return value.accumulates ? {} : { dtype: value.dtype };
  }

  private get _provenance(): Provenance {
    return this.node;
  }

  private _size(attr: Attr): Size | null {
    if (attr.kind === 'input') {
      const value = this._input(attr.index);
      return value.dtype === 'int64' && (value.shape?.length ?? 0) === 0
        ? value
        : this.castTo(value, 'int64');
    }
    return literalInt(attr);
  }
}

function clampInt64(value: number): number | bigint {
  if (value === Infinity) {
    return INT64_MAX;
  }
  return value === -Infinity ? -INT64_MAX : value;
}
