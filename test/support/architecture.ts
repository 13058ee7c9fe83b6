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

/** What the files of a layer may import from other layers. Every layer may import itself. */
const allowed: Record<string, readonly string[]> = {
  model: [],
  protocol: [],
  operators: ['model'],
  numerics: ['model'],
  simd: [],
  formats: ['model', 'protocol', 'operators'],
  autocast: ['model', 'protocol', 'operators'],
  passes: ['model', 'protocol', 'operators', 'autocast'],
  lowering: ['model', 'protocol', 'operators'],
  probes: ['model', 'operators', 'numerics', 'lowering'],
  torchcode: ['model', 'protocol'],
  runtime: ['model', 'protocol', 'numerics', 'simd', 'formats'],
  pytorch: ['model', 'runtime'],
  engine: [
    'model',
    'numerics',
    'formats',
    'autocast',
    'passes',
    'lowering',
    'operators',
    'probes',
    'torchcode',
    'runtime',
    'pytorch',
    'protocol'
  ],
  kernel: ['protocol'],
  'kernel/evaluator': ['kernel', 'protocol'],
  cli: [
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
  ],
  panel: ['protocol'],
  index: ['panel', 'protocol']
};

/** Layers that run in the browser as well as in Node, and so use neither. */
const pure = new Set([
  'model',
  'protocol',
  'operators',
  'numerics',
  'simd',
  'autocast',
  'passes',
  'lowering',
  'probes',
  'torchcode'
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
  return second !== undefined && Object.hasOwn(allowed, first) ? first : undefined;
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
    return target === layer || allowed[layer].includes(target)
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
