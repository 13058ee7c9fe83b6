/**
 * Reads `.pt2` files: programs saved by `torch.export.save`.
 *
 * @packageDocumentation
 */
import type {
  Dialect,
  IDimRange,
  IExportedModel,
  IGraph,
  IValue,
  IWeight,
  WeightKind
} from '../../model';
import { CastlensError, formatShape, staticShape } from '../../model';
import type { FileReader } from '../filereader';
import { describeCompiledModels, findCompiledModel } from './aotinductor';
import type { IPt2Archive } from './archive';
import { openPt2Archive } from './archive';
import { GraphReader } from './graphreader';
import { readGuards } from './guards';
import type { JsonObject } from '../jsonrecord';
import { JsonRecord } from '../jsonrecord';
import { refuseOtherArchives } from './otherarchives';
import { findProgram, programNames } from './programs';
import { readSampleInputs } from './sampleinputs';
import { readSignature } from './signature';
import { TensorMetaReader } from './tensormeta';
import { modulePath } from './trace';
import { groupTensors, readStoredTensors } from './weights';

const SCHEMA_MAJOR = 8;

/**
 * Read a `.pt2` file into a graph with byte-range weights.
 *
 * #### Notes
 * Reads the zip directory, the JSON of the program, the weight tables (in old files: pickles without their tensors) and 30
 * bytes per stored tensor; never a tensor.
 *
 * @param file - stays the caller's to close.
 * @param wanted - name of the program to read, of an archive with several.
 * @throws CastlensError where the file is damaged, of another kind or of a layout that is not supported.
 */
export async function readPt2(file: FileReader, wanted?: string): Promise<IExportedModel> {
  const archive = await openPt2Archive(file);
  await refuseOtherArchives(file.path, archive);
  await checkMarkers(file, archive);
  const warnings: string[] = [];
  const records = findProgram(file.path, archive, wanted);
  const names = programNames(archive);
  if (names.length > 1 && wanted === undefined) {
    warnings.push(
      `The archive holds ${names.length} programs (${names.join(', ')}); this is '${records.model}'. Choose one with --program NAME, or with the option program of castlens.open() in a notebook.`
    );
  }
  if (findCompiledModel(archive) !== undefined) {
    warnings.push(
      `The archive also holds what AOTInductor compiled, which is not looked into: ${await describeCompiledModels(archive)}.`
    );
  }
  const json = new JsonRecord(file.path, records.program);
  const program = json.parse(await archive.readText(records.program), file.budget);
  checkSchema(json, program);
  const dialect = readDialect(json, program, warnings);
  const graphModule = json.object(program.graph_module, 'graph_module');
  const metas = new TensorMetaReader(json);
  const read = new GraphReader(json, metas).read(graphModule.graph, 'graph_module.graph');
  const { graph } = read;
  const signature = readSignature(json, graphModule, read.scope);
  warnings.push(...signature.warnings);

  graph.inputs = valuesOf(signature.inputs);
  graph.outputs = valuesOf(signature.outputs);
  const used = usedValues(graph);
  const tensors = await readStoredTensors(file, archive, records);
  const refs = [...signature.weights].sort(
    (a, b) => Number(used.has(b.value)) - Number(used.has(a.value))
  );
  const kinds = new Map<string, WeightKind>(refs.map(ref => [ref.name, ref.kind]));
  const { weights, byName } = groupTensors(
    tensors,
    refs.map(ref => ref.name),
    kinds
  );
  const updated = new Set(
    [...signature.updated].map(updatedName => byName.get(updatedName)?.storage)
  );
  for (const { value, name: weightName } of signature.weights) {
    const weight = byName.get(weightName);
    if (weight !== undefined) {
      if (used.has(value)) {
        checkWeight(file.path, json, value, weight, weightName);
        graph.weights.push({
          value,
          weight: updated.has(weight.storage) ? { ...weight, isUpdated: true } : weight
        });
      }
    } else if (used.has(value)) {
      throw new CastlensError('bad-file', 'a weight of the program is not stored in the archive', {
        file: file.path,
        entry: records.weights ?? `data/weights/${records.model}_weights_config.json`,
        expected: `an entry '${weightName}'`,
        found: `${tensors.size} other tensors`,
        hint: 'The file is damaged: export it again.'
      });
    }
  }
  const sampleInputs = await readSampleInputs(
    file,
    archive,
    records.sampleInputs,
    signature.inputs,
    signature.inputPaths,
    warnings
  );
  const torchVersion = typeof program.torch_version === 'string' ? program.torch_version : null;
  return {
    path: file.path,
    format: 'pt2',
    ...(names.length > 1
      ? {
          programs: { chosen: records.model, others: names.filter(name => name !== records.model) }
        }
      : {}),
    dialect,
    producer: torchVersion === null ? 'torch' : `torch ${torchVersion}`,
    torchVersion:
      torchVersion === null ? null : (/^\d+\.\d+(\.\d+)?/.exec(torchVersion)?.[0] ?? null),
    graph,
    regions: read.regions,
    inputs: signature.inputs,
    outputs: signature.outputs,
    weights,
    modules: readModules(graphModule, read.moduleTypes),
    ranges: readRanges(json, program),
    guards: readGuards(json, program, signature.inputSources, warnings),
    ...(sampleInputs === undefined ? {} : { sampleInputs }),
    files: [file.file],
    warnings
  };
}

