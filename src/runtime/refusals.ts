/**
 * Why onnxruntime refuses an operator call when it loads a model.
 *
 * @packageDocumentation
 */

/**
 * - `kernel`: no provider of the session computes the operator in these element types.
 * - `operator`: the runtime knows no operator of the name, or none in the operator set of the model.
 * - `types`: the operator is not defined for these element types.
 */
export type Refusal = 'kernel' | 'operator' | 'types';

/** Texts of onnxruntime 1.30: GetKernelDefs and CreateKernel, Graph::VerifyNodeAndOpMatch, Graph::InferAndVerifyTypeMatch, inlining. */
const PATTERNS: readonly (readonly [RegExp, Refusal])[] = [
  [/Could not find an implementation for /, 'kernel'],
  [/Failed to find kernel for /, 'kernel'],
  [/ is not a registered function\/op/, 'operator'],
  [/No Op registered for /, 'operator'],
  [/Op registered for \S+ is deprecated in domain_version/, 'operator'],
  [/Type '[^']*' of input parameter .* of operator .* is invalid/, 'types'],
  [/Type parameter \(\S+\) of Optype .* bound to different types/, 'types']
];

/** What the runtime's message says of an operator call; null where it is about something else. */
export function refusalIn(message: string): Refusal | null {
  return PATTERNS.find(([pattern]) => pattern.test(message))?.[1] ?? null;
}

/** Operator sets that a model wants and the runtime does not know. */
export interface INewerOpset {
  readonly domain: string;
  readonly wanted: number;
  readonly newest: number;
}

/** What the runtime's message says of the operator set of a model; null where it is about something else. */
export function newerOpsetIn(message: string): INewerOpset | null {
  const match =
    /Opset (?<wanted>\d+) is under development.*domain (?<domain>\S+) is till opset (?<newest>\d+)/s.exec(
      message
    )?.groups;
  return match === undefined
    ? null
    : { domain: match.domain, wanted: Number(match.wanted), newest: Number(match.newest) };
}
