/**
 * The scripts of `castlens completion`, run by the shells they are for.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Shell } from '../../../src/cli/commands';
import { COMMAND_NAMES, SHELLS } from '../../../src/cli/commands';
import { completionScript } from '../../../src/cli/completion';

const isInstalled = (shell: Shell): boolean => spawnSync(shell, ['-c', 'exit 0']).status === 0;

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'castlens-completion-'));
  mkdirSync(join(folder, 'models'));
  for (const file of ['net.pt2', 'net.onnx', 'notes.txt', 'two words.pt2']) {
    writeFileSync(join(folder, file), '');
  }
  for (const shell of SHELLS) {
    writeFileSync(join(folder, `castlens.${shell}`), completionScript(shell, ['cast-islands']));
  }
});

afterAll(() => rmSync(folder, { recursive: true }));

/** What bash offers behind a command line, as words that it was broken into. */
function completeInBash(...words: string[]): string[] {
  const script = [
    'source ./castlens.bash',
    'COMP_WORDS=("$@")',
    'COMP_CWORD=$(($# - 1))',
    '_castlens',
    '[ ${#COMPREPLY[@]} -eq 0 ] || printf "%s\\n" "${COMPREPLY[@]}"'
  ].join('\n');
  const { stdout, stderr } = spawnSync('bash', ['-c', script, 'bash', 'castlens', ...words], {
    cwd: folder,
    encoding: 'utf8'
  });
  expect(stderr).toBe('');
  return stdout.split('\n').filter(line => line !== '');
}

(isInstalled('bash') ? describe : describe.skip)('completion in bash', () => {
  it.each<[string[], string[]]>([
    [[''], [...COMMAND_NAMES, 'help', '--help', '--version']],
    [['com'], ['compare', 'completion']],
    [['help', 'ex'], ['explain']],
    [['census', '--pro'], ['--program']],
    [
      ['run', 'net.pt2', '--cache', 'f'],
      ['folded', 'frozen', 'float32']
    ],
    [['run', 'net.pt2', '--cache', '=', 'fo'], ['folded']],
    [['run', 'net.pt2', '--passes', 'share-casts,ho'], ['share-casts,hoist-casts']],
    [
      ['compare', 'net.pt2', '--cache', 'a'],
      ['all', 'autocast']
    ],
    [
      ['run', 'net.pt2', '--region', 'submod_1', '=', 'o'],
      ['on', 'off']
    ],
    [['fix', 'net.pt2', '--cache', ''], ['frozen']],
    [['code', 'net.pt2', '--strategy', 'fr'], ['freezing']],
    [['census', 'm'], ['models']],
    [
      ['census', 'n'],
      ['net.pt2', 'net.onnx']
    ],
    [['census', 't'], ['two words.pt2']],
    [['run', 'net.pt2', '--inputs', 'note'], ['notes.txt']],
    [['explain', 'c'], ['cast-islands']],
    [['completion', ''], [...SHELLS]],
    [['doctor', 'x'], []]
  ])('should offer behind %j', (words, offered) => {
    expect(completeInBash(...words).sort()).toEqual([...offered].sort());
  });
});

(isInstalled('fish') ? describe : describe.skip)('completion in fish', () => {
  const complete = (line: string): string[] => {
    const command = `source ./castlens.fish; complete -C '${line}'`;
    const { stdout } = spawnSync('fish', ['--no-config', '-c', command], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, HOME: folder, XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder }
    });
    return stdout.split('\n').flatMap(each => (each === '' ? [] : [each.split('\t')[0]]));
  };

  it.each<[string, string[]]>([
    ['castlens com', ['compare', 'completion']],
    ['castlens census --pro', ['--program']],
    ['castlens run net.pt2 --cache fr', ['frozen']],
    ['castlens run net.pt2 --passes share-casts,ho', ['share-casts,hoist-casts']],
    ['castlens explain c', ['cast-islands']]
  ])('should offer behind %j', (line, offered) => {
    expect(complete(line).sort()).toEqual([...offered].sort());
  });
});

(isInstalled('zsh') ? describe : describe.skip)('completion in zsh', () => {
  it('should be read by zsh', () => {
    const { status, stderr } = spawnSync('zsh', ['-n', './castlens.zsh'], {
      cwd: folder,
      encoding: 'utf8'
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  it('should define the completion of the program', () => {
    const script =
      'autoload -U compinit && compinit -u -D && source ./castlens.zsh && print $_comps[castlens]';
    const { stdout } = spawnSync('zsh', ['-f', '-c', script], { cwd: folder, encoding: 'utf8' });
    expect(stdout.trim()).toBe('_castlens');
  });
});

describe('completionScript()', () => {
  it.each(SHELLS)('should know every command in %s', shell => {
    const script = completionScript(shell, []);
    for (const command of COMMAND_NAMES) {
      expect(script).toContain(command);
    }
  });
});
