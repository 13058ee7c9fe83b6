/**
 * The weights of a model as Python dictionaries, and as comments why the others are not in them.
 *
 * @packageDocumentation
 */
import type { ICodeFacts, ICodeWeight } from './facts';
import { commentText, pythonString } from './literal';

/** Name of a tensor that export lifted out of a forward: no attribute of any module holds it. */
const LIFTED = /(^|\.)lifted_tensor_\d+$/;

/**
 * `LOW_PRECISION`, the weights it leaves out, and `KEEP_BOTH` where there are some and a function of the file makes copies.
 *
 * @param maker - that function; null where there is none.
 */
export function weightTables(
  { converted, left, copied }: ICodeFacts,
  maker: string | null
): string {
  const lines = [
    '# Every use of these weights casts them to this dtype, and nothing else looks at them.',
    ...dictionary('LOW_PRECISION', converted)
  ];
  const others =
    maker !== null
      ? left
      : [
          ...left,
          ...copied.map(({ names }) => ({ weight: names[0], reason: 'used in both precisions' }))
        ];
  if (others.length > 0) {
    lines.push('', '# Cast as well, and left as they are:');
    for (const { weight, reason } of others) {
      lines.push(`#   ${pythonString(weight)}: ${commentText(reason)}`);
    }
  }
  if (maker !== null && copied.length > 0) {
    lines.push(
      '',
      `# Used in several precisions: ${maker}() gives them a copy per dtype for the casts, nothing else touches them.`,
      'KEEP_BOTH = [',
      ...copied.flatMap(({ names, to }) =>
        names.map(weight => `    (${pythonString(weight)}, torch.${to}),`)
      ),
      ']'
    );
  }
  return lines.join('\n');
}

/** Names of the weights that no attribute of the model holds. */
export function liftedNames(weights: readonly ICodeWeight[]): string[] {
  return weights
    .filter(({ kind }) => kind === 'constant')
    .flatMap(({ names }) => names)
    .filter(name => LIFTED.test(name));
}

function dictionary(name: string, weights: readonly ICodeWeight[]): string[] {
  if (weights.length === 0) {
    return [`${name} = {}`];
  }
  return [
    `${name} = {`,
    ...weights.flatMap(({ names, to }) =>
      names.map(weight => `    ${pythonString(weight)}: torch.${to},`)
    ),
    '}'
  ];
}
