/**
 * What the operators of ai.onnx take and give, by version of the operator set.
 *
 * Source: the schemas of the `onnx` package with all their versions (`onnx.defs.get_all_schemas_with_history()`).
 *
 * @packageDocumentation
 */
import { ONNX_TABLE, TYPE_SETS } from './onnxtable';

/** A formal operand or result. */
export interface IOnnxParameter {
  readonly name: string;
  /**
   * - `one`: always there.
   * - `optional`: may be left out.
   * - `many`: any number of one type; always the last.
   * - `mixed`: any number, each of a type of its own; always the last.
   */
  readonly count: 'one' | 'optional' | 'many' | 'mixed';
  /** Of `many` and `mixed`, the fewest there may be. */
  readonly fewest: number;
  /** The name of a type variable (`T`); where the schema has no such variable, one type (`float32`). */
  readonly type: string;
}

/** One version of an operator. */
export interface IOnnxSchema {
  /** First version of the operator set that it is in. */
  readonly since: number;
  readonly inputs: readonly IOnnxParameter[];
  readonly outputs: readonly IOnnxParameter[];
  /**
   * What each type variable may stand for: names of dtypes, `seq(float32)`, `optional(float32)`; also types that castlens has no dtype
   * for.
   */
  readonly types: ReadonlyMap<string, ReadonlySet<string>>;
}

/**
 * The operator as a version of the operator set has it.
 *
 * @param name - without domain: `Gemm`.
 * @returns null where no version of ai.onnx up to `opset` has it.
 */
export function onnxSchema(name: string, opset: number): IOnnxSchema | null {
  return onnxVersions(name).findLast(({ since }) => since <= opset) ?? null;
}

/** All versions of an operator in order; none where ai.onnx never had it. */
export function onnxVersions(name: string): readonly IOnnxSchema[] {
  let versions = parsed.get(name);
  if (versions === undefined) {
    versions = Object.hasOwn(ONNX_TABLE, name) ? ONNX_TABLE[name].map(parse) : [];
    parsed.set(name, versions);
  }
  return versions;
}

/** First version of the operator set that has an operator; null where none has. */
export function onnxSince(name: string): number | null {
  return onnxVersions(name)[0]?.since ?? null;
}

/** Names of all operators that ai.onnx has or had. */
export function onnxOperators(): string[] {
  return Object.keys(ONNX_TABLE);
}

/** The formal operand at a position, or the formal result; null beyond the last. */
export function parameterAt(
  parameters: readonly IOnnxParameter[],
  position: number
): IOnnxParameter | null {
  const last = parameters.at(-1);
  if (position < parameters.length) {
    return parameters[position];
  }
  return last !== undefined && isVariadic(last) ? last : null;
}

/** Whether a parameter stands for any number of operands. */
export function isVariadic({ count }: IOnnxParameter): boolean {
  return count === 'many' || count === 'mixed';
}

/** What a parameter may be: the types of its variable, or its one type. */
export function typesOf(schema: IOnnxSchema, parameter: IOnnxParameter): ReadonlySet<string> {
  return schema.types.get(parameter.type) ?? new Set([parameter.type]);
}

/** Versions by operator, those that were asked for: most models use few. */
const parsed = new Map<string, readonly IOnnxSchema[]>();

/** `since|inputs|outputs|variables`, as scripts/onnxschemas/generate.py writes them. */
function parse(text: string): IOnnxSchema {
  const [since, inputs, outputs, variables] = text.split('|');
  return {
    since: Number(since),
    inputs: splitList(inputs).map(parseParameter),
    outputs: splitList(outputs).map(parseParameter),
    types: new Map(
      splitList(variables).map(variable => {
        const [name, set] = variable.split('=');
        return [name, typeSet(Number(set))];
      })
    )
  };
}

function splitList(text: string): string[] {
  return text === '' ? [] : text.split(',');
}

/** `X:T`, `roi?:T2` (optional), `inputs*1:T` (one or more of one type), `outputs**0:V` (any number of any types). */
function parseParameter(text: string): IOnnxParameter {
  const [, name, mark, fewest, type] = /^(\w+)(\?|\*{0,2})(\d*):(.+)$/u.exec(text)!;
  const count = ({ '': 'one', '?': 'optional', '*': 'many', '**': 'mixed' } as const)[
    mark as '' | '?' | '*' | '**'
  ];
  return { name, count, fewest: Number(fewest), type };
}

const sets = new Map<number, ReadonlySet<string>>();

function typeSet(index: number): ReadonlySet<string> {
  let set = sets.get(index);
  if (set === undefined) {
    set = new Set(TYPE_SETS[index].split(' '));
    sets.set(index, set);
  }
  return set;
}
