/**
 * `package`: what a package compiled by AOTInductor holds, and the weight casts that its code executes. Executes nothing.
 *
 * @packageDocumentation
 */
import { FINDINGS } from '../census';
import { request } from '../request';
import type { Of } from '../schema';
import {
  closed,
  count,
  figure,
  listOf,
  nullable,
  oneOf,
  open,
  optional,
  path,
  tableOf,
  text,
  truth
} from '../schema';

const COMPILED_CONSTANT = open(
  {
    name: text('in the generated code'),
    weight: nullable(
      text(),
      'the weight of the exported program that it holds; null where the package does not record it'
    ),
    computedFrom: listOf(text(), 'weights that it is computed from when the model is loaded'),
    kind: nullable(text(), 'parameter, buffer, constant or folded; null where it is not recorded'),
    dtype: text(),
    shape: listOf(figure()),
    sizeBytes: figure(),
    device: text()
  },
  'a constant of a compiled model'
);

/** A constant of a compiled model. */
export type ICompiledConstantInfo = Of<typeof COMPILED_CONSTANT>;

const COMPILED_CAST = open(
  {
    weights: listOf(text(), 'the weight that is cast, or those that what is cast is computed from'),
    kind: oneOf(
      ['stored', 'computed'],
      'what is cast: a constant, or what is computed from constants alone'
    ),
    from: text(),
    to: text(),
    count: count(),
    fused: count(
      'of these, casts whose result arithmetic uses at once: nothing is written in the other dtype'
    ),
    bytesMoved: nullable(figure(), 'bytes read and written; null where a size is not known'),
    kernels: listOf(text(), 'kernels that do it')
  },
  'weight casts that compiled code executes'
);

/** Weight casts that compiled code executes. */
export type ICompiledCast = Of<typeof COMPILED_CAST>;

const COMPILED_KERNEL = open(
  {
    name: text(),
    kind: oneOf(['generated', 'library'], 'code of the package, or a function of PyTorch'),
    calls: count('in one call of the model'),
    callsAtLoad: count('when the model is loaded'),
    isConditional: truth('whether it stands in a branch or a loop, and may run more or less often')
  },
  'a kernel'
);

/** A kernel of a compiled model. */
export type ICompiledKernel = Of<typeof COMPILED_KERNEL>;

const NOT_COUNTED = open(
  { what: text('kernel or function'), why: text(), weights: listOf(text()) },
  'what could not be followed, and is not counted'
);

const COMPARED_CAST = open(
  {
    weights: listOf(text()),
    to: text(),
    exported: count('casts of one forward of the exported program, in mode off'),
    perCall: count('casts that one call of the compiled model executes'),
    atLoad: count('casts when it is loaded'),
    why: nullable(text(), 'why they differ, as far as the package shows it; null where they do not')
  },
  'the casts of one weight, exported and compiled'
);

/** The casts of one weight, exported and compiled. */
export type IComparedCast = Of<typeof COMPARED_CAST>;

const AGAINST = open(
  {
    file: text('the exported program'),
    isFoundByName: truth('whether it was found beside the package'),
    exported: count('weight casts of one forward in mode off'),
    casts: listOf(COMPARED_CAST)
  },
  'the exported program against the compiled model, cast by cast'
);

const COMPILED_MODEL = open(
  {
    name: text('of the model in the package'),
    build: oneOf(
      ['default', 'folded', 'frozen'],
      'whether weights are cast in every call, once at load, or were when it was compiled'
    ),
    device: text('that it was compiled for'),
    torch: nullable(text(), 'version of PyTorch; null: AOTInductor does not record it'),
    options: tableOf(text(), 'what the package records about how it was built'),
    libraryBytes: nullable(figure(), 'bytes of the shared library; null where there is none'),
    storedConstantBytes: nullable(
      figure(),
      'bytes of constants beside the library; null where the library holds them'
    ),
    constantBytes: figure('bytes of all constants'),
    constants: listOf(COMPILED_CONSTANT),
    castsPerCall: count('weight casts that one call executes'),
    castsAtLoad: count('weight casts that are executed once, when the model is loaded'),
    bytesMovedPerCall: nullable(figure(), 'bytes that the casts of one call read and write'),
    perCall: listOf(COMPILED_CAST),
    atLoad: listOf(COMPILED_CAST),
    kernels: listOf(COMPILED_KERNEL),
    notCounted: listOf(NOT_COUNTED),
    against: optional(AGAINST),
    findings: FINDINGS
  },
  'a compiled model'
);

/** A compiled model. */
export type ICompiledModelInfo = Of<typeof COMPILED_MODEL>;

/** How a model was compiled, in words. */
export const BUILD_TEXTS: Readonly<Record<ICompiledModelInfo['build'], string>> = {
  default: 'default build',
  folded: 'built with runtime constant folding',
  frozen: 'built with freezing'
};

const PACKAGE_INFO = open(
  { file: text('as the user named it'), models: listOf(COMPILED_MODEL) },
  'a package compiled by AOTInductor'
);

/** A package compiled by AOTInductor. */
export type IPackageInfo = Of<typeof PACKAGE_INFO>;

/** Read a package: from the code in it, without PyTorch. */
export const PACKAGE = request({
  params: closed({
    path: path('the package: an archive or an unpacked folder'),
    against: optional(
      path('the exported program to compare with; where left out one beside it that its name names')
    ),
    program: optional(text('name of the program, of an archive with several'))
  }),
  result: PACKAGE_INFO
});
