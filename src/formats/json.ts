/**
 * JSON as exporters write it: numbers of any size, and nesting as deep as graphs nest.
 *
 * `JSON.parse` rounds integers beyond 2^53, and a parser that calls itself runs out of stack on regions in regions. Both
 * directions here keep what is open in a list of their own.
 *
 * @packageDocumentation
 */

/** A number as it stands in the text. */
export class JsonNumber {
  constructor(readonly text: string) {}
}

type Holder = unknown[] | Record<string, unknown>;

const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?/y;

/** Pieces of a text that are shorter than this are copies; longer ones refer to the text and keep all of it in memory. */
const SHORTEST_REFERENCE = 13;

/**
 * Parse a text.
 *
 * #### Complexity
 * Linear in the text. Depth costs no call stack.
 *
 * @param numberOf - what becomes of a number.
 * @param take - called for every value, before it is made; may throw.
 * @throws SyntaxError for anything that is no JSON, and for a key that an object holds twice.
 */
export function parseJson(
  text: string,
  numberOf: (text: string) => unknown,
  take: () => void = () => undefined
): unknown {
  let at = 0;
  const fail = (expected: string): never => {
    const found = at < text.length ? `'${text[at]}'` : 'the end';
    throw new SyntaxError(`expected ${expected} at position ${at}, found ${found}`);
  };
  const skipSpace = (): void => {
    for (;;) {
      const code = text.charCodeAt(at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) {
        return;
      }
      at++;
    }
  };
  const string = (): string => {
    const start = at;
    let isPlain = true;
    for (at++; ; at++) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) {
        break;
      }
      if (code === BACKSLASH) {
        isPlain = false;
        at++;
      } else if (!(code >= 0x20)) {
        fail('the end of a string');
      }
    }
    at++;
    return isPlain && at - start - 2 < SHORTEST_REFERENCE
      ? text.slice(start + 1, at - 1)
      : (JSON.parse(text.slice(start, at)) as string);
  };
  const key = (holder: Holder): string => {
    skipSpace();
    if (text.charCodeAt(at) !== QUOTE) {
      fail('a key');
    }
    const name = string();
    if (Object.hasOwn(holder, name)) {
      throw new SyntaxError(`the key '${name}' is there twice, again before position ${at}`);
    }
    skipSpace();
    if (text.charCodeAt(at) !== COLON) {
      fail("':'");
    }
    at++;
    return name;
  };
  const scalar = (code: number): unknown => {
    if (code === QUOTE) {
      return string();
    }
    if (code === MINUS || (code >= DIGIT_0 && code <= DIGIT_9)) {
      NUMBER.lastIndex = at;
      const [digits] = NUMBER.exec(text) ?? fail('a number');
      at += digits.length;
      return numberOf(digits);
    }
    for (const [word, value] of WORDS) {
      if (text.startsWith(word, at)) {
        at += word.length;
        return value;
      }
    }
    return fail('a value');
  };

  // Objects and lists that are open, outermost first, and the key that waits for its value in each.
  const holders: Holder[] = [];
  const names: string[] = [];
  const open = (holder: Holder): void => {
    holders.push(holder);
    names.push(Array.isArray(holder) ? '' : key(holder));
  };
  for (;;) {
    skipSpace();
    take();
    const code = text.charCodeAt(at);
    let value: unknown;
    if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      const holder: Holder = code === OPEN_BRACE ? {} : [];
      at++;
      skipSpace();
      if (text.charCodeAt(at) !== closeOf(holder)) {
        open(holder);
        continue;
      }
      at++;
      value = holder;
    } else {
      value = scalar(code);
    }
    // The value is complete; it may complete those around it.
    for (;;) {
      skipSpace();
      const last = holders.length - 1;
      if (last < 0) {
        return at === text.length ? value : fail('the end');
      }
      const holder = holders[last];
      if (Array.isArray(holder)) {
        holder.push(value);
      } else {
        put(holder, names[last], value);
      }
      const next = text.charCodeAt(at);
      if (next === COMMA) {
        at++;
        if (!Array.isArray(holder)) {
          names[last] = key(holder);
        }
        break;
      }
      if (next !== closeOf(holder)) {
        fail(Array.isArray(holder) ? "',' or ']'" : "',' or '}'");
      }
      at++;
      value = holder;
      holders.pop();
      names.pop();
    }
  }
}

/**
 * Write a value: what `parseJson` makes, with any of `JsonNumber`, plain numbers and `bigint`. No spaces, as `JSON.stringify`.
 *
 * #### Complexity
 * Linear in the text. Depth costs no call stack.
 */
export function stringifyJson(value: unknown): string {
  let text = '';
  const open: { readonly holder: Holder; readonly keys: readonly string[] | null; next: number }[] =
    [];
  const begin = (one: unknown): void => {
    if (one instanceof JsonNumber) {
      text += one.text;
    } else if (typeof one === 'bigint') {
      text += one.toString();
    } else if (typeof one === 'object' && one !== null) {
      text += Array.isArray(one) ? '[' : '{';
      const keys = Array.isArray(one) ? null : Object.keys(one);
      open.push({ holder: one as Holder, keys, next: 0 });
    } else {
      text += JSON.stringify(one);
    }
  };
  begin(value);
  while (open.length > 0) {
    const frame = open[open.length - 1];
    const { holder, keys, next } = frame;
    if (next > 0 && next < (keys ?? (holder as unknown[])).length) {
      text += ',';
    }
    frame.next++;
    if (keys === null) {
      const list = holder as unknown[];
      if (next === list.length) {
        text += ']';
        open.pop();
      } else {
        begin(list[next]);
      }
    } else if (next === keys.length) {
      text += '}';
      open.pop();
    } else {
      text += `${JSON.stringify(keys[next])}:`;
      begin((holder as Record<string, unknown>)[keys[next]]);
    }
  }
  return text;
}

const WORDS: readonly (readonly [string, unknown])[] = [
  ['true', true],
  ['false', false],
  ['null', null]
];

function closeOf(holder: Holder): number {
  return Array.isArray(holder) ? CLOSE_BRACKET : CLOSE_BRACE;
}

function put(holder: Record<string, unknown>, name: string, value: unknown): void {
  if (name === '__proto__') {
    // A member like any other, not the prototype.
    Object.defineProperty(holder, name, {
      value,
      writable: true,
      enumerable: true,
      configurable: true
    });
  } else {
    holder[name] = value;
  }
}
