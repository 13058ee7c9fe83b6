/**
 * What the parameters of requests have to be, as one table, and the check that holds them against it.
 *
 * Requests come from outside the process: from a comm, from cells, from the command line. Their types promise nothing there.
 *
 * @packageDocumentation
 */
import { CACHE_MODES, PASSES, REFERENCES } from './census';
import type { IRegionOverride } from './regions';
import { REGION_DTYPES } from './regions';
import type { IErrorInfo, IModelRef, IRunInputs, IVariant, Params, RequestName } from './requests';
import { CODE_STRATEGIES, MAX_FORWARDS, MIXED_WEIGHTS } from './requests';

/** What is wrong with a parameter. */
export interface IParameterProblem {
  /** Where it is: `variant.passes[0]`; `params` for all of them. */
  readonly field: string;
  readonly expected: string;
  readonly found: string;
}

/**
 * What a parameter has to be.
 *
 * `T` is the type it then has, no more and no less: the table below is checked against the types of the requests, both ways.
 */
export interface IKind<T> {
  /** The first problem of a value at a place; null where there is none. */
  readonly check: (value: unknown, field: string) => IParameterProblem | null;
  /** Whether it may be left out. Undefined counts as left out, null does not. */
  readonly optional: boolean;
  /** Never there; makes kinds of other types other types. */
  readonly type?: (value: T) => T;
}

/** A kind for every field of a type. */
export type Fields<T> = { readonly [F in keyof T]-?: IKind<T[F]> };

/**
 * The first problem of the parameters of a request; null where there is none.
 *
 * Fields that do not exist are a problem too: what is asked for with them would be passed over.
 */
export function checkParameters(method: RequestName, params: unknown): IParameterProblem | null {
  return PARAMETERS[method].check(params, '');
}

/** The error of a request with wrong parameters; null where they are right. */
export function wrongParameter(method: RequestName, params: unknown): IErrorInfo | null {
  const problem = checkParameters(method, params);
  if (problem === null) {
    return null;
  }
  const { field, expected, found } = problem;
  const message = `${field}: ${wrongParameterOf(method)}; expected ${expected}; found ${found}`;
  return { code: 'bad-argument', message, entry: field, expected, found };
}

/** What is said of a wrong parameter, before its parts. */
export function wrongParameterOf(method: RequestName): string {
  return `wrong parameter of request "${method}"`;
}

/** A value that was found where another was expected, in at most a line. */
export function describeValue(value: unknown): string {
  switch (typeof value) {
    case 'string': {
      const shown = value.length > 60 ? `${value.slice(0, 60)}…` : value;
      return `"${shown}"`;
    }
    case 'object':
      if (value === null) {
        return 'null';
      }
      return Array.isArray(value) ? `a list of ${value.length}` : 'an object';
    case 'undefined':
      return 'nothing';
    case 'function':
    case 'symbol':
      return `a ${typeof value}`;
    default:
      return String(value);
  }
}

function kind<T>(expected: string, accepts: (value: unknown) => boolean): IKind<T> {
  return {
    optional: false,
    check: (value, field) =>
      accepts(value) ? null : { field: field || 'params', expected, found: describeValue(value) }
  };
}

/** A kind that may be left out. */
function optional<T>(given: IKind<T>): IKind<T | undefined> {
  return { check: given.check, optional: true };
}

function oneOf<const C extends readonly string[]>(choices: C): IKind<C[number]> {
  return kind(choices.join(', '), value => choices.some(choice => choice === value));
}

/** A whole number that a double holds exactly, from `least` to `most`. */
function whole(least: number, most = Number.MAX_SAFE_INTEGER): IKind<number> {
  const range =
    most < Number.MAX_SAFE_INTEGER
      ? ` from ${least} to ${most}`
      : least > Number.MIN_SAFE_INTEGER
        ? ` of at least ${least}`
        : '';
  return kind(
    `a whole number${range}`,
    value =>
      typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most
  );
}

function listOf<T>(item: IKind<T>, least = 0): IKind<readonly T[]> {
  const list = kind<readonly T[]>(
    least === 0 ? 'a list' : `a list of at least ${least}`,
    value => Array.isArray(value) && value.length >= least
  );
  return {
    optional: false,
    check: (value, field) =>
      list.check(value, field) ??
      firstProblem((value as readonly unknown[]).keys(), index =>
        item.check((value as readonly unknown[])[index], `${field}[${index}]`)
      )
  };
}

/** An object with any names, and a value of one kind for each. */
function tableOf<T>(item: IKind<T>): IKind<Readonly<Record<string, T>>> {
  return {
    optional: false,
    check: (value, field) =>
      anObject.check(value, field) ??
      firstProblem(Object.entries(value as object), ([name, each]) =>
        item.check(each, within(field, name))
      )
  };
}

