/**
 * `TensorMeta` records: what a `.pt2` file says about one tensor.
 *
 * @packageDocumentation
 */
import type { Dim, DType } from '../../model';
import { dtypeOfScalarType, layoutName } from './enums';
import type { JsonRecord } from '../jsonrecord';
import { parseSymExpr } from './symexpr';

/** A tensor as recorded. */
export interface ITensorMeta {
  readonly dtype: DType;
  readonly shape: readonly Dim[];
  readonly strides: readonly Dim[];
  /** In elements. */
  readonly storageOffset: number | null;
  readonly requiresGrad: boolean;
  /** `strided`, `sparse_coo`, ... */
  readonly layout: string;
  /** `cpu`, `cuda`, ... */
  readonly device: string | null;
}

/** The type in a `Device` record, without its index. */
function deviceType(value: unknown): string | null {
  const type: unknown = (value as { type?: unknown } | null | undefined)?.type;
  return typeof type === 'string' ? type : null;
}

/** Reads the `TensorMeta` and `SymInt` objects of one record. */
export class TensorMetaReader {
  constructor(private readonly _json: JsonRecord) {}

  tensorMeta(value: unknown, where: string): ITensorMeta {
    const json = this._json;
    const meta = json.object(value, where);
    const dtype = this.dtype(meta.dtype, `${where}.dtype`);
    const offset = meta.storage_offset === undefined ? 0 : this.dim(meta.storage_offset, where);
    return {
      dtype,
      shape: this._dims(meta.sizes, `${where}.sizes`),
      strides: meta.strides === undefined ? [] : this._dims(meta.strides, `${where}.strides`),
      storageOffset: typeof offset === 'number' ? offset : null,
      requiresGrad: meta.requires_grad === true,
      layout: meta.layout === undefined ? 'strided' : (layoutName(meta.layout) ?? 'unknown'),
      device: deviceType(meta.device)
    };
  }

  dtype(value: unknown, where: string): DType {
    const dtype = dtypeOfScalarType(value);
    if (dtype === null) {
      throw this._json.fail(where, 'a ScalarType of schema 8', value);
    }
    return dtype;
  }

  /** A `SymInt`: `{as_int}` or `{as_expr: {expr_str, hint}}`. */
  dim(value: unknown, where: string): Dim {
    const { tag, value: inner } = this._json.variant(value, where);
    switch (tag) {
      case 'as_int':
        return this._json.safeInteger(inner, where);
      case 'as_expr': {
        const text = this._json.string(
          this._json.object(inner, where).expr_str,
          `${where}.expr_str`
        );
        let dim = this._expressions.get(text);
        if (dim === undefined) {
          dim = parseSymExpr(text);
          this._expressions.set(text, dim);
        }
        return dim;
      }
      default:
        throw this._json.fail(where, 'as_int or as_expr', tag);
    }
  }

  private _dims(value: unknown, where: string): Dim[] {
    return this._json.array(value, where).map(item => this.dim(item, where));
  }

  private readonly _expressions = new Map<string, Dim>();
}
