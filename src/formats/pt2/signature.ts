/**
 * The signature of a `.pt2` program: which values are weights, inputs and outputs, and what the user calls them.
 *
 * @packageDocumentation
 */
import type { IPort, IValue, WeightKind } from '../../model';
import { CastlensError, UniqueNames } from '../../model';
import type { JsonObject, JsonRecord } from '../jsonrecord';
import type { InputSource } from './guards';
import type { LeafPath, NamedTuples } from './treespec';
import { parseTreeSpec } from './treespec';

/** A placeholder that stands for a stored tensor. */
export interface IWeightRef {
  readonly value: IValue;
  /** Fully qualified name. */
  readonly name: string;
  readonly kind: WeightKind;
}

/** The ends of a program. */
export interface ISignature {
  readonly weights: readonly IWeightRef[];
  readonly inputs: readonly IPort[];
  /** Where each input lies in `(args, kwargs)`; null where the file does not say. */
  readonly inputPaths: readonly LeafPath[] | null;
  /** What guards call each input. */
  readonly inputSources: readonly InputSource[];
  readonly outputs: readonly IPort[];
  readonly warnings: readonly string[];
  /** Names of the buffers and parameters that a forward gives new values. */
  readonly updated: ReadonlySet<string>;
}

/**
 * Read `graph_module.signature`, with the names in `module_call_graph`.
 *
 * @param scope - values of the root graph by the name the file uses.
 */
export function readSignature(
  json: JsonRecord,
  graphModule: JsonObject,
  scope: ReadonlyMap<string, IValue>
): ISignature {
  const where = 'graph_module.signature';
  const signature = json.object(graphModule.signature, where);
  const resolve = (name: unknown, place: string): IValue => {
    const text = json.string(name, place);
    const value = scope.get(text);
    if (value === undefined) {
      throw new CastlensError('bad-file', `${place} names a value the graph does not have`, {
        file: json.file,
        entry: json.entry,
        expected: 'a value of the graph',
        found: `'${text}'`
      });
    }
    return value;
  };
  const weights: IWeightRef[] = [];
  const inputs: (IPort & { name: string })[] = [];
  json.array(signature.input_specs, `${where}.input_specs`).forEach((item, i) => {
    const place = `${where}.input_specs[${i}]`;
    const { tag, value } = json.variant(item, place);
    const spec = json.object(value, place);
    switch (tag) {
      case 'user_input':
        inputs.push(portOf(json, spec.arg, place, resolve));
        return;
      case 'constant_input': {
        const name = json.string(spec.name, `${place}.name`);
        inputs.push(literalPort(name, json.variant(spec.value, `${place}.value`)));
        return;
      }
      case 'parameter':
      case 'buffer':
      case 'tensor_constant': {
        const kind: WeightKind = tag === 'tensor_constant' ? 'constant' : tag;
        weights.push({
          value: resolve(json.object(spec.arg, place).name, `${place}.arg`),
          name: json.string(spec[`${tag}_name`], `${place}.${tag}_name`),
          kind
        });
        return;
      }
      default:
        throw new CastlensError(
          'unsupported-format',
          `the program takes an input of kind '${tag}'`,
          {
            file: json.file,
            entry: json.entry,
            expected: 'tensors, numbers, parameters, buffers and constants',
            found: place,
            hint: 'Custom objects and effect tokens hold no tensors: export the model without them.'
          }
        );
    }
  });
  const outputs: (IPort & { name: string })[] = [];
  const ignored = new Map<string, string[]>();
  json.array(signature.output_specs, `${where}.output_specs`).forEach((item, i) => {
    const place = `${where}.output_specs[${i}]`;
    const { tag, value } = json.variant(item, place);
    const spec = json.object(value, place);
    if (tag === 'user_output' || tag === 'loss_output') {
      outputs.push(portOf(json, spec.arg, place, resolve));
    } else {
      const about = spec.buffer_name ?? spec.parameter_name ?? spec.user_input_name ?? place;
      const names = ignored.get(tag) ?? [];
      ignored.set(tag, names);
      names.push(String(about));
    }
  });
  const { inputPaths, inputSources } = nameInputs(json, graphModule, inputs);
  nameOutputs(json, graphModule, outputs);
  return {
    weights,
    inputs,
    inputPaths,
    inputSources,
    outputs,
    warnings: [...ignored].map(describeIgnored),
    updated: new Set([
      ...(ignored.get('buffer_mutation') ?? []),
      ...(ignored.get('parameter_mutation') ?? [])
    ])
  };
}

type MutablePort = { -readonly [K in keyof IPort]: IPort[K] };

