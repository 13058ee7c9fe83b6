import { builtinModules } from 'node:module';
import * as ts from 'typescript';

/** One import: the importing file and what it names, both relative to `src/` and with `/`; packages keep their name. */
export interface IImport {
  from: string;
  to: string;
  /** Whether `to` is a package or a Node module instead of a file of `src/`. */
  external: boolean;
}

export interface IViolation {
  from: string;
  to: string;
  reason: string;
}

/** A folder of `src/` with one job. */
export interface ILayer {
  /** What it is for; a row of the table in docs/architecture.md. */
  readonly job: string;
  /** The other layers that its files may import. Every layer may import itself. */
  readonly imports: readonly string[];
}

/** The layers, from the bottom up. `npm run docs:layers` writes them into docs/architecture.md. */
export const LAYERS: Readonly<Record<string, ILayer>> = {
  errors: {
    job: 'what an error says, as fields; the closed set of codes; the one place that renders a message',
    imports: []
  },
  model: {
    job: 'the graph: nodes, values, dtypes, symbolic sizes, weights as byte ranges',
    imports: ['errors']
  },
  protocol: {
    job: 'the contract of all requests, Arrow schema that panel and kernel share; of packages it imports TypeBox alone',
    imports: ['errors']
  },
  operators: {
    job: 'what is known of each operator: those of ATen with their lowering, the schemas of ai.onnx and the breaks of their types',
    imports: ['errors', 'model']
  },
  numerics: {
    job: 'casting, strided copies, tensor statistics, statistics of timings',
    imports: ['errors', 'model']
  },
  simd: { job: 'casts and statistics on vectors, in AssemblyScript', imports: [] },
  dataflow: {
    job: 'where values come from and where they go: arrangements, casts, borders of nested graphs, shared memory, what depends on weights alone',
    imports: ['model', 'operators']
  },
  formats: {
    job: '`.pt2`, `.onnx`, safetensors: bytes ↔ model',
    imports: ['errors', 'model', 'protocol', 'operators', 'dataflow']
  },
  autocast: {
    job: 'policies, explicit casts, census, findings',
    imports: ['errors', 'model', 'protocol', 'operators', 'dataflow']
  },
  passes: {
    job: 'one file per pass, cache modes, the plan of a variant',
    imports: ['errors', 'model', 'protocol', 'operators', 'dataflow', 'autocast']
  },
  lowering: {
    job: 'ATen graphs to ONNX graphs, and what a device cannot do',
    imports: ['errors', 'model', 'protocol', 'operators', 'dataflow']
  },
  probes: {
    job: 'statistics of values as ONNX operators, their order and memory',
    imports: ['errors', 'model', 'operators', 'dataflow', 'numerics', 'lowering']
  },
  torchcode: {
    job: "Python for the user's export script; one file per strategy",
    imports: ['errors', 'model', 'protocol']
  },
  aotinductor: {
    job: 'the C++ and Triton code in compiled packages: constants, casts, kernels',
    imports: []
  },
  runtime: {
    job: 'onnxruntime: devices, sessions, profile, timing; threads that read, cast and summarize weights',
    imports: ['errors', 'model', 'protocol', 'numerics', 'simd', 'formats']
  },
  pytorch: {
    job: "PyTorch as a runtime: the user's Python, the worker in it, compiled packages that are kept",
    imports: ['errors', 'model', 'runtime']
  },
  engine: {
    job: 'what a user can ask for',
    imports: [
      'errors',
      'model',
      'numerics',
      'formats',
      'dataflow',
      'autocast',
      'passes',
      'lowering',
      'operators',
      'probes',
      'torchcode',
      'aotinductor',
      'runtime',
      'pytorch',
      'protocol'
    ]
  },
  kernel: {
    job: 'Jupyter messaging, supervision of engine and evaluator',
    imports: ['errors', 'protocol']
  },
  'kernel/evaluator': {
    job: 'the process that runs the cells of notebooks',
    imports: ['errors', 'kernel', 'protocol']
  },
  cli: {
    job: 'the command line',
    imports: [
      'errors',
      'model',
      'numerics',
      'formats',
      'autocast',
      'passes',
      'lowering',
      'probes',
      'torchcode',
      'runtime',
      'pytorch',
      'engine',
      'protocol'
    ]
  },
  panel: { job: 'the JupyterLab document widget', imports: ['errors', 'protocol'] },
  index: {
    job: 'the plugins of the JupyterLab extension',
    imports: ['errors', 'panel', 'protocol']
  }
};

/** Layers that run in the browser as well as in Node, and so use neither. */
const pure = new Set([
  'errors',
  'model',
  'protocol',
  'operators',
  'numerics',
  'simd',
  'dataflow',
  'autocast',
  'passes',
  'lowering',
  'probes',
  'torchcode',
  'aotinductor'
]);
const browser = new Set(['panel', 'index']);

/** Packages that one layer alone may import. */
const owners: readonly { pattern: RegExp; layers: readonly string[] }[] = [
  { pattern: /^onnxruntime-(node|common)$/, layers: ['runtime'] },
  { pattern: /^zeromq$/, layers: ['kernel'] },
  { pattern: /^typebox$/, layers: ['protocol'] },
  { pattern: /^@bufbuild\/protobuf$/, layers: ['formats'] },
  { pattern: /^yauzl$/, layers: ['formats'] },
  { pattern: /^apache-arrow$/, layers: ['engine', 'panel', 'cli', 'kernel/evaluator'] },
  { pattern: /^(@jupyterlab|@lumino)\/|^react(-dom)?$/, layers: ['panel', 'index'] }
];