/** An object with these fields and no others. */
function record<T>(fields: Fields<T>): IKind<T> {
  const kinds = Object.entries(fields as Readonly<Record<string, IKind<unknown>>>);
  const known = kinds.map(([name]) => name);
  const checkField = (value: object, [name, each]: (typeof kinds)[number], field: string) => {
    const found: unknown = Object.hasOwn(value, name)
      ? (value as Record<string, unknown>)[name]
      : undefined;
    return found === undefined && each.optional ? null : each.check(found, within(field, name));
  };
  return {
    optional: false,
    check: (value, field) =>
      anObject.check(value, field) ??
      firstProblem(kinds, each => checkField(value as object, each, field)) ??
      firstProblem(Object.keys(value as object), name =>
        known.includes(name)
          ? null
          : {
              field: within(field, name),
              expected: known.length === 0 ? 'no parameters' : known.join(', '),
              found: 'a name that is none of these'
            }
      )
  };
}

function within(field: string, name: string): string {
  const shown = name.length > 60 ? `${name.slice(0, 60)}…` : name;
  return field === '' ? shown : `${field}.${shown}`;
}

function firstProblem<T>(
  items: Iterable<T>,
  check: (item: T) => IParameterProblem | null
): IParameterProblem | null {
  for (const item of items) {
    const problem = check(item);
    if (problem !== null) {
      return problem;
    }
  }
  return null;
}

const anObject = kind<object>(
  'an object',
  value => typeof value === 'object' && value !== null && !Array.isArray(value)
);

const text = kind<string>('text', value => typeof value === 'string');

const truth = kind<boolean>('true or false', value => typeof value === 'boolean');

/** Systems take no NUL in a name, and an empty one names nothing. */
const path = kind<string>(
  'the path of a file',
  value => typeof value === 'string' && value !== '' && !value.includes('\0')
);

const model: Fields<IModelRef> = {
  path,
  program: optional(text),
  weights: optional(path),
  version: optional(text)
};

/** The model with the weights of its own file. */
const ownModel = { path: model.path, program: model.program, version: model.version };

const regions = tableOf(
  record<IRegionOverride>({ enabled: optional(truth), dtype: optional(oneOf(REGION_DTYPES)) })
);

const variant = record<IVariant>({
  cache: oneOf([...CACHE_MODES, ...REFERENCES]),
  passes: listOf(oneOf(PASSES)),
  device: text,
  regions: optional(regions)
});

const inputs = record<IRunInputs>({
  inputsFile: optional(path),
  dims: optional(tableOf(whole(0))),
  seed: optional(whole(Number.MIN_SAFE_INTEGER))
});

const mixed = oneOf(MIXED_WEIGHTS);

/** What the parameters of every request have to be. */
export const PARAMETERS: { readonly [K in RequestName]: IKind<Params<K>> } = {
  open: record<Params<'open'>>(model),
  census: record<Params<'census'>>({ ...model, regions: optional(regions) }),
  plan: record<Params<'plan'>>({ ...model, variant }),
  run: record<Params<'run'>>({
    ...model,
    variant,
    inputs: optional(inputs),
    outputsFile: optional(path)
  }),
  compare: record<Params<'compare'>>({
    ...model,
    variants: listOf(variant, 1),
    runs: optional(whole(1, MAX_FORWARDS)),
    warmup: optional(whole(0, MAX_FORWARDS)),
    inputs: optional(inputs)
  }),
  updateWeights: record<Params<'updateWeights'>>({ ...ownModel, weights: path, variant }),
  weightStats: record<Params<'weightStats'>>({ ...model, outputFile: optional(path) }),
  activationStats: record<Params<'activationStats'>>({
    ...model,
    variant,
    inputs: optional(inputs),
    values: optional(listOf(text)),
    modules: optional(listOf(text)),
    reference: optional(truth),
    outputFile: optional(path)
  }),
  fix: record<Params<'fix'>>({
    ...ownModel,
    output: path,
    mixed: optional(mixed),
    regions: optional(regions),
    types: optional(truth),
    codeFile: optional(path),
    overwrite: optional(truth)
  }),
  code: record<Params<'code'>>({
    ...ownModel,
    mixed: optional(mixed),
    strategies: optional(listOf(oneOf(CODE_STRATEGIES))),
    codeFile: optional(path),
    overwrite: optional(truth)
  }),
  explain: record<Params<'explain'>>({ code: text }),
  devices: record<Params<'devices'>>({}),
  lastCompare: record<Params<'lastCompare'>>({ ...model, version: text })
};
