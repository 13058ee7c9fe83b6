/**
 * An error as data: what travels between processes, and what every message is rendered from.
 *
 * @packageDocumentation
 */

/** Why something cannot be done, for programs. */
export const ERROR_CODES = [
  'file-not-found',
  'file-exists',
  'bad-file',
  /** A file of the model is another one than the request is about. */
  'file-changed',
  'unsupported-format',
  'unsupported-operator',
  'bad-input',
  'bad-argument',
  'runtime',
  'cancelled',
  'engine-lost',
  /** Loading the file with PyTorch would trust it, and nobody said that it may. */
  'untrusted',
  /** A device is full. */
  'out-of-memory',
  /** A GPU failed: the process that used it cannot use it again. */
  'device-lost',
  /** A defect of castlens. */
  'internal'
] as const;

/** One of {@link ERROR_CODES}. */
export type ErrorCode = (typeof ERROR_CODES)[number];

/** The parts of an error beside its summary. */
export interface IErrorParts {
  /** The file it is about, as the user named it. */
  readonly file?: string;
  /** The entry, record, tensor, node or field inside the file. */
  readonly entry?: string;
  readonly expected?: string;
  readonly found?: string;
  /** What the user can do about it. */
  readonly hint?: string;
}

/** An error: what failed, where, what was expected and what was found, what to do. */
export interface IErrorInfo extends IErrorParts {
  readonly code: ErrorCode;
  /** What failed, without the parts. */
  readonly summary: string;
}

/** The error of a request that was given up by whoever asked. */
export const CANCELLED: IErrorInfo = { code: 'cancelled', summary: 'The request was cancelled.' };

/** The parts of an error that are there, and nothing else of it. */
export function partsOf({ file, entry, expected, found, hint }: IErrorParts): IErrorParts {
  const parts = Object.entries({ file, entry, expected, found, hint });
  return Object.fromEntries(parts.filter(([, value]) => value !== undefined));
}

/**
 * What another program calls an error, as one of castlens: codes outside of the closed set become `internal`.
 *
 * @param raw - an object with `code`, `summary` and parts; anything else is described by `String()`.
 */
export function readErrorInfo(raw: unknown): IErrorInfo {
  const fields = (typeof raw === 'object' && raw !== null ? raw : {}) as Record<string, unknown>;
  const text = (name: string): string | undefined =>
    typeof fields[name] === 'string' ? fields[name] : undefined;
  return {
    code: ERROR_CODES.find(code => code === fields.code) ?? 'internal',
    summary: text('summary') ?? String(raw),
    ...partsOf({
      file: text('file'),
      entry: text('entry'),
      expected: text('expected'),
      found: text('found'),
      hint: text('hint')
    })
  };
}
