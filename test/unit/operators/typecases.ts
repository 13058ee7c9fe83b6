/** Models with right and wrong types, see test/data/make_type_cases.py. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface ITypeCase {
  readonly name: string;
  /** What `onnx.checker.check_model(full_check=True)` says. */
  readonly isValid: boolean;
  readonly model: string;
}

export const TYPE_CASES = JSON.parse(
  readFileSync('test/data/type_cases.json', 'utf8')
) as readonly ITypeCase[];

/** The forms that converters and exporters leave, and their right counterparts: they stand first. */
export const TYPE_FORMS = TYPE_CASES.slice(0, 13);

/** Write a model to a folder; returns its path. */
export function writeTypeCase(folder: string, { name, model }: ITypeCase): string {
  const path = join(folder, `${name.replace(/\W+/g, '_')}.onnx`);
  writeFileSync(path, Buffer.from(model, 'base64'));
  return path;
}
