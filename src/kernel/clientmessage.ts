/**
 * Checking what a client put into a comm message.
 *
 * @packageDocumentation
 */
import type { IErrorInfo } from '../errors';
import type { ClientMessage, RequestName } from '../protocol';
import { describeValue } from '../protocol';
import { isJsonObject } from './message';

/** A message, or why it is none. `id` is what the client called it, 0 where it did not say. */
export type ReadClientMessage =
  | { readonly ok: true; readonly message: ClientMessage }
  | { readonly ok: false; readonly id: number; readonly error: IErrorInfo };

/** Levels of objects and lists in parameters. No request has as many; what passes them on to the engine has room for some thousand. */
const MAX_LEVELS = 64;

/** Read the data of a comm message. Parameters are the engine's to check, once they can be sent to it. */
export function readClientMessage(data: unknown): ReadClientMessage {
  if (!isJsonObject(data)) {
    return refuse(0, 'the message is not an object', 'an object', data);
  }
  const id = typeof data.id === 'number' ? data.id : 0;
  if (!Number.isSafeInteger(data.id)) {
    return refuse(id, 'the message has no id', 'an integer', data.id, 'id');
  }
  switch (data.type) {
    case 'cancel':
      return { ok: true, message: { type: 'cancel', id } };
    case 'request':
      if (typeof data.method !== 'string') {
        return refuse(id, 'the request names no method', 'text', data.method, 'method');
      }
      if (isDeeper(data.params, MAX_LEVELS)) {
        const error: IErrorInfo = {
          code: 'bad-argument',
          summary: 'the parameters of a request are nested too deep',
          entry: 'params',
          expected: `at most ${MAX_LEVELS} levels`,
          found: 'more'
        };
        return { ok: false, id, error };
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
      return refuse(id, 'the type of the message is unknown', 'request, cancel', data.type, 'type');
  }
}

function refuse(
  id: number,
  summary: string,
  expected: string,
  found: unknown,
  entry?: string
): ReadClientMessage {
  const parts = {
    ...(entry === undefined ? {} : { entry }),
    expected,
    found: describeValue(found)
  };
  return { ok: false, id, error: { code: 'bad-argument', summary, ...parts } };
}

function isDeeper(value: unknown, levels: number): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    (levels === 0 || Object.values(value).some(each => isDeeper(each, levels - 1)))
  );
}
