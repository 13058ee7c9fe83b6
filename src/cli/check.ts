/**
 * `castlens check`: a census held against limits, for scripts and continuous integration.
 *
 * @packageDocumentation
 */
import type { CacheMode, ICensus, IFinding, IWeightCast } from '../protocol';

/** From the mildest to the worst. */
export const SEVERITIES = ['info', 'warning', 'error'] as const;

/** What a model must not exceed. */
export interface ILimits {
  /** The cache mode whose forward is counted. */
  readonly cache: CacheMode;
  readonly maxWeightCasts?: number;
  readonly maxBytesMoved?: number;
  readonly maxActivationCasts?: number;
  /** Severities, each with all that are worse, and codes of findings that the model must not have. */
  readonly failOn: readonly string[];
}

/** A figure beside its limit. */
export interface ICheckedLimit {
  readonly name: 'weight-casts' | 'bytes-moved' | 'activation-casts' | 'findings';
  readonly found: number;
  readonly limit: number;
  readonly passed: boolean;
}

/** What a check says. */
export interface ICheckReport {
  readonly file: string;
  readonly cache: CacheMode;
  readonly passed: boolean;
  readonly limits: readonly ICheckedLimit[];
  /** The findings that fail the check. */
  readonly findings: readonly IFinding[];
  /** Weight casts, those that move most bytes first; empty where none are executed in this mode. */
  readonly weightCasts: readonly IWeightCast[];
}

/** What options ask for. Without a limit, no weight may be cast. */
export function limitsOf(options: Partial<ILimits>): ILimits {
  const {
    cache = 'off',
    failOn = ['error'],
    maxWeightCasts,
    maxBytesMoved,
    maxActivationCasts
  } = options;
  const isGiven = [maxWeightCasts, maxBytesMoved, maxActivationCasts].some(
    limit => limit !== undefined
  );
  return {
    cache,
    failOn,
    maxBytesMoved,
    maxActivationCasts,
    maxWeightCasts: isGiven ? maxWeightCasts : 0
  };
}

/** Hold a census against limits. A limit that is not given is not checked; at least the findings are. */
export function checkCensus(census: ICensus, limits: ILimits): ICheckReport {
  const { weightCasts, bytesMoved } = census.perForward[limits.cache];
  const findings = census.findings.filter(finding => isUnwanted(finding, limits.failOn));
  const checked: ICheckedLimit[] = [];
  const check = (name: ICheckedLimit['name'], found: number, limit: number | undefined): void => {
    if (limit !== undefined) {
      checked.push({ name, found, limit, passed: found <= limit });
    }
  };
  check('weight-casts', weightCasts, limits.maxWeightCasts);
  check('bytes-moved', bytesMoved, limits.maxBytesMoved);
  check('activation-casts', census.activationCasts, limits.maxActivationCasts);
  check('findings', findings.length, 0);
  return {
    file: census.file,
    cache: limits.cache,
    passed: checked.every(({ passed }) => passed),
    limits: checked,
    findings,
    weightCasts:
      weightCasts === 0 ? [] : [...census.weightCasts].sort((a, b) => b.bytesMoved - a.bytesMoved)
  };
}

function isUnwanted({ code, severity }: IFinding, failOn: readonly string[]): boolean {
  return (
    failOn.includes(code) ||
    SEVERITIES.slice(0, SEVERITIES.indexOf(severity) + 1).some(each => failOn.includes(each))
  );
}
