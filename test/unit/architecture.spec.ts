import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative, sep } from 'node:path';
import type { IImport } from '../support/architecture';
import {
  findCycles,
  findViolations,
  layerOf,
  LAYERS,
  specifiersOf,
  withLayerTable
} from '../support/architecture';
import { findMisplaced, ONE_PLACES } from '../support/oneplace';

const src = join(__dirname, '..', '..', 'src');
const sourceFiles = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .map(file => file.split(sep).join('/'))
  .filter(file => /\.tsx?$/.test(file))
  .sort();

/** The imports of every file; a relative path that names no file of `src/` throws. */
function readImports(): IImport[] {
  const known = new Set(sourceFiles);
  return sourceFiles.flatMap(from => {
    const path = join(src, from);
    return specifiersOf(path, readFileSync(path, 'utf8')).flatMap((specifier): IImport[] => {
      if (!specifier.startsWith('.')) {
        return [{ from, to: specifier, external: true }];
      }
      // `?wasm`, `?script` and `?pages` say what the build makes of the file.
      const file = specifier.replace(/\?(wasm|script|pages)$/, '');
      const target = posix.join(posix.dirname(from), file);
      const to = [`${target}.ts`, `${target}.tsx`, `${target}/index.ts`, target].find(candidate =>
        known.has(candidate)
      );
      if (to !== undefined) {
        return [{ from, to, external: false }];
      }
      // Styles, icons and pages lie beside the sources and belong to no layer.
      const asset = join(dirname(path), file);
      if (existsSync(asset) && !relative(src, asset).endsWith('.ts')) {
        return [];
      }
      throw new Error(`${from} imports ${specifier}, which names no file of src/`);
    });
  });
}

function edge(from: string, to: string): IImport {
  return { from, to, external: !/\.tsx?$/.test(to) };
}

describe('the sources', () => {
  it('should all belong to a layer', () => {
    expect(sourceFiles.length).toBeGreaterThan(0);
    expect(sourceFiles.filter(file => layerOf(file) === undefined)).toEqual([]);
  });

  it('should import in the permitted directions only', () => {
    expect(findViolations(readImports())).toEqual([]);
  });

  it('should import without cycles', () => {
    expect(findCycles(readImports())).toEqual([]);
  });
});

describe('docs/architecture.md', () => {
  const page = readFileSync(join(src, '..', 'docs', 'architecture.md'), 'utf8');

  it('should hold the table that `npm run docs:layers` writes', () => {
    expect(withLayerTable(page)).toBe(page);
  });

  it('should name every layer that has files, and no other', () => {
    const layers = new Set(sourceFiles.map(layerOf));
    expect(Object.keys(LAYERS).filter(layer => !layers.has(layer))).toEqual([]);
  });
});

describe.each(ONE_PLACES.map(place => [place.what, place] as const))('%s', (_, place) => {
  it('should stand in one place, but for the exceptions', () => {
    const found = sourceFiles.filter(
      file => findMisplaced(place, file, readFileSync(join(src, file), 'utf8')).length > 0
    );
    expect(found).toEqual(Object.keys(place.exceptions).sort());
  });
});

describe('findMisplaced()', () => {
  it.each([
    [0, "import { handedOn } from '../model';", true],
    [0, "import { castTarget, usesOf as uses } from '../model';", true],
    [0, "import { Origins } from '../dataflow';", false],
    [1, "import { UniqueNames } from '../model';", true],
    [1, 'do { name = `w_${i++}`; } while (taken.has(name));', true],
    [1, 'while (todo.has(item)) { next(); }', false],
    [2, 'graph.nodes = graph.nodes.filter(isLive);', true],
    [2, 'one.graph.nodes.splice(i, 1);', true],
    [2, 'const nodes = graph.nodes.filter(isLive);', false],
    [2, 'entry.nodes.push(node);', false]
  ])('should judge, of place %i, %s', (place, text, isFound) => {
    const found = findMisplaced(ONE_PLACES[place], 'passes/x.ts', text);
    expect(found.length > 0).toBe(isFound);
    expect(findMisplaced(ONE_PLACES[place], 'model/x.ts', text)).toEqual([]);
  });
});

