/**
 * Facts about the fixtures, taken from the files with Python's zipfile, json and onnx modules, not with castlens.
 *
 * `crc` is the CRC-32 of the bytes of all stored tensors, in the order of their names.
 */

export interface IPt2Facts {
  readonly dialect: 'TRAINING' | 'ATEN';
  /** Operators, those of nested graphs included, wrappers of regions left out. */
  readonly nodes: number;
  /** Different operators. */
  readonly operators: number;
  /** Device, dtype, enabled, index of the enclosing region. */
  readonly regions: readonly (readonly [string, string, boolean, number | null])[];
  readonly names: number;
  readonly storages: number;
  readonly usedStorages: number;
  readonly bytes: number;
  readonly crc: number;
}

export interface IOnnxFacts {
  readonly nodes: number;
  readonly operators: number;
  readonly casts: number;
  readonly constants: number;
  readonly weights: number;
  readonly bytes: number;
  readonly crc: number;
}

export const PT2_FACTS: Readonly<Record<string, IPt2Facts>> = {
  'bert/model.core.pt2': {
    dialect: 'ATEN',
    nodes: 225,
    operators: 28,
    regions: [],
    names: 41,
    storages: 41,
    usedStorages: 39,
    bytes: 354048,
    crc: 83732251
  },
  'bert/model.pt2': {
    dialect: 'TRAINING',
    nodes: 88,
    operators: 24,
    regions: [['cpu', 'bfloat16', true, null]],
    names: 41,
    storages: 41,
    usedStorages: 41,
    bytes: 354048,
    crc: 83732251
  },
  'convnet/model.core.pt2': {
    dialect: 'ATEN',
    nodes: 23,
    operators: 9,
    regions: [],
    names: 22,
    storages: 22,
    usedStorages: 19,
    bytes: 60928,
    crc: 126588629
  },
  'convnet/model.pt2': {
    dialect: 'TRAINING',
    nodes: 14,
    operators: 7,
    regions: [['cpu', 'bfloat16', true, null]],
    names: 22,
    storages: 22,
    usedStorages: 19,
    bytes: 60928,
    crc: 126588629
  },
  'dynamic-batch/model.core.pt2': {
    dialect: 'ATEN',
    nodes: 20,
    operators: 9,
    regions: [],
    names: 4,
    storages: 4,
    usedStorages: 4,
    bytes: 12608,
    crc: 395829764
  },
  'dynamic-batch/model.pt2': {
    dialect: 'TRAINING',
    nodes: 6,
    operators: 5,
    regions: [['cpu', 'bfloat16', true, null]],
    names: 4,
    storages: 4,
    usedStorages: 4,
    bytes: 12608,
    crc: 395829764
  },
  'gpt2/model.pt2': {
    dialect: 'TRAINING',
    nodes: 122,
    operators: 30,
    regions: [['cpu', 'bfloat16', true, null]],
    names: 29,
    storages: 28,
    usedStorages: 28,
    bytes: 467968,
    crc: 4048321950
  },
  'llama/model.core.pt2': {
    dialect: 'ATEN',
    nodes: 341,
    operators: 39,
    regions: [],
    names: 23,
    storages: 23,
    usedStorages: 22,
    bytes: 398656,
    crc: 1690849117
  },
  'llama/model.pt2': {
    dialect: 'TRAINING',
    nodes: 195,
    operators: 35,
    regions: [
      ['cpu', 'bfloat16', true, null],
      ['cpu', 'bfloat16', true, null],
      ['cpu', 'bfloat16', false, 1],
      ['cpu', 'bfloat16', true, null]
    ],
    names: 23,
    storages: 23,
    usedStorages: 22,
    bytes: 398656,
    crc: 1690849117
  },
  'nested-regions/model.core.pt2': {
    dialect: 'ATEN',
    nodes: 17,
    operators: 5,
    regions: [],
    names: 6,
    storages: 6,
    usedStorages: 6,
    bytes: 33792,
    crc: 1708945323
  },
  'nested-regions/model.pt2': {
    dialect: 'TRAINING',
    nodes: 8,
    operators: 4,
    regions: [
      ['cpu', 'bfloat16', true, null],
      ['cpu', 'bfloat16', false, 0]
    ],
    names: 6,
    storages: 6,
    usedStorages: 6,
    bytes: 33792,
    crc: 1708945323
  },
  'reused-weights/model.core.pt2': {
    dialect: 'ATEN',
    nodes: 27,
    operators: 4,
    regions: [],
    names: 4,
    storages: 4,
    usedStorages: 4,
    bytes: 33280,
    crc: 1568831818
  },
  'reused-weights/model.pt2': {
    dialect: 'TRAINING',
    nodes: 8,
    operators: 3,
    regions: [
      ['cpu', 'bfloat16', true, null],
      ['cpu', 'bfloat16', true, null]
    ],
    names: 4,
    storages: 4,
    usedStorages: 4,
    bytes: 33280,
    crc: 1568831818
  },
  'seed-mlp-cuda-disabled/model.core.pt2': {
    dialect: 'ATEN',
    nodes: 7,
    operators: 3,
    regions: [],
    names: 6,
    storages: 6,
    usedStorages: 6,
    bytes: 268840,
    crc: 4279554839
  },
  'seed-mlp-cuda-disabled/model.pt2': {
    dialect: 'TRAINING',
    nodes: 4,
    operators: 2,
    regions: [['cuda', 'float16', false, null]],
    names: 6,
    storages: 6,
    usedStorages: 6,
    bytes: 268840,
    crc: 4279554839
  },
  'seed-mlp/model.core.pt2': {
    dialect: 'ATEN',
    nodes: 14,
    operators: 5,
    regions: [],
    names: 6,
    storages: 6,
    usedStorages: 6,
    bytes: 268840,
    crc: 1457096636
  },
  'seed-mlp/model.pt2': {
    dialect: 'TRAINING',
    nodes: 6,
    operators: 4,
    regions: [['cpu', 'bfloat16', true, null]],
    names: 6,
    storages: 6,
    usedStorages: 6,
    bytes: 268840,
    crc: 1457096636
  },
  'vit/model.core.pt2': {
    dialect: 'ATEN',
    nodes: 209,
    operators: 23,
    regions: [],
    names: 40,
    storages: 40,
    usedStorages: 38,
    bytes: 338944,
    crc: 3633530408
  },
  'vit/model.pt2': {
    dialect: 'TRAINING',
    nodes: 75,
    operators: 18,
    regions: [['cpu', 'bfloat16', true, null]],
    names: 40,
    storages: 40,
    usedStorages: 40,
    bytes: 338944,
    crc: 3633530408
  }
};

