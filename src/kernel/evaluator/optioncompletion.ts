/**
 * Completion inside of the strings of options: `m.run({ cache: 'fo`.
 *
 * @packageDocumentation
 */
import type { CallName } from '../../protocol';
import { CALL_OPTIONS, wordsOf } from '../../protocol';
import type { ICompletions } from '../evaluatormessages';

/**
 * The words that continue a string which is being typed as an option of a call; null where the cursor is in no such string.
 *
 * @param isModel - Whether an expression may be a model: of others nothing is known.
 */
export function completeOption(
  code: string,
  cursor: number,
  isModel: (expression: string) => boolean
): ICompletions | null {
  const match = OPTION_STRING.exec(code.slice(0, cursor));
  if (match === null) {
    return null;
  }
  const [, object, method, before, key, prefix] = match;
  if (!Object.hasOwn(CALL_OPTIONS, method) || !isModel(object)) {
    return null;
  }
  const name = OPEN_REGIONS.test(before) ? 'regions' : key;
  const option = CALL_OPTIONS[method as CallName].find(each => each.name === name);
  if (option === undefined) {
    return null;
  }
  const matches = wordsOf(option.value).filter(word => word.startsWith(prefix));
  return {
    matches,
    types: matches.map(() => 'value'),
    start: cursor - prefix.length,
    end: cursor
  };
}

/** Object, method, options before, name of the option, and what is typed of its string, alone or as an item of a list. */
const OPTION_STRING =
  /([\p{ID_Start}$_][\p{ID_Continue}$.]*)\.(\w+)\((?:[^(){}]*,\s*)?\{((?:[^(){}]|\{[^(){}]*\})*(?:\bregions\s*:\s*\{[^(){}]*)?)(?<![\p{ID_Continue}$])['"]?([\w.]+)['"]?\s*:\s*(?:\[[^[\](){}]*)?['"`]([^'"`\n]*)$/u;

/** Regions whose table is not closed yet: a name in it is that of a region. */
const OPEN_REGIONS = /\bregions\s*:\s*\{[^{}]*$/;
