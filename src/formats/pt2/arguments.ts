/**
 * The `Argument` union of torch's export schema: what a node is called with.
 *
 * @packageDocumentation
 */
import type { Attr, IGraph, IValue } from '../../model';
import { CastlensError } from '../../model';
import { layoutName, memoryFormatName } from './enums';
import type { JsonObject, JsonRecord } from '../jsonrecord';
import type { TensorMetaReader } from './tensormeta';

/** What reading the arguments of one node needs from the graph around it. */
export interface IArgumentContext {
  /** The value a name stands for. Fails where there is none. */
  resolve(name: string): IValue;
  /** A nested graph. */
  graph(name: string, graph: JsonObject, where: string): IGraph;
}

/**
 * Reads arguments into attributes; values become entries of `inputs`, referred to by position.
 *
 * Source of the tags: torch/_export/serde/schema.py, schema 8.20.
 */
export class ArgumentReader {
  constructor(
    private readonly _json: JsonRecord,
    private readonly _metas: TensorMetaReader
  ) {}

  /** Read one argument. Values it refers to are appended to `inputs`. */
  read(
    argument: unknown,
    inputs: (IValue | null)[],
    context: IArgumentContext,
    where: string
  ): Attr {
    const json = this._json;
    const { tag, value } = json.variant(argument, where);
    const reference = (name: unknown): Attr => {
      inputs.push(context.resolve(json.string(name, where)));
      return { kind: 'input', index: inputs.length - 1 };
    };
    const tensor = (item: unknown): Attr => reference(json.object(item, where).name);
    const optional = (item: unknown): Attr => {
      const inner = json.variant(item, where);
      return inner.tag === 'as_tensor' ? tensor(inner.value) : { kind: 'none' };
    };
    const symbol = (item: unknown): Attr => {
      const inner = json.variant(item, where);
      switch (inner.tag) {
        case 'as_name':
          return reference(inner.value);
        case 'as_int':
          return integer(inner.value);
        case 'as_float':
          return float(inner.value);
        case 'as_bool':
          return boolean(inner.value);
        default:
          throw json.fail(where, 'a name or a number', inner.tag);
      }
    };
    const integer = (item: unknown): Attr => ({ kind: 'int', value: json.integer(item, where) });
    const float = (item: unknown): Attr => ({ kind: 'float', value: json.float(item, where) });
    const boolean = (item: unknown): Attr => ({ kind: 'bool', value: json.boolean(item, where) });
    const string = (item: unknown): Attr => ({ kind: 'string', value: json.string(item, where) });
    const list = (items: unknown, read: (item: unknown) => Attr): Attr => ({
      kind: 'list',
      items: json.array(items, where).map(read)
    });
    switch (tag) {
      case 'as_none':
        return { kind: 'none' };
      case 'as_tensor':
        return tensor(value);
      case 'as_tensors':
        return list(value, tensor);
      case 'as_nested_tensors':
        return list(value, items => list(items, tensor));
      case 'as_optional_tensor':
        return optional(value);
      case 'as_optional_tensors':
        return list(value, optional);
      case 'as_int':
        return integer(value);
      case 'as_ints':
        return list(value, integer);
      case 'as_int_lists':
        return list(value, items => list(items, integer));
      case 'as_float':
        return float(value);
      case 'as_floats':
        return list(value, float);
      case 'as_float_lists':
        return list(value, items => list(items, float));
      case 'as_bool':
        return boolean(value);
      case 'as_bools':
        return list(value, boolean);
      case 'as_string':
      case 'as_operator':
        return string(value);
      case 'as_strings':
        return list(value, string);
      case 'as_sym_int':
      case 'as_sym_float':
      case 'as_sym_bool':
        return symbol(value);
      case 'as_sym_ints':
      case 'as_sym_floats':
      case 'as_sym_bools':
        return list(value, symbol);
      case 'as_scalar_type':
        return { kind: 'dtype', value: this._metas.dtype(value, where) };
      case 'as_memory_format':
        return { kind: 'memory-format', value: this._named(memoryFormatName(value), value, where) };
      case 'as_layout':
        return { kind: 'layout', value: this._named(layoutName(value), value, where) };
      case 'as_device':
        return { kind: 'device', value: this.device(value, where) };
      case 'as_complex': {
        const complex = json.object(value, where);
        return { kind: 'list', items: [float(complex.real), float(complex.imag)] };
      }
      case 'as_graph': {
        const graph = json.object(value, where);
        const name = json.string(graph.name, `${where}.name`);
        return {
          kind: 'graph',
          value: context.graph(name, json.object(graph.graph, `${where}.graph`), where)
        };
      }
      case 'as_custom_obj':
        throw new CastlensError('unsupported-format', 'the program uses a custom object', {
          file: json.file,
          entry: json.entry,
          expected: 'tensors and numbers',
          found: `${where}: an object of class ${String(json.object(value, where).class_fqn)}`,
          hint: 'Custom objects hold code and are never loaded: export the model without it.'
        });
      default:
        throw new CastlensError('unsupported-format', `${where} is of an unknown kind`, {
          file: json.file,
          entry: json.entry,
          expected: 'an argument of export schema 8',
          found: tag,
          hint: 'The file may come from a newer torch than castlens knows.'
        });
    }
  }

  /** `cpu` or `cuda:1`. */
  device(value: unknown, where: string): string {
    const device = this._json.object(value, where);
    const type = this._json.string(device.type, `${where}.type`);
    return device.index == null ? type : `${type}:${String(device.index)}`;
  }

  private _named(name: string | null, value: unknown, where: string): string {
    if (name === null) {
      throw this._json.fail(where, 'a value of export schema 8', value);
    }
    return name;
  }
}
