/**
 * What can run a model, and in which modes.
 *
 * @packageDocumentation
 */
import type { RUNTIME_CACHES, RuntimeName } from './contract/words';
import { VARIANT_CACHES } from './contract/words';

/** Runtimes that need the user's Python, and trust the file. */
export type TorchRuntime = Exclude<RuntimeName, 'onnxruntime'>;

/** A mode, or the repaired file as it is. */
export type RuntimeMode = (typeof RUNTIME_CACHES)[number];

/** The modes of every runtime, in the order in which they are shown. */
export const RUNTIME_MODES: Readonly<Record<RuntimeName, readonly RuntimeMode[]>> = {
  onnxruntime: VARIANT_CACHES,
  eager: ['off', 'autocast', 'repaired'],
  aotinductor: ['off', 'folded', 'frozen', 'repaired'],
  compile: ['off', 'frozen', 'repaired']
};

/** The runtimes as their users call them. */
export const RUNTIME_LABELS: Readonly<Record<RuntimeName, string>> = {
  onnxruntime: 'onnxruntime',
  eager: 'eager',
  aotinductor: 'AOTInductor',
  compile: 'torch.compile'
};

/** What runs a variant, and in which mode. */
interface IModeOf {
  readonly cache: (typeof VARIANT_CACHES)[number];
  readonly runtimeName?: RuntimeName;
  readonly repaired?: boolean;
}

/** What runs a variant. */
export function runtimeOf({ runtimeName = 'onnxruntime' }: IModeOf): RuntimeName {
  return runtimeName;
}

/** The mode of a variant, or that it is the repaired file. */
export function modeOf({ cache, repaired }: IModeOf): RuntimeMode {
  return repaired === true ? 'repaired' : cache;
}

/** Whether a variant is the model as exported, which others of its runtime are measured against. */
export function isOff(variant: IModeOf): boolean {
  return modeOf(variant) === 'off';
}

/** What a mode of PyTorch's runtimes is, in PyTorch's own words. */
export const TORCH_MODE_TEXTS: Readonly<
  Record<TorchRuntime, Partial<Record<RuntimeMode, string>>>
> = {
  eager: {
    off: 'the program as exported',
    autocast: 'cache_enabled set on its autocast regions',
    repaired: 'the repaired program'
  },
  aotinductor: {
    off: 'default options',
    folded: 'aot_inductor.use_runtime_constant_folding',
    frozen: 'freezing, under no_grad',
    repaired: 'the repaired program, default options'
  },
  compile: {
    off: 'torch.compile, default options',
    frozen: 'torch.compile with freezing, under no_grad',
    repaired: 'torch.compile of the repaired program'
  }
};

/** Why a runtime has not a mode; null where it has. */
export function missingMode(runtime: RuntimeName, mode: RuntimeMode): string | null {
  if (RUNTIME_MODES[runtime].includes(mode)) {
    return null;
  }
  const has = RUNTIME_MODES[runtime].join(', ');
  return `${runtime} has no mode ${mode}; it has ${has}`;
}
