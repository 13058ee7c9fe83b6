/**
 * What castlens says about the casts of a model.
 *
 * @packageDocumentation
 */
import type { Of } from './schema';
import { count, figure, listOf, nullable, oneOf, open, optional, text, truth } from './schema';
import { REGIONS } from './variant';
import { CACHE_MODES, VERDICTS } from './words';

const SOURCE_REF = open(
  { file: text(), line: count(), code: optional(text('the line itself')) },
  'one place in the Python source of the user'
);

/** One place in the user's Python source. */
export type ISourceRef = Of<typeof SOURCE_REF>;

/** A place in the source, null where none is known. */
export const SOURCE = nullable(SOURCE_REF);

const REGION_INFO = open(
  {
    id: text(),
    parent: nullable(text(), 'id of the region around it'),
    device: text('device type, as torch.autocast takes it'),
    dtype: nullable(text(), 'null where the default of the device is taken'),
    enabled: truth(),
    cacheEnabled: nullable(truth(), 'null where the default is taken'),
    module: nullable(text(), 'path of the module'),
    source: SOURCE
  },
  'the operators under one autocast context, as recorded'
);

/** The operators under one autocast context, as recorded. */
export type IRegionInfo = Of<typeof REGION_INFO>;

const WEIGHT_CAST = open(
  {
    weight: text('name of the weight; of a computed one, the value in the graph'),
    kind: oneOf(
      ['stored', 'computed'],
      'what is cast: a tensor of the file, or what is computed from such tensors alone'
    ),
    computedFrom: listOf(
      text(),
      'for a computed weight: names of the weights it comes from; else empty'
    ),
    aliases: listOf(text(), 'other names of the same storage'),
    from: text('dtype as stored'),
    to: text('dtype it is cast to'),
    uses: count('casts in one forward in mode `off`'),
    bytesMoved: figure('bytes read plus bytes written by those casts'),
    shape: listOf(figure()),
    sizeBytes: figure('bytes of the weight as stored; of a computed one, of the value'),
    module: nullable(text(), 'path of the module'),
    source: nullable(SOURCE_REF, 'where the first use stands'),
    cacheEligible: truth(
      'whether the cache of eager PyTorch would keep the cast: parameter, float32, requires_grad, not a view'
    ),
    origin: oneOf(['region', 'explicit', 'runtime'])
  },
  'one weight cast to one dtype'
);

/** One weight cast to one dtype. */
export type IWeightCast = Of<typeof WEIGHT_CAST>;

/** What a weight cast reads: a tensor of the file, or what is computed from such tensors alone. */
export type WeightCastKind = IWeightCast['kind'];

/** Weight casts of one forward. */
export const FORWARD_CASTS = {
  weightCasts: figure('weight casts of one forward'),
  bytesMoved: figure('bytes read plus bytes written by them')
};

const FORWARD = open(FORWARD_CASTS);

/** Weight casts of one forward. */
export type IForwardCasts = Of<typeof FORWARD>;

/** The same as an object. */
export const FORWARD_CASTS_OBJECT = FORWARD;

const MEASURED_TIME = open(
  {
    with: oneOf(CACHE_MODES, 'the mode that has what is measured; without passes'),
    without: oneOf(CACHE_MODES, 'the mode that has it not; without passes'),
    differenceMs: figure('median of `with` less median of `without`, milliseconds per forward'),
    lowMs: nullable(
      figure(),
      '95 % bootstrap interval of the difference; null where there are too few runs to say'
    ),
    highMs: nullable(figure()),
    verdict: oneOf(VERDICTS, 'what the comparison says of `without` against `with`'),
    device: text(),
    runs: count('timed forwards of each')
  },
  'time that something costs, from a comparison: one variant that has it against one that has not'
);

/** Time that something costs, from a comparison: one variant that has it against one that has not. */
export type IMeasuredTime = Of<typeof MEASURED_TIME>;

const FINDING_COST = open(
  {
    bytesMoved: optional(
      figure('bytes read plus bytes written by its casts in one forward; counted, not measured')
    ),
    isLowerBound: optional(
      truth(
        'whether some of the casts have sizes that are only known in a run, and `bytesMoved` leaves them out'
      )
    ),
    time: optional(MEASURED_TIME)
  },
  'what a finding costs, as far as it is known'
);

/** What a finding costs, as far as it is known. Time only where a comparison has been run that says. */
export type IFindingCost = Of<typeof FINDING_COST>;

const FINDING = open(
  {
    code: text('stable; docs/findings has a page for each'),
    severity: oneOf(['info', 'warning', 'error']),
    message: text(),
    weights: optional(listOf(text(), 'weights it is about, by name')),
    nodes: optional(listOf(text(), 'operator calls it is about, by name')),
    source: optional(nullable(SOURCE_REF, 'the line to look at first')),
    sources: optional(listOf(SOURCE_REF, 'every line it is about, that one included, each once')),
    cost: optional(FINDING_COST),
    remedy: optional(text('what to do about it, where something can be done'))
  },
  'something castlens found in a model'
);

/** Something castlens found in a model. Codes are stable; docs/findings has a page for each. */
export type IFinding = Of<typeof FINDING>;

/** What was found. */
export const FINDINGS = listOf(FINDING);

/** The casts in the file; with `overrides`, those of the file under these regions. */
export const CENSUS = open(
  {
    file: text('as the user named it'),
    format: oneOf(['pt2', 'onnx']),
    dialect: oneOf(['TRAINING', 'ATEN', 'ONNX']),
    producer: text(),
    regions: listOf(REGION_INFO, 'as recorded, whatever is overridden'),
    overrides: optional(REGIONS),
    weightCasts: listOf(WEIGHT_CAST),
    activationCasts: figure('dtype-changing casts of activations in one forward'),
    perForward: open(
      { off: FORWARD, autocast: FORWARD, folded: FORWARD, frozen: FORWARD },
      'weight casts of one forward by cache mode'
    ),
    findings: FINDINGS
  },
  'the casts in the file; where regions are overridden, those of the program that is then run'
);

/** The casts in the file; with `overrides`, those of the file under these regions. */
export type ICensus = Of<typeof CENSUS>;
