/**
 * The command line's grammar: what the table of commands says, read from arguments.
 *
 * @packageDocumentation
 */
import { parseArgs } from 'node:util';

import type { IFlag, IOption, OptionsOf } from '../protocol';
import { isRegionChoice, problemOf, REGION_CHOICES, wordsOf } from '../protocol';
import { formatDevice, parseDevice } from '../runtime';
import type { Command, COMMANDS, Shell } from './commands';
import { COMMAND_NAMES, commandOf, SHELLS } from './commands';

/** A command line that says nothing sensible; exit status 2. */
export class UsageError extends Error {}

/** A command, what it is about, and its options. */
export interface ICommandLine<C extends Command> {
  readonly command: C;
  /** The file, or the code for `explain`; empty for `doctor`. */
  readonly file: string;
  readonly options: OptionsOf<(typeof COMMANDS)[C]['options']>;
}

/** What to run. */
export type Run = {
  readonly [C in Exclude<Command, 'completion'>]: ICommandLine<C>;
}[Exclude<Command, 'completion'>];

/** What to do: a command, or one of the texts. */
export type Invocation =
  | { readonly show: 'help'; readonly command: Command | null }
  | { readonly show: 'version' }
  | { readonly show: 'completion'; readonly shell: Shell }
  | { readonly run: Run };

/**
 * Parse the arguments after the program's name.
 *
 * @throws UsageError with one line for the reader.
 */
export function parseCommandLine(argv: readonly string[]): Invocation {
  const { values, positionals } = split(argv);
  const [name, file, ...rest] = positionals;
  if (name === 'help') {
    return { show: 'help', command: file === undefined ? null : commandNamed(file) };
  }
  if (values.has('help')) {
    return { show: 'help', command: COMMAND_NAMES.find(known => known === name) ?? null };
  }
  if (values.has('version')) {
    return { show: 'version' };
  }
  if (name === undefined) {
    throw new UsageError('no command given');
  }
  const command = commandNamed(name);
  const { argument, options: known, needs = [] } = commandOf(command);
  if (argument !== null && file === undefined) {
    throw new UsageError(`${command} needs ${argument.what}`);
  }
  const extra = argument === null ? positionals.slice(1) : rest;
  if (extra.length > 0) {
    throw new UsageError(`unexpected argument "${extra[0]}"`);
  }
  const flags = new Set(known.flatMap(each => each.flags.map(flag => flag.name)));
  for (const given of values.keys()) {
    if (!flags.has(given)) {
      throw new UsageError(`${command} does not take --${given}`);
    }
  }
  if (command === 'completion') {
    return { show: 'completion', shell: pick(file, SHELLS, 'shell') };
  }
  refuseStray(command, values);
  const options: Record<string, unknown> = {};
  for (const option of known) {
    const value = read(option, values);
    if (value !== undefined) {
      options[option.name] = value;
    }
  }
  for (const { name: needed, flags: written } of needs) {
    if (options[needed] === undefined) {
      const [{ short, name: long }] = written;
      throw new UsageError(
        `${command} needs ${short === undefined ? `--${long}` : `-${short}`} OUT`
      );
    }
  }
  return { run: { command, file: file ?? '', options } as Run };
}

/** Values by flag, as they were written; flags without a value have none. */
type Written = ReadonlyMap<string, readonly string[]>;

/** Flags and their values apart from everything else. */
function split(argv: readonly string[]): { values: Written; positionals: readonly string[] } {
  const { tokens } = parseArgs({
    args: [...argv],
    options: FLAGS,
    allowPositionals: true,
    strict: false,
    tokens: true
  });
  const values = new Map<string, string[]>();
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') {
      positionals.push(token.value);
    } else if (token.kind === 'option') {
      const { name, rawName, value } = token;
      if (!Object.hasOwn(FLAGS, name)) {
        throw new UsageError(`unknown option "${rawName}"`);
      }
      const takesValue = FLAGS[name].type === 'string';
      // An option is no value: what was meant to stand there was left out.
      if (takesValue && (value === undefined || (!token.inlineValue && /^-./.test(value)))) {
        throw new UsageError(
          `option "${rawName}" needs a value${value === undefined ? '' : `; for one that begins with a hyphen write "${rawName}=${value}"`}`
        );
      }
      if (!takesValue && value !== undefined) {
        throw new UsageError(`option "${rawName}" takes no value`);
      }
      values.set(name, [...(values.get(name) ?? []), ...(value === undefined ? [] : [value])]);
    }
  }
  return { values, positionals };
}

