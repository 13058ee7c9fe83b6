import * as ts from 'typescript';

/** Something that is done in one place only. */
export interface IOnePlace {
  readonly what: string;
  /** Where it belongs to. */
  readonly home: RegExp;
  /** Files beside that do it for a reason of their own. Each must do it. */
  readonly exceptions: Readonly<Record<string, string>>;
  /** What shows that a file does it. */
  find(source: ts.SourceFile): string[];
}

/** What tells how a node hands its operands on: whoever asks for it follows values. */
const FOLLOWING = new Set([
  'cutsIntoParts',
  'goForward',
  'handedOn',
  'isArrangement',
  'isLayoutOnly',
  'isTransparent',
  'mayShareMemory',
  'producersOf',
  'stepOf',
  'usesOf'
]);

export const ONE_PLACES: readonly IOnePlace[] = [
  {
    what: 'following values through graphs',
    home: /^(model|operators|dataflow)\//,
    exceptions: {
      'autocast/exactness.ts': 'asks of one node whether its bits are determined',
      'autocast/excursions.ts': 'asks of one user whether it arranges',
      'engine/computedpart.ts': 'asks what bodies are given, and who uses a result',
      'engine/executionfindings.ts': 'names users and makers in messages',
      'engine/fixlimits.ts': 'asks the users of one value for their types',
      'lowering/exact.ts': 'asks of one node whether it rounds',
      'lowering/functionalize.ts': 'rewrites views that are written to',
      'lowering/lower.ts': 'binds what branches are given',
      'lowering/views.ts': 'reads one part of a cut',
      'lowering/weightside.ts': 'counts transposes on the way that goForward goes'
    },
    find: source => importedNames(source).filter(name => FOLLOWING.has(name))
  },
  {
    what: 'making names',
    home: /^model\//,
    exceptions: {
      'formats/onnx/functions.ts': 'inlines functions of a file',
      'formats/onnx/graphbuilder.ts': 'names what the file does not',
      'formats/onnx/rewrite.ts': 'edits the file, not a graph',
      'formats/onnx/tensors.ts': 'names what the file does not',
      'formats/onnx/write.ts': 'names of the file',
      'formats/pt2/graphreader.ts': 'names what the file repeats',
      'formats/pt2/rewrite.ts': 'records of the archive',
      'formats/pt2/rewriteprogram.ts': 'edits the file, not a graph',
      'formats/pt2/signature.ts': 'names of inputs and outputs'
    },
    find: source => [
      ...importedNames(source).filter(name => name === 'UniqueNames'),
      ...searchesForNames(source)
    ]
  },
  {
    what: 'changing the nodes of a graph, dead ones included',
    home: /^(model|dataflow)\//,
    exceptions: {
      'operators/builder.ts': 'puts what it made into a graph',
      'formats/onnx/functions.ts': 'inlines functions while it reads',
      'formats/onnx/graphbuilder.ts': 'reads a graph',
      'formats/onnx/rawreader.ts': 'reads a graph',
      'formats/pt2/graphreader.ts': 'reads a graph',
      'formats/pt2/rewriteprogram.ts': 'edits the file, not a graph'
    },
    find: changesOfNodes
  }
];

/** Names that a file imports from others of the project. */
function importedNames(source: ts.SourceFile): string[] {
  return source.statements.flatMap(statement => {
    if (
      !ts.isImportDeclaration(statement) ||
      !ts.isStringLiteral(statement.moduleSpecifier) ||
      !statement.moduleSpecifier.text.startsWith('.')
    ) {
      return [];
    }
    const bindings = statement.importClause?.namedBindings;
    return bindings !== undefined && ts.isNamedImports(bindings)
      ? bindings.elements.map(({ name, propertyName }) => (propertyName ?? name).text)
      : [];
  });
}

/** Loops that try one name after the other: `do { name = ... } while (taken.has(name))`. */
function searchesForNames(source: ts.SourceFile): string[] {
  return nodesOf(source).flatMap(node =>
    ts.isDoStatement(node) &&
    /\.has\(/.test(node.expression.getText(source)) &&
    /\+\+/.test(node.statement.getText(source))
      ? [node.expression.getText(source)]
      : []
  );
}

/** Assignments to `.nodes`, and calls that change such a list. */
function changesOfNodes(source: ts.SourceFile): string[] {
  return nodesOf(source).flatMap(node => {
    const changed =
      ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.EqualsToken
        ? node.left
        : ts.isCallExpression(node) &&
            ts.isPropertyAccessExpression(node.expression) &&
            CHANGING.has(node.expression.name.text)
          ? node.expression.expression
          : null;
    return changed !== null &&
      ts.isPropertyAccessExpression(changed) &&
      changed.name.text === 'nodes' &&
      /(^|[.])(graph|one|current|body|home|target|made|this)$/.test(
        changed.expression.getText(source)
      )
      ? [node.getText(source)]
      : [];
  });
}

const CHANGING = new Set(['push', 'pop', 'shift', 'unshift', 'splice', 'sort', 'reverse', 'fill']);

function nodesOf(source: ts.SourceFile): ts.Node[] {
  const found: ts.Node[] = [source];
  // Grows while it is gone through.
  for (const node of found) {
    ts.forEachChild(node, child => void found.push(child));
  }
  return found;
}

/** What a file does that belongs somewhere else, exceptions included. */
export function findMisplaced(place: IOnePlace, file: string, text: string): string[] {
  return place.home.test(file) ? [] : place.find(parse(file, text));
}

/** The syntax of a text; each text is parsed once. */
function parse(file: string, text: string): ts.SourceFile {
  const source = parsed.get(text) ?? ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  parsed.set(text, source);
  return source;
}

const parsed = new Map<string, ts.SourceFile>();
