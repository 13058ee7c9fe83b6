/**
 * How wrong types of a graph of ai.onnx can be put right without a choice to make.
 *
 * @packageDocumentation
 */
import type { DType, IGraph, INode, IValue } from '../model';
import { bodiesOf, DTYPES, graphsOf, isLosslessCast, usesOf } from '../model';
import type { IOnnxSchema } from './onnxschemas';
import { parameterAt, typesOf } from './onnxschemas';
import { operandFault, schemaOf } from './onnxtypeerrors';

/** What is to change so that the types of a graph are right. */
export interface ITypeRepairs {
  /** Casts that get another target. */
  readonly targets: ReadonlyMap<INode, DType>;
  /** Values that are declared in another type: the one they have. */
  readonly declared: ReadonlyMap<IValue, DType>;
  /** Operands that are cast before a node, by position. */
  readonly operands: ReadonlyMap<INode, ReadonlyMap<number, DType>>;
  /** Results that are cast behind their node, so that the value keeps its type. */
  readonly results: ReadonlyMap<IValue, DType>;
  /** Initializers that are stored in another type, since every use wants that one. */
  readonly weights: ReadonlyMap<IValue, DType>;
}

/** Type of a result of a node whose operands have theirs; null where it cannot be told. */
export type ResultTypes = (node: INode, index: number, opset: number) => DType | null;

/**
 * Plan the repairs that need no choice, in order of the graph:
 *
 * - Operands that are to be of one type are cast to the narrowest type that holds all of them exactly and that the operator takes. What the
 *   operator returned before, or the file declares, is cast back to.
 * - A Cast whose target contradicts the declared type of its result gets the declared one where those who use the result need that, and
 *   else the declaration is corrected.
 * - An output that is declared in another type than is computed is cast, since callers rely on the declaration.
 * - Branches and states of loops are cast to the type of the value that they stand for.
 *
 * What cannot be repaired so is left as it is; `onnxTypeErrors` finds it in the file that is written.
 *
 * @param resultTypes - of a node whose operands are given in their repaired types.
 *
 * #### Complexity
 * Linear in operands.
 */
export function planTypeRepairs(graph: IGraph, resultTypes: ResultTypes): ITypeRepairs {
  const planner = new Planner(graph, resultTypes);
  planner.walk(graph);
  planner.storeInitializers();
  return planner;
}

class Planner implements ITypeRepairs {
  constructor(
    graph: IGraph,
    private readonly _resultTypes: ResultTypes
  ) {
    this._opset = graph.opsets[''] ?? 1;
    this._uses = usesOf(graph);
    this._outputs = new Set(graph.outputs);
    this._returned = new Set(graphsOf(graph).flatMap(({ outputs }) => outputs));
  }

  readonly targets = new Map<INode, DType>();
  readonly declared = new Map<IValue, DType>();
  readonly operands = new Map<INode, Map<number, DType>>();
  readonly results = new Map<IValue, DType>();
  readonly weights = new Map<IValue, DType>();

  walk(graph: IGraph): void {
    graph.weights.forEach(({ value }) => this._weightValues.add(value));
    for (const { value } of graph.weights) {
      if (isContradicted(value)) {
        this.declared.set(value, value.dtype!);
      }
    }
    for (const node of graph.nodes) {
      this._fitLoopState(node);
      bodiesOf(node).forEach(body => this.walk(body));
      this._fitBodies(node);
      this._repair(node);
    }
  }

  /** Casts of an initializer that all uses want are done once, in the file. */
  storeInitializers(): void {
    for (const value of this._weightValues) {
      const uses = this._uses.get(value) ?? [];
      const wanted = new Set(uses.map(({ node, index }) => this.operands.get(node)?.get(index)));
      const [dtype] = wanted;
      if (
        wanted.size !== 1 ||
        dtype === undefined ||
        this._returned.has(value) ||
        !isLosslessCast(value.dtype!, dtype)
      ) {
        continue;
      }
      this.weights.set(value, dtype);
      this.declared.set(value, dtype);
      for (const { node, index } of uses) {
        this.operands.get(node)!.delete(index);
      }
    }
  }

