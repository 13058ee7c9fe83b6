/**
 * The options of calls in cells, as the contract names them: which there are, and what the help says of them.
 *
 * @packageDocumentation
 */
import { CastlensError } from '../../../errors';
import type { CallName, IOption } from '../../../protocol';
import { CALL_OPTIONS, describeValue, escapeControls, nearestOf, wordsOf } from '../../../protocol';

/** Calls of cells that are about a request which tells how far it is. */
const TELLING: ReadonlySet<CallName> = new Set<CallName>([
  'run',
  'compare',
  'update',
  'stats',
  'fix'
]);

/** Names that a call takes. */
export function optionNames(call: CallName): string[] {
  const names = CALL_OPTIONS[call].map(({ name }): string => name);
  return TELLING.has(call) ? [...names, 'onProgress'] : names;
}

/**
 * Refuse options that would be passed over: the figures would be those of another variant than was asked for.
 *
 * @param known - what the call takes in this case.
 * @throws CastlensError `bad-argument` that names the option, and the one that is written most alike.
 */
export function checkOptions(
  call: CallName,
  options: unknown,
  known: readonly string[] = optionNames(call)
): void {
  const expected = `{ ${known.join(', ')} }`;
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new CastlensError('bad-argument', `${call}() takes its options as an object`, {
      entry: 'options',
      expected,
      found: escapeControls(describeValue(options))
    });
  }
  const unknown = Object.keys(options).find(name => !known.includes(name));
  if (unknown !== undefined) {
    const nearest = nearestOf(unknown, known);
    const name = escapeControls(unknown);
    throw new CastlensError('bad-argument', `${call}() has no option "${name}"`, {
      entry: name,
      expected,
      ...(nearest === null ? {} : { hint: `Did you mean "${nearest}"?` })
    });
  }
}

/** The options of a call as a cell writes them: `{ cache, passes }`. */
export function optionList(call: CallName): string {
  return `{ ${optionNames(call).join(', ')} }`;
}

/** A line of help for each option of a call. */
export function optionHelp(call: CallName): string[] {
  const lines = (CALL_OPTIONS[call] as readonly IOption[]).map(
    ({ name, about, value, standard }) => {
      const words = wordsOf(value);
      const choices = words.length === 0 ? [] : [words.map(word => `'${word}'`).join(' | ')];
      const holds = standard === undefined ? [] : [`by default ${standard}`];
      return `${name}: ${[about, ...choices, ...holds].join('; ')}`;
    }
  );
  return TELLING.has(call)
    ? [
        ...lines,
        'onProgress: called with how far it is: text, done, total, fraction, leftSeconds; progress => console.log(`${progress}`) prints it'
      ]
    : lines;
}
