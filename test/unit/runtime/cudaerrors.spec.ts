import { cudaFailureOf, cudaMessage, wrapError } from '../../../src/runtime';

/** As the provider of onnxruntime 1.30.0 words them, given a CUDA runtime that fails so. */
const CALL =
  '/onnxruntime_src/onnxruntime/core/providers/cuda/cuda_call.cc:154 std::conditional_t<THRW, void, onnxruntime::common::Status> onnxruntime::CudaCall(ERRTYPE, const char*) [with ERRTYPE = cudaError; bool THRW = true] ';
const PLACE =
  ' ; GPU=0 ; hostname=vm ; file=/onnxruntime_src/x.cc ; line=352 ; expr=cudaSetDevice(info_.device_id); \n\n';

const OUT_OF_MEMORY =
  '/onnxruntime_src/onnxruntime/core/framework/bfc_arena.cc:360 void* onnxruntime::BFCArena::AllocateRawInternal(size_t, bool, onnxruntime::Stream*) Failed to allocate memory for requested buffer of size 256\n';

describe('cudaFailureOf', () => {
  it.each([
    [OUT_OF_MEMORY, 'out-of-memory', 'not enough free memory'],
    [`${CALL}CUDA failure 2: out of memory${PLACE}`, 'out-of-memory', 'not enough free memory'],
    [
      `${CALL}CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version${PLACE}`,
      'runtime',
      'driver is too old'
    ],
    [
      `${CALL}CUDA failure 100: no CUDA-capable device is detected${PLACE}`,
      'runtime',
      'no such CUDA device'
    ],
    [
      `CUDA failure 209: no kernel image is available for execution on the device${PLACE}`,
      'runtime',
      'no code for this GPU'
    ],
    [
      'libcublasLt.so.13: cannot open shared object file: No such file or directory',
      'runtime',
      'library of CUDA is missing'
    ],
    [
      'OrtSessionOptionsAppendExecutionProvider_Cuda: Failed to load shared library',
      'runtime',
      'library of CUDA is missing'
    ],
    [
      'cuDNN is unavailable for CUDA Execution Provider: dlopen failed for libcudnn.so: libcudnn.so: cannot open shared object file: No such file or directory',
      'runtime',
      'needs cuDNN'
    ],
    [
      '/onnxruntime_src/onnxruntime/core/framework/bfc_arena.cc:376 void* onnxruntime::BFCArena::AllocateRawInternal(size_t, bool) Available memory of 1024 is smaller than requested bytes of 4096',
      'out-of-memory',
      'not enough free memory'
    ],
    [
      `${CALL}CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED${PLACE}`,
      'out-of-memory',
      'not enough free memory'
    ],
    [
      `${CALL}CUDNN failure 4004: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED${PLACE}`,
      'out-of-memory',
      'not enough free memory'
    ],
    [`${CALL}CUDA failure 46: all CUDA-capable devices are busy${PLACE}`, 'runtime', 'is busy'],
    [`${CALL}CUDA failure 802: system not yet initialized${PLACE}`, 'runtime', 'is not ready'],
    [
      `${CALL}CUDA failure 803: system has unsupported display driver / cuda driver combination${PLACE}`,
      'runtime',
      'is not that of the NVIDIA driver'
    ],
    [`${CALL}CUDA failure 34: CUDA driver is a stub library${PLACE}`, 'runtime', 'is not that of'],
    [
      "/usr/lib/libcublas.so.13: version `libcublasLt.so.13' not found (required by libcublas.so.13)",
      'runtime',
      'of another version'
    ],
    [
      `${CALL}CUDNN failure 1002: CUDNN_STATUS_SUBLIBRARY_VERSION_MISMATCH${PLACE}`,
      'runtime',
      'of another version'
    ],
    // As the launch of a kernel reports it.
    [
      "Non-zero status code returned while running Cast node. Name:'c' Status Message: CUDA error cudaErrorLaunchFailure:unspecified launch failure",
      'device-lost',
      'lost'
    ],
    ['CUDA error cudaErrorIllegalAddress:an illegal memory access', 'device-lost', 'lost'],
    ['CUDA error cudaErrorMemoryAllocation:out of memory', 'out-of-memory', 'not enough'],
    ['CUDA error cudaErrorNoKernelImageForDevice:no kernel image', 'runtime', 'no code'],
    [`CUDA failure 214: uncorrectable ECC error encountered${PLACE}`, 'device-lost', 'lost'],
    [`CUDNN failure 5003: CUDNN_STATUS_EXECUTION_FAILED_CUDART${PLACE}`, 'device-lost', 'lost'],
    [`CUDA failure 719: unspecified launch failure${PLACE}`, 'device-lost', 'lost'],
    [`CUDA failure 700: an illegal memory access was encountered${PLACE}`, 'device-lost', 'lost'],
    [`CUDA failure 999: unknown error${PLACE}`, 'device-lost', 'lost'],
    [
      `Exception during initialization: ${CALL}CUBLAS failure 1: Unknown cuBLAS error status${PLACE}`,
      'device-lost',
      'lost'
    ]
  ] as const)('knows %p', (message, code, summary) => {
    expect(cudaFailureOf(message)).toMatchObject({
      code,
      summary: expect.stringContaining(summary) as string
    });
  });

  it.each([
    'Non-zero status code returned while running Reshape node.',
    // Refused, and nothing is lost.
    `CUBLAS failure 15: CUBLAS_STATUS_NOT_SUPPORTED${PLACE}`,
    `CUDNN failure 3000: CUDNN_STATUS_NOT_SUPPORTED${PLACE}`,
    `CUDNN failure 2000: CUDNN_STATUS_BAD_PARAM${PLACE}`,
    'CUDA error cudaErrorLaunchOutOfResources:too many resources requested for launch',
    `CUDA failure 701: too many resources requested for launch${PLACE}`
  ])('leaves %p alone', message => {
    expect(cudaFailureOf(message)).toBeNull();
  });
});

describe('cudaMessage', () => {
  it('drops signatures and the name of the machine', () => {
    expect(cudaMessage(`${CALL}CUDA failure 2: out of memory${PLACE}`)).toBe(
      'CUDA failure 2: out of memory; GPU=0; file=/onnxruntime_src/x.cc; line=352; expr=cudaSetDevice(info_.device_id)'
    );
    expect(cudaMessage('something else')).toBe('something else');
  });
});

describe('wrapError', () => {
  it('explains failures of the device on CUDA only', () => {
    const error = new Error(OUT_OF_MEMORY);
    expect(wrapError(error, 'it failed', { kind: 'cuda', index: 1 })).toMatchObject({
      code: 'out-of-memory',
      summary: 'it failed on cuda:1: the device has not enough free memory'
    });
    expect(wrapError(error, 'it failed', { kind: 'cpu' }).summary).toBe('it failed');
  });
});
