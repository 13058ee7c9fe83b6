/**
 * Whether operators that write in place may be computed out of place.
 *
 * Training IR is not functional: `relu_`, `add_`, ... change their operand and everything that shares its memory. Out of place is
 * the same exactly if nothing reads that memory afterwards through another name than the operator's result, or the operand's own
 * name, which stands for the result from there on.
 *
 * @packageDocumentation
 */
import { bodiesOf } from '../model';
import { mayShareMemory, writesInPlace } from '../operators';
import type { IGraph, INode, IValue } from '../model';

/**
 * In-place operators that cannot be computed out of place, with the reason for the reader.
 *
 * Conservative: results of operators that may return a view of their operand count as sharing its memory.
 *
 * #### Complexity
 * Linear in operands.
 */
export function inPlaceConflicts(graph: IGraph): Map<INode, string> {
  const conflicts = new Map<INode, string>();
  if (!graph.nodes.some(writesInPlace)) {
    return conflicts;
  }
  const stored = new Set<IValue>([...graph.inputs, ...graph.weights.map(({ value }) => value)]);
  const lastUse = lastUses(graph);
  const memories = new Map<IValue, Memory>();
  const memoryOf = (value: IValue): Memory => {
    let memory = memories.get(value);
    if (!memory) {
      memory = new Memory(value);
      memory.add(value, lastUse.get(value) ?? -1);
      memories.set(value, memory);
    }
    return memory;
  };
  graph.nodes.forEach((node, index) => {
    const operand = node.inputs[0] ?? null;
    if (operand === null) {
      return;
    }
    if (writesInPlace(node)) {
      const memory = memoryOf(operand);
      if (stored.has(memory.root)) {
        conflicts.set(node, `it changes ${memory.root.name}, an input or weight, in place`);
      } else if (memory.lastUseBesides(operand) > index) {
        conflicts.set(
          node,
          `it changes ${operand.name} in place, which is read again under another name`
        );
      }
    }
    if (mayShareMemory(node)) {
      const memory = memoryOf(operand);
      for (const value of node.outputs) {
        if (value !== null) {
          memories.set(value, memory);
          memory.add(value, lastUse.get(value) ?? -1);
        }
      }
    }
  });
  return conflicts;
}

/** The names of one piece of memory, as far as it matters: which is read last, and when the others are. */
class Memory {
  constructor(readonly root: IValue) {}

  add(value: IValue, lastUse: number): void {
    if (lastUse > this._last) {
      this._second = this._last;
      this._last = lastUse;
      this._value = value;
    } else {
      this._second = Math.max(this._second, lastUse);
    }
  }

  /** When the memory is last read under another name than `value`. */
  lastUseBesides(value: IValue): number {
    return this._value === value ? this._second : this._last;
  }

  private _value: IValue | null = null;
  private _last = -1;
  private _second = -1;
}

/** Index of the last node that reads each value; values of the graph's ends are read after the last node. */
export function lastUses(graph: IGraph): Map<IValue, number> {
  const last = new Map<IValue, number>();
  graph.nodes.forEach((node, index) => {
    const stack = [node];
    while (stack.length > 0) {
      const current = stack.pop()!;
      for (const value of current.inputs) {
        if (value !== null) {
          last.set(value, index);
        }
      }
      for (const body of bodiesOf(current)) {
        stack.push(...body.nodes);
        for (const value of body.outputs) {
          last.set(value, index);
        }
      }
    }
  });
  for (const value of graph.outputs) {
    last.set(value, graph.nodes.length);
  }
  return last;
}