  private _repair(node: INode): void {
    const schema = schemaOf(node, this._opset);
    const fault = schema === null ? null : operandFault(node, schema, value => this._typeOf(value));
    const casts = fault === null ? null : this._operandCasts(node, schema!);
    if (fault !== null && casts === null) {
      return;
    }
    const repaired = this._withTypes(node, casts);
    casts?.forEach((dtype, index) => this._castOperand(node, index, dtype));
    node.outputs.forEach((value, i) => {
      if (value === null || value.kind !== 'tensor') {
        return;
      }
      const made = this._resultOf(node, repaired, i);
      if (made === null) {
        return;
      }
      if (casts !== null) {
        this._keepType(value, made, this._typeBefore(node, value, i, schema!));
      } else if (value.declaredDtype !== null && value.declaredDtype !== made) {
        this._reconcile(node, value, made, value.declaredDtype);
      } else {
        this._types.set(value, made);
      }
    });
  }

  /** A value of which the file declares another type than its node gives. */
  private _reconcile(node: INode, value: IValue, made: DType, declared: DType): void {
    if (
      node.op === 'onnx.Cast' &&
      (this._outputs.has(value) || !this._fitsUses(value, made)) &&
      this._fitsUses(value, declared)
    ) {
      this.targets.set(node, declared);
      this._types.set(value, declared);
    } else if (this._outputs.has(value)) {
      this._keepType(value, made, declared);
    } else {
      this.declared.set(value, made);
      this._types.set(value, made);
    }
  }

  /** Cast a result back to the type that the value had; without one the value has the new type. */
  private _keepType(value: IValue, made: DType, before: DType | null): void {
    if (before !== null && before !== made) {
      this.results.set(value, before);
    }
    this._types.set(value, before ?? made);
  }

  /** The type that a value is expected in: as declared; else that of the operands, where they agreed. */
  private _typeBefore(
    node: INode,
    value: IValue,
    index: number,
    schema: IOnnxSchema
  ): DType | null {
    if (value.declaredDtype !== null) {
      return value.declaredDtype;
    }
    const variable = parameterAt(schema.outputs, index)?.type;
    const given = new Set(
      node.inputs.flatMap((operand, i) =>
        operand !== null && parameterAt(schema.inputs, i)?.type === variable
          ? (this._typeOf(operand) ?? [])
          : []
      )
    );
    const [only] = given;
    return given.size === 1 ? only : null;
  }

  /** By position, the types that operands must be cast to; null where no type fits without loss. */
  private _operandCasts(node: INode, schema: IOnnxSchema): Map<number, DType> | null {
    const casts = new Map<number, DType>();
    const groups = new Map<string, { readonly index: number; readonly dtype: DType }[]>();
    for (const [index, value] of node.inputs.entries()) {
      const parameter = parameterAt(schema.inputs, index);
      const dtype = value === null ? null : this._typeOf(value);
      if (parameter === null || dtype === null) {
        continue;
      }
      const isAlone = parameter.count === 'mixed' || !schema.types.has(parameter.type);
      const key = isAlone ? `${parameter.type} ${index}` : parameter.type;
      addTo(groups, key, { index, dtype });
    }
    for (const group of groups.values()) {
      const allowed = typesOf(schema, parameterAt(schema.inputs, group[0].index)!);
      const target = narrowest(
        group.map(({ dtype }) => dtype),
        allowed
      );
      if (target === null) {
        return null;
      }
      group.forEach(({ index, dtype }) => dtype !== target && casts.set(index, target));
    }
    return casts;
  }

  /** The state of a loop is given in the type that its body declares. */
  private _fitLoopState(node: INode): void {
    const body = node.op === 'onnx.Loop' || node.op === 'onnx.Scan' ? bodiesOf(node)[0] : undefined;
    body?.inputs.forEach((inner, i) => {
      const operand = node.inputs[i] ?? null;
      if (operand === null || (node.op === 'onnx.Loop' && i < 2)) {
        return;
      }
      const given = this._typeOf(operand);
      const wanted = inner.declaredDtype;
      if (given !== null && wanted !== null && given !== wanted && isFloat(given, wanted)) {
        this._castOperand(node, i, wanted);
      }
    });
  }