function portOf(
  json: JsonRecord,
  argument: unknown,
  where: string,
  resolve: (name: unknown, place: string) => IValue
): MutablePort {
  const union = json.variant(argument, where);
  switch (union.tag) {
    case 'as_tensor':
      return valuePort(resolve(json.object(union.value, where).name, where));
    case 'as_sym_int':
    case 'as_sym_float':
    case 'as_sym_bool': {
      const symbol = json.variant(union.value, where);
      return symbol.tag === 'as_name'
        ? valuePort(resolve(symbol.value, where))
        : literalPort('', symbol);
    }
    case 'as_custom_obj':
      throw new CastlensError(
        'unsupported-format',
        'the program takes or returns a custom object',
        {
          file: json.file,
          entry: json.entry,
          expected: 'tensors and numbers',
          found: where,
          hint: 'Custom objects hold code and are never loaded: export the model without it.'
        }
      );
    default:
      return literalPort('', union);
  }
}

function valuePort(value: IValue): MutablePort {
  return { name: value.name, value, dtype: value.dtype, shape: value.shape };
}

function literalPort(name: string, union: { tag: string; value: unknown }): MutablePort {
  const literal = union.tag === 'as_none' ? 'None' : formatLiteral(union.value);
  return { name, value: null, dtype: null, shape: null, literal };
}

/** As Python writes it. The schema has lists of lists at most. */
function formatLiteral(value: unknown, depth = 0): string {
  if (typeof value === 'boolean') {
    return value ? 'True' : 'False';
  }
  if (Array.isArray(value)) {
    return depth < 2
      ? `[${value.map(item => formatLiteral(item, depth + 1)).join(', ')}]`
      : '[...]';
  }
  return typeof value === 'string' ? `'${value}'` : String(value);
}

/**
 * Names of the arguments of `forward`: keywords by their name, parts of a nested argument as `argument.key`.
 *
 * @returns what the names come from.
 */
function nameInputs(
  json: JsonRecord,
  graphModule: JsonObject,
  ports: MutablePort[]
): Pick<ISignature, 'inputPaths' | 'inputSources'> {
  const call = rootCall(json, graphModule);
  const parsed = parseTreeSpec(json, call?.in_spec, namedTuplesOf(graphModule));
  const leaves = parsed !== null && parsed.length === ports.length ? parsed : null;
  const argNames = Array.isArray(call?.forward_arg_names) ? call.forward_arg_names : [];
  const inputSources = ports.map((_, i) =>
    leaves === null ? null : inputSource(leaves[i], argNames)
  );
  const names = new UniqueNames();
  ports.forEach((port, i) => {
    port.name = names.take(inputSources[i]?.join('.') ?? (port.name || `input_${i}`));
  });
  return { inputPaths: leaves, inputSources };
}

/** The path of an input starts with 0 and a position, or 1 and a keyword. */
function inputSource(path: LeafPath, argNames: readonly unknown[]): InputSource {
  const [kind, first, ...rest] = path;
  if (first === undefined) {
    return null;
  }
  const head: unknown = kind === 0 && typeof first === 'number' ? argNames[first] : first;
  return typeof head === 'string' ? [head, ...rest].map(String) : null;
}

/** Keys of a returned dictionary or dataclass; `output_<i>` where there are none. */
function nameOutputs(json: JsonRecord, graphModule: JsonObject, ports: MutablePort[]): void {
  const leaves = parseTreeSpec(
    json,
    rootCall(json, graphModule)?.out_spec,
    namedTuplesOf(graphModule)
  );
  const names = new UniqueNames();
  ports.forEach((port, i) => {
    const path = leaves !== null && leaves.length === ports.length ? leaves[i] : [];
    const named = path.some(key => typeof key === 'string');
    port.name = names.take(named ? path.join('.') : `output_${i}`);
  });
}

function rootCall(json: JsonRecord, graphModule: JsonObject): JsonObject | null {
  const calls = graphModule.module_call_graph;
  if (!Array.isArray(calls) || calls.length === 0) {
    return null;
  }
  const root = json.object(calls[0], 'graph_module.module_call_graph[0]');
  return root.signature == null
    ? null
    : json.object(root.signature, 'module_call_graph[0].signature');
}

function namedTuplesOf(graphModule: JsonObject): NamedTuples {
  const result = new Map<string, readonly string[]>();
  const table = graphModule.treespec_namedtuple_fields;
  if (typeof table === 'object' && table !== null) {
    for (const [name, entry] of Object.entries(table)) {
      const fields: unknown = (entry as { field_names?: unknown } | null)?.field_names;
      if (Array.isArray(fields)) {
        result.set(name, fields.map(String));
      }
    }
  }
  return result;
}

function describeIgnored([tag, names]: [string, string[]]): string {
  const shown = names.slice(0, 5).join(', ') + (names.length > 5 ? ', ...' : '');
  switch (tag) {
    case 'buffer_mutation':
      return `The program updates ${names.length} buffer(s) (${shown}): castlens runs single forwards and ignores the updates.`;
    case 'user_input_mutation':
      return `The program writes into ${names.length} of its inputs (${shown}): castlens ignores that.`;
    default:
      return `The program has ${names.length} output(s) of kind ${tag} (${shown}): castlens ignores them.`;
  }
}
