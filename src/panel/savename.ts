/**
 * Names of the files that Save writes, beside the model.
 *
 * @packageDocumentation
 */
import { PathExt } from '@jupyterlab/coreutils';

/** What a repaired file is called unless the user says otherwise: `mlp.pt2` becomes `mlp.fixed.pt2`. */
export function repairedName(sourceName: string): string {
  const extension = PathExt.extname(sourceName);
  return `${sourceName.slice(0, sourceName.length - extension.length)}.fixed${extension}`;
}

/** The code beside a repaired file: `mlp.fixed.pt2` has `mlp.fixed.py`. */
export function codeName(name: string): string {
  return `${name.slice(0, name.length - PathExt.extname(name).length)}.py`;
}

/**
 * Pattern of the names Save takes, for the `pattern` attribute of an input: plain names with the extension of the source, other
 * than its own.
 */
export function saveNamePattern(sourceName: string): string {
  const literal = (text: string) => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
  return `(?!${literal(sourceName)}$)[^\\/\\\\]+${literal(PathExt.extname(sourceName))}`;
}
