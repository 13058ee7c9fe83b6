/**
 * Reads `.onnx` files.
 *
 * @packageDocumentation
 */
import type { IDimRange, IExportedModel, IGraph, IPort, IValue, IWeight } from '../../model';
import { bodiesOf, CastlensError, forEachNode } from '../../model';
import type { FileReader } from '../filereader';
import { liftCastConstants } from './constants';
import { ExternalFiles } from './externaldata';
import { inlineFunctions } from './functions';
import { GraphBuilder } from './graphbuilder';
import { OriginReader } from './origin';
import type { IRawModel } from './rawmodel';
import { readRawModel } from './rawreader';
import { TensorReader } from './tensors';
import { WireReader } from './wirereader';

/**
 * Read an ONNX model into a graph with byte-range weights.
 *
 * #### Notes
 * Weights inside the protobuf are ranges of the file itself, weights beside it are ranges of their files. Memory is in
 * proportion to the graph.
 *
 * @param file - stays the caller's to close.
 * @throws CastlensError where the file or its external data is damaged, or of a kind castlens does not read.
 */
export function readOnnx(file: FileReader): IExportedModel {
  const raw = readRawModel(new WireReader(file));
  if (raw.graph === null || raw.irVersion <= 0) {
    throw new CastlensError('unsupported-format', 'this is no ONNX model', {
      file: file.path,
      entry: 'ModelProto',
      expected: 'a protobuf with ir_version and graph',
      found: raw.graph === null ? 'no graph' : 'no ir_version',
      hint: 'The file may be truncated, or be of another kind.'
    });
  }
  if (raw.opsets.size === 0) {
    // IR versions 1 and 2 had no imports; their operators are those of opset 1.
    raw.opsets.set('', 1);
  }
  const warnings = inlineFunctions(file.path, raw);
  const external = new ExternalFiles(file.path);
  const tensors = new TensorReader(file, external);
  const origins = new OriginReader();
  const builder = new GraphBuilder(
    file.path,
    tensors,
    origins,
    raw.opsets,
    raw.irVersion >= OVERRIDABLE
  );
  const graph = builder.build(raw.graph);
  const { defaults } = builder;
  liftCastConstants(graph);
  graph.opsets = usedOpsets(graph);
  const typeTexts = new Map(raw.graph.inputs.map(({ name, typeText }) => [name, typeText]));
  return {
    path: file.path,
    format: 'onnx',
    dialect: 'ONNX',
    producer:
      [raw.producerName, raw.producerVersion].filter(text => text !== '').join(' ') || 'unknown',
    torchVersion: torchVersionOf(raw),
    graph,
    regions: [],
    inputs: graph.inputs.map(value => portOf(value, typeTexts.get(value.name) ?? '')),
    outputs: graph.outputs.map((value, i) => portOf(value, raw.graph!.outputs[i].typeText)),
    weights: weightsOf(graph),
    modules: modulesOf(origins.moduleTypes, graph),
    ranges: rangesOf(raw),
    ...(defaults.size > 0 ? { defaults } : {}),
    files: [file.file, ...external.files],
    warnings
  };
}

/** IR version since which an initializer that is an input too is a default. */
const OVERRIDABLE = 4;

/** The operator sets that nodes are of: runtimes stumble over imports of domains they do not know. */
function usedOpsets(graph: IGraph): Record<string, number> {
  const domains = new Set<string>(['']);
  forEachNode(graph, ({ op }) =>
    domains.add(op.startsWith('onnx.') ? '' : op.slice(0, op.lastIndexOf('.')))
  );
  return Object.fromEntries(Object.entries(graph.opsets).filter(([domain]) => domains.has(domain)));
}

/** @param typeText - the type in words where it is none of a tensor. */
function portOf(value: IValue, typeText: string): IPort {
  const { name, dtype, shape, kind } = value;
  return {
    name,
    value,
    dtype,
    shape,
    ...(kind === 'other' ? { type: typeText || 'no tensor' } : {})
  };
}

function torchVersionOf(raw: IRawModel): string | null {
  return raw.producerName === 'pytorch'
    ? (/^\d+\.\d+(\.\d+)?/.exec(raw.producerVersion)?.[0] ?? null)
    : null;
}

/** Every initializer and lifted constant once, those of nested graphs too. */
function weightsOf(graph: IGraph): IWeight[] {
  const weights = new Set<IWeight>(graph.weights.map(({ weight }) => weight));
  forEachNode(graph, node => {
    for (const body of bodiesOf(node)) {
      body.weights.forEach(({ weight }) => weights.add(weight));
    }
  });
  return [...weights];
}

function modulesOf(
  types: ReadonlyMap<string, string>,
  graph: IGraph
): { path: string; type: string | null }[] {
  const paths = new Set<string>(['', ...types.keys()]);
  for (const { module } of graph.nodes) {
    if (module !== null) {
      paths.add(module);
    }
  }
  return [...paths].map(path => ({ path, type: types.get(path) ?? null }));
}

/** Ranges as torch.onnx.export writes them: `{s77: VR[1, 64], s27: VR[1, int_oo]}`. */
function rangesOf(raw: IRawModel): Map<string, IDimRange> {
  const ranges = new Map<string, IDimRange>();
  const text = raw.graph?.metadata.get('pkg.torch.export.ExportedProgram.range_constraints') ?? '';
  for (const [, symbol, min, max] of text.matchAll(/([A-Za-z_]\w*): VR\[(-?\w+), (-?\w+)\]/g)) {
    ranges.set(symbol, { min: boundOf(min), max: boundOf(max) });
  }
  return ranges;
}

function boundOf(text: string): number | null {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : null;
}