describe('findViolations()', () => {
  const forbidden: [string, string][] = [
    ['model/graph.ts', 'formats/index.ts'],
    ['model/graph.ts', 'protocol/index.ts'],
    ['protocol/census.ts', 'model/index.ts'],
    ['protocol/census.ts', 'node:fs'],
    ['protocol/census.ts', 'fs'],
    ['numerics/float16.ts', 'formats/index.ts'],
    ['formats/onnx/reader.ts', 'runtime/index.ts'],
    ['formats/onnx/reader.ts', 'autocast/index.ts'],
    ['autocast/policy.ts', 'passes/index.ts'],
    ['passes/fold.ts', 'lowering/index.ts'],
    ['passes/fold.ts', 'node:path'],
    ['lowering/matmul.ts', 'autocast/index.ts'],
    ['runtime/session.ts', 'engine/service.ts'],
    ['runtime/session.ts', 'autocast/index.ts'],
    ['engine/service.ts', 'kernel/main.ts'],
    ['engine/service.ts', 'cli/main.ts'],
    ['engine/service.ts', 'onnxruntime-node'],
    ['engine/service.ts', '@bufbuild/protobuf/wire'],
    ['engine/service.ts', '@lumino/coreutils'],
    ['engine/service.ts', 'typebox'],
    ['protocol/contract/check.ts', 'zeromq'],
    ['protocol/contract/check.ts', 'acorn'],
    ['kernel/main.ts', 'engine/service.ts'],
    ['kernel/main.ts', 'model/index.ts'],
    ['kernel/main.ts', 'kernel/evaluator/main.ts'],
    ['kernel/main.ts', '@jupyterlab/services'],
    ['kernel/evaluator/main.ts', 'engine/service.ts'],
    ['kernel/evaluator/main.ts', 'zeromq'],
    ['cli/main.ts', 'kernel/main.ts'],
    ['cli/main.ts', 'panel/document.ts'],
    ['cli/main.ts', 'zeromq'],
    ['panel/document.ts', 'model/index.ts'],
    ['panel/document.ts', 'engine/service.ts'],
    ['panel/document.ts', 'kernel/main.ts'],
    ['panel/document.ts', 'node:fs'],
    ['panel/document.ts', 'path'],
    ['panel/document.ts', 'yauzl'],
    ['panel/document.ts', 'index.ts'],
    ['index.ts', 'model/index.ts'],
    ['index.ts', 'engine/service.ts'],
    ['index.ts', 'node:fs'],
    ['helpers/strings.ts', 'model/index.ts'],
    ['utils.ts', 'model/index.ts'],
    ['model/graph.ts', 'utils.ts']
  ];

  it.each(forbidden)('should reject %s -> %s', (from, to) => {
    expect(findViolations([edge(from, to)])).toEqual([
      { from, to, reason: expect.stringMatching(/may not|may be imported by|no layer/) }
    ]);
  });

  const permitted: [string, string][] = [
    ['model/graph.ts', 'model/dtype.ts'],
    ['formats/pt2/reader.ts', 'model/index.ts'],
    ['formats/pt2/reader.ts', 'node:fs'],
    ['formats/onnx/reader.ts', '@bufbuild/protobuf/wire'],
    ['formats/pt2/reader.ts', 'yauzl'],
    ['passes/fold.ts', 'autocast/index.ts'],
    ['protocol/contract/check.ts', 'typebox/schema'],
    ['runtime/session.ts', 'onnxruntime-node'],
    ['engine/service.ts', 'runtime/index.ts'],
    ['engine/service.ts', 'protocol/index.ts'],
    ['kernel/sockets.ts', 'zeromq'],
    ['kernel/main.ts', 'node:child_process'],
    ['kernel/evaluator/main.ts', 'kernel/messages.ts'],
    ['cli/main.ts', 'engine/service.ts'],
    ['panel/document.ts', 'protocol/index.ts'],
    ['panel/document.ts', '@lumino/widgets'],
    ['panel/table.ts', 'apache-arrow'],
    ['index.ts', 'panel/document.ts'],
    ['index.ts', '@jupyterlab/application']
  ];

  it.each(permitted)('should accept %s -> %s', (from, to) => {
    expect(findViolations([edge(from, to)])).toEqual([]);
  });
});

describe('findCycles()', () => {
  it('should find a cycle over several files once', () => {
    const imports = [edge('a.ts', 'b.ts'), edge('b.ts', 'c.ts'), edge('c.ts', 'a.ts')];
    expect(findCycles([edge('z.ts', 'a.ts'), ...imports])).toEqual([['a.ts', 'b.ts', 'c.ts']]);
  });

  it('should find a file that imports itself', () => {
    expect(findCycles([edge('a.ts', 'a.ts')])).toEqual([['a.ts']]);
  });

  it('should accept files that share a dependency', () => {
    const imports = [
      edge('a.ts', 'b.ts'),
      edge('a.ts', 'c.ts'),
      edge('b.ts', 'd.ts'),
      edge('c.ts', 'd.ts')
    ];
    expect(findCycles(imports)).toEqual([]);
  });
});

describe('specifiersOf()', () => {
  it.each([
    ["import { a } from './a';", './a'],
    ["import type { A } from './a';", './a'],
    ["import './style.css';", './style.css'],
    ["export * from './a';", './a'],
    ["export type { A } from './a';", './a'],
    ["const a = await import('./a');", './a'],
    ["const a = require('zeromq');", 'zeromq'],
    ["const a = require.resolve('zeromq');", 'zeromq'],
    ["import a = require('./a');", './a'],
    ["type A = import('./a').A;", './a']
  ])('should find the module in %s', (text, expected) => {
    expect(specifiersOf('x.ts', text)).toEqual([expected]);
  });

  it('should ignore comments and strings', () => {
    expect(specifiersOf('x.ts', `// import './a';\nconst b = "import './b'";`)).toEqual([]);
  });
});
