/**
 * Ids of the commands.
 *
 * @packageDocumentation
 */

/** Ids of the commands. */
export namespace CommandIDs {
  export const open = 'castlens:open';
  export const reload = 'castlens:reload';
  export const run = 'castlens:run';
  export const stop = 'castlens:stop';
  export const compare = 'castlens:compare';
  export const setCacheMode = 'castlens:set-cache-mode';
  export const togglePass = 'castlens:toggle-pass';
  export const setDevice = 'castlens:set-device';
  export const overrideRegion = 'castlens:override-region';
  export const resetRegions = 'castlens:reset-regions';
  export const toggleVariant = 'castlens:toggle-variant';
  export const toggleRuntime = 'castlens:toggle-runtime';
  export const setPython = 'castlens:set-python';
  export const setDeployment = 'castlens:set-deployment';
  export const summariseWeights = 'castlens:summarise-weights';
  export const explainFinding = 'castlens:explain-finding';
  export const summariseActivations = 'castlens:summarise-activations';
  export const showStatistics = 'castlens:show-statistics';
  export const takeWeights = 'castlens:take-weights';
  export const useOwnWeights = 'castlens:use-own-weights';
  export const saveRepaired = 'castlens:save-repaired';
  export const showCode = 'castlens:show-code';
  export const copyCode = 'castlens:copy-code';
  export const retry = 'castlens:retry';
  export const dismissError = 'castlens:dismiss-error';
  export const dismissNotice = 'castlens:dismiss-notice';
  export const selectKernel = 'castlens:select-kernel';
  export const restartKernel = 'castlens:restart-kernel';
}
