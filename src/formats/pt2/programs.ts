/**
 * Where the parts of a program lie in an archive: the layouts of torch 2.2 to today.
 *
 * @packageDocumentation
 */
import { CastlensError } from '../../model';
import type { IPt2Archive } from './archive';
import type { ITensorRecords } from './weights';

/** The records of one program. */
export interface IProgramRecords extends ITensorRecords {
  /** The JSON of the program. */
  readonly program: string;
  readonly sampleInputs: string;
}

const OLD_PROGRAM = 'serialized_exported_program.json';

/** Whether the archive holds a program at all. */
export function hasProgram(archive: IPt2Archive): boolean {
  return programNames(archive).length > 0;
}

/**
 * Refuse to rewrite an archive whose tensors are kept in pickles, as torch <= 2.8 did.
 *
 * @throws CastlensError that says how to get an archive of today.
 */
export function refusePickledTensors(file: string, archive: IPt2Archive): void {
  const entry = archive.names.find(
    name => name === OLD_PROGRAM || /^data\/(weights|constants)\/[^/]+\.pt$/.test(name)
  );
  if (entry !== undefined) {
    throw new CastlensError('unsupported-format', 'this layout can be read, but not rewritten', {
      file,
      entry,
      expected: 'an archive of torch >= 2.9',
      found: 'the layout of torch 2.8 or older, which keeps weights as pickles',
      hint: 'Save it again first: torch.export.save(torch.export.load(FILE), OUT) with torch >= 2.9.'
    });
  }
}

/**
 * The records of the program to read, of those the archive holds.
 *
 * @param wanted - its name; where left out, the program called `model`, else the first.
 * @throws CastlensError where the archive has no program of that name.
 *
 * #### Notes
 * - torch 2.2 to 2.7: four records and no folders. Still older ones name the state dict `.json`, though it is a pickle too.
 * - torch 2.8: folders, and one pickle each for weights and constants.
 * - torch >= 2.9: folders, and tables of plain bytes.
 */
export function findProgram(
  file: string,
  archive: IPt2Archive,
  wanted: string | undefined
): IProgramRecords {
  const names = programNames(archive);
  const model = wanted ?? (names.includes('model') ? 'model' : names[0]);
  if (wanted !== undefined && !names.includes(wanted)) {
    throw new CastlensError('bad-argument', 'the archive holds no program of this name', {
      file,
      expected: names.join(', '),
      found: `'${wanted}'`
    });
  }
  if (archive.has(OLD_PROGRAM)) {
    const pick = (stem: string): string | null =>
      [`${stem}.pt`, `${stem}.json`].find(name => archive.has(name)) ?? null;
    return {
      model,
      program: OLD_PROGRAM,
      weights: pick('serialized_state_dict'),
      constants: pick('serialized_constants'),
      sampleInputs: 'serialized_example_inputs.pt'
    };
  }
  const pickle = (folder: string): string | null =>
    archive.has(`data/${folder}/${model}.pt`) ? `data/${folder}/${model}.pt` : null;
  return {
    model,
    program: `models/${model}.json`,
    weights: pickle('weights'),
    constants: pickle('constants'),
    sampleInputs: `data/sample_inputs/${model}.pt`
  };
}

/** Names of the programs of an archive. torch 2.7 and older keep one, without a name. */
export function programNames(archive: IPt2Archive): string[] {
  if (archive.has(OLD_PROGRAM)) {
    return ['model'];
  }
  return archive.names
    .map(name => /^models\/([^/]+)\.json$/.exec(name)?.[1])
    .filter(name => name !== undefined);
}
