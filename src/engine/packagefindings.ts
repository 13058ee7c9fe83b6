/**
 * What the numbers of a compiled package mean.
 *
 * @packageDocumentation
 */
import type { ICompiledModel, IExecutedCast } from '../aotinductor';
import { count, some } from '../autocast';
import type { ICompiledModelInfo, IFinding } from '../protocol';
import { formatBytes } from '../protocol';

const EVERY_CALL = 'compiled-casts-every-call';
const AT_LOAD = 'compiled-casts-at-load';
const NOT_COUNTED = 'compiled-not-counted';
const DIFFERS = 'compiled-differs';

/** Codes of the findings about compiled packages; docs/findings has a page for each. */
export const PACKAGE_FINDING_CODES: readonly string[] = [EVERY_CALL, AT_LOAD, NOT_COUNTED, DIFFERS];

/** Findings about a compiled model. */
export function packageFindings(
  model: ICompiledModel,
  against: ICompiledModelInfo['against']
): IFinding[] {
  return [
    ...everyCall(model),
    ...atLoad(model),
    ...notCounted(model),
    ...(against === undefined ? [] : differs(against))
  ];
}

function everyCall({ build, perCall }: ICompiledModel): IFinding[] {
  const total = totalOf(perCall);
  if (total === 0) {
    return [];
  }
  const weights = weightsOf(perCall);
  const bytes = bytesOf(perCall);
  const how =
    build === 'default'
      ? 'it was built without folding'
      : `what is left of a build that is ${build}`;
  return [
    {
      code: EVERY_CALL,
      severity: 'warning',
      message: `One call runs ${count(total, 'weight cast')} of ${count(weights.length, 'weight')}${bytes === null ? '' : ` and moves ${formatBytes(bytes)} for them`}: ${how}.`,
      weights,
      ...(bytes === null ? {} : { cost: { bytesMoved: bytes } }),
      remedy:
        build === 'default'
          ? 'Two ways to be rid of them: compile with aot_inductor.use_runtime_constant_folding, which casts once at load and keeps weights updatable, or with freezing under torch.no_grad(). Or convert the weights before export (castlens fix) and compile that.'
          : 'Convert the weights before export (castlens fix) and compile that.'
    }
  ];
}

function atLoad({ atLoad: casts, constants }: ICompiledModel): IFinding[] {
  const total = totalOf(casts);
  if (total === 0) {
    return [];
  }
  const folded = constants.filter(({ isFolded }) => isFolded);
  const bytes = folded.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return [
    {
      code: AT_LOAD,
      severity: 'info',
      message: `${count(total, 'weight cast')} run once, when the model is loaded; memory then holds the weights and ${formatBytes(bytes)} of converted ones.`,
      weights: weightsOf(casts),
      remedy:
        'Freezing, or converting the weights before export (castlens fix), keeps the converted ones alone.'
    }
  ];
}

function notCounted({ notCounted: items, problem }: ICompiledModel): IFinding[] {
  const texts = [
    ...(problem === null ? [] : [`the whole call: ${problem}`]),
    ...items.map(({ what, why }) => `${what}: ${why}`)
  ];
  return texts.length === 0
    ? []
    : [
        {
          code: NOT_COUNTED,
          severity: 'warning',
          message: `Not followed, and not counted: ${some(texts)}.`,
          nodes: items.map(({ what }) => what),
          weights: [...new Set(items.flatMap(({ weights }) => weights))],
          remedy:
            'Compare with the exported program (--against), which counts every cast, or count in a run: castlens compare --runtime aotinductor.'
        }
      ];
}

function differs(against: NonNullable<ICompiledModelInfo['against']>): IFinding[] {
  const different = against.casts.filter(({ why }) => why !== null);
  if (different.length === 0) {
    return [];
  }
  const reasons = new Map<string, number>();
  different.forEach(({ why }) => reasons.set(why!, (reasons.get(why!) ?? 0) + 1));
  const texts = [...reasons].map(([why, n]) => `${why} (${count(n, 'weight')})`);
  return [
    {
      code: DIFFERS,
      severity: 'info',
      message: `One call executes other casts than ${against.file} exports: ${texts.join('; ')}.`,
      weights: [...new Set(different.flatMap(({ weights }) => weights))]
    }
  ];
}

/** Casts in all. */
export function totalOf(casts: readonly IExecutedCast[]): number {
  return casts.reduce((sum, cast) => sum + cast.count, 0);
}

/** Bytes that casts move; null where those of one are not known. */
export function bytesOf(casts: readonly IExecutedCast[]): number | null {
  return casts.reduce<number | null>(
    (sum, { bytesMoved }) => (sum === null || bytesMoved === null ? null : sum + bytesMoved),
    0
  );
}

function weightsOf(casts: readonly IExecutedCast[]): string[] {
  return [...new Set(casts.flatMap(({ weights }) => weights))];
}
