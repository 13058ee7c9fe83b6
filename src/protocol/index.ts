export * from './contract';
export type {
  ICensus,
  IFinding,
  IFindingCost,
  IForwardCasts,
  IMeasuredTime,
  IRegionInfo,
  ISourceRef,
  IWeightCast,
  WeightCastKind
} from './contract/census';
export * from './contract/calls';
export * from './contract/check';
export { wordsOf } from './contract/options';
export type { IFlag, IOption, OptionsOf } from './contract/options';
export * from './contract/paths';
export type { ICodeResult } from './contract/requests/code';
export type {
  ICompareResult,
  ITorchCast,
  IVariantMemory,
  IVariantResult
} from './contract/requests/compare';
export type { IDeviceInfo } from './contract/requests/devices';
export type { IFixResult } from './contract/requests/fix';
export type {
  IAutocastDevice,
  IFileVersion,
  IModelInfo,
  IModuleInfo,
  IPortInfo,
  IUnsupportedOperator
} from './contract/requests/open';
export type {
  IComparedCast,
  ICompiledCast,
  ICompiledConstantInfo,
  ICompiledKernel,
  ICompiledModelInfo,
  IPackageInfo
} from './contract/requests/package';
export { BUILD_TEXTS } from './contract/requests/package';
export type { IPassReport, IPlan } from './contract/requests/plan';
export type { IPythonInfo } from './contract/requests/pythons';
export type { IOutputInfo, IRunResult } from './contract/requests/run';
export type { IActivationStatsResult, IProbeCost } from './contract/requests/stats';
export type { IWeightUpdateResult } from './contract/requests/weights';
export type {
  IModelRef,
  IRegionOverride,
  IRunInputs,
  IVariant,
  RegionOverrides
} from './contract/variant';
export * from './contract/words';
export * from './channel';
export * from './figures';
export * from './fileversion';
export * from './messages';
export * from './nearest';
export * from './printable';
export * from './recommendation';
export * from './progress';
export * from './regions';
export * from './runtimes';
export * from './stats';
