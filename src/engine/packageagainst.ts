/**
 * A compiled model against the program it was compiled from, cast by cast.
 *
 * @packageDocumentation
 */
import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

import type { ICompiledModel, IExecutedCast } from '../aotinductor';
import { isCompiledPackage } from '../formats';
import type { IComparedCast, IWeightCast } from '../protocol';

/** Inductor writes constants of one dimension and at most so many elements into the code. */
const MAX_INLINED_ELEMENTS = 8;

/**
 * The exported program beside a package: of the `.pt2` files in its folder the one with the longest name that the package's name
 * begins with, up to a dot, hyphen or underscore. `model.compiled.pt2` and `model_folded/` belong to `model.pt2`. Null where there is none.
 */
export async function programBeside(file: string): Promise<string | null> {
  const path = resolve(file);
  const name = basename(path).replace(/\.pt2$/u, '');
  let names: string[];
  try {
    names = readdirSync(dirname(path));
  } catch {
    return null;
  }
  const candidates = names
    .filter(candidate => candidate.endsWith('.pt2') && candidate !== basename(path))
    .map(candidate => candidate.slice(0, -'.pt2'.length))
    .filter(stem => stem !== '' && name.startsWith(stem))
    .filter(stem => name === stem || /[._-]/u.test(name[stem.length]))
    .sort((a, b) => b.length - a.length);
  for (const stem of candidates) {
    const candidate = join(dirname(path), `${stem}.pt2`);
    if (statSync(candidate).isFile() && !(await isCompiledPackage(candidate))) {
      return candidate;
    }
  }
  return null;
}

/** The casts of every weight, as exported and as compiled. */
export function compareCasts(
  exported: readonly IWeightCast[],
  model: ICompiledModel
): IComparedCast[] {
  const rows = new Map<string, { weights: readonly string[]; to: string; cast?: IWeightCast }>();
  const counts = new Map<string, { exported: number; perCall: number; atLoad: number }>();
  const known = new Map<string, string>();
  for (const cast of exported) {
    for (const alias of cast.aliases) {
      known.set(alias, cast.weight);
    }
  }
  const add = (
    weights: readonly string[],
    to: string,
    what: 'exported' | 'perCall' | 'atLoad',
    by: number,
    cast?: IWeightCast
  ): void => {
    const names = [...new Set(weights.map(name => known.get(name) ?? name))].sort();
    const key = JSON.stringify([names, to]);
    rows.set(key, rows.get(key) ?? { weights: names, to, cast });
    const held = counts.get(key) ?? { exported: 0, perCall: 0, atLoad: 0 };
    held[what] += by;
    counts.set(key, held);
  };
  for (const cast of exported) {
    const weights = cast.kind === 'stored' ? [cast.weight] : cast.computedFrom;
    add(weights, cast.to, 'exported', cast.uses, cast);
  }
  const take = (casts: readonly IExecutedCast[], what: 'perCall' | 'atLoad'): void =>
    casts.forEach(({ weights, to, count }) => add(weights, to, what, count));
  take(model.perCall, 'perCall');
  take(model.atLoad, 'atLoad');
  return [...rows].map(([key, { weights, to, cast }]) => {
    const row = { weights, to, ...counts.get(key)! };
    return { ...row, why: whyDifferent(row, cast, model) };
  });
}

function whyDifferent(
  { weights, exported, perCall, atLoad }: Omit<IComparedCast, 'why'>,
  cast: IWeightCast | undefined,
  model: ICompiledModel
): string | null {
  if (exported === perCall) {
    return null;
  }
  if (exported < perCall) {
    return exported === 0 ? 'not in the exported program' : 'more than exported';
  }
  if (atLoad > 0) {
    return 'cast once, at load';
  }
  if (model.problem !== null) {
    return 'the code cannot be followed';
  }
  const names = new Set(weights.flatMap(name => [name, ...(cast?.aliases ?? [])]));
  const held = model.constants.filter(({ weight }) => weight !== null && names.has(weight));
  if (model.notCounted.some(item => item.weights.some(name => names.has(name)))) {
    return 'a kernel with it cannot be followed';
  }
  if (held.length > 0) {
    return 'fused into arithmetic, which takes it as stored';
  }
  const elements = cast?.shape.reduce((a, b) => a * b, 1) ?? Infinity;
  if (cast?.shape.length === 1 && elements <= MAX_INLINED_ELEMENTS) {
    return 'written into the code as numbers';
  }
  return model.build === 'frozen' ? 'cast when it was compiled' : 'not among the constants';
}
