/**
 * `open`: read a model, its structure and its census.
 *
 * @packageDocumentation
 */
import { CENSUS, SOURCE } from '../census';
import { request } from '../request';
import type { Of } from '../schema';
import { closed, count, figure, listOf, nullable, oneOf, open, optional, text } from '../schema';
import { MODEL } from '../variant';
import { REGION_DTYPES } from '../words';
import * as Type from 'typebox';

const PORT_INFO = open(
  {
    name: text(),
    dtype: nullable(text()),
    shape: nullable(listOf(Type.Union([figure(), text()])), 'sizes; symbolic ones as text'),
    literal: optional(text('a literal that export baked in, where this is no tensor'))
  },
  'an input or output of the model'
);

/** An input or output of the model. */
export type IPortInfo = Of<typeof PORT_INFO>;

const UNSUPPORTED_OPERATOR = open(
  {
    op: text(),
    count: count(),
    node: text('name of the first call'),
    source: SOURCE,
    reason: optional(
      text(
        'what is not supported, where the operator itself is known and only these arguments are not'
      )
    )
  },
  'an operator castlens cannot lower'
);

/** An operator castlens cannot lower. */
export type IUnsupportedOperator = Of<typeof UNSUPPORTED_OPERATOR>;

const MODULE_INFO = open(
  { path: text(), type: nullable(text()), weightCasts: figure(), bytesMoved: figure() },
  'a module of the model and the weight casts below it'
);

/** A module of the model and the weight casts below it. */
export type IModuleInfo = Of<typeof MODULE_INFO>;

const FILE_VERSION = open(
  { path: text('absolute'), version: text() },
  'a file in one of its states'
);

/** A file in one of its states. */
export type IFileVersion = Of<typeof FILE_VERSION>;

const AUTOCAST_DEVICE = open(
  {
    device: text('as torch.autocast takes it'),
    dtypes: listOf(
      oneOf(REGION_DTYPES),
      'dtypes its autocast takes; the one of a region that records none first'
    )
  },
  'a device type whose autocast policies are known'
);

/** A device type whose autocast policies are known. */
export type IAutocastDevice = Of<typeof AUTOCAST_DEVICE>;

const MODEL_INFO = open(
  {
    file: text('as the user named it'),
    path: text('absolute'),
    version: text('names the state of all files that was read'),
    files: listOf(
      FILE_VERSION,
      'what the model is read from: its file, external data, the file of other weights'
    ),
    sizeBytes: figure('bytes of all files of the model'),
    nodeCount: count(),
    weightCount: count(),
    weightBytes: figure('bytes of all weights as stored'),
    inputs: listOf(PORT_INFO),
    outputs: listOf(PORT_INFO),
    symbols: listOf(
      open({ name: text(), min: nullable(figure()), max: nullable(figure()) }),
      'symbols in shapes with their allowed values'
    ),
    modules: listOf(MODULE_INFO),
    autocastDevices: listOf(
      AUTOCAST_DEVICE,
      'what regions can be overridden with, for the device types of this file whose policies are known'
    ),
    census: CENSUS,
    unsupported: listOf(UNSUPPORTED_OPERATOR, 'empty where the model can be run on the CPU'),
    warnings: listOf(text())
  },
  'what opening a model tells: its structure and the casts in the file'
);

/** What opening a model tells: its structure and the casts in the file. */
export type IModelInfo = Of<typeof MODEL_INFO>;

/** Read a model: structure and census. */
export const OPEN = request({ params: closed(MODEL), result: MODEL_INFO });
