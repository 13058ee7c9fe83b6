/**
 * Arguments of the commands, as `describedBy` tells them.
 *
 * What is an option of a call too has its values and words from the contract; the rest is of the panel alone.
 *
 * @packageDocumentation
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReadonlyJSONObject } from '@lumino/coreutils';
import type { IOption } from '../protocol';
import { CACHE_MODES, REGION_CHOICES, wordsOf } from '../protocol';
import {
  APPLIED_PASSES,
  CACHE,
  DEVICE,
  PYTHON,
  REGIONS,
  RUNTIME,
  WEIGHTS
} from '../protocol/contract/options';
import { FAILED_TASKS, STATISTICS_KINDS } from './model';
import { ALL_ROWS } from './runtimes';

/** A schema of the arguments of a command. */
interface IArguments {
  readonly args: ReadonlyJSONObject;
}

/** The arguments of a command, all of which it needs. */
function takes(properties: ReadonlyJSONObject): IArguments {
  return { args: { type: 'object', required: Object.keys(properties), properties } };
}

/** The arguments of a command, all of which may be left out. */
function mayTake(properties: ReadonlyJSONObject): IArguments {
  return { args: { type: 'object', properties } };
}

/** The arguments of every kind of command. The words of the contract are English, as they are wherever programs read them. */
export function commandArguments(trans: TranslationBundle) {
  const word = (words: readonly string[], description: string): ReadonlyJSONObject => ({
    ...(words.length === 0 ? {} : { enum: words }),
    type: 'string',
    description
  });
  /** One value of an option. A command that offers others than the calls names them. */
  const of = (option: IOption, words = wordsOf(option.value)): ReadonlyJSONObject =>
    word(words, option.about);
  /** An option that is asked for where it is absent. */
  const asked = (option: IOption, otherwise: string): ReadonlyJSONObject =>
    word([], `${option.about}; ${otherwise}`);
  const failure = mayTake({
    task: word(FAILED_TASKS, trans.__('What failed; what failed last if absent'))
  });
  return {
    none: mayTake({}),
    open: mayTake({
      path: word([], trans.__('Path of the model; asked for if absent')),
      cwd: word([], trans.__('Folder to ask in')),
      isLauncher: { type: 'boolean', description: trans.__('Whether the launcher asks') },
      isPalette: { type: 'boolean', description: trans.__('Whether the palette asks') }
    }),
    cacheMode: takes({ mode: of(CACHE, CACHE_MODES) }),
    pass: takes({ pass: of(APPLIED_PASSES) }),
    device: takes({ device: of(DEVICE) }),
    region: takes({
      region: word([], trans.__('Id of the region')),
      choice: of(REGIONS, ['recorded', ...REGION_CHOICES])
    }),
    variant: takes({
      cache: word(ALL_ROWS, trans.__('Cache mode or reference; a runtime of PyTorch and its mode'))
    }),
    runtime: takes({ runtime: of(RUNTIME) }),
    python: mayTake({
      python: asked(PYTHON, trans.__('asked for if absent, the first one with PyTorch if empty'))
    }),
    statistics: takes({
      kind: word(STATISTICS_KINDS, trans.__('Weights as stored, or values as computed'))
    }),
    weights: mayTake({ path: asked(WEIGHTS, trans.__('asked for if absent')) }),
    finding: takes({ code: word([], trans.__('Code of the finding')) }),
    failure
  } as const;
}
