/**
 * Archives that look like a `.pt2` file and are none castlens reads: each gets a message that says what it is.
 *
 * @packageDocumentation
 */
import { CastlensError } from '../../model';
import { describeCompiledModels, findCompiledModel } from './aotinductor';
import type { IPt2Archive } from './archive';
import { hasProgram } from './programs';

const EXPECTED = 'a program saved by torch.export.save';

/** What an archive is recognised by, in the order of the tests. */
const KINDS: readonly {
  readonly test: (archive: IPt2Archive) => string | undefined;
  readonly summary: string;
  readonly found: string;
  readonly hint: string;
}[] = [
  {
    test: archive =>
      hasProgram(archive) ? undefined : archive.names.find(name => name === 'constants.pkl'),
    summary: 'this is a TorchScript module',
    found: 'constants.pkl',
    hint: 'Export the model with torch.export.export and torch.export.save.'
  },
  {
    test: archive =>
      hasProgram(archive) ? undefined : archive.names.find(name => name === 'data.pkl'),
    summary: 'this is a checkpoint saved by torch.save: it holds weights, not the program',
    found: 'data.pkl',
    hint: 'Load it into the model and export that with torch.export.export and torch.export.save.'
  }
];

/**
 * Refuse archives without a program castlens can read.
 *
 * @throws CastlensError that names what was found and what to do.
 */
export async function refuseOtherArchives(file: string, archive: IPt2Archive): Promise<void> {
  const compiled = hasProgram(archive) ? undefined : findCompiledModel(archive);
  if (compiled !== undefined) {
    throw new CastlensError(
      'unsupported-format',
      'this is a package compiled by AOTInductor: it holds machine code, not the program',
      {
        file,
        entry: compiled,
        expected: EXPECTED,
        found: await describeCompiledModels(archive),
        hint: 'castlens census PACKAGE on the command line and castlens.package() in a notebook tell what it casts. For anything else open the program it was compiled from: torch.export.save(exported_program, "model.pt2").'
      }
    );
  }
  for (const kind of KINDS) {
    const entry = kind.test(archive);
    if (entry !== undefined) {
      throw new CastlensError('unsupported-format', kind.summary, {
        file,
        entry,
        expected: EXPECTED,
        found: kind.found,
        hint: kind.hint
      });
    }
  }
  if (!hasProgram(archive)) {
    const pt2 = archive.has('archive_format');
    const shown = archive.names.slice(0, 3).join(', ');
    throw new CastlensError(
      pt2 ? 'bad-file' : 'unsupported-format',
      pt2 ? 'the archive holds no program' : 'this zip archive is no exported program',
      {
        file,
        entry: 'models/model.json',
        expected: EXPECTED,
        found:
          archive.names.length === 0
            ? 'an empty archive'
            : `${archive.names.length} records (${shown}, ...)`,
        hint: 'Save the model with torch.export.save.'
      }
    );
  }
}
