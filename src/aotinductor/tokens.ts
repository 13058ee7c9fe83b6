/**
 * Tokens of the C++ and Triton code that Inductor generates, and statements made of them.
 *
 * Source: what torch/_inductor/codegen writes, torch 2.9 to 2.15. This is no parser of C++: what does not look like generated code
 * ends in `NotFollowed`, with bounded work.
 *
 * @packageDocumentation
 */

/** Generated code that cannot be followed; the message says why. */
export class NotFollowed extends Error {}

/** A piece of code: `kind` says what the text is. */
export interface IToken {
  readonly kind: 'name' | 'number' | 'text' | 'mark';
  readonly text: string;
}

/** A statement, and the block behind it where it has one: `if (...) { block }`, or a lambda. */
export interface IStatement {
  readonly tokens: readonly IToken[];
  readonly block: readonly IStatement[] | null;
}

/** Most tokens of one function. Inductor's largest functions have some hundred thousand. */
const MAX_TOKENS = 2_000_000;

/** How deep blocks may nest: a loop per dimension, and conditions within. */
const MAX_DEPTH = 200;

const TOKEN =
  /(?<skip>\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\/|#[^\n]*)|(?<raw>R"\(|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|(?<name>(?:::)?[A-Za-z_]\w*(?:::~?[A-Za-z_]\w*)*)|(?<number>(?:0[xX][\da-fA-F']+|\d[\d']*\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)\w*)|(?<mark>==|<=|>=|!=|&&|\|\||\+=|-=|\*=|\/=|->|.)/suy;

/**
 * Tokens of code, from an offset on.
 *
 * @param until - says after which token to stop; everything is read where it is left out.
 * @throws NotFollowed where there are too many.
 */
export function tokenize(
  text: string,
  start = 0,
  until: (token: IToken) => boolean = () => false
): IToken[] {
  const tokens: IToken[] = [];
  TOKEN.lastIndex = start;
  while (TOKEN.lastIndex < text.length) {
    const match = TOKEN.exec(text);
    if (match === null) {
      break;
    }
    const { skip, raw, name, number } = match.groups!;
    if (skip !== undefined) {
      continue;
    }
    let token: IToken;
    if (raw !== undefined) {
      if (raw === 'R"(') {
        const end = text.indexOf(')"', TOKEN.lastIndex);
        if (end < 0) {
          throw new NotFollowed('a text without an end');
        }
        TOKEN.lastIndex = end + 2;
      }
      token = { kind: 'text', text: raw };
    } else if (name !== undefined) {
      token = { kind: 'name', text: name };
    } else if (number !== undefined) {
      token = { kind: 'number', text: number };
    } else {
      token = { kind: 'mark', text: match[0] };
    }
    tokens.push(token);
    if (tokens.length > MAX_TOKENS) {
      throw new NotFollowed(`more than ${MAX_TOKENS} words in one function`);
    }
    if (until(token)) {
      break;
    }
  }
  return tokens;
}

/** Tokens of the first block in braces after an offset, without its braces. Empty where there is none. */
export function tokenizeBlock(text: string, start: number): IToken[] {
  let depth = 0;
  const tokens = tokenize(text, start, token => {
    if (token.kind === 'mark') {
      depth += token.text === '{' ? 1 : token.text === '}' ? -1 : 0;
      return token.text === '}' && depth <= 0;
    }
    return false;
  });
  if (depth !== 0) {
    throw new NotFollowed('a function without an end');
  }
  const open = tokens.findIndex(isMark('{'));
  return open < 0 ? [] : tokens.slice(open + 1, -1);
}

/** Statements of the body of a function. */
export function statementsOf(tokens: readonly IToken[]): IStatement[] {
  return new StatementReader(tokens).read(0);
}

/** Whether a token is this mark. */
export function isMark(text: string): (token: IToken | undefined) => boolean {
  return token => token?.kind === 'mark' && token.text === text;
}

/** A brace behind one of these begins a block; behind anything else a list of values. */
function beginsBlock(before: IToken | undefined): boolean {
  return (
    before === undefined ||
    [')', ']'].includes(before.text) ||
    ['else', 'do', 'try', 'noexcept', 'mutable'].includes(before.text)
  );
}

class StatementReader {
  constructor(private readonly _tokens: readonly IToken[]) {}

  read(depth: number): IStatement[] {
    if (depth > MAX_DEPTH) {
      throw new NotFollowed(`blocks nested more than ${MAX_DEPTH} deep`);
    }
    const statements: IStatement[] = [];
    let current: IToken[] = [];
    let brackets = 0;
    const end = (block: IStatement[] | null): void => {
      if (current.length > 0 || block !== null) {
        statements.push({ tokens: current, block });
      }
      current = [];
    };
    while (this._at < this._tokens.length) {
      const token = this._tokens[this._at++];
      const mark = token.kind === 'mark' ? token.text : '';
      if (mark === '(' || mark === '[') {
        brackets++;
      } else if (mark === ')' || mark === ']') {
        brackets--;
        if (brackets < 0) {
          throw new NotFollowed('brackets that do not fit');
        }
      } else if (mark === '{' && brackets === 0 && beginsBlock(current.at(-1))) {
        end(this.read(depth + 1));
        continue;
      } else if (mark === '{') {
        brackets++;
      } else if (mark === '}' && brackets === 0) {
        break;
      } else if (mark === '}') {
        brackets--;
      } else if (mark === ';' && brackets === 0) {
        end(null);
        continue;
      }
      current.push(token);
    }
    end(null);
    return statements;
  }

  private _at = 0;
}

/** Index of the first token outside of all brackets that a test holds for; -1 where there is none. */
export function topLevel(tokens: readonly IToken[], test: (token: IToken) => boolean): number {
  let depth = 0;
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i];
    if (depth === 0 && test(token)) {
      return i;
    }
    if (token.kind === 'mark') {
      depth += '([{'.includes(token.text) ? 1 : ')]}'.includes(token.text) ? -1 : 0;
    }
    if (depth < 0) {
      throw new NotFollowed('brackets that do not fit');
    }
  }
  return -1;
}

/** Tokens between marks outside of all brackets. */
export function splitAt(tokens: readonly IToken[], mark: string): IToken[][] {
  const parts: IToken[][] = [[]];
  let depth = 0;
  for (const token of tokens) {
    if (token.kind === 'mark') {
      depth += '([{'.includes(token.text) ? 1 : ')]}'.includes(token.text) ? -1 : 0;
      if (depth === 0 && token.text === mark) {
        parts.push([]);
        continue;
      }
    }
    parts.at(-1)!.push(token);
  }
  return parts.filter(part => part.length > 0);
}
