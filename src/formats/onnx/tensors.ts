/**
 * Tensors of an ONNX model as weights.
 *
 * @packageDocumentation
 */
import type { DType, IWeight, WeightData, WeightKind } from '../../model';
import {
  CastlensError,
  contiguousStrides,
  DTYPES,
  elementCount,
  sizeInBytes,
  UniqueNames
} from '../../model';
import type { FileReader } from '../filereader';
import { dtypeOfElementType } from './elementtypes';
import type { ExternalFiles } from './externaldata';
import type { IRawTensor } from './rawmodel';
import { packedStringsOf } from './rawmodel';

/** Constants up to this size are read: graph algorithms look into them (shapes, axes, scalars). */
const INLINE_BYTES = 4096;

/** Turns the tensors of one model into weights. */
export class TensorReader {
  constructor(
    private readonly _file: FileReader,
    private readonly _external: ExternalFiles
  ) {}

  /**
   * One weight per set of tied initializers: those that share bytes, dtype and shape.
   *
   * @param kindOf - kind by name.
   * @returns the weight of each initializer, in order.
   */
  initializers(tensors: readonly IRawTensor[], kindOf: (name: string) => WeightKind): IWeight[] {
    const made = tensors.map(tensor => {
      const weight = this._weight(tensor, tensor.name, kindOf(tensor.name));
      return isControl(weight) ? this._inMemory(weight, tensor.name) : weight;
    });
    const names = new Map<string, string[]>();
    const identities = made.map(
      ({ storage, dtype, shape }) => `${storage}|${dtype}|${shape.join()}`
    );
    identities.forEach((identity, i) => {
      const group = names.get(identity);
      if (group === undefined) {
        names.set(identity, [tensors[i].name]);
      } else {
        group.push(tensors[i].name);
      }
    });
    const weights = new Map<string, IWeight>();
    return made.map((weight, i) => {
      let shared = weights.get(identities[i]);
      if (shared === undefined) {
        shared = { ...weight, names: names.get(identities[i])! };
        weights.set(identities[i], shared);
      }
      return shared;
    });
  }

  /** A tensor written into a node; in memory where it is small. */
  constant(tensor: IRawTensor, label: string): IWeight {
    const weight = this._weight(tensor, label, 'constant');
    return weight.data.kind === 'range' && weight.data.range.length <= INLINE_BYTES
      ? this._inMemory(weight, label)
      : weight;
  }

  /** The weight with its bytes read, where they lie in the model's own file. */
  private _inMemory(weight: IWeight, label: string): IWeight {
    const { data } = weight;
    if (data.kind !== 'range' || data.range.file !== this._file.path) {
      return weight;
    }
    const { offset, length } = data.range;
    return { ...weight, data: { kind: 'inline', bytes: this._file.read(offset, length, label) } };
  }

  private _weight(tensor: IRawTensor, label: string, kind: WeightKind): IWeight {
    const dtype = dtypeOfElementType(tensor.dataType);
    if (dtype === null) {
      throw new CastlensError(
        'unsupported-format',
        'a tensor has an element type castlens cannot read',
        {
          file: this._file.path,
          entry: label,
          expected: 'an element type of onnx.proto (IR version 13)',
          found: `data_type ${tensor.dataType}`
        }
      );
    }
    const shape = this._shape(tensor, label);
    const data = this._data(tensor, label, dtype, shape);
    const storage =
      data.kind === 'range'
        ? `${data.range.file}:${data.range.offset}:${data.range.length}`
        : `inline:${this._inlineNames.take(label)}`;
    return {
      storage,
      names: [label],
      kind,
      dtype,
      shape,
      strides: contiguousStrides(shape),
      storageOffset: 0,
      requiresGrad: null,
      data
    };
  }