export const ONNX_FACTS: Readonly<Record<string, IOnnxFacts>> = {
  'bert/model.onnx': {
    nodes: 277,
    operators: 27,
    casts: 42,
    weights: 39,
    bytes: 337408,
    crc: 2857444796,
    constants: 67
  },
  'convnet/model.onnx': {
    nodes: 44,
    operators: 13,
    casts: 8,
    weights: 19,
    bytes: 60904,
    crc: 3581892734,
    constants: 8
  },
  'dynamic-batch/model.onnx': {
    nodes: 17,
    operators: 8,
    casts: 6,
    weights: 4,
    bytes: 12608,
    crc: 395829764,
    constants: 2
  },
  'gpt2/model.onnx': {
    nodes: 397,
    operators: 34,
    casts: 45,
    weights: 28,
    bytes: 467968,
    crc: 3865580298,
    constants: 126
  },
  'llama/model.onnx': {
    nodes: 550,
    operators: 35,
    casts: 78,
    weights: 22,
    bytes: 398624,
    crc: 159109184,
    constants: 160
  },
  'nested-regions/model.onnx': {
    nodes: 12,
    operators: 3,
    casts: 8,
    weights: 6,
    bytes: 33792,
    crc: 1708945323,
    constants: 0
  },
  'reused-weights/model.onnx': {
    nodes: 20,
    operators: 2,
    casts: 14,
    weights: 4,
    bytes: 33280,
    crc: 1568831818,
    constants: 0
  },
  'seed-mlp-cuda-disabled/model.onnx': {
    nodes: 4,
    operators: 2,
    casts: 0,
    weights: 6,
    bytes: 268840,
    crc: 4279554839,
    constants: 0
  },
  'seed-mlp/model.onnx': {
    nodes: 10,
    operators: 3,
    casts: 6,
    weights: 6,
    bytes: 268840,
    crc: 1457096636,
    constants: 0
  },
  'vit/model.onnx': {
    nodes: 236,
    operators: 23,
    casts: 40,
    weights: 38,
    bytes: 322304,
    crc: 3382033000,
    constants: 60
  }
};
