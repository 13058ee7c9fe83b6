/**
 * Scripts that make shells complete the command line, made from the table of commands.
 *
 * @packageDocumentation
 */
import type { IFlag, IOption } from '../protocol';
import { wordsOf } from '../protocol';
import { REGION_CHOICES } from '../protocol';
import type { Command, Shell } from './commands';
import { COMMAND_NAMES, commandOf } from './commands';

/** The script for a shell. */
export function completionScript(shell: Shell, findingCodes: readonly string[]): string {
  switch (shell) {
    case 'bash':
      return bash(findingCodes);
    case 'zsh':
      return zsh(findingCodes);
    case 'fish':
      return fish(findingCodes);
  }
}

/** Patterns of the files of models. */
const MODELS = ['pt2', 'onnx'] as const;

/** A flag of a command, with what may follow it. */
interface IOffer {
  readonly flag: IFlag;
  readonly about: string;
  /** The words it takes; empty where it takes others, null where it takes none. */
  readonly words: readonly string[] | null;
  readonly isList: boolean;
  readonly isFile: boolean;
}

function offersOf(command: Command): IOffer[] {
  return commandOf(command).options.flatMap((option: IOption) =>
    option.flags.map(flag => {
      const words = wordsOf(option.value);
      return {
        flag,
        about: flag.about ?? option.about,
        words: flag.takes === undefined ? null : flag.takes === 'ID=HOW' ? [] : words,
        isList: flag.takes === 'LIST',
        isFile: flag.takes === 'FILE'
      };
    })
  );
}

function argumentOf(command: Command, codes: readonly string[]): 'models' | readonly string[] {
  const { argument } = commandOf(command);
  return command === 'explain' ? codes : (argument?.offers ?? []);
}

function bash(codes: readonly string[]): string {
  const cases = COMMAND_NAMES.map(command => {
    const offers = offersOf(command);
    const values = offers
      .filter(({ words }) => words !== null)
      .map(({ flag, words, isList, isFile }) => {
        const names = [`--${flag.name}`, ...(flag.short ? [`-${flag.short}`] : [])].join('|');
        if (flag.takes === 'ID=HOW') {
          return `        ${names}) __castlens_region; return ;;`;
        }
        const done = isFile
          ? '__castlens_files'
          : `${isList ? '__castlens_list' : '__castlens_words'} ${quoteAll(words!)}`;
        return `        ${names}) ${done}; return ;;`;
      });
    const flags = offers.map(({ flag }) => `--${flag.name}`);
    const argument = argumentOf(command, codes);
    const behind =
      argument === 'models' ? '__castlens_models' : `__castlens_words ${quoteAll(argument)}`;
    return [
      `    ${command})`,
      '      case "$previous" in',
      ...values,
      '        *) ;;',
      '      esac',
      '      case "$word" in',
      `        -*) __castlens_words ${quoteAll([...flags, '--help'])} ;;`,
      `        *) ${behind} ;;`,
      '      esac ;;'
    ].join('\n');
  });
  return `# bash completion for castlens: source <(castlens completion bash)
__castlens_words() {
  COMPREPLY=($(compgen -W "$*" -- "$word"))
}
__castlens_list() {
  local head="" last="$word"
  if [[ $word == *,* ]]; then
    head="\${word%,*},"
    last="\${word##*,}"
  fi
  COMPREPLY=($(compgen -P "$head" -W "$*" -- "$last"))
  compopt -o nospace 2>/dev/null
}
__castlens_region() {
  local how
  # Where = breaks words, what is behind it is a word by itself.
  if [[ $word == *=* ]]; then
    COMPREPLY=($(compgen -P "\${word%=*}=" -W "${REGION_CHOICES.join(' ')}" -- "\${word##*=}"))
  fi
}
__castlens_files() {
  local IFS=$'\\n'
  COMPREPLY=($(compgen -f -- "$word"))
  compopt -o filenames 2>/dev/null
}
__castlens_models() {
  local IFS=$'\\n'
  COMPREPLY=($(compgen -d -- "$word"; compgen -f -X '!*.@(${MODELS.join('|')})' -- "$word"))
  compopt -o filenames 2>/dev/null
}
_castlens() {
  local word previous command="" i
  word="\${COMP_WORDS[COMP_CWORD]}"
  previous="\${COMP_WORDS[COMP_CWORD-1]}"
  COMPREPLY=()
  # --region ID=HOW and --flag=value arrive in pieces.
  if [[ $previous == "=" && \${COMP_WORDS[COMP_CWORD-3]} == --region ]] || [[ $word == "=" && \${COMP_WORDS[COMP_CWORD-2]} == --region ]]; then
    [[ $word == "=" ]] && word=""
    __castlens_words ${quoteAll(REGION_CHOICES)}
    return
  fi
  if [[ $word == "=" ]]; then
    word=""
  elif [[ $previous == "=" ]]; then
    previous="\${COMP_WORDS[COMP_CWORD-2]}"
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${COMP_WORDS[i]}" in
      ${COMMAND_NAMES.join('|')}|help) command="\${COMP_WORDS[i]}"; break ;;
    esac
  done
  case "$command" in
    "") __castlens_words ${quoteAll([...COMMAND_NAMES, 'help', '--help', '--version'])} ;;
    help) __castlens_words ${quoteAll(COMMAND_NAMES)} ;;
${cases.join('\n')}
  esac
}
shopt -s extglob
complete -F _castlens castlens
`;
}