  private _shape(tensor: IRawTensor, label: string): number[] {
    return tensor.dims.map(size => {
      if (typeof size !== 'number' || size < 0) {
        throw new CastlensError('bad-file', 'a tensor has an invalid size', {
          file: this._file.path,
          entry: label,
          expected: 'non-negative sizes below 2^53',
          found: String(size)
        });
      }
      return size;
    });
  }

  private _data(
    tensor: IRawTensor,
    label: string,
    dtype: DType,
    shape: readonly number[]
  ): WeightData {
    const count = elementCount(shape);
    if (dtype === 'string') {
      const found = tensor.strings?.length ?? 0;
      this._checkSize(label, dtype, shape, 'strings', count, found);
      return { kind: 'inline', bytes: packedStringsOf(tensor) };
    }
    const needed = sizeInBytes(dtype, count);
    if (tensor.external !== null) {
      return { kind: 'range', range: this._external.resolve(label, tensor.external, needed) };
    }
    if (tensor.range !== null) {
      this._checkSize(label, dtype, shape, 'bytes', needed, tensor.range.length);
      return { kind: 'range', range: tensor.range };
    }
    const perNumber =
      DTYPES[dtype].kind === 'complex' ? DTYPES[dtype].bits / 16 : DTYPES[dtype].bits / 8;
    const numbers = tensor.numbers.length;
    this._checkSize(
      label,
      dtype,
      shape,
      'numbers',
      Math.ceil(needed / Math.max(perNumber, 1)),
      numbers
    );
    return { kind: 'inline', bytes: packNumbers(tensor.numbers, dtype) };
  }

  private _checkSize(
    label: string,
    dtype: DType,
    shape: readonly number[],
    unit: string,
    expected: number,
    found: number
  ): void {
    if (found !== expected) {
      throw new CastlensError('bad-file', 'the data of a tensor does not fit its shape', {
        file: this._file.path,
        entry: label,
        expected: `${expected} ${unit} for ${dtype} [${shape.join(', ')}]`,
        found: `${found} ${unit}`,
        hint: 'The file is damaged: export it again.'
      });
    }
  }

  /** Of the whole model: tensors of different graphs may have one name. */
  private readonly _inlineNames = new UniqueNames();
}

/** Whether a weight is a single number or truth value of the kind that says how often loops run. */
function isControl({ dtype, shape }: IWeight): boolean {
  return (dtype === 'int64' || dtype === 'bool') && shape.every(size => size === 1);
}

/**
 * Bytes of the elements of a typed field. Types narrower than the field are stored as their bits (onnx.proto, `int32_data`);
 * packed types as bytes of two or four elements.
 */
function packNumbers(numbers: readonly (number | bigint)[], dtype: DType): Uint8Array {
  switch (dtype) {
    case 'float32':
    case 'complex64':
      return bytesOf(Float32Array.from(numbers, Number));
    case 'float64':
    case 'complex128':
      return bytesOf(Float64Array.from(numbers, Number));
    case 'int64':
    case 'uint64':
      return bytesOf(BigInt64Array.from(numbers, value => BigInt.asIntN(64, BigInt(value))));
    case 'int32':
    case 'uint32':
      return bytesOf(Int32Array.from(numbers, value => Number(BigInt.asIntN(32, BigInt(value)))));
    case 'int16':
    case 'uint16':
    case 'float16':
    case 'bfloat16':
      return bytesOf(Int16Array.from(numbers, Number));
    case 'bool':
    case 'int8':
    case 'uint8':
    case 'float8_e4m3fn':
    case 'float8_e5m2':
    case 'float8_e4m3fnuz':
    case 'float8_e5m2fnuz':
    case 'float8_e8m0fnu':
    case 'float4_e2m1fn':
    case 'int4':
    case 'uint4':
    case 'int2':
    case 'uint2':
      return bytesOf(Int8Array.from(numbers, Number));
    case 'complex32':
    case 'string':
      throw new Error(`packNumbers: ONNX does not store ${dtype} as numbers`);
  }
}

function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
