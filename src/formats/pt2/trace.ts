/**
 * Where in the user's Python an operator comes from: the texts torch.export keeps with every node.
 *
 * @packageDocumentation
 */
import type { ISourceLocation } from '../../model';

/** One entry of `nn_module_stack`. */
export interface IModuleFrame {
  /** Module path, `''` for the root. */
  readonly path: string;
  /** Python class, such as `torch.nn.modules.linear.Linear`; null where not recorded. */
  readonly type: string | null;
}

/** What the metadata of a node says about its origin. */
export interface IOrigin {
  /** Innermost frame of the user's code, or null where there is none. */
  readonly source: ISourceLocation | null;
  /** Whether every frame is in generated code: decomposition leaves only those inside former regions. */
  readonly generated: boolean;
}

const FRAME = /File "([^"\n]*)", line (\d+), in [^\n]*(?:\n(?!\s*File ")([^\n]*))?/g;

/**
 * The frame of a stack trace that a reader wants to see: the innermost one that is not torch's own code.
 *
 * #### Notes
 * A layer from torch.nn is so attributed to the line that calls it, a layer of another library to the line inside it.
 * Generated code (`<eval_with_key>.12`) has no line to show.
 */
export function parseStackTrace(trace: string): IOrigin {
  let user: ISourceLocation | null = null;
  let fallback: ISourceLocation | null = null;
  let frames = 0;
  let generatedFrames = 0;
  for (const match of trace.matchAll(FRAME)) {
    const [, file, line, code] = match;
    frames++;
    if (file.startsWith('<')) {
      generatedFrames++;
      continue;
    }
    const text = code?.trim() ?? '';
    const location: ISourceLocation = {
      file,
      line: Number(line),
      ...(text === '' ? {} : { code: text })
    };
    if (isTorchCode(file)) {
      fallback = isTracer(file) ? fallback : location;
    } else {
      user = location;
    }
  }
  return {
    source: user ?? (generatedFrames > 0 ? null : fallback),
    generated: frames > 0 && generatedFrames === frames
  };
}

/** Whether a path lies in the torch package itself. */
function isTorchCode(file: string): boolean {
  return /(?:^|(?:^|[\\/])(?:site|dist)-packages[\\/])torch[\\/]/.test(file);
}

/** Whether a path lies in the part of torch that traces: its frames say nothing about the model. */
function isTracer(file: string): boolean {
  return /(?:^|[\\/])torch[\\/](?:fx|export|_export|_dynamo|_functorch)[\\/]/.test(file);
}

/**
 * Read `nn_module_stack`: entries `key,path,type` joined by `;`, outermost first.
 *
 * #### Notes
 * Commas and semicolons inside brackets belong to the text. A path of a repeated call may carry `@1`, which is dropped.
 */
export function parseModuleStack(stack: string): IModuleFrame[] {
  const frames: IModuleFrame[] = [];
  for (const entry of splitOutsideBrackets(stack, ';')) {
    const fields = splitOutsideBrackets(entry, ',');
    // The tracer puts a placeholder where it has no stack.
    if (fields.length < 2 || fields[1].trim().startsWith('_empty_nn_module_stack')) {
      continue;
    }
    const type = fields.slice(2).join(',').trim();
    frames.push({ path: modulePath(fields[1].trim()), type: type === '' ? null : type });
  }
  return frames;
}

/** A module path without the counter of repeated calls. */
export function modulePath(path: string): string {
  return path.replace(/@\d+$/, '');
}

function splitOutsideBrackets(text: string, separator: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === '[' || character === '(') {
      depth++;
    } else if (character === ']' || character === ')') {
      depth--;
    } else if (character === separator && depth <= 0) {
      parts.push(text.slice(start, i));
      start = i + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}
