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

interface IKnownFailure extends ICudaFailure {
  /** Values of cudaError_t. */
  readonly codes?: readonly number[];
  /** What other messages say. */
  readonly pattern?: RegExp;
}

/** The first that applies counts. Values and names are those of CUDA 13's driver_types.h. */
const FAILURES: readonly IKnownFailure[] = [
  {
    codes: [2],
    pattern:
      /Failed to allocate memory|Available memory of \d+ is smaller|CUDA(?: error)?:? out of memory|CUBLAS failure 3:|ALLOC(?:ATION)?_FAILED/i,
    code: 'out-of-memory',
    summary: 'the device has not enough free memory',
    hint: 'Run fewer variants at once, smaller sizes (--dim), or end other programs that use the GPU; nvidia-smi lists them'
  },
  {
    codes: [35, 36, 222],
    pattern: /driver version is insufficient/,
    code: 'runtime',
    summary: 'the NVIDIA driver is too old for the CUDA provider',
    hint: 'castlens doctor says which version the driver supports and which one is needed'
  },
  {
    codes: [34, 803, 804],
    code: 'runtime',
    summary: 'the libcuda.so.1 that was loaded is not that of the NVIDIA driver',
    hint: 'Another one is found first: take folders named stubs or compat out of LD_LIBRARY_PATH; after an update of the driver restart the machine'
  },
  {
    codes: [100, 101],
    code: 'runtime',
    summary: 'there is no such CUDA device',
    hint: 'castlens doctor lists the devices; CUDA_VISIBLE_DEVICES hides those that it does not name'
  },
  {
    codes: [46, 216],
    code: 'runtime',
    summary: 'the CUDA device is busy',
    hint: 'Another program has it for itself, or it is being reset; nvidia-smi shows programs and compute mode'
  },
  {
    codes: [802, 919],
    code: 'runtime',
    summary: 'the CUDA device is not ready',
    hint: 'GPUs that NVSwitch connects need the service nvidia-fabricmanager of the version of the driver'
  },
  {
    codes: [98, 209],
    pattern: /no kernel image is available/,
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
    // What is left out, 701 and 720 for two, refuses a call; the device goes on.
    codes: [3, 4, 201, 214, 220, 226, 700, 702, 709, 710, 714, 715, 716, 717, 718, 719, 721, 999],
    pattern:
      /(?:CUBLAS|CUDNN|CURAND) failure (?!\d+: CU\w+_STATUS_(?:NOT_SUPPORTED|INVALID_VALUE|BAD_PARAM|ARCH_MISMATCH))/,
    code: 'device-lost',
    summary: 'the CUDA device failed and is lost to this process',
    hint: 'The engine starts anew with the next request. If that fails too, nvidia-smi and the system log (dmesg, Xid) say more'
  }
];

/** Values of those errors that kernels report by name, see `codeOf`. */
const NAMES: Readonly<Record<string, number>> = {
  cudaErrorMemoryAllocation: 2,
  cudaErrorInitializationError: 3,
  cudaErrorCudartUnloading: 4,
  cudaErrorStubLibrary: 34,
  cudaErrorInsufficientDriver: 35,
  cudaErrorCallRequiresNewerDriver: 36,
  cudaErrorDevicesUnavailable: 46,
  cudaErrorInvalidDeviceFunction: 98,
  cudaErrorNoDevice: 100,
  cudaErrorInvalidDevice: 101,
  cudaErrorDeviceUninitialized: 201,
  cudaErrorNoKernelImageForDevice: 209,
  cudaErrorECCUncorrectable: 214,
  cudaErrorDeviceAlreadyInUse: 216,
  cudaErrorNvlinkUncorrectable: 220,
  cudaErrorUnsupportedPtxVersion: 222,
  cudaErrorContained: 226,
  cudaErrorIllegalAddress: 700,
  cudaErrorLaunchTimeout: 702,
  cudaErrorContextIsDestroyed: 709,
  cudaErrorAssert: 710,
  cudaErrorHardwareStackError: 714,
  cudaErrorIllegalInstruction: 715,
  cudaErrorMisalignedAddress: 716,
  cudaErrorInvalidAddressSpace: 717,
  cudaErrorInvalidPc: 718,
  cudaErrorLaunchFailure: 719,
  cudaErrorTensorMemoryLeak: 721,
  cudaErrorSystemNotReady: 802,
  cudaErrorSystemDriverMismatch: 803,
  cudaErrorCompatNotSupportedOnDevice: 804,
  cudaErrorFabricNotReady: 919,
  cudaErrorUnknown: 999
};

/** The meaning of a message of onnxruntime; null where it is not about the device. */
export function cudaFailureOf(message: string): ICudaFailure | null {
  const error = codeOf(message);
  const found = FAILURES.find(
    ({ codes, pattern }) => codes?.includes(error ?? NaN) || pattern?.test(message)
  );
  return found ? { code: found.code, summary: found.summary, hint: found.hint } : null;
}

/** The value of cudaError_t in `CUDA failure 719: TEXT`, as calls report it, or `CUDA error cudaErrorLaunchFailure:TEXT`, as kernels do. */
function codeOf(message: string): number | null {
  const [, value, name] = /CUDA (?:failure (\d+)|error (\w+)):/.exec(message) ?? [];
  return value !== undefined ? Number(value) : (NAMES[name ?? ''] ?? null);
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
