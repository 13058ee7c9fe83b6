import * as ts from 'typescript';

/** A place that reads something out of the text of an error. */
export interface ITextMatch {
  readonly line: number;
  readonly code: string;
}

/** Fields that hold text for the reader. */
const TEXTS = new Set(['message', 'summary', 'evalue', 'hint', 'expected', 'found']);

/** Methods that look into text, or take it apart. */
const SEARCHES = new Set([
  'match',
  'matchAll',
  'includes',
  'startsWith',
  'endsWith',
  'indexOf',
  'lastIndexOf',
  'search',
  'split',
  'slice',
  'substring',
  'replace',
  'replaceAll'
]);

/** Methods of regular expressions. */
const TESTS = new Set(['test', 'exec']);

/**
 * Where the text of an error is matched, compared or cut in a source.
 *
 * An error is a variable of a `catch` or of a handler of rejections, or one that is called `error`, `info`, `cause` or `failure`, with a field that
 * holds text. Variables that such a field is assigned to count as its text, within the file.
 */
export function findTextMatches(fileName: string, text: string): ITextMatch[] {
  const source = ts.createSourceFile(fileName, text, ts.ScriptTarget.Latest, true);
  const matches: ITextMatch[] = [];
  const carriers = new Set<string>();

  const isErrorLike = (node: ts.Expression): boolean => {
    const inner = unwrap(node);
    if (ts.isIdentifier(inner)) {
      return /(^|[a-z])(error|err|info|cause|failure|problem|thrown|reason)$/i.test(inner.text);
    }
    return (
      ts.isPropertyAccessExpression(inner) &&
      /^(error|info|details|cause|failure)$/.test(inner.name.text)
    );
  };
  /** Whether an expression is the text of an error, or made of it. */
  const holdsText = (node: ts.Node): boolean => {
    if (ts.isIdentifier(node)) {
      return carriers.has(node.text);
    }
    if (ts.isPropertyAccessExpression(node) && TEXTS.has(node.name.text)) {
      return isErrorLike(node.expression);
    }
    if (ts.isCallExpression(node)) {
      const { expression } = node;
      if (ts.isIdentifier(expression) && /^(String|errorMessage)$/.test(expression.text)) {
        return node.arguments.some(argument => isErrorLike(argument) || holdsText(argument));
      }
      return ts.isPropertyAccessExpression(expression) && holdsText(expression.expression);
    }
    return (
      (ts.isTemplateExpression(node) ||
        ts.isParenthesizedExpression(node) ||
        ts.isAsExpression(node) ||
        ts.isNonNullExpression(node) ||
        ts.isBinaryExpression(node) ||
        ts.isConditionalExpression(node) ||
        ts.isTemplateSpan(node)) &&
      ts.forEachChild(node, child => holdsText(child) || undefined) === true
    );
  };
  const report = (node: ts.Node): void => {
    const { line } = source.getLineAndCharacterOfPosition(node.getStart(source));
    matches.push({ line: line + 1, code: node.getText(source) });
  };
  const isLiteral = (node: ts.Expression): boolean =>
    ts.isStringLiteralLike(node) && node.text !== '';

  const collect = (node: ts.Node): void => {
    if (
      ts.isVariableDeclaration(node) &&
      ts.isIdentifier(node.name) &&
      node.initializer !== undefined &&
      holdsText(node.initializer)
    ) {
      carriers.add(node.name.text);
    }
    if (
      ts.isVariableDeclaration(node) &&
      ts.isObjectBindingPattern(node.name) &&
      node.initializer
    ) {
      if (isErrorLike(node.initializer)) {
        for (const { name, propertyName } of node.name.elements) {
          const field = propertyName ?? name;
          if (ts.isIdentifier(field) && ts.isIdentifier(name) && TEXTS.has(field.text)) {
            carriers.add(name.text);
          }
        }
      }
    }
    ts.forEachChild(node, collect);
  };
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
      const { name, expression } = node.expression;
      if (
        (SEARCHES.has(name.text) && holdsText(expression)) ||
        (TESTS.has(name.text) && node.arguments.some(holdsText))
      ) {
        report(node);
      }
    } else if (
      ts.isBinaryExpression(node) &&
      /^[!=]==?$/.test(node.operatorToken.getText(source)) &&
      ((holdsText(node.left) && isLiteral(node.right)) ||
        (holdsText(node.right) && isLiteral(node.left)))
    ) {
      report(node);
    } else if (ts.isSwitchStatement(node) && holdsText(node.expression)) {
      report(node.expression);
    }
    ts.forEachChild(node, visit);
  };
  collect(source);
  visit(source);
  return matches;
}

/** The expression inside of parentheses and casts. */
function unwrap(node: ts.Expression): ts.Expression {
  return ts.isParenthesizedExpression(node) ||
    ts.isAsExpression(node) ||
    ts.isNonNullExpression(node)
    ? unwrap(node.expression)
    : node;
}
