/**
 * Casts of casts, as they were planned.
 *
 * @packageDocumentation
 */
import { castTarget, DTYPES, graphsOf, isPacked } from '../model';
import type { DType, GraphNames, IGraph, INode, IValue } from '../model';
import { NodeBuilder } from '../operators';

/**
 * Put an Identity between two casts that follow one another, in place, nested graphs included, where onnxruntime would drop one or
 * both.
 *
 * #### Notes
 * onnxruntime merges casts also with all optimisations disabled (`RemoveDuplicateCastTransformer`): a cast that it takes to lose nothing
 * disappears before another cast, and both do where the second leads back. It counts bits: an int16 that is cast to bfloat16 and on to
 * float32 would not be rounded. An Identity of the result of a node shares its memory: it moves nothing.
 * Two casts that both are lowering's own stay as they are.
 *
 * #### Complexity
 * Linear in operands.
 */
export function separateCasts(graph: IGraph, names: GraphNames): void {
  const makers = new Map<IValue, INode>();
  for (const one of graphsOf(graph)) {
    const builder = new NodeBuilder(names);
    builder.rewrite(one, node => {
      const source = node.inputs[0] ?? null;
      if (castTarget(node) !== null && source !== null) {
        const first = makers.get(source);
        if (first !== undefined && isMerged(first, node) && hasIdentity(source.dtype)) {
          const [copy] = builder.emit(
            'onnx.Identity',
            `${node.name}/Identity`,
            [source],
            {},
            [{ dtype: source.dtype, shape: source.shape }],
            node
          );
          node.inputs = [copy, ...node.inputs.slice(1)];
        }
        node.outputs.forEach(value => value !== null && makers.set(value, node));
      }
      builder.append(node);
    });
  }
}

/** Whether the runtime has an Identity of a type; of packed ones it has none, and it merges no casts through them that lose bits. */
function hasIdentity(dtype: DType | null): boolean {
  return dtype === null || !isPacked(dtype);
}

function isMerged(first: INode, second: INode): boolean {
  const isOwn = (node: INode): boolean => node.role !== undefined;
  return !(isOwn(first) && isOwn(second)) && !losesBits(first);
}

/** Whether a cast is one that the runtime keeps before another: from floating point to fewer bits. */
function losesBits(node: INode): boolean {
  const from: DType | null = node.inputs[0]?.dtype ?? null;
  const to = castTarget(node);
  return (
    from !== null &&
    to !== null &&
    DTYPES[from].kind === 'float' &&
    DTYPES[to].kind === 'float' &&
    DTYPES[to].bits < DTYPES[from].bits
  );
}
