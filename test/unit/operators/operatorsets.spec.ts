/** Facts about ATen's operators stand in their records: no other file may keep a set or a table of operators by name. */
import { readdirSync, readFileSync } from 'node:fs';

import { knownOperators } from '../../../src/operators';

const NAMES = new Set(
  knownOperators().flatMap(({ op }) => (op.startsWith('aten.') ? [op.split('.')[1]] : []))
);

/** Lists in `new Set([...])` and `new Map([...])` that name operators of ATen, with or without the namespace. */
function operatorLists(text: string): string[] {
  return [...text.matchAll(/new (?:Set|Map)(?:<[^(]*>)?\(\s*\[([^;]*?)\]\s*\)/gu)]
    .map(([, list]) => list)
    .filter(list => {
      const words = [...list.matchAll(/'([\w.]+)'/gu)].map(([, word]) => word);
      const bare = words.filter(word => NAMES.has(word));
      return words.some(word => word.startsWith('aten.')) || bare.length > 2;
    });
}

/** Files that may, since what they list is no fact about operators. */
const ALLOWED: Readonly<Record<string, string>> = {
  'engine/fixplan.ts':
    'the nodes that the writer of repaired files can take out, or leave as they are',
  'engine/foldplan.ts': 'the check that a folded value takes along',
  'formats/pt2/guards.ts': 'functions of Python in the expressions of guards',
  'lowering/views.ts': 'the views that functionalization can write back through'
};

describe('sets of operators', () => {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
    .map(file => file.replaceAll('\\', '/'))
    .filter(file => file.endsWith('.ts') && !/^(operators|autocast\/policy)\//u.test(file));

  it('should stand beside the records and in the tables of policies alone', () => {
    const found = files.filter(
      file => operatorLists(readFileSync(`src/${file}`, 'utf8')).length > 0
    );
    expect(found.sort()).toEqual(Object.keys(ALLOWED).sort());
  });

  it('should be found by full names and by names alone', () => {
    expect(operatorLists("new Set(['aten.add.Tensor'])")).toHaveLength(1);
    expect(
      operatorLists("new Map<string, number>([['add', 1], ['sub', 2], ['mul', 3]])")
    ).toHaveLength(1);
    expect(operatorLists("new Set(['onnx.Add', 'float32'])")).toEqual([]);
  });
});