  /** What bodies return is of the type of what it stands for. */
  private _fitBodies(node: INode): void {
    const bodies = bodiesOf(node);
    const wantedAt = (i: number): DType | null => {
      if (node.op === 'onnx.If') {
        const types = bodies.flatMap(({ outputs }) => this._knownType(outputs[i]) ?? []);
        return node.outputs[i]?.declaredDtype ?? narrowest(types, null);
      }
      const states =
        node.op === 'onnx.Loop' ? bodies[0].inputs.slice(2) : bodies[0].inputs.slice(0, -1);
      const position = node.op === 'onnx.Loop' ? i - 1 : i;
      return position >= 0 && position < states.length ? this._knownType(states[position]) : null;
    };
    if (node.op !== 'onnx.If' && node.op !== 'onnx.Loop') {
      return;
    }
    for (const body of bodies) {
      const made = new Set(body.nodes.flatMap(({ outputs }) => outputs));
      body.outputs.forEach((value, i) => {
        const wanted = wantedAt(i);
        const dtype = this._knownType(value);
        if (wanted === null || dtype === null || dtype === wanted || !made.has(value)) {
          return;
        }
        this.results.set(value, wanted);
        this.declared.set(value, wanted);
        this._types.set(value, wanted);
      });
    }
  }

  private _castOperand(node: INode, index: number, dtype: DType): void {
    const casts = this.operands.get(node) ?? new Map<number, DType>();
    this.operands.set(node, casts.set(index, dtype));
  }

  /** The node with operands in their repaired types, for whoever looks at those alone. */
  private _withTypes(node: INode, casts: ReadonlyMap<number, DType> | null): INode {
    const inputs = node.inputs.map((value, i) =>
      value === null ? null : { ...value, dtype: casts?.get(i) ?? this._typeOf(value) }
    );
    return { ...node, inputs };
  }

  private _resultOf(node: INode, repaired: INode, index: number): DType | null {
    const [body] = bodiesOf(node) as (IGraph | undefined)[];
    const returned =
      node.op === 'onnx.If'
        ? body?.outputs[index]
        : node.op === 'onnx.Loop'
          ? body?.outputs[index + 1]
          : undefined;
    return returned === undefined
      ? this._resultTypes(repaired, index, this._opset)
      : this._knownType(returned);
  }

  /** Whether all who use a value take it in a type. */
  private _fitsUses(value: IValue, dtype: DType): boolean {
    return (this._uses.get(value) ?? []).every(({ node }) => {
      const schema = schemaOf(node, this._opset);
      return (
        schema === null ||
        operandFault(node, schema, other => (other === value ? dtype : this._typeOf(other))) ===
          null
      );
    });
  }

  private _typeOf(value: IValue): DType | null {
    return value.kind === 'tensor' ? (this._types.get(value) ?? value.dtype) : null;
  }

  private _knownType(value: IValue | undefined): DType | null {
    return value === undefined ? null : this._typeOf(value);
  }

  private readonly _opset: number;
  private readonly _uses: ReturnType<typeof usesOf>;
  /** What the whole graph returns, and what it or a graph nested in it returns. */
  private readonly _outputs: ReadonlySet<IValue>;
  private readonly _returned: ReadonlySet<IValue>;
  private readonly _weightValues = new Set<IValue>();
  /** Types of values as repaired. */
  private readonly _types = new Map<IValue, DType>();
}

function isContradicted({ kind, dtype, declaredDtype }: IValue): boolean {
  return kind === 'tensor' && dtype !== null && declaredDtype !== null && dtype !== declaredDtype;
}

function isFloat(...dtypes: DType[]): boolean {
  return dtypes.every(dtype => DTYPES[dtype].kind === 'float');
}

/** Add an item to the list of a key: some operators take thousands of operands. */
function addTo<K, T>(lists: Map<K, T[]>, key: K, item: T): void {
  const list = lists.get(key);
  if (list === undefined) {
    lists.set(key, [item]);
  } else {
    list.push(item);
  }
}

/** The type of the fewest bits that holds all values of all types; null where none of those allowed does. */
function narrowest(dtypes: readonly DType[], allowed: ReadonlySet<string> | null): DType | null {
  const candidates = (Object.keys(DTYPES) as DType[])
    .filter(dtype => allowed?.has(dtype) ?? true)
    .filter(dtype => dtypes.every(one => isLosslessCast(one, dtype)))
    .sort((a, b) => DTYPES[a].bits - DTYPES[b].bits);
  const given = candidates.find(dtype => dtypes.includes(dtype));
  return dtypes.length === 0 ? null : (given ?? candidates[0] ?? null);
}
