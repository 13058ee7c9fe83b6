/**
 * Where the types of a graph of ai.onnx break its specification.
 *
 * @packageDocumentation
 */
import type { DType, IGraph, INode, IValue } from '../model';
import { bodiesOf } from '../model';
import type { IOnnxParameter, IOnnxSchema } from './onnxschemas';
import { isVariadic, onnxSchema, onnxVersions, parameterAt, typesOf } from './onnxschemas';

/** A value at fault, by the name of the formal operand or result that it stands for. */
export interface ITypedPart {
  readonly parameter: string;
  readonly value: string;
  readonly dtype: DType;
}

/** One break of the rules. */
export type OnnxTypeError = {
  /** The operator call; null for what is wrong with an initializer. */
  readonly node: INode | null;
  readonly opset: number;
} & (
  | {
      /** The file declares another type than is computed. */
      readonly kind: 'declared';
      readonly value: string;
      readonly computed: DType;
      readonly declared: DType;
      readonly isOutput: boolean;
    }
  | {
      /** Operands that are to be of one type are of several. */
      readonly kind: 'operands';
      readonly parts: readonly ITypedPart[];
      /** First later version of the operator set that takes them; null where none does. */
      readonly takenSince: number | null;
    }
  | {
      /** An operand or a result is of a type that the operator does not have. */
      readonly kind: 'operand' | 'result';
      readonly part: ITypedPart;
      readonly allowed: readonly string[];
      readonly takenSince: number | null;
    }
  | {
      /** A branch returns another type than the other branch, a loop another type than it was given. */
      readonly kind: 'bodies';
      readonly parts: readonly ITypedPart[];
    }
);

/**
 * Every place where the types of a graph, and of the graphs nested in it, break the specification of ai.onnx; in order. What
 * follows from an error found before is none of its own.
 *
 * #### Notes
 * Nodes of other domains and values of unknown type are not looked at, nor are sequences and optional values.
 *
 * #### Complexity
 * Linear in operands.
 */
export function onnxTypeErrors(graph: IGraph): OnnxTypeError[] {
  const checker = new Checker(graph.opsets[''] ?? 1, new Set(graph.outputs));
  checker.check(graph);
  return checker.errors;
}

class Checker {
  constructor(
    private readonly _opset: number,
    private readonly _outputs: ReadonlySet<IValue>
  ) {}

  readonly errors: OnnxTypeError[] = [];

  check(graph: IGraph): void {
    for (const { value } of graph.weights) {
      this._checkDeclared(value, null);
    }
    for (const node of graph.nodes) {
      bodiesOf(node).forEach(body => this.check(body));
      this._checkNode(node);
    }
  }

  private _checkNode(node: INode): void {
    const before = this.errors.length;
    this._checkBodies(node);
    const schema = schemaOf(node, this._opset);
    if (schema !== null) {
      this._checkOperands(node, schema);
    }
    const isFaulty = this.errors.length > before;
    const isUnsure = node.inputs.some(value => value !== null && this._unsure.has(value));
    node.outputs.forEach((value, i) => {
      if (value === null) {
        return;
      }
      if (isFaulty || isUnsure) {
        this._unsure.add(value);
      } else if (this._checkDeclared(value, node) && schema !== null) {
        this._checkResult(node, schema, value, i);
      }
    });
  }

  private _checkOperands(node: INode, schema: IOnnxSchema): void {
    const fault = operandFault(node, schema, value => this._typeOf(value));
    if (fault !== null) {
      const takenSince = this._takenSince(node);
      this.errors.push({ ...fault, node, opset: this._opset, takenSince });
    }
  }

  private _checkResult(node: INode, schema: IOnnxSchema, value: IValue, index: number): void {
    const parameter = parameterAt(schema.outputs, index);
    if (parameter === null || value.kind !== 'tensor' || value.dtype === null) {
      return;
    }
    const allowed = typesOf(schema, parameter);
    if (!allowed.has(value.dtype)) {
      this._unsure.add(value);
      this.errors.push({
        kind: 'result',
        node,
        opset: this._opset,
        part: {
          parameter: nameOf(parameter, index, schema.outputs),
          value: value.name,
          dtype: value.dtype
        },
        allowed: tensorTypes(allowed),
        takenSince: this._takenSince(node)
      });
    }
  }

  /** @returns whether the value is of the type that the file declares, or it declares none. */
  private _checkDeclared(value: IValue, node: INode | null): boolean {
    const { dtype, declaredDtype } = value;
    if (
      value.kind !== 'tensor' ||
      dtype === null ||
      declaredDtype === null ||
      dtype === declaredDtype
    ) {
      return true;
    }
    this._unsure.add(value);
    this._contradicted.add(value);
    this.errors.push({
      kind: 'declared',
      node,
      opset: this._opset,
      value: value.name,
      computed: dtype,
      declared: declaredDtype,
      isOutput: this._outputs.has(value)
    });
    return false;
  }

