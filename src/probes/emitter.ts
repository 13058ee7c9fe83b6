/**
 * ONNX nodes of probes, written against the operator set of the graph they are put into.
 *
 * @packageDocumentation
 */
import { dtypeAttr, intAttr, intsAttr, NodeBuilder, onnxOperator, stringAttr } from '../lowering';
import { CastlensError, elementCount, makeValue, staticShape } from '../model';
import { isWide } from '../numerics';
import type { Attr, DType, GraphNames, IGraph, IValue } from '../model';

/** Reductions of a vector to a vector of one element. */
export type Reduction = 'ReduceMax' | 'ReduceMin' | 'ReduceSum' | 'ReduceSumSquare';

/** The oldest operator set that has every operator used here. */
const OLDEST_OPSET = 11;

/** Since this operator set `ReduceSum` takes its axes as an operand. */
const AXES_AS_OPERAND = 13;

/** Since this operator set `ScatterElements` can add. Before it `TfIdfVectorizer` counts, for which devices have no kernel. */
const SCATTER_ADDS = 16;

/**
 * Appends nodes to a graph, or to the body of a loop in it.
 *
 * #### Notes
 * Every value is given its dtype and sizes, so that the bytes it takes can be counted. Constants go to the outermost graph, once.
 */
export class Emitter {
  /**
   * @param names - names taken in the graph.
   *
   * @throws CastlensError('unsupported-operator') where the graph's operator set is too old.
   */
  static for(graph: IGraph, names: GraphNames): Emitter {
    const opset = graph.opsets[''] ?? 0;
    if (opset < OLDEST_OPSET) {
      throw new CastlensError('unsupported-operator', 'the model is too old to add probes to it', {
        expected: `ONNX operator set ${OLDEST_OPSET} or later`,
        found: String(opset)
      });
    }
    const builder = new NodeBuilder(names);
    return new Emitter(builder, builder, opset);
  }

  private constructor(
    private readonly _builder: NodeBuilder,
    private readonly _outermost: NodeBuilder,
    private readonly _opset: number
  ) {}

  /** Put the nodes made behind those of a graph. */
  appendTo(graph: IGraph): void {
    this._builder.appendTo(graph);
  }

  /** A node with one result. */
  op(
    op: string,
    inputs: readonly (IValue | null)[],
    dtype: DType | null,
    shape: readonly number[] | null,
    attrs: Record<string, Attr> = {}
  ): IValue {
    return this._emit(op, inputs, [{ dtype, shape }], attrs)[0];
  }

  /** A constant of the outermost graph. */
  constant(dtype: DType, shape: readonly number[], values: readonly (number | bigint)[]): IValue {
    return this._outermost.constant(dtype, shape, values);
  }

  cast(value: IValue, dtype: DType): IValue {
    return value.dtype === dtype
      ? value
      : this.op('Cast', [value], dtype, sizesOf(value), { to: dtypeAttr(dtype) });
  }

  /** The same numbers in their {@link plainDtype}. */
  plain(value: IValue): IValue {
    return this.cast(value, plainDtype(value.dtype!));
  }

  /** The elements in row-major order; shares the memory of `value`. */
  flat(value: IValue): IValue {
    const shape = staticShape(value.shape);
    return this.op(
      'Reshape',
      [value, this.constant('int64', [1], [-1])],
      value.dtype,
      shape === null ? null : [elementCount(shape)]
    );
  }

  /** A reduction of a vector to one element. */
  reduce(op: Reduction, value: IValue): IValue {
    return this.op(op, [value], value.dtype, [1], { keepdims: intAttr(1) });
  }

  /** An operator element by element, on a value of known sizes and others of the same sizes, or of one element. */
  map(op: string, value: IValue, ...others: readonly IValue[]): IValue {
    return this.op(op, [value, ...others], value.dtype, sizesOf(value));
  }

  /** Where elements of a vector are less or greater than a limit. */
  compare(op: 'Less' | 'Greater', value: IValue, limit: number): IValue {
    const operands = [value, this.constant(value.dtype!, [1], [limit])];
    return this.op(op, operands, 'bool', sizesOf(value));
  }

  /** The elements of a vector where a condition holds, elsewhere a number. */
  where(condition: IValue, value: IValue, otherwise: number): IValue {
    const operands = [condition, value, this.constant(value.dtype!, [1], [otherwise])];
    return this.op('Where', operands, value.dtype, sizesOf(value));
  }

  /** Sums of the rows of a matrix. */
  sumRows(matrix: IValue): IValue {
    const shape = [sizesOf(matrix)[0]];
    const attrs = { keepdims: intAttr(0) };
    return this._opset < AXES_AS_OPERAND
      ? this.op('ReduceSum', [matrix], matrix.dtype, shape, { ...attrs, axes: intsAttr([1]) })
      : this.op(
          'ReduceSum',
          [matrix, this.constant('int64', [1], [1])],
          matrix.dtype,
          shape,
          attrs
        );
  }

