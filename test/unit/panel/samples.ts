import type {
  IActivationStatsResult,
  ICensus,
  ICompareResult,
  IFixResult,
  IModelInfo,
  IPlan,
  IRegionInfo,
  IVariant,
  IVariantResult
} from '../../../src/protocol';

/** A model with two weight casts on every forward. */
export function makeInfo(
  patch: Partial<Omit<IModelInfo, 'census'>> & { census?: Partial<ICensus> } = {}
): IModelInfo {
  const { census, ...rest } = patch;
  return {
    file: 'model.pt2',
    path: '/models/model.pt2',
    version: 'v1',
    files: [{ path: '/models/model.pt2', version: '4096:1:1' }],
    sizeBytes: 4096,
    nodeCount: 7,
    weightCount: 2,
    weightBytes: 2048,
    inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', 8] }],
    outputs: [{ name: 'y', dtype: 'float32', shape: ['batch', 4] }],
    symbols: [],
    modules: [],
    autocastDevices: [{ device: 'cpu', dtypes: ['bfloat16', 'float16'] }],
    unsupported: [],
    warnings: [],
    ...rest,
    census: {
      file: 'model.pt2',
      format: 'pt2',
      dialect: 'TRAINING',
      producer: 'torch 2.13.0',
      regions: [makeRegion({})],
      weightCasts: [],
      activationCasts: 1,
      perForward: {
        off: { weightCasts: 2, bytesMoved: 2048 },
        autocast: { weightCasts: 2, bytesMoved: 2048 },
        folded: { weightCasts: 0, bytesMoved: 0 },
        frozen: { weightCasts: 0, bytesMoved: 0 }
      },
      findings: [],
      ...census
    }
  };
}

export function makeRegion(patch: Partial<IRegionInfo>): IRegionInfo {
  return {
    id: 'submod_1',
    parent: null,
    device: 'cpu',
    dtype: 'bfloat16',
    enabled: true,
    cacheEnabled: false,
    module: null,
    source: null,
    ...patch
  };
}

export function makePlan(variant: IVariant, weightCasts: number): IPlan {
  return {
    variant,
    weightCasts,
    bytesMoved: weightCasts * 1024,
    activationCasts: 1,
    loweringCasts: 0,
    convertedWeights: 0,
    passes: [],
    findings: []
  };
}

export function makeResult(patch: Partial<IVariantResult>): IVariantResult {
  return {
    cache: 'off',
    passes: [],
    device: 'cpu',
    runtime: 'CPUExecutionProvider',
    medianMs: 4,
    lowMs: 3.5,
    highMs: 4.5,
    samplesMs: [3.5, 4, 4.5],
    runs: 3,
    ratioToOff: 1,
    ratioLow: 1,
    ratioHigh: 1,
    verdict: null,
    plannedWeightCasts: 2,
    plannedBytesMoved: 2048,
    executedWeightCasts: 2,
    executedBy: 'counted in the profile of the runtime',
    loadMs: 1,
    reused: false,
    memory: { fileBackedBytes: 2048, hostBytes: 1024, deviceBytes: null },
    weightBytes: 2048,
    peakRssBytes: 1,
    bitIdenticalToOff: true,
    maxRelativeDifferenceToOff: 0,
    passReports: [],
    findings: [],
    ...patch
  };
}

export function makeFix(patch: Partial<IFixResult> = {}): IFixResult {
  return {
    file: 'model.pt2',
    output: '/models/model.fixed.pt2',
    files: ['/models/model.fixed.pt2'],
    sizeBefore: 4096,
    sizeAfter: 2048,
    converted: [{ weight: 'a.weight', from: 'float32', to: 'bfloat16' }],
    left: [],
    weightCastsBefore: 2,
    weightCastsAfter: 0,
    ...patch
  };
}

export function makeCompare(variants: readonly IVariantResult[]): ICompareResult {
  return {
    file: 'model.pt2',
    version: 'v1',
    device: 'cpu',
    machine: 'a machine',
    runtime: 'CPUExecutionProvider',
    runs: 3,
    warmup: 1,
    inputs: 'random, seed 0',
    outputsComparedWith: 'onnxruntime',
    variants,
    findings: [],
    failed: []
  };
}

/** Statistics of three values. */
export function makeActivationStats(cache: IVariant['cache']): IActivationStatsResult {
  return {
    variant: { cache, passes: [], device: 'cpu' },
    runtime: 'CPUExecutionProvider',
    inputs: 'random, seed 0',
    rows: 3,
    batches: 2,
    reference: true,
    skipped: [{ name: 'odd', reason: 'there are no statistics of complex64' }],
    cost: {
      plainMs: 2,
      plainLoadMs: 0,
      probedMs: 8,
      totalMs: 20,
      plainBytes: 1000,
      probedBytes: 1250,
      plainPeakRssBytes: null,
      probedPeakRssBytes: null
    }
  };
}