  /** Branches that return different types, and loops whose state changes its type. */
  private _checkBodies(node: INode): void {
    const [body] = bodiesOf(node) as (IGraph | undefined)[];
    const compare = (parts: readonly (readonly [string, IValue | null | undefined])[]): void => {
      const known = parts.flatMap(([parameter, value]) => {
        const dtype = value ? this._typeOf(value) : null;
        return dtype === null ? [] : [{ parameter, value: value!.name, dtype }];
      });
      if (known.some(({ dtype }) => dtype !== known[0].dtype)) {
        this.errors.push({ kind: 'bodies', node, opset: this._opset, parts: known });
      }
    };
    const { then_branch: yes, else_branch: no } = node.attrs;
    if (node.op === 'onnx.If' && yes?.kind === 'graph' && no?.kind === 'graph') {
      yes.value.outputs.forEach((value, i) =>
        compare([
          ['then', value],
          ['else', no.value.outputs[i]]
        ])
      );
    } else if (node.op === 'onnx.Loop' && body !== undefined) {
      node.inputs.slice(2).forEach((value, i) =>
        compare([
          ['given', value],
          ['in the body', body.inputs[i + 2]],
          ['returned', body.outputs[i + 1]]
        ])
      );
    } else if (node.op === 'onnx.Scan' && body !== undefined && this._opset >= 9) {
      const { num_scan_inputs: sequences } = node.attrs;
      const states = node.inputs.length - (sequences?.kind === 'int' ? Number(sequences.value) : 0);
      node.inputs.forEach((value, i) =>
        compare([
          ['given', value],
          ['in the body', body.inputs[i]],
          ['returned', i < states ? body.outputs[i] : null]
        ])
      );
    }
  }

  /** The type to check an operand by; null where it is not known, or an error has been told that it follows from. */
  private _typeOf(value: IValue): DType | null {
    if (value.kind !== 'tensor' || this._contradicted.has(value)) {
      return null;
    }
    return this._unsure.has(value) ? value.declaredDtype : value.dtype;
  }

  /** First later version of the operator set in which the operands and results of a node are valid. */
  private _takenSince(node: INode): number | null {
    const versions = onnxVersions(node.op.slice(DOMAIN.length));
    const valid = versions.find(
      schema => schema.since > this._opset && this._isValidUnder(node, schema)
    );
    return valid?.since ?? null;
  }

  private _isValidUnder(node: INode, schema: IOnnxSchema): boolean {
    const bound = new Map<string, DType>();
    const fits = (parameter: IOnnxParameter | null, dtype: DType | null): boolean => {
      if (parameter === null || dtype === null) {
        return parameter !== null;
      }
      const before = bound.get(parameter.type);
      if (parameter.count !== 'mixed' && schema.types.has(parameter.type)) {
        bound.set(parameter.type, dtype);
      } else if (parameter.count === 'mixed') {
        return typesOf(schema, parameter).has(dtype);
      }
      return (before === undefined || before === dtype) && typesOf(schema, parameter).has(dtype);
    };
    return (
      node.inputs.every(
        (value, i) => value === null || fits(parameterAt(schema.inputs, i), this._typeOf(value))
      ) &&
      node.outputs.every(
        (value, i) =>
          value === null || fits(parameterAt(schema.outputs, i), value.declaredDtype ?? value.dtype)
      )
    );
  }

  /** Values whose type is open, since something before them is wrong. */
  private readonly _unsure = new Set<IValue>();
  /** Values of which the file declares another type than is computed: users may mean either. */
  private readonly _contradicted = new Set<IValue>();
}

/** What is wrong with the operands of a node. */
export type OperandFault =
  | { readonly kind: 'operands'; readonly parts: readonly ITypedPart[] }
  | { readonly kind: 'operand'; readonly part: ITypedPart; readonly allowed: readonly string[] };

/**
 * The first operand of a type that a schema does not have, or else the first operands of several types that are to be of one; null where all
 * are right.
 *
 * @param typeOf - null for what is not to be looked at.
 */
export function operandFault(
  node: INode,
  schema: IOnnxSchema,
  typeOf: (value: IValue) => DType | null
): OperandFault | null {
  const bound = new Map<string, DType>();
  let divided: string | null = null;
  for (const [i, value] of node.inputs.entries()) {
    const parameter = parameterAt(schema.inputs, i);
    const dtype = value === null ? null : typeOf(value);
    if (value === null || parameter === null || dtype === null) {
      continue;
    }
    const { type, count } = parameter;
    const allowed = typesOf(schema, parameter);
    if (!allowed.has(dtype)) {
      const part = { parameter: nameOf(parameter, i, schema.inputs), value: value.name, dtype };
      return { kind: 'operand', part, allowed: tensorTypes(allowed) };
    }
    if (count !== 'mixed' && schema.types.has(type)) {
      if ((bound.get(type) ?? dtype) !== dtype) {
        divided ??= type;
      }
      bound.set(type, bound.get(type) ?? dtype);
    }
  }
  return divided === null
    ? null
    : { kind: 'operands', parts: partsOf(node, schema, divided, typeOf) };
}

/** The operands that stand for a type variable. */
function partsOf(
  { inputs }: INode,
  schema: IOnnxSchema,
  variable: string,
  typeOf: (value: IValue) => DType | null
): ITypedPart[] {
  return inputs.flatMap((value, i) => {
    const parameter = parameterAt(schema.inputs, i);
    const dtype = value === null ? null : typeOf(value);
    return value === null || dtype === null || parameter?.type !== variable
      ? []
      : [{ parameter: nameOf(parameter, i, schema.inputs), value: value.name, dtype }];
  });
}

/** The schema of a node of ai.onnx; null for nodes of other domains and operators that the operator set has not. */
export function schemaOf({ op }: INode, opset: number): IOnnxSchema | null {
  return op.startsWith(DOMAIN) ? onnxSchema(op.slice(DOMAIN.length), opset) : null;
}

const DOMAIN = 'onnx.';

/** `scales`; of any number of operands also which. */
function nameOf(
  parameter: IOnnxParameter,
  position: number,
  all: readonly IOnnxParameter[]
): string {
  return isVariadic(parameter)
    ? `${parameter.name}[${position - (all.length - 1)}]`
    : parameter.name;
}

/** The types of tensors among those of a type variable. */
function tensorTypes(types: ReadonlySet<string>): string[] {
  return [...types].filter(type => !type.includes('('));
}
