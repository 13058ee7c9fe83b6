/**
 * What a compiled package tells.
 *
 * @packageDocumentation
 */
import type { ICalled, ICompiledModel } from '../aotinductor';
import { readCompiledModel } from '../aotinductor';
import type { ICompiledRecords } from '../formats';
import { readCompiledPackage } from '../formats';
import type { ICompiledKernel, ICompiledModelInfo, IPackageInfo, Params } from '../protocol';
import type { ModelStore } from './modelstore';
import { compareCasts, programBeside } from './packageagainst';
import { bytesOf, packageFindings, totalOf } from './packagefindings';

/**
 * Read a package, and the exported program it is compared with where there is one.
 *
 * @throws CastlensError where a file cannot be read. A program that is only found by its name and cannot be read is none.
 */
export async function describePackage(
  params: Params<'package'>,
  store: ModelStore
): Promise<IPackageInfo> {
  const { path, program } = params;
  const records = await readCompiledPackage(path);
  const found = params.against === undefined ? await programBeside(path) : null;
  const against = params.against ?? found;
  const models: ICompiledModelInfo[] = [];
  for (const record of records) {
    const model = readCompiledModel(record);
    const compared =
      against === null
        ? undefined
        : await compareWith(against, found !== null, program, model, store);
    models.push(infoOf(record, model, compared));
  }
  return { file: path, models };
}

async function compareWith(
  file: string,
  isFoundByName: boolean,
  program: string | undefined,
  model: ICompiledModel,
  store: ModelStore
): Promise<ICompiledModelInfo['against']> {
  try {
    const census = (await store.load({ path: file, program })).census(file);
    return {
      file,
      isFoundByName,
      exported: census.perForward.off.weightCasts,
      casts: compareCasts(census.weightCasts, model)
    };
  } catch (error) {
    if (isFoundByName) {
      return undefined;
    }
    throw error;
  }
}

function infoOf(
  record: ICompiledRecords,
  model: ICompiledModel,
  against: ICompiledModelInfo['against']
): ICompiledModelInfo {
  const { libraryBytes, storedConstantBytes, wrapper } = record;
  return {
    name: model.name,
    build: model.build,
    device: model.device,
    torch: null,
    options: { ...model.metadata, ...optionsIn(wrapper, record) },
    libraryBytes,
    storedConstantBytes,
    constantBytes: model.constants.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    constants: model.constants.map(
      ({ name, weight, computedFrom, kind, dtype, shape, sizeBytes, device }) => ({
        name,
        weight,
        computedFrom,
        kind,
        dtype,
        shape,
        sizeBytes,
        device
      })
    ),
    castsPerCall: totalOf(model.perCall),
    castsAtLoad: totalOf(model.atLoad),
    bytesMovedPerCall: bytesOf(model.perCall),
    perCall: model.perCall,
    atLoad: model.atLoad,
    kernels: kernelsOf(model),
    notCounted: [
      ...(model.problem === null ? [] : [{ what: 'run_impl', why: model.problem, weights: [] }]),
      ...model.notCounted
    ],
    ...(against === undefined ? {} : { against }),
    findings: packageFindings(model, against)
  };
}

/** Options of Inductor that show in the package. */
function optionsIn(wrapper: string, record: ICompiledRecords): Record<string, string> {
  const isFolding = !wrapper.includes('use_runtime_constant_folding=False');
  return {
    'aot_inductor.use_runtime_constant_folding': String(isFolding),
    ...(record.storedConstantBytes === null
      ? {}
      : { 'aot_inductor.package_constants_in_so': 'false' }),
    ...(record.libraryBytes === null ? { 'aot_inductor.package_cpp_only': 'true' } : {}),
    ...(/RECORD_FUNCTION|RecordFunctionHandle/u.test(wrapper)
      ? { 'cpp.enable_kernel_profile': 'true' }
      : {})
  };
}

/** Kernels with their calls, those of one call first. */
function kernelsOf({ calledPerCall, calledAtLoad }: ICompiledModel): ICompiledKernel[] {
  const kernels = new Map<string, ICompiledKernel>();
  const add = ({ name, kind, calls, isConditional }: ICalled, isLoad: boolean): void => {
    const held = kernels.get(name);
    kernels.set(name, {
      name,
      kind,
      calls: (held?.calls ?? 0) + (isLoad ? 0 : calls),
      callsAtLoad: (held?.callsAtLoad ?? 0) + (isLoad ? calls : 0),
      isConditional: isConditional || held?.isConditional === true
    });
  };
  calledPerCall.forEach(called => add(called, false));
  calledAtLoad.forEach(called => add(called, true));
  return [...kernels.values()];
}
