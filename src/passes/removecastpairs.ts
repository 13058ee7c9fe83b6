/**
 * The pass `remove-cast-pairs`.
 *
 * @packageDocumentation
 */
import type { IGraph, INode, IValue } from '../model';
import { castTarget, changesDtype, forEachNode, isLosslessCast } from '../model';
import { count } from '../autocast';
import { findAliases, GraphEditor, outputsOf } from '../dataflow';
import type { IDecline, IPass, IPassResult } from './pass';

/**
 * Casts of casts, where the first loses nothing.
 *
 * For `cast(cast(x: A, to B), to C)`, with every value of A representable in B:
 *
 * 1. C = A: both casts vanish and x is used.
 * 2. C ≠ A: the second cast takes x directly; the first one vanishes unless something else uses it.
 *
 * Both are exact: the first cast changes no value, so the second one rounds the same number. Whether A fits into B is
 * decided from the types' significands, exponent ranges, subnormals and infinities (`isLosslessCast`), never from the second
 * and third type alone: float64 → float32 → float16 is not float64 → float16, because rounding twice differs from rounding
 * once (x = 1 + 2^-11 + 2^-30 gives 1 by two steps and 1 + 2^-10 directly).
 *
 * #### Notes
 * -0.0, infinities and subnormals survive a lossless cast. A NaN stays a NaN, but a signalling one may become quiet when it
 * is cast and does not when the casts are gone: payloads of NaNs are outside of what is promised.
 *
 * Declines where the first cast rounds, where one of the values is written to in place, and where the pair makes an output
 * of the graph from a value that cannot be one.
 */
export const removeCastPairs: IPass = {
  name: 'remove-cast-pairs',
  run(graph: IGraph): IPassResult {
    const declined: IDecline[] = [];
    const aliases = findAliases(graph);
    const outputs = outputsOf(graph);
    const casts = new Map<IValue, INode>();
    const editor = new GraphEditor(graph);
    let removed = 0;
    let shortened = 0;
    forEachNode(graph, second => {
      const result = second.outputs[0] ?? null;
      if (second.role !== undefined || result === null || !changesDtype(second)) {
        return;
      }
      casts.set(result, second);
      const middle = editor.resolve(second.inputs[0]!);
      const first = casts.get(middle);
      if (first === undefined) {
        return;
      }
      const source = editor.resolve(first.inputs[0]!);
      const a = source.dtype!;
      const b = middle.dtype!;
      const c = castTarget(second)!;
      const decline = (reason: string): void => {
        declined.push({ node: second.name, reason });
      };
      if (!isLosslessCast(a, b)) {
        decline(`${first.name} casts ${a} to ${b}, which rounds`);
        return;
      }
      const mutator =
        aliases.mutatorOf(source) ?? aliases.mutatorOf(middle) ?? aliases.mutatorOf(result);
      if (mutator !== null) {
        decline(`${mutator.name} writes to it in place`);
        return;
      }
      if (c !== a) {
        editor.takeFirst(second, source);
        shortened++;
        return;
      }
      if (outputs.has(result)) {
        // An output of the graph must be a result of its own, and one result is one output.
        decline('its result is an output of the graph');
        return;
      }
      editor.replace(result, source);
      removed++;
    });
    const applied = removed + shortened;
    return {
      modified: editor.finish(),
      applied,
      declined,
      summary:
        applied > 0
          ? `${count(removed, 'lossless pair')} removed, ${count(shortened, 'cast')} taken from before a lossless cast`
          : 'no lossless pair of casts'
    };
  }
};
