/**
 * The one kind of error a user is meant to read.
 *
 * @packageDocumentation
 */

/** Why something cannot be done, for programs. */
export type ErrorCode =
  | 'file-not-found'
  | 'file-exists'
  | 'bad-file'
  /** A file of the model is another one than the request is about. */
  | 'file-changed'
  | 'unsupported-format'
  | 'unsupported-operator'
  | 'bad-input'
  | 'bad-argument'
  | 'runtime'
  | 'cancelled'
  | 'engine-lost'
  /** Loading the file with PyTorch would trust it, and nobody said that it may. */
  | 'untrusted'
  /** A device is full. */
  | 'out-of-memory'
  /** A GPU failed: the process that used it cannot use it again. */
  | 'device-lost';

/** The parts of a message. */
export interface IErrorDetails {
  /** The file it is about, as the user named it. */
  readonly file?: string;
  /** The entry, record, tensor, node or field inside the file. */
  readonly entry?: string;
  readonly expected?: string;
  readonly found?: string;
  /** What the user can do about it. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/**
 * An error for the reader: what failed, in which file and entry, what was expected and what was found, what to do.
 *
 * #### Notes
 * `message` is complete by itself; the parts are kept for callers that lay them out.
 */
export class CastlensError extends Error {
  constructor(
    readonly code: ErrorCode,
    readonly summary: string,
    readonly details: IErrorDetails = {}
  ) {
    super(composeMessage(summary, details), { cause: details.cause });
    this.name = 'CastlensError';
  }
}

function composeMessage(summary: string, details: IErrorDetails): string {
  const where = [details.file, details.entry].filter(part => part !== undefined).join(': ');
  const parts = [where ? `${where}: ${summary}` : summary];
  if (details.expected !== undefined) {
    parts.push(`expected ${details.expected}`);
  }
  if (details.found !== undefined) {
    parts.push(`found ${details.found}`);
  }
  const text = parts.join('; ');
  // Texts of libraries may bring a full stop of their own.
  return details.hint ? `${text.replace(/\.+$/, '')}. ${details.hint}` : text;
}
