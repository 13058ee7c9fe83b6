/**
 * What the messages of CUDA and of onnxruntime's CUDA provider mean for the reader.
 *
 * @packageDocumentation
 */
import type { ErrorCode } from '../model';

/** The meaning of a message. */
export interface ICudaFailure {
  /** `device-lost` where no later request of this process can use the device. */
  readonly code: Extract<ErrorCode, 'runtime' | 'out-of-memory' | 'device-lost'>;
  readonly summary: string;
  readonly hint: string;
}

/** Numbers are those of cudaError_t in CUDA's driver_types.h. The first pattern that is found counts. */
const FAILURES: readonly (ICudaFailure & { readonly pattern: RegExp })[] = [
  {
    pattern:
      /Failed to allocate memory|Available memory of \d+ is smaller|CUDA failure 2:|CUDA(?: error)?:? out of memory|CUBLAS failure 3:|ALLOC(?:ATION)?_FAILED/i,
    code: 'out-of-memory',
    summary: 'the device has not enough free memory',
    hint: 'Run fewer variants at once, smaller sizes (--dim), or end other programs that use the GPU; nvidia-smi lists them'
  },
  {
    pattern: /CUDA failure (?:35|36|222):|driver version is insufficient/,
    code: 'runtime',
    summary: 'the NVIDIA driver is too old for the CUDA provider',
    hint: 'castlens doctor says which version the driver supports and which one is needed'
  },
  {
    pattern: /CUDA failure (?:34|803|804):/,
    code: 'runtime',
    summary: 'the libcuda.so.1 that was loaded is not that of the NVIDIA driver',
    hint: 'Another one is found first: take folders named stubs or compat out of LD_LIBRARY_PATH; after an update of the driver restart the machine'
  },
  {
    pattern: /CUDA failure (?:100|101):/,
    code: 'runtime',
    summary: 'there is no such CUDA device',
    hint: 'castlens doctor lists the devices; CUDA_VISIBLE_DEVICES hides those that it does not name'
  },
  {
    pattern: /CUDA failure (?:46|216):/,
    code: 'runtime',
    summary: 'the CUDA device is busy',
    hint: 'Another program has it for itself, or it is being reset; nvidia-smi shows programs and compute mode'
  },
  {
    pattern: /CUDA failure (?:802|919):/,
    code: 'runtime',
    summary: 'the CUDA device is not ready',
    hint: 'GPUs that NVSwitch connects need the service nvidia-fabricmanager of the version of the driver'
  },
  {
    pattern: /CUDA failure (?:98|209):|no kernel image is available/,
    code: 'runtime',
    summary: 'the CUDA provider has no code for this GPU',
    hint: 'Its compute capability is older, or newer, than those that the provider was built for; castlens doctor shows it'
  },
  {
    pattern:
      /cuDNN is (?:required|unavailable)|CUDNN_STATUS_(?:NOT_INITIALIZED|SUBLIBRARY_LOADING_FAILED)/,
    code: 'runtime',
    summary: 'the operator needs cuDNN, which is not there',
    hint: 'castlens doctor gives the command that installs it'
  },
  {
    pattern: /undefined symbol|version [`'"][^'"]*['"] not found|SUBLIBRARY_VERSION_MISMATCH/,
    code: 'runtime',
    summary: 'a library of CUDA is of another version than the one that needs it',
    hint: 'castlens doctor shows where the libraries are found: all of them have to come from one installation'
  },
  {
    pattern: /lib[\w.+-]+\.so[\d.]*: cannot open shared object file|Failed to load shared library/,
    code: 'runtime',
    summary: 'a library of CUDA is missing',
    hint: 'castlens doctor names it and the command that installs it'
  },
  {
    // 720 and the like refuse a call; the device goes on.
    pattern:
      /CUDA failure (?:3|4|201|214|220|226|700|702|709|710|714|715|716|717|718|719|721|999):|(?:CUBLAS|CUDNN|CURAND) failure (?!\d+: CU\w+_STATUS_(?:NOT_SUPPORTED|INVALID_VALUE|BAD_PARAM|ARCH_MISMATCH))/,
    code: 'device-lost',
    summary: 'the CUDA device failed and is lost to this process',
    hint: 'The engine starts anew with the next request. If that fails too, nvidia-smi and the system log (dmesg, Xid) say more'
  }
];

/** The meaning of a message of onnxruntime; null where it is not about the device. */
export function cudaFailureOf(message: string): ICudaFailure | null {
  const found = FAILURES.find(({ pattern }) => pattern.test(message));
  return found ? { code: found.code, summary: found.summary, hint: found.hint } : null;
}

/** The part of a message that says what failed, without the C++ signatures before it. */
export function cudaMessage(message: string): string {
  const start = /(?:CUDA|CUBLAS|CUDNN|CURAND) failure \d+:|Failed to allocate memory/.exec(message);
  if (start === null) {
    return message;
  }
  const parts = message.slice(start.index).split(';');
  return parts
    .map(part => part.trim())
    .filter(part => part !== '' && !part.startsWith('hostname='))
    .join('; ');
}
