/**
 * Paths in parameters.
 *
 * @packageDocumentation
 */
import type { RequestName } from '.';
import { CONTRACT } from '.';
import { PATH_FORMAT } from './schema';

/** As much of a schema as tells where paths are. */
interface INode {
  readonly format?: string;
  readonly properties?: Readonly<Record<string, INode>>;
}

/**
 * Parameters with every path replaced. What is no path, or an empty one, is for a check to refuse and stays as it is.
 *
 * #### Notes
 * Whoever asks and whoever answers may be in different folders; relative paths start where the asking side is.
 */
export function mapPaths(
  method: RequestName,
  params: unknown,
  replace: (path: string) => string
): unknown {
  return mapped(CONTRACT[method].params as INode, params, replace);
}

function mapped(schema: INode, value: unknown, replace: (path: string) => string): unknown {
  if (schema.format === PATH_FORMAT) {
    return typeof value === 'string' && value !== '' ? replace(value) : value;
  }
  const { properties } = schema;
  if (properties === undefined || !isPlain(value)) {
    return value;
  }
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [
      name,
      Object.hasOwn(properties, name) ? mapped(properties[name], each, replace) : each
    ])
  );
}

function isPlain(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
