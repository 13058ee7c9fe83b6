/**
 * What a package compiled by AOTInductor says about itself.
 *
 * Source: packages of torch 2.13; the names in the generated code are those of torch/_inductor/codegen/cpp_wrapper_cpu.py.
 *
 * @packageDocumentation
 */
import type { IPt2Archive } from './archive';

const FOLDER = /^data\/aotinductor\/([^/]+)\//;

/** Largest generated source that is looked into. */
const MAX_SOURCE_BYTES = 64 * 1024 ** 2;

/** A record of a compiled model, if there is one. */
export function findCompiledModel(archive: IPt2Archive): string | undefined {
  return archive.names.find(name => FOLDER.test(name));
}

/**
 * The compiled models of an archive in words: their constants with dtypes, and the options that are recorded.
 */
export async function describeCompiledModels(archive: IPt2Archive): Promise<string> {
  const models = new Set(archive.names.flatMap(name => FOLDER.exec(name)?.[1] ?? []));
  const parts: string[] = [];
  for (const model of models) {
    const records = archive.names.filter(name => name.startsWith(`data/aotinductor/${model}/`));
    const facts: string[] = [];
    for (const name of records) {
      const readable = archive.sizeOf(name) <= MAX_SOURCE_BYTES;
      if (readable && /wrapper\.cpp$|^(?!.*kernel\.cpp$).*\.cpp$/.test(name)) {
        facts.push(...describeSource(await archive.readText(name)));
      } else if (readable && name.endsWith('wrapper_metadata.json')) {
        facts.push(...describeOptions(await archive.readText(name)));
      }
    }
    parts.push(
      `compiled model '${model}' (${facts.join('; ') || `${records.length} records, nothing recorded about its constants`})`
    );
  }
  return parts.join(', ');
}

/** `constants_info_[0].dtype = cached_torch_dtype_float32;` and the like. */
function describeSource(source: string): string[] {
  const dtypes = new Map<string, number>();
  let count = 0;
  for (const [, dtype] of source.matchAll(
    /constants_info_\[\d+\]\.dtype = cached_torch_dtype_(\w+)/g
  )) {
    dtypes.set(dtype, (dtypes.get(dtype) ?? 0) + 1);
    count++;
  }
  const folding = /use_runtime_constant_folding=(\w+)/.exec(source)?.[1];
  const shown = [...dtypes].map(([dtype, n]) => `${n} ${dtype}`).join(', ');
  return [
    count === 0 ? 'no constants' : `constants: ${shown}`,
    ...(folding === undefined ? [] : [`use_runtime_constant_folding=${folding}`])
  ];
}

/** The options of a metadata record. */
function describeOptions(text: string): string[] {
  try {
    return Object.entries(JSON.parse(text) as Record<string, unknown>)
      .filter(([, value]) => typeof value === 'string' && value !== '')
      .map(([key, value]) => `${key}=${String(value)}`);
  } catch {
    return [];
  }
}
