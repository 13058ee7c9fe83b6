/**
 * What the name of an operator tells by itself.
 *
 * @packageDocumentation
 */

/**
 * Remember what follows from the name of an operator alone: graphs have many nodes and few operators.
 *
 * @returns `compute`, called once per name.
 */
export function perOperator<T>(compute: (op: string) => T): (op: string) => T {
  const known = new Map<string, T>();
  return op => {
    let result = known.get(op);
    if (result === undefined && !known.has(op)) {
      result = compute(op);
      known.set(op, result);
    }
    return result as T;
  };
}

/**
 * Whether calls of an operator may hold nested graphs. Neither an operator of ATen does, by its schema, nor one of ai.onnx, but
 * for these four.
 */
export const mayHoldGraphs = perOperator(
  op => HOLDING_GRAPHS.has(op) || !(op.startsWith('aten.') || op.startsWith('onnx.'))
);

const HOLDING_GRAPHS: ReadonlySet<string> = new Set([
  'onnx.If',
  'onnx.Loop',
  'onnx.Scan',
  'onnx.SequenceMap'
]);
