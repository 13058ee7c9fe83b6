/**
 * Errors of onnxruntime: what its texts say, as fields.
 *
 * @packageDocumentation
 */
import type { ErrorCode, IErrorDetails } from '../errors';
import { CastlensError } from '../errors';
import { cudaFailureOf, cudaMessage } from './cudaerrors';
import type { Device } from './devices';
import { formatDevice } from './devices';
import type { INewerOpset, Refusal } from './refusals';
import { newerOpsetIn, refusalIn } from './refusals';

/** An error of onnxruntime. */
export class OrtError extends CastlensError {
  /** @param text - what onnxruntime said. */
  constructor(code: ErrorCode, summary: string, text: string, details: IErrorDetails) {
    super(code, summary, details);
    this.refusal = refusalIn(text);
    this.newerOpset = newerOpsetIn(text);
  }

  /** Why an operator call is refused; null where the error is about something else. */
  readonly refusal: Refusal | null;

  /** The operator set that the runtime does not know; null where the error is about something else. */
  readonly newerOpset: INewerOpset | null;
}

/** Node and operator in the messages of onnxruntime. */
const NODE_PATTERNS: readonly RegExp[] = [
  /running (?<op>\S+) node\. Name:'(?<node>[^']*)'/,
  /implementation for (?<op>[^\s(]+)\(\d+\) node with name '(?<node>[^']*)'/,
  /Optype \((?<op>[^)]*)\) bound to different types .* in node \((?<node>[^)]*)\)/,
  /of operator \((?<op>[^)]*)\) in node \((?<node>[^)]*)\)/,
  /In Node, \("(?<node>[^"]*)", (?<op>[^,]+),/,
  /Node \((?<node>[^)]*)\) Op \((?<op>[^)]*)\)/,
  /Node:(?<node>\S*) Output:/
];

/**
 * An error of onnxruntime for the reader. What its text says is read here, once: the library has no other way to say it.
 */
export function wrapError(error: unknown, summary: string, device: Device): OrtError {
  // Not `instanceof Error`: the native library may make errors of another realm.
  const message = String((error as Error | undefined)?.message ?? error).trim();
  let entry: string | undefined;
  for (const pattern of NODE_PATTERNS) {
    const groups = pattern.exec(message)?.groups;
    if (groups) {
      entry = groups.op ? `${groups.op} node '${groups.node}'` : `node '${groups.node}'`;
      break;
    }
  }
  const on = device.kind === 'cpu' ? '' : ` on ${formatDevice(device)}`;
  const failure = device.kind === 'cuda' ? cudaFailureOf(message) : null;
  if (failure !== null) {
    return new OrtError(failure.code, `${summary}${on}: ${failure.summary}`, message, {
      entry,
      found: cudaMessage(message),
      hint: failure.hint,
      cause: error
    });
  }
  return new OrtError('runtime', `${summary}${on}`, message, {
    entry,
    found: message,
    cause: error
  });
}
