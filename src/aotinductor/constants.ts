/**
 * The constants of a compiled model, from the constructor in its wrapper.
 *
 * Source: `codegen_model_constructor` in torch/_inductor/codegen/cpp_wrapper_cpu.py, torch 2.9 to 2.15.
 *
 * @packageDocumentation
 */

/** A constant as the constructor tells it. */
export interface IConstant {
  /** Name in the generated code. */
  readonly name: string;
  /** Fully qualified name of the weight in the exported program; null where the wrapper says none. */
  readonly weight: string | null;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly sizeBytes: number;
  /** `parameter`, `buffer`, `constant`, `folded`; null where it is not said. */
  readonly kind: string | null;
  readonly device: string;
  /** Whether it is computed when the model is loaded. */
  readonly isFolded: boolean;
}

/** Most constants of one model. */
const MAX_CONSTANTS = 1_000_000;

const FIELD = /constants_info_\[(\d{1,7})\]\.(\w{1,40}) = ([^;\n]{0,4096});/gu;

const KINDS: Readonly<Record<string, string>> = {
  Parameter: 'parameter',
  Buffer: 'buffer',
  TensorConstant: 'constant',
  FoldedConstant: 'folded'
};

/** Every constant, by its index. */
export function readConstants(wrapper: string): readonly IConstant[] {
  const fields: Record<string, string>[] = [];
  for (const [, index, field, value] of wrapper.matchAll(FIELD)) {
    const i = Number(index);
    if (i < MAX_CONSTANTS && i <= fields.length) {
      (fields[i] ??= {})[field] = value;
    }
  }
  return fields.map(entry => {
    const isFolded = entry.from_folded === 'true';
    const name = textOf(entry.name);
    const weight = textOf(entry.original_fqn);
    const kind = /ConstantType::(\w+)/u.exec(entry.type ?? '')?.[1];
    return {
      name,
      weight: isFolded || isFrozenName(name) || weight === '' ? null : weight,
      dtype: (entry.dtype ?? '').replace('cached_torch_dtype_', '') || 'unknown',
      shape: [...(entry.shape ?? '').matchAll(/\d+/gu)].map(Number),
      sizeBytes: Number(entry.data_size ?? 0) || 0,
      kind: kind === undefined ? null : (KINDS[kind] ?? null),
      device: (entry.device_type ?? '').replace('cached_torch_device_type_', '') || 'cpu',
      isFolded
    };
  });
}

/** Whether freezing made a constant of this name. */
export function isFrozenName(name: string): boolean {
  return name.startsWith('_frozen_param');
}

function textOf(literal: string | undefined): string {
  return (literal ?? '').replace(/^"|"$/gu, '');
}