/** Layers that may import these packages and no others. */
const onlyPackages: Readonly<Record<string, RegExp>> = { protocol: /^typebox$/ };

/** The layer of a file, relative to `src/`; undefined for a file outside of every layer. */
export function layerOf(file: string): string | undefined {
  if (/^index\.tsx?$/.test(file)) {
    return 'index';
  }
  const [first, second, ...rest] = file.split('/');
  if (first === 'kernel' && second === 'evaluator' && rest.length > 0) {
    return 'kernel/evaluator';
  }
  return second !== undefined && Object.hasOwn(LAYERS, first) ? first : undefined;
}

/** The edges that break the rules, each with the reason. */
export function findViolations(imports: readonly IImport[]): IViolation[] {
  const violations: IViolation[] = [];
  for (const edge of imports) {
    const reason = reasonAgainst(edge);
    if (reason !== undefined) {
      violations.push({ from: edge.from, to: edge.to, reason });
    }
  }
  return violations;
}

function reasonAgainst({ from, to, external }: IImport): string | undefined {
  const layer = layerOf(from);
  if (layer === undefined) {
    return 'the importing file belongs to no layer';
  }
  if (!external) {
    const target = layerOf(to);
    if (target === undefined) {
      return 'the imported file belongs to no layer';
    }
    return target === layer || LAYERS[layer].imports.includes(target)
      ? undefined
      : `${layer} may not import ${target}`;
  }
  if (isNodeModule(to)) {
    return pure.has(layer) || browser.has(layer) ? `${layer} may not use Node` : undefined;
  }
  const name = packageOf(to);
  if (onlyPackages[layer]?.test(name) === false) {
    return `${layer} may not import ${name}`;
  }
  const owner = owners.find(({ pattern }) => pattern.test(to) || pattern.test(name));
  return owner && !owner.layers.includes(layer)
    ? `${name} may be imported by ${owner.layers.join(' and ')} only`
    : undefined;
}

function isNodeModule(name: string): boolean {
  return name.startsWith('node:') || builtinModules.includes(name);
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

/** The cycles among files, each as the list of files that import one another; linear in edges (Tarjan). */
export function findCycles(imports: readonly IImport[]): string[][] {
  const targets = new Map<string, string[]>();
  for (const { from, to, external } of imports) {
    if (!external) {
      targets.set(from, [...(targets.get(from) ?? []), to]);
    }
  }

  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const stack: string[] = [];
  const cycles: string[][] = [];

  const visit = (file: string): void => {
    order.set(file, order.size);
    lowest.set(file, order.get(file)!);
    stack.push(file);
    for (const target of targets.get(file) ?? []) {
      if (!order.has(target)) {
        visit(target);
        lowest.set(file, Math.min(lowest.get(file)!, lowest.get(target)!));
      } else if (stack.includes(target)) {
        lowest.set(file, Math.min(lowest.get(file)!, order.get(target)!));
      }
    }
    if (lowest.get(file) === order.get(file)) {
      const members = stack.splice(stack.indexOf(file));
      if (members.length > 1 || targets.get(file)?.includes(file)) {
        cycles.push(members.sort());
      }
    }
  };

  for (const file of targets.keys()) {
    if (!order.has(file)) {
      visit(file);
    }
  }
  return cycles;
}

/** Every module specifier a file names: imports and re-exports, of types too, `import()`, `require()`, `import('x').T`. */
export function specifiersOf(fileName: string, text: string): string[] {
  const source = ts.createSourceFile(fileName, text, ts.ScriptTarget.Latest, true);
  const specifiers: string[] = [];

  const visit = (node: ts.Node): void => {
    if ((ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier) {
      specifiers.push((node.moduleSpecifier as ts.StringLiteral).text);
    } else if (
      ts.isExternalModuleReference(node) &&
      node.expression &&
      ts.isStringLiteralLike(node.expression)
    ) {
      specifiers.push(node.expression.text);
    } else if (
      ts.isImportTypeNode(node) &&
      ts.isLiteralTypeNode(node.argument) &&
      ts.isStringLiteral(node.argument.literal)
    ) {
      specifiers.push(node.argument.literal.text);
    } else if (ts.isCallExpression(node) && isModuleCall(node)) {
      const [argument] = node.arguments;
      if (argument && ts.isStringLiteralLike(argument)) {
        specifiers.push(argument.text);
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return specifiers;
}

/** Whether a call is `import(...)`, `require(...)` or `require.resolve(...)`. */
function isModuleCall({ expression }: ts.CallExpression): boolean {
  if (expression.kind === ts.SyntaxKind.ImportKeyword) {
    return true;
  }
  const callee = ts.isPropertyAccessExpression(expression) ? expression.expression : expression;
  return ts.isIdentifier(callee) && callee.text === 'require';
}

/** The table of layers as docs/architecture.md shows it. */
export function layerTable(): string {
  const rows = Object.entries(LAYERS).map(([name, { job, imports }]) => {
    const folder = name === 'index' ? 'src/index.ts' : `src/${name}`;
    return `| \`${folder}\` | ${job} | ${imports.length > 0 ? imports.join(', ') : 'nothing'} |`;
  });
  return ['| folder | job | may import |', '|---|---|---|', ...rows].join('\n');
}

/** The page with its table of layers written anew. Throws where the page has none. */
export function withLayerTable(page: string): string {
  const table = /^\| folder \| job \| may import \|\n(?:\|.*\n)+/m;
  if (!table.test(page)) {
    throw new Error('the page has no table of layers');
  }
  return page.replace(table, () => `${layerTable()}\n`);
}
