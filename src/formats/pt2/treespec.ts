/**
 * Names of inputs and outputs from the pytree specifications in a `.pt2` file.
 *
 * @packageDocumentation
 */
import type { JsonObject, JsonRecord } from '../jsonrecord';

/** Field names of named tuples, by class, as `treespec_namedtuple_fields` lists them. */
export type NamedTuples = ReadonlyMap<string, readonly string[]>;

/** Keys and positions from the root of a tree to a leaf. */
export type LeafPath = readonly (string | number)[];

interface ISpec {
  readonly spec: JsonObject;
  readonly path: LeafPath;
}

/**
 * Paths of the leaves of a serialized TreeSpec, in order.
 *
 * @param text - `[1, {type, context, children_spec}]`.
 * @returns null where the text is not such a specification: names are a convenience, not worth refusing a file.
 */
export function parseTreeSpec(
  json: JsonRecord,
  text: unknown,
  namedTuples: NamedTuples
): LeafPath[] | null {
  if (typeof text !== 'string') {
    return null;
  }
  const root = parseJson(text);
  if (!Array.isArray(root) || root.length !== 2) {
    return null;
  }
  const leaves: LeafPath[] = [];
  const stack: ISpec[] = [{ spec: json.object(root[1], 'in_spec'), path: [] }];
  while (stack.length > 0) {
    const { spec, path } = stack.pop()!;
    const children = Array.isArray(spec.children_spec) ? spec.children_spec : [];
    if (spec.type === null) {
      leaves.push(path);
      continue;
    }
    const keys = keysOf(spec, children.length, namedTuples);
    for (let i = children.length - 1; i >= 0; i--) {
      stack.push({
        spec: json.object(children[i], 'children_spec'),
        path: [...path, keys === null ? i : keys[i]]
      });
    }
  }
  return leaves;
}

/** Names of the children of a container; null where they are known by position only. */
function keysOf(spec: JsonObject, count: number, namedTuples: NamedTuples): string[] | null {
  if (typeof spec.type === 'string' && namedTuples.has(spec.type)) {
    const fields = namedTuples.get(spec.type)!;
    return fields.length === count ? [...fields] : null;
  }
  const context = typeof spec.context === 'string' ? parseJson(spec.context) : spec.context;
  // dict and OrderedDict: keys. defaultdict and dataclasses: a pair that holds the keys.
  const candidates = Array.isArray(context) ? [context, ...context] : [];
  for (const candidate of candidates) {
    if (
      Array.isArray(candidate) &&
      candidate.length === count &&
      candidate.every(key => typeof key === 'string' || typeof key === 'number')
    ) {
      return candidate.map(String);
    }
  }
  return null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