function zsh(codes: readonly string[]): string {
  const action = ({ words, isList, isFile, flag }: IOffer): string => {
    if (words === null) {
      return '';
    }
    const label = `:${flag.takes}:`;
    if (isFile) {
      return `${label}_files`;
    }
    if (words.length === 0) {
      return label;
    }
    return isList
      ? `${label}_values -s , ${flag.takes} ${words.join(' ')}`
      : `${label}(${words.join(' ')})`;
  };
  const commands = COMMAND_NAMES.map(command => {
    const specs = offersOf(command).flatMap(offer => {
      const { flag, about } = offer;
      const many = flag.takes?.includes('=') ? '*' : '';
      const tail = `[${about.replace(/[[\]:]/g, String.raw`\$&`)}]${action(offer)}`;
      return [
        `'${many}--${flag.name}${escapeQuote(tail)}'`,
        ...(flag.short ? [`'-${flag.short}${escapeQuote(tail)}'`] : [])
      ];
    });
    const argument = argumentOf(command, codes);
    const behind =
      argument === 'models'
        ? [`'1:file:_files -g "*.(${MODELS.join('|')})"'`]
        : argument.length === 0
          ? []
          : [`'1:word:(${argument.join(' ')})'`];
    return `    ${command}) _arguments ${[...specs, "'--help[help]'", ...behind].join(' ')} ;;`;
  });
  const list = COMMAND_NAMES.map(
    name => `    '${name}:${escapeQuote(commandOf(name).about.replaceAll(':', String.raw`\:`))}'`
  );
  return `#compdef castlens
# zsh completion for castlens: source <(castlens completion zsh)
_castlens() {
  local -a commands
  commands=(
${list.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
    help) _describe command commands ;;
${commands.join('\n')}
  esac
}
compdef _castlens castlens
`;
}

function fish(codes: readonly string[]): string {
  const lines = [
    '# fish completion for castlens: castlens completion fish | source',
    'complete -c castlens -f',
    `set -l castlens_commands ${COMMAND_NAMES.join(' ')} help`,
    'complete -c castlens -n "not __fish_seen_subcommand_from $castlens_commands" -l help -s h -d help',
    'complete -c castlens -n "not __fish_seen_subcommand_from $castlens_commands" -l version -d version'
  ];
  for (const command of COMMAND_NAMES) {
    const { about } = commandOf(command);
    lines.push(
      `complete -c castlens -n "not __fish_seen_subcommand_from $castlens_commands" -a ${command} -d '${escapeFish(about)}'`
    );
    const when = `-n "__fish_seen_subcommand_from ${command}"`;
    for (const { flag, about: what, words, isFile, isList } of offersOf(command)) {
      const short = flag.short ? ` -s ${flag.short}` : '';
      const takes = words === null ? '' : isFile ? ' -r -F' : ' -x';
      const offered =
        words === null || words.length === 0
          ? ''
          : isList
            ? ` -a "(__fish_append , ${words.join(' ')})"`
            : ` -a '${words.join(' ')}'`;
      lines.push(
        `complete -c castlens ${when} -l ${flag.name}${short}${takes}${offered} -d '${escapeFish(what)}'`
      );
    }
    const argument = argumentOf(command, codes);
    if (argument === 'models') {
      const suffixes = MODELS.map(ext => `__fish_complete_suffix .${ext}`).join('; ');
      lines.push(`complete -c castlens ${when} -a "(${suffixes})"`);
    } else if (argument.length > 0) {
      lines.push(`complete -c castlens ${when} -a '${argument.join(' ')}'`);
    }
  }
  lines.push(
    `complete -c castlens -n "__fish_seen_subcommand_from help" -a '${COMMAND_NAMES.join(' ')}'`
  );
  return `${lines.join('\n')}\n`;
}

function quoteAll(words: readonly string[]): string {
  return words.join(' ');
}

function escapeQuote(text: string): string {
  return text.replaceAll("'", `'\\''`);
}

function escapeFish(text: string): string {
  return text.replace(/['\\]/g, '\\$&');
}