  /**
   * Count the elements of a vector by their integer part.
   *
   * @param vector - float32; integer parts lie between 1 and `size - 1`.
   * @param isCounted - leaves out elements.
   *
   * @returns a float32 vector of `size` counts, exact up to 2^24.
   */
  tally(vector: IValue, isCounted: IValue, size: number): IValue {
    const weight = this.cast(isCounted, 'float32');
    if (this._opset < SCATTER_ADDS) {
      // What has no bin in the pool is left out.
      const index = this.cast(this.map('Mul', vector, weight), 'int64');
      const bins = Array.from({ length: size }, (_, i) => i);
      return this.op('TfIdfVectorizer', [index], 'float32', [size], {
        mode: stringAttr('TF'),
        min_gram_length: intAttr(1),
        max_gram_length: intAttr(1),
        max_skip_count: intAttr(0),
        ngram_counts: intsAttr([0]),
        ngram_indexes: intsAttr(bins),
        pool_int64s: intsAttr(bins.map(bin => (bin === 0 ? size : bin)))
      });
    }
    const none = this.constant('float32', [size], new Array<number>(size).fill(0));
    const operands = [none, this.cast(vector, 'int64'), weight];
    return this.op('ScatterElements', operands, 'float32', [size], {
      reduction: stringAttr('add')
    });
  }

  /** Vectors one after the other. */
  concat(values: readonly IValue[], dtype: DType): IValue {
    const length = values.reduce((sum, value) => sum + sizesOf(value)[0], 0);
    return this.op('Concat', values, dtype, [length], { axis: intAttr(0) });
  }

  /**
   * Go over vectors of the same length in chunks.
   *
   * @param vectors - 1-d values of the graph outside.
   * @param chunk - elements per chunk; the last one may be shorter.
   * @param states - what is carried from chunk to chunk, as it is before the first.
   * @param step - appends the nodes that take chunks and states to the next states.
   *
   * @returns the states after the last chunk. A vector without elements leaves them as they were.
   */
  overChunks(
    vectors: readonly IValue[],
    chunk: number,
    states: readonly IValue[],
    step: (body: Emitter, chunks: IValue[], states: IValue[]) => readonly IValue[]
  ): IValue[] {
    // What is counted is what the largest chunk takes.
    const longest = staticShape(vectors[0].shape)?.[0] ?? chunk;
    const chunkShape = [Math.min(chunk, longest)];
    const size = this.constant('int64', [], [chunk]);
    const length = this.op('Size', [vectors[0]], 'int64', []);
    const rounded = this.op('Add', [length, this.constant('int64', [], [chunk - 1])], 'int64', []);
    const trips = this.op('Div', [rounded, size], 'int64', []);
    const body = new Emitter(new NodeBuilder(this._builder.names), this._outermost, this._opset);
    const names = this._builder.names;
    const trip = makeValue(names.value('probe/trip'), 'int64', []);
    const going = makeValue(names.value('probe/going'), 'bool', []);
    const before = states.map(({ dtype, shape }) =>
      makeValue(names.value('probe/before'), dtype, shape)
    );
    const one = this.constant('int64', [1], [1]);
    const width = this.constant('int64', [1], [chunk]);
    const at = body.op('Reshape', [trip, one], 'int64', [1]);
    const start = body.op('Mul', [at, width], 'int64', [1]);
    const end = body.op('Add', [start, width], 'int64', [1]);
    const chunks = vectors.map(vector =>
      body.op('Slice', [vector, start, end], vector.dtype, chunkShape)
    );
    const after = step(body, chunks, before);
    const graph: IGraph = {
      name: names.node('probe/body'),
      inputs: [trip, going, ...before],
      outputs: [body.op('Identity', [going], 'bool', []), ...after],
      nodes: [],
      weights: [],
      opsets: {}
    };
    body.appendTo(graph);
    return this._emit('Loop', [trips, null, ...states], states, {
      body: { kind: 'graph', value: graph }
    });
  }

  private _emit(
    op: string,
    inputs: readonly (IValue | null)[],
    results: readonly Pick<IValue, 'dtype' | 'shape'>[],
    attrs: Record<string, Attr>
  ): IValue[] {
    return this._builder.emit(onnxOperator(op), `probe/${op}`, inputs, attrs, results, NOWHERE);
  }
}

/** What probes compute with: float32, or float64 where float32 does not hold the elements. */
export function plainDtype(dtype: DType): 'float32' | 'float64' {
  return isWide(dtype) ? 'float64' : 'float32';
}

const NOWHERE = { region: null, module: null, source: null };

/** Sizes of a value made here. */
export function sizesOf(value: IValue): readonly number[] {
  if (value.shape === null || value.shape.some(size => typeof size !== 'number')) {
    throw new Error(`probes: the sizes of '${value.name}' are not known`);
  }
  return value.shape as readonly number[];
}
