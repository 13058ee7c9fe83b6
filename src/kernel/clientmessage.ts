/**
 * Checking what a client put into a comm message.
 *
 * @packageDocumentation
 */
import type { ClientMessage, RequestName } from '../protocol';
import { describeValue } from '../protocol';
import { isJsonObject } from './message';

/** A message, or why it is none. `id` is what the client called it, 0 where it did not say. */
export type ReadClientMessage =
  | { readonly ok: true; readonly message: ClientMessage }
  | { readonly ok: false; readonly id: number; readonly reason: string };

/** Levels of objects and lists in parameters. No request has as many; what passes them on to the engine has room for some thousand. */
const MAX_LEVELS = 64;

/** Read the data of a comm message. Parameters are the engine's to check, once they can be sent to it. */
export function readClientMessage(data: unknown): ReadClientMessage {
  if (!isJsonObject(data)) {
    return { ok: false, id: 0, reason: 'A message must be an object.' };
  }
  const id = typeof data.id === 'number' ? data.id : 0;
  if (!Number.isSafeInteger(data.id)) {
    return {
      ok: false,
      id,
      reason: `The id of a message must be an integer, found ${typeof data.id}.`
    };
  }
  switch (data.type) {
    case 'cancel':
      return { ok: true, message: { type: 'cancel', id } };
    case 'request':
      if (typeof data.method !== 'string') {
        return { ok: false, id, reason: 'A request must name a method.' };
      }
      if (isDeeper(data.params, MAX_LEVELS)) {
        const reason = `The parameters of a request have at most ${MAX_LEVELS} levels, found more.`;
        return { ok: false, id, reason };
      }
      return {
        ok: true,
        message: {
          type: 'request',
          id,
          method: data.method as RequestName,
          params: data.params ?? {}
        }
      };
    default:
      return { ok: false, id, reason: `Unknown type of message: ${describeValue(data.type)}.` };
  }
}

function isDeeper(value: unknown, levels: number): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    (levels === 0 || Object.values(value).some(each => isDeeper(each, levels - 1)))
  );
}