async function checkMarkers(file: FileReader, archive: IPt2Archive): Promise<void> {
  const expected: readonly (readonly [string, string])[] = [
    ['archive_format', 'pt2'],
    ['archive_version', '0'],
    ['byteorder', 'little']
  ];
  for (const [entry, value] of expected) {
    if (archive.has(entry)) {
      const found = (await archive.readText(entry)).trim();
      if (found !== value) {
        throw new CastlensError(
          'unsupported-format',
          'this archive is of a kind castlens cannot read',
          {
            file: file.path,
            entry,
            expected: `'${value}'`,
            found: `'${found.slice(0, 40)}'`
          }
        );
      }
    }
  }
}

function checkSchema(json: JsonRecord, program: JsonObject): void {
  const version = json.object(program.schema_version, 'schema_version');
  const major = json.safeInteger(version.major, 'schema_version.major');
  if (major !== SCHEMA_MAJOR) {
    throw new CastlensError('unsupported-format', 'unknown version of the export schema', {
      file: json.file,
      entry: json.entry,
      expected: `schema_version.major ${SCHEMA_MAJOR}`,
      found: `${major}.${String(version.minor)} (torch ${String(program.torch_version)})`,
      hint:
        major < SCHEMA_MAJOR
          ? 'Load it with the torch that wrote it and save it again with torch >= 2.9.'
          : 'It comes from a newer torch than castlens knows.'
    });
  }
}

function readDialect(json: JsonRecord, program: JsonObject, warnings: string[]): Dialect {
  // Older minor versions name one dialect.
  const named = program.verifiers ?? (program.dialect === undefined ? [] : [program.dialect]);
  const verifiers = json.array(named, 'verifiers');
  if (verifiers.includes('TRAINING')) {
    return 'TRAINING';
  }
  if (!verifiers.includes('ATEN')) {
    warnings.push(
      `The file names an unknown dialect (${verifiers.map(String).join(', ') || 'none'}); it is read as ATEN.`
    );
  }
  return 'ATEN';
}

/** A stored tensor must be what the graph says of it: everything after relies on either. */
function checkWeight(
  file: string,
  json: JsonRecord,
  value: IValue,
  weight: IWeight,
  name: string
): void {
  const shape = staticShape(value.shape);
  if (
    (value.dtype !== null && value.dtype !== weight.dtype) ||
    (shape !== null && shape.join() !== weight.shape.join())
  ) {
    throw new CastlensError(
      'bad-file',
      `the stored tensor '${name}' is not what the graph expects`,
      {
        file,
        entry: json.entry,
        expected: `${value.dtype} ${formatShape(value.shape ?? [])}`,
        found: `${weight.dtype} ${formatShape(weight.shape)}`,
        hint: 'The file is damaged or was changed: export it again.'
      }
    );
  }
}

function valuesOf(ports: readonly { readonly value: IValue | null }[]): IValue[] {
  return ports.map(port => port.value).filter(value => value !== null);
}

/** Values that a node or an output uses. Graphs that stay nested take theirs as operands. */
function usedValues(graph: IGraph): Set<IValue> {
  const used = new Set<IValue>(graph.outputs);
  for (const node of graph.nodes) {
    for (const value of node.inputs) {
      if (value !== null) {
        used.add(value);
      }
    }
  }
  return used;
}

function readModules(
  graphModule: JsonObject,
  types: ReadonlyMap<string, string>
): { path: string; type: string | null }[] {
  const paths = new Set<string>(['']);
  const calls = Array.isArray(graphModule.module_call_graph) ? graphModule.module_call_graph : [];
  for (const call of calls) {
    const fqn: unknown = (call as { fqn?: unknown } | null)?.fqn;
    if (typeof fqn === 'string') {
      paths.add(modulePath(fqn));
    }
  }
  for (const path of types.keys()) {
    paths.add(path);
  }
  return [...paths].map(path => ({ path, type: types.get(path) ?? null }));
}

function readRanges(json: JsonRecord, program: JsonObject): Map<string, IDimRange> {
  const ranges = new Map<string, IDimRange>();
  const table = json.object(program.range_constraints ?? {}, 'range_constraints');
  for (const symbol of Object.keys(table)) {
    // The range of an expression (`4*h`) follows from that of its symbol.
    if (!/^\w+$/.test(symbol)) {
      continue;
    }
    const range = json.object(table[symbol], `range_constraints.${symbol}`);
    ranges.set(symbol, { min: boundOf(range.min_val), max: boundOf(range.max_val) });
  }
  return ranges;
}

/** A bound; the largest integers mean "unbounded". */
function boundOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : null;
}
