/**
 * Tensors that an ONNX model keeps in other files.
 *
 * @packageDocumentation
 */
import * as fs from 'node:fs';
import * as path from 'node:path';

import type { IByteRange, IModelFile } from '../../model';
import { CastlensError } from '../../model';
import { versionOf } from '../../protocol';

/**
 * Resolves `external_data` of one model.
 *
 * #### Notes
 * A location is a path relative to the model's folder and must stay inside it: absolute paths, `..` and links that lead out
 * are refused, as runtimes refuse them. Files are looked at (existence, size), never read.
 */
export class ExternalFiles {
  /** @param modelPath - absolute path of the model. */
  constructor(private readonly _modelPath: string) {
    this._folder = fs.realpathSync(path.dirname(_modelPath));
  }

  /** Files that were referred to. */
  get files(): IModelFile[] {
    return [...this._files.values()];
  }

  /**
   * Where the bytes of a tensor lie.
   *
   * @param entries - `external_data` of the tensor.
   * @param neededBytes - bytes of its elements.
   * @throws CastlensError where the location leaves the folder, is missing, or has no such bytes.
   */
  resolve(tensor: string, entries: ReadonlyMap<string, string>, neededBytes: number): IByteRange {
    const location = entries.get('location') ?? '';
    const file = this._locate(tensor, location);
    const { sizeBytes } = this._files.get(file)!;
    const offset = this._number(tensor, entries, 'offset') ?? 0;
    const length = this._number(tensor, entries, 'length') ?? neededBytes;
    if (length !== neededBytes) {
      throw new CastlensError('bad-file', 'external data does not fit the shape of its tensor', {
        file: this._modelPath,
        entry: tensor,
        expected: `length ${neededBytes}`,
        found: `length ${length} in '${location}'`
      });
    }
    if (offset + length > sizeBytes) {
      throw new CastlensError('bad-file', 'external data ends before its tensor does', {
        file: this._modelPath,
        entry: tensor,
        expected: `${length} bytes at offset ${offset} of '${location}'`,
        found: `a file of ${sizeBytes} bytes`,
        hint: 'The data file may be truncated or of another model: copy both files again.'
      });
    }
    return { file, offset, length };
  }

  private _locate(tensor: string, location: string): string {
    const known = this._locations.get(location);
    if (known !== undefined) {
      return known;
    }
    const refuse = (found: string, hint?: string): CastlensError =>
      new CastlensError('bad-file', 'external data must lie in the folder of the model', {
        file: this._modelPath,
        entry: tensor,
        expected: 'a relative path inside that folder',
        found,
        hint
      });
    const segments = location.split(/[\\/]/);
    if (location === '' || location.includes('\0')) {
      throw refuse('no usable location');
    }
    if (path.isAbsolute(location) || /^[A-Za-z]:/.test(location) || location.startsWith('\\')) {
      throw refuse(`the absolute path '${location}'`);
    }
    if (segments.includes('..')) {
      throw refuse(`'${location}', which leaves the folder`);
    }
    let file: string;
    let stat: fs.Stats;
    try {
      file = fs.realpathSync(path.join(this._folder, location));
      stat = fs.statSync(file);
    } catch (error) {
      throw new CastlensError('file-not-found', 'external data of the model is missing', {
        file: this._modelPath,
        entry: tensor,
        expected: `the file '${location}' beside the model`,
        found: 'no such file',
        hint: 'An ONNX model with external data is two files or more: copy all of them.',
        cause: error
      });
    }
    if (!isInside(this._folder, file)) {
      throw refuse(
        `'${location}', a link that leads out of the folder`,
        'Put the file itself, or a hard link to it, in the place of the link'
      );
    }
    if (!stat.isFile()) {
      throw refuse(`'${location}', which is no regular file`);
    }
    this._locations.set(location, file);
    this._files.set(file, { path: file, sizeBytes: stat.size, version: versionOf(stat) });
    return file;
  }

  private _number(
    tensor: string,
    entries: ReadonlyMap<string, string>,
    key: string
  ): number | null {
    const text = entries.get(key);
    if (text === undefined || text === '') {
      return null;
    }
    const value = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) {
      throw new CastlensError('bad-file', `external data has an invalid ${key}`, {
        file: this._modelPath,
        entry: tensor,
        expected: 'a non-negative integer',
        found: `'${text.slice(0, 40)}'`
      });
    }
    return value;
  }

  private readonly _folder: string;
  private readonly _locations = new Map<string, string>();
  private readonly _files = new Map<string, IModelFile>();
}

function isInside(folder: string, file: string): boolean {
  const relative = path.relative(folder, file);
  return relative !== '' && relative.split(path.sep)[0] !== '..' && !path.isAbsolute(relative);
}
