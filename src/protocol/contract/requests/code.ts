/**
 * `code`: Python that does in the user's own export script what `fix` does to the file.
 *
 * @packageDocumentation
 */
import { request } from '../request';
import type { Of } from '../schema';
import { closed, listOf, oneOf, open, optional, path, text, truth } from '../schema';
import { OWN_MODEL } from '../variant';
import { CODE_STRATEGIES, MIXED_WEIGHTS } from '../words';

const RESULT = open(
  {
    file: text('the model, as the user named it'),
    strategies: listOf(oneOf(CODE_STRATEGIES), 'what the code holds, a function each'),
    code: text(),
    codeFile: optional(text('absolute path of the file it was written to'))
  },
  'Python that does in the export script of the user what `fix` does to the file'
);

/** Python that does in the user's own export script what `fix` does to the file. */
export type ICodeResult = Of<typeof RESULT>;

/** The PyTorch side of `fix`. */
export const CODE = request({
  params: closed({
    ...OWN_MODEL,
    mixed: optional(
      oneOf(MIXED_WEIGHTS, 'what becomes of weights that are used in both precisions')
    ),
    strategies: optional(listOf(oneOf(CODE_STRATEGIES), 'all that apply to the model by default')),
    codeFile: optional(path('write the code to this file too')),
    overwrite: optional(
      truth('replace a file of this name; without it it is refused with code `file-exists`')
    )
  }),
  result: RESULT
});
