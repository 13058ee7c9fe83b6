/**
 * The arguments of one call of an ATen operator, by the names of its schema.
 *
 * @packageDocumentation
 */
import { CastlensError, isLowPrecision, staticShape } from '../../model';
import type { Attr, DType, INode, IValue, Shape } from '../../model';
import type { ISchema } from './schema';

/** A call that cannot be lowered with the arguments it has. */
export class UnsupportedCall extends CastlensError {
  /** @param reason - what is wrong with the arguments, without the operator. */
  constructor(
    { op, name, source }: INode,
    readonly reason: string
  ) {
    super('unsupported-operator', `${op}: ${reason}`, {
      entry: name,
      hint: source ? `It stands at ${source.file}:${source.line}` : undefined
    });
  }
}

/**
 * Reads arguments. All that the check of a limit gets: nothing can be emitted with it.
 *
 * #### Notes
 * Arguments left out have the default of the schema. An argument of another kind than is asked for throws
 * {@link UnsupportedCall}, which names it.
 */
export class Arguments {
  /**
   * @param _read - what an operand stands for.
   */
  constructor(
    readonly node: INode,
    readonly schema: ISchema,
    private readonly _read: (value: IValue) => IValue = value => value
  ) {}

  /** Whether the argument is given and not None. */
  has(name: string): boolean {
    return this._arg(name).kind !== 'none';
  }

  /** A tensor argument. */
  tensor(name: string): IValue {
    const value = this.optionalTensor(name);
    return value ?? this._wrong(name, 'a tensor');
  }

  /** A tensor argument, or null for None. */
  optionalTensor(name: string): IValue | null {
    const attr = this._arg(name);
    return attr.kind === 'input' ? this._input(attr.index) : null;
  }

  /** A list of tensors; null for items that are None. */
  tensors(name: string): (IValue | null)[] {
    const attr = this._arg(name);
    if (attr.kind === 'input') {
      return [this._input(attr.index)];
    }
    if (attr.kind !== 'list') {
      return this._wrong(name, 'a list of tensors');
    }
    return attr.items.map(item => (item.kind === 'input' ? this._input(item.index) : null));
  }

  /** An integer literal. Integers beyond 2^53 become +-Infinity. */
  int(name: string): number {
    return this.optionalInt(name) ?? this._wrong(name, 'an integer');
  }

  /** An integer literal, or null for None. */
  optionalInt(name: string): number | null {
    const attr = this._arg(name);
    return attr.kind === 'none' ? null : (literalInt(attr) ?? this._wrong(name, 'an integer'));
  }

  /** A list of integer literals; a single one stands for `count` equal ones. */
  ints(name: string, count = 1): number[] {
    const attr = this._arg(name);
    if (count < 0) {
      return this._fail('an operand has fewer dimensions than the operator takes');
    }
    const one = literalInt(attr);
    if (one !== null) {
      return new Array<number>(count).fill(one);
    }
    if (attr.kind !== 'list') {
      return this._wrong(name, 'a list of integers');
    }
    const items = attr.items.map(
      item => literalInt(item) ?? this._wrong(name, 'a list of integer literals')
    );
    return items.length === 1 && count > 1 ? new Array<number>(count).fill(items[0]) : items;
  }

  /** A list of integer literals, or null for None. */
  optionalInts(name: string): number[] | null {
    return this.has(name) ? this.ints(name) : null;
  }

  /** Whether every integer of the argument is a literal. */
  isStatic(name: string): boolean {
    const attr = this._arg(name);
    return attr.kind === 'list'
      ? attr.items.every(item => literalInt(item) !== null)
      : attr.kind === 'none' || literalInt(attr) !== null;
  }

  /** A truth value. */
  bool(name: string): boolean {
    const attr = this._arg(name);
    if (attr.kind === 'none') {
      return false;
    }
    return attr.kind === 'bool' ? attr.value : this._wrong(name, 'a truth value');
  }

  /** A number literal. */
  number(name: string): number {
    return this.optionalNumber(name) ?? this._wrong(name, 'a number');
  }

