/**
 * The texts of `castlens --help` and `castlens COMMAND --help`, made from the table of commands.
 *
 * @packageDocumentation
 */
import type { IFlag, IOption } from '../protocol';
import { wordsOf } from '../protocol';
import type { Command } from './commands';
import { COMMAND_NAMES, commandOf } from './commands';

/** Usage of the program. */
export function usage(): string {
  const commands = COMMAND_NAMES.map(name => {
    const { argument, about } = commandOf(name);
    return entry(`${name}${argument === null ? '' : ` ${argument.name}`}`, about);
  });
  return [
    'castlens: see and measure the casts of exported PyTorch models',
    '',
    'Usage: castlens COMMAND FILE [options]',
    '',
    'Commands',
    ...commands,
    '',
    'Options',
    entry('-h, --help', 'this text; behind a command, its options'),
    entry('--version', 'the version'),
    '',
    'castlens COMMAND --help tells what a command takes, castlens completion SHELL makes shells complete it.',
    '',
    EXIT_STATUS,
    ''
  ].join('\n');
}

/** Usage of one command. */
export function usageOf(command: Command): string {
  const { argument, about, options, needs = [], only } = commandOf(command);
  const needed = needs.flatMap(({ flags: [flag] }) => [flagText(flag)]);
  const words = ['castlens', command, argument?.name, ...needed].filter(Boolean).join(' ');
  const isOnly = (option: IOption): boolean => only?.options.includes(option) ?? false;
  const always = options.filter(option => !isOnly(option));
  return [
    ...wrap(`castlens ${command}: ${about}`, 0),
    '',
    `Usage: ${words} [options]`,
    '',
    'Options',
    ...always.flatMap(optionLines),
    ...(only === undefined
      ? []
      : [
          '',
          `Options with --${only.with.flags.find(({ sets }) => sets === true)!.name}`,
          ...only.options.flatMap(optionLines)
        ]),
    ...(only === undefined ? [] : ['']),
    entry('-h, --help', 'this text'),
    '',
    EXIT_STATUS,
    ''
  ].join('\n');
}

const EXIT_STATUS =
  'Exit status: 0 done, 1 the model or the machine cannot do it, 2 usage, 3 a limit of check exceeded.';

/** Column that what is said of an entry starts at. */
const COLUMN = 22;

const WIDTH = 100;

function optionLines(option: IOption): string[] {
  return option.flags.map(flag => entry(flagText(flag), flagAbout(option, flag)));
}

/** A flag as it is written: `-o, --output FILE`. */
function flagText({ name, short, takes }: IFlag): string {
  const long = `--${name}${takes === undefined ? '' : ` ${takes}`}`;
  return short === undefined ? long : `-${short}, ${long}`;
}

/** What a flag does, its words and what holds without it. */
function flagAbout({ about, standard, value }: IOption, flag: IFlag): string {
  if (flag.takes === undefined) {
    return flag.about ?? about;
  }
  const words = wordsOf(value).filter(word => word !== 'all');
  const choices =
    words.length < 2 || flag.takes === 'ID=HOW'
      ? []
      : [words.join(flag.takes === 'LIST' ? ',' : ' | ')];
  const several = flag.takes.includes('=') ? ['may be given several times'] : [];
  const holds = standard === undefined ? '' : ` (default: ${standard})`;
  return [about, ...choices, ...several].join('; ') + holds;
}

function entry(head: string, about: string): string {
  const [first, ...rest] = wrap(about, COLUMN);
  const fits = head.length <= COLUMN - 3;
  const lines = fits
    ? [`  ${head}`.padEnd(COLUMN) + first, ...rest]
    : [`  ${head}`, first, ...rest];
  return lines.map((line, i) => (i === 0 ? line : `${' '.repeat(COLUMN)}${line}`)).join('\n');
}

/** Text in lines that leave room for an indentation. */
function wrap(text: string, indentation: number): string[] {
  const lines: string[] = [];
  let line = '';
  // Also behind the commas of a list.
  for (const word of text.split(/(?<= )|(?<=,)(?=\S)/)) {
    if (line !== '' && line.length + word.trimEnd().length > WIDTH - indentation) {
      lines.push(line.trimEnd());
      line = word;
    } else {
      line += word;
    }
  }
  return [...lines, line];
}
