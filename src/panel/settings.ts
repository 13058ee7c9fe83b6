/**
 * The user's settings, checked.
 *
 * @packageDocumentation
 */
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { DEFAULT_RUNS, DEFAULT_WARMUP } from '../protocol';
import type { CacheMode, PassName, RuntimeName } from '../protocol';
import { isRuntime } from './runtimes';
import { isCacheMode, isPassName } from './variants';

/** Settings of the panel; schema/plugin.json describes them for the user. */
export interface IPanelSettings {
  /** Device of a model opened for the first time. */
  readonly device: string;
  /** Cache mode of a model opened for the first time. */
  readonly cacheMode: CacheMode;
  /** Passes of a model opened for the first time. */
  readonly passes: readonly PassName[];
  /** What models are deployed with; `auto` for AOTInductor where it can be used, else onnxruntime. */
  readonly deployment: RuntimeName | 'auto';
  /** Timed forwards per variant of a comparison. */
  readonly runs: number;
  /** Forwards before them that are not timed. */
  readonly warmup: number;
  /** Weights up to this many MiB are summarised without being asked. */
  readonly statisticsLimitMiB: number;
  /** Whether closing the panel shuts its kernel down. */
  readonly shutdownOnClose: boolean;
}

/** What holds where the user has set nothing. */
export const DEFAULT_SETTINGS: IPanelSettings = {
  device: 'cpu',
  cacheMode: 'off',
  passes: [],
  deployment: 'auto',
  runs: DEFAULT_RUNS,
  warmup: DEFAULT_WARMUP,
  statisticsLimitMiB: 256,
  shutdownOnClose: true
};

/** Read settings; values of the wrong kind are replaced by their default. */
export function readSettings(composite: ReadonlyPartialJSONObject): IPanelSettings {
  const count = (value: unknown, fallback: number) =>
    typeof value === 'number' && value >= 0 ? Math.floor(value) : fallback;
  const {
    device,
    cacheMode,
    passes,
    deployment,
    runs,
    warmup,
    statisticsLimitMiB,
    shutdownOnClose
  } = composite;
  return {
    device: typeof device === 'string' && device ? device : DEFAULT_SETTINGS.device,
    cacheMode: isCacheMode(cacheMode) ? cacheMode : DEFAULT_SETTINGS.cacheMode,
    passes: Array.isArray(passes) ? passes.filter(isPassName) : DEFAULT_SETTINGS.passes,
    deployment: isRuntime(deployment) ? deployment : DEFAULT_SETTINGS.deployment,
    runs: Math.max(1, count(runs, DEFAULT_SETTINGS.runs)),
    warmup: count(warmup, DEFAULT_SETTINGS.warmup),
    statisticsLimitMiB: count(statisticsLimitMiB, DEFAULT_SETTINGS.statisticsLimitMiB),
    shutdownOnClose:
      typeof shutdownOnClose === 'boolean' ? shutdownOnClose : DEFAULT_SETTINGS.shutdownOnClose
  };
}
