/**
 * A compiled model, from the sources in its package.
 *
 * @packageDocumentation
 */
import type { IConstant } from './constants';
import { isFrozenName, readConstants } from './constants';
import { readCppKernels } from './cppkernels';
import type { ICalled, IExecutedCast, IFunctionFacts, INotCounted } from './dataflow';
import { followSteps } from './dataflow';
import type { IKernel } from './kernels';
import { NotFollowed } from './tokens';
import { readTritonKernels } from './tritonkernels';
import { readSteps } from './wrapper';

/** Texts of one compiled model. */
export interface ICompiledSources {
  readonly name: string;
  readonly wrapper: string;
  /** Sources of kernels; empty where they stand in the wrapper. */
  readonly kernels: readonly string[];
  /** What the metadata records say. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** How a model was built, as far as weights are concerned. */
export type PackageBuild = 'default' | 'folded' | 'frozen';

/** A constant, with the weights it comes from. */
export interface ICompiledConstant extends IConstant {
  /** Weights that a folded one is computed from. */
  readonly computedFrom: readonly string[];
}

/** What a compiled model does. */
export interface ICompiledModel {
  readonly name: string;
  readonly build: PackageBuild;
  readonly device: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly constants: readonly ICompiledConstant[];
  readonly perCall: readonly IExecutedCast[];
  readonly atLoad: readonly IExecutedCast[];
  readonly calledPerCall: readonly ICalled[];
  readonly calledAtLoad: readonly ICalled[];
  readonly notCounted: readonly INotCounted[];
  /** Why the function of one call cannot be followed at all; null where it was. */
  readonly problem: string | null;
}

const NOTHING: IFunctionFacts = { casts: [], called: [], notCounted: [], outputs: new Map() };

const OUTPUT_CONSTANT = /output_handles\[(\d{1,7})\] = constants_->at\((\d{1,7})\)/gu;

/**
 * Read a compiled model. Never rejects a text: what cannot be followed is said in the result.
 */
export function readCompiledModel(sources: ICompiledSources): ICompiledModel {
  const { name, wrapper, metadata } = sources;
  const constants = readConstants(wrapper);
  const kernels = new Map<string, IKernel>(
    [wrapper, ...sources.kernels].flatMap(text => [...readCppKernels(text)])
  );
  for (const [caller, kernel] of readTritonKernels(wrapper)) {
    kernels.set(caller, kernel);
  }
  const own = (constant: IConstant): readonly string[] => [constant.weight ?? constant.name];
  const load = attempt(() => followMember('_const_run_impl', own));
  const foldedFrom = new Map<string, readonly string[]>();
  for (const [, output, index] of wrapper.matchAll(OUTPUT_CONSTANT)) {
    const constant = constants[Number(index)] as IConstant | undefined;
    if (constant?.isFolded === true) {
      foldedFrom.set(constant.name, load.facts.outputs.get(Number(output)) ?? []);
    }
  }
  const origins = (constant: IConstant): readonly string[] => {
    const from = foldedFrom.get(constant.name) ?? [];
    return from.length > 0 ? from : own(constant);
  };
  const call = attempt(() => followMember('run_impl', origins));
  return {
    name,
    build: constants.some(constant => isFrozenName(constant.name))
      ? 'frozen'
      : constants.some(constant => constant.isFolded)
        ? 'folded'
        : 'default',
    device: metadata.AOTI_DEVICE_KEY ?? deviceOf(wrapper),
    metadata,
    constants: constants.map(constant => ({
      ...constant,
      computedFrom: foldedFrom.get(constant.name) ?? []
    })),
    perCall: call.facts.casts,
    atLoad: load.facts.casts,
    calledPerCall: call.facts.called,
    calledAtLoad: load.facts.called,
    notCounted: [...call.facts.notCounted, ...load.facts.notCounted],
    problem: call.problem ?? load.problem
  };

  function followMember(
    member: string,
    namesOf: (constant: IConstant) => readonly string[]
  ): IFunctionFacts {
    const steps = readSteps(wrapper, member);
    if (steps === null) {
      throw new NotFollowed(`the wrapper has no function ${member}`);
    }
    return followSteps(steps, constants, kernels, namesOf);
  }
}

function attempt(work: () => IFunctionFacts): { facts: IFunctionFacts; problem: string | null } {
  try {
    return { facts: work(), problem: null };
  } catch (error) {
    if (error instanceof NotFollowed) {
      return { facts: NOTHING, problem: error.message };
    }
    throw error;
  }
}

/** The device of the header that the wrapper includes. */
function deviceOf(wrapper: string): string {
  return /aoti_include\/(\w+)\.h/u.exec(wrapper)?.[1] ?? 'unknown';
}
