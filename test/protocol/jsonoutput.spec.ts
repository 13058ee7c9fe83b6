/**
 * What every command prints with `--json`, held against the schemas of docs/json. A field that a schema does not name fails too.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Ajv from 'ajv';

import type { OutputName } from '../../src/cli/outputname';
import { OUTPUT_NAMES, schemaFile } from '../../src/cli/outputs';

const root = join(__dirname, '..', '..');
const cli = join(root, 'dist', 'sidecar', 'cli.js');
const fixture = (name: string, file = 'model.pt2'): string =>
  join(root, 'test', 'fixtures', name, file);

/** A schema that refuses fields it does not name. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) {
    return schema.map(closed);
  }
  if (typeof schema !== 'object' || schema === null) {
    return schema;
  }
  const made = Object.fromEntries(
    Object.entries(schema).map(([key, value]) => [
      key,
      key === 'properties'
        ? Object.fromEntries(Object.entries(value as object).map(([k, v]) => [k, closed(v)]))
        : closed(value)
    ])
  );
  return 'properties' in made && !('additionalProperties' in made)
    ? { ...made, additionalProperties: false }
    : made;
}

function validatorOf(output: OutputName) {
  const schema = JSON.parse(readFileSync(join(root, schemaFile(output)), 'utf8')) as object;
  const ajv = new Ajv({ allErrors: true, allowUnionTypes: true });
  ajv.addFormat('castlens-path', /./);
  return ajv.compile(closed(schema) as object);
}

describe('castlens --json', () => {
  let folder: string;
  const covered = new Set<OutputName>();

  beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'castlens-json-'))));
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each<[OutputName, string[]]>([
    ['census', ['census', fixture('seed-mlp')]],
    ['census', ['census', fixture('nested-regions'), '--region', 'submod_1=off']],
    ['census', ['census', fixture('seed-mlp', 'model.onnx')]],
    ['census', ['census', fixture('bert')]],
    ['check', ['check', fixture('seed-mlp'), '--max-weight-casts', '4']],
    ['package', ['census', join(root, 'test', 'data', 'aotinductor', 'cpu-2.15', 'twouse-folded')]],
    [
      'package',
      [
        'census',
        join(root, 'test', 'data', 'aotinductor', 'cuda-2.15', 'twouse-off'),
        '--against',
        fixture('reused-weights')
      ]
    ],
    ['run', ['run', fixture('seed-mlp'), '--passes', 'share-casts,hoist-casts']],
    ['run', ['run', fixture('dynamic-batch'), '--outputs', 'OUT/outputs.safetensors']],
    ['run', ['run', fixture('vit', 'model.onnx'), '--cache', 'folded']],
    ['compare', ['compare', fixture('seed-mlp'), '--runs', '6', '--warmup', '1']],
    ['compare', ['compare', fixture('reused-weights'), '--runs', '1', '--cache', 'folded,float32']],
    ['weight-stats', ['stats', fixture('seed-mlp')]],
    ['weight-stats', ['stats', fixture('seed-mlp'), '--arrow', 'OUT/weights.arrow']],
    ['activation-stats', ['stats', fixture('seed-mlp'), '--activations']],
    [
      'activation-stats',
      ['stats', fixture('seed-mlp'), '--activations', '--arrow', 'OUT/values.arrow']
    ],
    ['fix', ['fix', fixture('seed-mlp'), '-o', 'OUT/fixed.pt2', '--code', 'OUT/fixed.py']],
    ['fix', ['fix', fixture('nested-regions'), '-o', 'OUT/off.pt2', '--region', 'submod_1=off']],
    ['fix', ['fix', fixture('seed-mlp', 'model.onnx'), '-o', 'OUT/fixed.onnx', '--keep-both']],
    ['fix', ['fix', fixture('seed-mlp', 'model.onnx'), '-o', 'OUT/types.onnx', '--types']],
    ['code', ['code', fixture('seed-mlp')]],
    ['code', ['code', fixture('seed-mlp'), '-o', 'OUT/code.py']],
    ['explain', ['explain', 'weights-cast-every-forward']],
    ['doctor', ['doctor']]
  ])('should print what the schema of %s says: %j', (output, argv) => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [cli, ...argv.map(each => each.replace(/^OUT/, folder)), '--json'],
      { encoding: 'utf8' }
    );
    if (status !== 0) {
      throw new Error(stderr);
    }
    const validate = validatorOf(output);
    const printed: unknown = JSON.parse(stdout);
    validate(printed);
    expect(validate.errors ?? []).toEqual([]);
    expect(printed).toMatchObject({ schema: `castlens/${output}/1` });
    covered.add(output);
  });

  it('should have been tried for every output', () => {
    expect([...covered].sort()).toEqual([...OUTPUT_NAMES].sort());
  });

  it('should fail where an output has another field', () => {
    const validate = validatorOf('explain');
    expect(validate({ schema: 'castlens/explain/1', markdown: '' })).toBe(true);
    expect(validate({ schema: 'castlens/explain/1', markdown: '', more: 1 })).toBe(false);
    expect(validate({ schema: 'castlens/explain/2', markdown: '' })).toBe(false);
  });
});
