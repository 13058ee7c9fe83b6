/** The pages of docs/contributing name files that exist, and no more of them than they promise. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(__dirname, '..', '..');
const folder = join(root, 'docs', 'contributing');
const read = (file: string): string => readFileSync(join(folder, file), 'utf8');
const pages = readdirSync(folder).filter(file => file !== 'README.md');

/** Files and folders of this project that a page names: what stands in backticks and begins with a folder of it. */
function namedFiles(text: string): string[] {
  const named = text.matchAll(/`((?:src|test|docs|schema|style|scripts|requirements)\/[^`*]+)`/g);
  return [...named].map(match => match[1]);
}

/** The first file of every step under `## Files`. */
function steps(text: string): string[] {
  const section = /^## Files\n([^]*?)^## /m.exec(text)![1];
  return [...section.matchAll(/^\d+\. (.*)$/gm)].map(match => namedFiles(match[1])[0]);
}

describe('docs/contributing', () => {
  it.each(pages)('should name files that exist in %s', page => {
    const files = namedFiles(read(page));
    expect(files.length).toBeGreaterThan(3);
    expect(files.filter(file => !existsSync(join(root, file)))).toEqual([]);
  });

  it.each(pages)('should list the files that the table promises in %s, each once', page => {
    const files = steps(read(page));
    expect(files).not.toContain(undefined);
    expect(new Set(files).size).toBe(files.length);
    expect(read('README.md')).toMatch(
      new RegExp(`^\\| \\[${page}\\].*\\| ${files.length} \\|`, 'm')
    );
  });

  it('should name scripts that exist', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const named = ['README.md', ...pages].flatMap(page =>
      [...read(page).matchAll(/npm run ([\w:]+\w)/g)].map(match => match[1])
    );
    expect(named).toContain('docs:findings');
    expect(named.filter(name => name !== 'docs' && !Object.hasOwn(scripts, name))).toEqual([]);
  });
});
