/**
 * Questions about code: complete, inspect, is_complete.
 *
 * @packageDocumentation
 */
import { toCodePoints, toIndex } from '../cursor';
import type { IEvaluator } from '../evaluatorclient';
import type { JsonObject } from '../message';
import { number, text } from '../message';

/** Content of complete_reply. Positions on the wire are code points. */
export async function complete(evaluator: IEvaluator, content: JsonObject): Promise<JsonObject> {
  const code = text(content.code);
  const cursor = toIndex(code, number(content.cursor_pos, Infinity));
  const { matches, start, end, types } = await evaluator.complete(code, cursor);
  const positions = { start: toCodePoints(code, start), end: toCodePoints(code, end) };
  return {
    status: 'ok',
    matches,
    cursor_start: positions.start,
    cursor_end: positions.end,
    metadata: {
      _jupyter_types_experimental: matches.map((match, i) => ({
        text: match,
        type: types[i],
        ...positions
      }))
    }
  };
}

/** Content of inspect_reply. */
export async function inspect(evaluator: IEvaluator, content: JsonObject): Promise<JsonObject> {
  const code = text(content.code);
  const cursor = toIndex(code, number(content.cursor_pos, Infinity));
  const data = await evaluator.inspect(code, cursor, number(content.detail_level, 0));
  return { status: 'ok', found: data !== null, data: data ?? {}, metadata: {} };
}

/** Content of is_complete_reply. */
export async function isComplete(evaluator: IEvaluator, content: JsonObject): Promise<JsonObject> {
  const { status, indent } = await evaluator.isComplete(text(content.code));
  return status === 'incomplete' ? { status, indent } : { status };
}
