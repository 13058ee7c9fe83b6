/**
 * Jupyter messages, protocol 5.4: the parts of a message and the content of those that this kernel reads and writes.
 *
 * Field comments marked "spec" are the words of the Jupyter messaging documentation.
 *
 * @packageDocumentation
 */
import { describeValue } from '../protocol';

/** Version of the messaging protocol that the kernel speaks. */
export const PROTOCOL_VERSION = '5.4';

/** Sockets that carry messages (heartbeat carries bytes). */
export type Channel = 'shell' | 'control' | 'stdin' | 'iopub';

/** An object of JSON. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Identity of a message. */
export interface IHeader {
  /** spec: must be unique per message. */
  readonly msg_id: string;
  /** spec: must be unique per session; of the kernel: one per process. */
  readonly session: string;
  readonly username: string;
  /** ISO 8601 timestamp. */
  readonly date: string;
  readonly msg_type: string;
  readonly version: string;
}

/** A message that was received. */
export interface IMessage {
  /** Routing prefix to answer to. */
  readonly identities: readonly Uint8Array[];
  readonly header: IHeader;
  readonly parentHeader: JsonObject;
  readonly metadata: JsonObject;
  readonly content: JsonObject;
  readonly buffers: readonly Uint8Array[];
}

/** A message to be sent. Header and signature are the connection's business. */
export interface IOutgoing {
  readonly type: string;
  readonly content: JsonObject;
  /** Header of the message this one answers; null for messages nobody asked for. */
  readonly parent: IHeader | null;
  readonly identities?: readonly Uint8Array[];
  readonly metadata?: JsonObject;
  readonly buffers?: readonly Uint8Array[];
}

/** Where handlers send to. A test can be the other end. */
export interface IOutbox {
  /** Queue a message; order per channel is kept. Does not block and does not throw. */
  send(channel: Channel, message: IOutgoing): void;
}

/** MIME type to data. */
export type MimeBundle = Readonly<Record<string, unknown>>;

/** Content of execute_request. */
export interface IExecuteRequest {
  readonly code: string;
  /** spec: a boolean flag which, if True, signals the kernel to execute this code as quietly as possible. */
  readonly silent: boolean;
  /** spec: a boolean flag which, if True, signals the kernel to populate history. */
  readonly storeHistory: boolean;
  /** spec: a dict mapping names to expressions to be evaluated in the user's dict. */
  readonly userExpressions: Readonly<Record<string, string>>;
  /** spec: a boolean flag, which, if True, aborts the execution queue if an exception is encountered. */
  readonly stopOnError: boolean;
}

/** Read an execute_request, with the defaults of the specification. */
export function readExecuteRequest(content: JsonObject): IExecuteRequest {
  const silent = content.silent === true;
  const expressions: Record<string, string> = {};
  if (isJsonObject(content.user_expressions)) {
    for (const [name, expression] of Object.entries(content.user_expressions)) {
      // What is no text is no expression either, and is evaluated to an error.
      expressions[name] = typeof expression === 'string' ? expression : describeValue(expression);
    }
  }
  return {
    code: text(content.code),
    silent,
    // spec: the default is True if silent is False. If silent is True, store_history is forced to be False.
    storeHistory: !silent && content.store_history !== false,
    userExpressions: expressions,
    stopOnError: content.stop_on_error !== false
  };
}

/** A string field, empty where it is missing. */
export function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** A number field. */
export function number(value: unknown, missing: number): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : missing;
}

/** Whether `value` is an object of JSON and not a list. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether `value` has every field of a header. Tolerates a missing date and version, which old clients leave out. */
export function isHeader(value: unknown): value is IHeader {
  return (
    isJsonObject(value) &&
    typeof value.msg_id === 'string' &&
    typeof value.msg_type === 'string' &&
    typeof value.session === 'string'
  );
}
