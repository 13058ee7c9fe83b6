/**
 * The Arrow table of tensor statistics, as the engine makes it and the panel shows it.
 *
 * One row per tensor, as one Arrow IPC stream. Statistics are over the elements as stored; `mean`, `std`, `min` and `max`
 * leave out NaN and infinities, and are null where no finite element is left. `std` is the population's (divided by n).
 *
 * @packageDocumentation
 */

/** Number of bins of the exponent histogram: one per value of the float32 exponent field. */
export const EXPONENT_BINS = 256;

/** Columns of the table: name, Arrow type, meaning. */
export const STATS_COLUMNS = [
  { name: 'name', type: 'utf8', label: 'Name', about: 'fully qualified name' },
  { name: 'dtype', type: 'utf8', label: 'Dtype', about: 'element type as stored' },
  { name: 'shape', type: 'list<int64>', label: 'Shape', about: 'sizes' },
  { name: 'module', type: 'utf8', label: 'Module', about: 'path of the module that holds it' },
  { name: 'count', type: 'int64', label: 'Count', about: 'elements' },
  { name: 'min', type: 'float64', label: 'Min', about: 'smallest finite element' },
  { name: 'max', type: 'float64', label: 'Max', about: 'largest finite element' },
  { name: 'mean', type: 'float64', label: 'Mean', about: 'mean of the finite elements' },
  {
    name: 'std',
    type: 'float64',
    label: 'Std',
    about: 'standard deviation of the finite elements'
  },
  { name: 'zeros', type: 'int64', label: 'Zeros', about: 'elements equal to zero' },
  { name: 'nan', type: 'int64', label: 'NaN', about: 'elements that are NaN' },
  { name: 'inf', type: 'int64', label: 'Inf', about: 'elements that are infinite' },
  {
    name: 'exponents',
    type: 'fixed_size_list<uint32>[256]',
    label: 'Exponents',
    about: 'elements by exponent field of their float32 value; bin 127 holds magnitudes in [1, 2)'
  },
  {
    name: 'float16_overflow',
    type: 'float64',
    label: 'f16 overflow',
    about: 'share of finite elements that float16 rounds to infinity'
  },
  {
    name: 'float16_subnormal',
    type: 'float64',
    label: 'f16 subnormal',
    about: 'share of finite elements that become subnormal in float16'
  },
  {
    name: 'float16_vanish',
    type: 'float64',
    label: 'f16 vanish',
    about: 'share of finite non-zero elements that float16 rounds to zero, among finite elements'
  },
  {
    name: 'bfloat16_overflow',
    type: 'float64',
    label: 'bf16 overflow',
    about: 'share of finite elements that bfloat16 rounds to infinity'
  },
  {
    name: 'bfloat16_subnormal',
    type: 'float64',
    label: 'bf16 subnormal',
    about: 'share of finite elements that become subnormal in bfloat16'
  },
  {
    name: 'bfloat16_vanish',
    type: 'float64',
    label: 'bf16 vanish',
    about: 'share of finite non-zero elements that bfloat16 rounds to zero, among finite elements'
  }
] as const;

/** Columns of a table of activations. */
export const ACTIVATION_COLUMNS = [
  ...STATS_COLUMNS,
  {
    name: 'limit_dtype',
    type: 'utf8',
    label: 'Limit',
    about:
      'low-precision dtype that the value is computed in or cast to; the next columns are about it'
  },
  {
    name: 'overflow_ratio',
    type: 'float64',
    label: 'Of largest',
    about: 'largest magnitude over the largest finite number of the limit dtype'
  },
  {
    name: 'overflow_binades',
    type: 'float64',
    label: 'To overflow',
    about: 'powers of two from the largest magnitude up to the largest finite number'
  },
  {
    name: 'subnormal_binades',
    type: 'float64',
    label: 'To subnormal',
    about: 'powers of two from the smallest magnitude above zero down to the smallest normal number'
  },
  {
    name: 'near_subnormal',
    type: 'float64',
    label: 'Near subnormal',
    about: 'share of finite elements, not zero, below four times the smallest normal number'
  },
  {
    name: 'max_abs_error',
    type: 'float64',
    label: 'Max error',
    about: 'largest difference to the float32 reference'
  },
  {
    name: 'max_rel_error',
    type: 'float64',
    label: 'Max rel. error',
    about: 'largest difference over the largest magnitude of the reference'
  },
  {
    name: 'max_element_rel_error',
    type: 'float64',
    label: 'Max elem. error',
    about: 'largest difference over the magnitude of the same element of the reference'
  },
  {
    name: 'cosine',
    type: 'float64',
    label: 'Cosine',
    about: 'cosine of the angle between value and reference as vectors'
  },
  {
    name: 'snr_db',
    type: 'float64',
    label: 'SNR dB',
    about:
      'signal-to-noise ratio: squares of the reference over squares of the differences, in decibel'
  }
] as const;

/** Name of a column of either table. */
export type StatsColumn = (typeof ACTIVATION_COLUMNS)[number]['name'];

/** Name of a column that both tables have. */
export type CommonStatsColumn = (typeof STATS_COLUMNS)[number]['name'];

/** Key of the schema metadata that names the version of this table. */
export const STATS_SCHEMA_VERSION_KEY = 'castlens.stats.version';

/** Version of this table. */
export const STATS_SCHEMA_VERSION = '1';
