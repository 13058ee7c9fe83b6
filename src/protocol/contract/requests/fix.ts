/**
 * `fix`: write the model with its weights in the precision they are used in, and its regions as wanted.
 *
 * @packageDocumentation
 */
import { request } from '../request';
import type { Of } from '../schema';
import { closed, figure, listOf, oneOf, open, optional, path, text, truth } from '../schema';
import { OWN_MODEL, REGIONS } from '../variant';
import { MIXED_WEIGHTS } from '../words';

const RESULT = open(
  {
    file: text('the source, as the user named it'),
    output: text('absolute path of the new file'),
    files: listOf(text(), 'absolute paths of all files written, `output` first'),
    codeFile: optional(text('absolute path of the Python file written beside it')),
    sizeBefore: figure('bytes of all files of the source'),
    sizeAfter: figure('bytes of all files written, without code'),
    converted: listOf(
      open({
        weight: text(),
        from: text(),
        to: text(),
        copy: optional(text('the second weight, where the original is kept beside it'))
      }),
      'weights stored in a lower precision now'
    ),
    folded: optional(
      open(
        {
          weights: listOf(
            open({
              weight: text('name of the stored result'),
              from: listOf(text(), 'the weights that it was computed from'),
              to: text(),
              sizeBytes: figure()
            })
          ),
          freed: listOf(text(), 'weights that nobody needs any more: they are not in the new file'),
          freedBytes: figure('bytes of these weights in the source')
        },
        'where computed weights were to be stored: those that are'
      )
    ),
    left: listOf(open({ weight: text(), reason: text() }), 'weights that are still cast, and why'),
    programs: optional(
      open(
        { repaired: text(), others: listOf(text(), 'copied as they are') },
        'where the archive holds several programs'
      )
    ),
    regions: optional(REGIONS),
    types: optional(
      open(
        { changes: listOf(text()), left: listOf(text(), 'what is still wrong in the new file') },
        'where types were repaired: what was changed, in words'
      )
    ),
    weightCastsBefore: figure('weight casts of one forward in mode `off`, of the source as it is'),
    weightCastsAfter: figure('the same of the new file')
  },
  'a repaired model, written'
);

/** A repaired model, written. Where it names regions the new file records them otherwise than the source: its outputs are then other ones. */
export type IFixResult = Of<typeof RESULT>;

/** Write the repaired model. Never over a file of the model. */
export const FIX = request({
  params: closed({
    ...OWN_MODEL,
    output: path('the file to write'),
    mixed: optional(
      oneOf(MIXED_WEIGHTS, 'what becomes of weights that are used in both precisions')
    ),
    foldComputed: optional(
      truth(
        'store what is computed from weights too, where that changes no bit and takes no more space; not with `types` or `codeFile`'
      )
    ),
    regions: optional(REGIONS),
    types: optional(
      truth(
        'of an .onnx file: put wrong types right, and change nothing else; not with `mixed`, `foldComputed`, `regions` or `codeFile`'
      )
    ),
    codeFile: optional(
      path(
        'write the code of all strategies to this file too; it is about the program as recorded: not with `regions` or `foldComputed`'
      )
    ),
    overwrite: optional(
      truth('replace files of these names; without it they are refused with code `file-exists`')
    )
  }),
  result: RESULT
});
