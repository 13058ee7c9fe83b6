/**
 * The one kind of error a user is meant to read.
 *
 * @packageDocumentation
 */
import type { ErrorCode, IErrorInfo, IErrorParts } from './info';
import { CANCELLED, partsOf } from './info';
import { errorMessage } from './message';

/** The parts of an error, and what it comes from. */
export interface IErrorDetails extends IErrorParts {
  readonly cause?: unknown;
}

/**
 * An error for the reader: what failed, in which file and entry, what was expected and what was found, what to do.
 *
 * #### Notes
 * `message` is complete by itself; programs read the fields.
 */
export class CastlensError extends Error {
  constructor(code: ErrorCode, summary: string, details: IErrorDetails = {}) {
    super(errorMessage({ summary, ...details }), { cause: details.cause });
    this.name = 'CastlensError';
    this.code = code;
    // Where an error is printed with its properties, the message has told them already.
    for (const [name, value] of Object.entries({ summary, details })) {
      Object.defineProperty(this, name, { value, enumerable: false });
    }
  }

  readonly code: ErrorCode;
  declare readonly summary: string;
  declare readonly details: IErrorDetails;

  /** The error as it travels. */
  get info(): IErrorInfo {
    return { code: this.code, summary: this.summary, ...partsOf(this.details) };
  }

  /** The same error with other parts. Its cause is this one where none is given. */
  with(details: IErrorDetails): CastlensError {
    return new CastlensError(this.code, this.summary, { ...this.details, cause: this, ...details });
  }

  /** An error that has travelled. */
  static from({ code, summary, ...parts }: IErrorInfo): CastlensError {
    return new CastlensError(code, summary, parts);
  }

  /** The error of work that was given up by whoever asked for it. */
  static cancelled(): CastlensError {
    return CastlensError.from(CANCELLED);
  }
}

/** An error as it travels. Anything but a CastlensError is a defect of castlens and says so, with the place where it happened. */
export function errorInfoOf(error: unknown): IErrorInfo {
  if (error instanceof CastlensError) {
    return error.info;
  }
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { code: 'internal', summary: `castlens failed unexpectedly: ${detail}` };
}
