/**
 * Errors within results.
 *
 * @packageDocumentation
 */
import { ERROR_CODES } from '../../errors';
import { oneOf, open, optional, text } from './schema';

/** An error: the fields of `IErrorInfo`. */
export const ERROR = open(
  {
    code: oneOf(ERROR_CODES),
    summary: text('what failed, without the other fields'),
    file: optional(text()),
    entry: optional(text('the record, tensor, node or field inside the file')),
    expected: optional(text()),
    found: optional(text()),
    hint: optional(text('what can be done about it'))
  },
  'what went wrong'
);
