/**
 * The schemas of what `--json` prints. docs/json holds them as files, and tests hold the outputs against them.
 *
 * @packageDocumentation
 */
import { ACTIVATION_COLUMNS, CACHE_MODES, CONTRACT, STATS_COLUMNS } from '../protocol';
import type { Schema } from '../protocol/contract/schema';
import {
  count,
  figure,
  listOf,
  nullable,
  oneOf,
  open,
  optional,
  tableOf,
  text,
  truth
} from '../protocol/contract/schema';
import type { OutputName } from './outputname';
import { OUTPUT_VERSION, schemaName } from './outputname';

/** The remarks of the reader about the file, where there are any. */
const WARNINGS = optional(listOf(text(), 'remarks about the file'));

const ARROW = optional(text('the file the table was written to; it is then not printed'));

/** JSON has no number for NaN and infinities: they are text. */
const CELL = { anyOf: [figure(), text(), { type: 'null' }, listOf(figure())] };

/** A row of a table of statistics by column. */
const rowOf = (columns: readonly { readonly name: string; readonly about: string }[]): Schema => ({
  type: 'object',
  required: columns.map(({ name }) => name),
  properties: Object.fromEntries(
    columns.map(({ name, about }) => [name, { ...CELL, description: about }])
  )
});

/** An object schema with more fields. */
const withFields = (schema: Schema, fields: Parameters<typeof open>[0]): Schema => {
  const { properties } = schema as { properties: Parameters<typeof open>[0] };
  return open({ ...properties, ...fields }, (schema as { description?: string }).description);
};

const LIBRARY = open({
  name: text(),
  path: nullable(text(), 'null where the loader does not find it'),
  optional: truth('whether the provider works without it'),
  package: nullable(text(), 'the package of PyPI that has it')
});

const GPU = open({
  index: count(),
  name: text(),
  uuid: nullable(text()),
  totalBytes: nullable(figure()),
  freeBytes: nullable(figure()),
  computeCapability: nullable(text()),
  mig: nullable(truth(), 'whether it is split into instances; null where it cannot be')
});

const DRIVER = open({
  kind: oneOf(['present', 'missing', 'failed', 'hung']),
  driverVersion: optional(text()),
  cudaVersion: optional(nullable(text(), 'newest CUDA that the driver can run')),
  gpus: optional(listOf(GPU)),
  message: optional(text('where it is not present'))
});

const DOCTOR = open(
  {
    versions: tableOf(text(), 'versions by name'),
    devices: (CONTRACT.devices.result as unknown as { properties: { devices: Schema } }).properties
      .devices,
    pythons: (CONTRACT.pythons.result as unknown as { properties: { pythons: Schema } }).properties
      .pythons,
    cuda: open({
      driver: DRIVER,
      provider: open({
        path: nullable(text()),
        versionMatches: nullable(truth()),
        wanted: text('version that is needed')
      }),
      cudaMajor: nullable(count()),
      libraries: listOf(LIBRARY),
      problems: listOf(
        open({
          message: text(),
          command: nullable(text(), 'the command that solves it'),
          optional: truth('whether models can be run on CUDA all the same')
        })
      )
    })
  },
  'devices, providers and versions'
);

const CENSUS_FIELDS = (
  CONTRACT.census.result as unknown as { properties: { findings: Schema; weightCasts: Schema } }
).properties;

const CHECK = open(
  {
    file: text('as the user named it'),
    cache: oneOf(CACHE_MODES, 'the mode whose forward was counted'),
    passed: truth('whether no limit is exceeded'),
    limits: listOf(
      open({
        name: oneOf(['weight-casts', 'bytes-moved', 'activation-casts', 'findings']),
        found: figure(),
        limit: figure(),
        passed: truth()
      }),
      'every limit that was checked'
    ),
    findings: CENSUS_FIELDS.findings,
    weightCasts: CENSUS_FIELDS.weightCasts
  },
  'a census held against limits: the findings that fail it, and the weight casts, those that move most bytes first'
);

const FIELDS: Readonly<Record<OutputName, Schema>> = {
  census: withFields(CONTRACT.census.result, { warnings: WARNINGS }),
  check: withFields(CHECK, { warnings: WARNINGS }),
  package: CONTRACT.package.result,
  run: withFields(CONTRACT.run.result, { warnings: WARNINGS }),
  compare: withFields(CONTRACT.compare.result, { warnings: WARNINGS }),
  'weight-stats': withFields(CONTRACT.weightStats.result, {
    rows: optional(count('rows of the table, where it was written to a file')),
    weights: optional(listOf(rowOf(STATS_COLUMNS), 'the table, where it was not')),
    arrow: ARROW,
    warnings: WARNINGS
  }),
  'activation-stats': withFields(CONTRACT.activationStats.result, {
    values: optional(listOf(rowOf(ACTIVATION_COLUMNS), 'the table')),
    arrow: ARROW,
    warnings: WARNINGS
  }),
  fix: withFields(CONTRACT.fix.result, { warnings: WARNINGS }),
  code: withFields(CONTRACT.code.result, { warnings: WARNINGS }),
  explain: CONTRACT.explain.result,
  doctor: DOCTOR
};

/** Names of all outputs. */
export const OUTPUT_NAMES = Object.keys(FIELDS) as OutputName[];

/** The JSON Schema of an output, as docs/json holds it. */
export function outputSchema(output: OutputName): object {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    $id: `castlens-${output}-${OUTPUT_VERSION}`,
    title: `castlens --json: ${output}, version ${OUTPUT_VERSION}`,
    ...withFields(FIELDS[output], {
      schema: { type: 'string', const: schemaName(output) } as never
    })
  };
}

/** Where the schema of an output lies, from the root of the repository. */
export function schemaFile(output: OutputName): string {
  return `docs/json/v${OUTPUT_VERSION}/${output}.schema.json`;
}