/** Every flag of every command. */
const FLAGS: Readonly<Record<string, { type: 'boolean' | 'string'; short?: string }>> =
  Object.fromEntries(
    [
      ...COMMAND_NAMES.flatMap(command => commandOf(command).options.flatMap(each => each.flags)),
      { name: 'help', short: 'h' } as IFlag,
      { name: 'version' } as IFlag
    ].map(({ name, short, takes }) => [
      name,
      {
        type: takes === undefined ? ('boolean' as const) : ('string' as const),
        ...(short === undefined ? {} : { short })
      }
    ])
  );

function refuseStray(command: Command, values: Written): void {
  const { only } = commandOf(command);
  if (only === undefined) {
    return;
  }
  const needed = only.with.flags.find(flag => flag.sets === true)!.name;
  const stray = only.options
    .flatMap(option => option.flags.map(flag => flag.name))
    .find(flag => values.has(flag));
  exclusive(only.with, values);
  if (stray !== undefined && !values.has(needed)) {
    throw new UsageError(`${command} takes --${stray} only with --${needed}`);
  }
}

/** The flag of an option that was given; undefined where none was. */
function exclusive({ flags }: IOption, values: Written): IFlag | undefined {
  const given = flags.filter(flag => values.has(flag.name));
  if (given.length > 1) {
    throw new UsageError(`--${given[0].name} and --${given[1].name} exclude each other`);
  }
  return given[0];
}

/** The value of an option, as the contract has it; undefined where it was not given. */
function read(option: IOption, values: Written): unknown {
  const flag = exclusive(option, values);
  if (flag === undefined) {
    return undefined;
  }
  if (flag.takes === undefined) {
    return flag.sets;
  }
  const written = values.get(flag.name)!;
  const value = valueOf(option, flag, written);
  // Names of sizes and regions may be anything; what they are given was read word by word.
  const problem = typeof value === 'object' ? null : problemOf(option.value, value, option.name);
  if (problem !== null) {
    throw new UsageError(`--${flag.name} takes ${problem.expected}, not "${written.at(-1)}"`);
  }
  return value;
}

function valueOf(option: IOption, flag: IFlag, written: readonly string[]): unknown {
  const last = written.at(-1)!;
  switch (flag.takes) {
    case 'NAME=N':
      return Object.fromEntries(written.map(parseDim));
    case 'ID=HOW':
      return Object.fromEntries(written.map(parseRegion));
    case 'N':
      return last.trim() === '' ? NaN : Number(last);
    case 'LIST':
      return parseList(option, flag, last);
    case 'MODE':
      return pick(last, wordsOf(option.value), option.noun!);
    default:
      return option.name === 'device' ? parseDeviceName(last) : last;
  }
}

function parseList(option: IOption, flag: IFlag, text: string): unknown {
  const known = wordsOf(option.value);
  const items = text.split(',').filter(item => item !== '');
  if (known.length === 0) {
    return items;
  }
  if (text === 'all' && known.includes('all')) {
    return 'all';
  }
  const choices = known.filter(word => word !== 'all');
  if (items.length === 0 && problemOf(option.value, [], '') !== null) {
    throw new UsageError(`--${flag.name} names none; known: ${choices.join(', ')}`);
  }
  return items.map(item => pick(item, choices, option.noun!));
}

function parseDeviceName(text: string): string {
  try {
    return formatDevice(parseDevice(text));
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function parseDim(item: string): [string, number] {
  const match = /^([^=]+)=(\d+)$/.exec(item);
  if (!match) {
    throw new UsageError(`--dim takes NAME=N, not "${item}"`);
  }
  return [match[1], Number(match[2])];
}

function parseRegion(item: string): [string, string] {
  const at = item.lastIndexOf('=');
  const choice = item.slice(at + 1);
  if (at < 1 || !isRegionChoice(choice)) {
    const known = REGION_CHOICES.map(word => `ID=${word}`).join(', ');
    throw new UsageError(`--region takes ${known}, not "${item}"`);
  }
  return [item.slice(0, at), choice];
}

function commandNamed(name: string): Command {
  return pick(name, COMMAND_NAMES, 'command');
}

function pick<T extends string>(text: string, known: readonly T[], what: string): T {
  const found = known.find(item => item === text);
  if (found === undefined) {
    throw new UsageError(`unknown ${what} "${text}"; known: ${known.join(', ')}`);
  }
  return found;
}