  /** A number literal, or null for None. */
  optionalNumber(name: string): number | null {
    const attr = this._arg(name);
    switch (attr.kind) {
      case 'none':
        return null;
      case 'int':
      case 'float':
        return Number(attr.value);
      case 'bool':
        return attr.value ? 1 : 0;
      default:
        return this._wrong(name, 'a number');
    }
  }

  /** A list of number literals. */
  numbers(name: string): number[] {
    const attr = this._arg(name);
    if (attr.kind !== 'list') {
      return this._wrong(name, 'a list of numbers');
    }
    return attr.items.map(item =>
      item.kind === 'int' || item.kind === 'float'
        ? Number(item.value)
        : this._wrong(name, 'a list of numbers')
    );
  }

  /** A string. */
  string(name: string): string {
    const attr = this._arg(name);
    return attr.kind === 'string' ? attr.value : this._wrong(name, 'a string');
  }

  /** An element type, or null for None. */
  dtype(name: string): DType | null {
    const attr = this._arg(name);
    return attr.kind === 'dtype' ? attr.value : null;
  }

  /** Class of a Python number, for type promotion; null where the argument is no literal. */
  numberType(name: string): DType | null {
    const attr = this._arg(name);
    switch (attr.kind) {
      case 'bool':
        return 'bool';
      case 'int':
        return 'int64';
      case 'float':
        return 'float32';
      default:
        return null;
    }
  }

  /** Whether the argument is a tensor or a size computed at run time. */
  isValue(name: string): boolean {
    return this._arg(name).kind === 'input';
  }

  /** Result `index` as the ATen graph describes it; null where it is not used and not named. */
  result(index = 0): IValue | null {
    return this.node.outputs[index] ?? null;
  }

  /** Element type of result 0. */
  get outType(): DType {
    return this.result()?.dtype ?? this._fail('the dtype of its result is not known');
  }

  /** What intermediate results are computed in: the result's type, float32 where that is narrower. */
  get computeType(): DType {
    const type = this.outType;
    return isLowPrecision(type) ? 'float32' : type;
  }

  // Shapes

  /** The shape of a value, symbolic or not. */
  shape(value: IValue): Shape {
    return value.shape ?? this._fail(`the shape of ${value.name} is not known`);
  }

  /** The shape of a value as integers, or null. */
  staticShape(value: IValue): number[] | null {
    return staticShape(value.shape);
  }

  rank(value: IValue): number {
    return this.shape(value).length;
  }

  /** A dimension counted from the front. */
  axis(dim: number, rank: number): number {
    const count = Math.max(rank, 1);
    if (dim < -count || dim >= count) {
      return this._fail(`dimension ${dim} is out of range for ${rank} dimensions`);
    }
    return dim < 0 ? dim + count : dim;
  }

  /** Dimensions counted from the front. */
  axes(dims: readonly number[], rank: number): number[] {
    return dims.map(dim => this.axis(dim, rank));
  }

  /** Refuse the operator. */
  fail(reason: string): never {
    return this._fail(reason);
  }

  protected _arg(name: string): Attr {
    const given = this.node.attrs[name];
    if (given !== undefined) {
      return given;
    }
    const arg = this.schema.args.find(candidate => candidate.name === name);
    if (arg === undefined) {
      throw new Error(`${this.schema.op} has no argument ${name}`);
    }
    return arg.default ?? { kind: 'none' };
  }

  protected _input(index: number): IValue {
    const value = this.node.inputs[index];
    return value ? this._read(value) : this._fail(`operand ${index} is missing`);
  }

  protected _wrong(name: string, expected: string): never {
    return this._fail(`argument ${name}: expected ${expected}, found ${this._arg(name).kind}`);
  }

  protected _fail(reason: string): never {
    throw new UnsupportedCall(this.node, reason);
  }
}

/** An integer literal as a number; +-Infinity beyond 2^53. */
export function literalInt(attr: Attr): number | null {
  if (attr.kind === 'bool') {
    return attr.value ? 1 : 0;
  }
  if (attr.kind !== 'int') {
    return null;
  }
  if (typeof attr.value === 'bigint') {
    return attr.value > 0n ? Infinity : -Infinity;
  }
  return attr.value;
}
