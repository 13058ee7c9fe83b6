/*
 * A CUDA runtime without a device, for tests of what happens before the first kernel runs.
 *
 * "Device" memory is host memory and copies copy; kernels are not run, so results are meaningless. Environment variables:
 *
 *   STUB_CUDA_MEMORY   bytes that can be allocated before cudaMalloc reports cudaErrorMemoryAllocation
 *   STUB_CUDA_DEVICES  number of devices, 1 where not set
 *   STUB_CUDA_FAIL     NAME=CODE or NAME=CODE@N: the function NAME returns CODE, from its Nth call on
 *
 * build.mjs adds every other function that the provider imports as one that does nothing and returns 0.
 */
#define _GNU_SOURCE
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t number(const char *name, size_t otherwise) {
  const char *text = getenv(name);
  return text ? strtoull(text, NULL, 10) : otherwise;
}

/*
 * The code that the named function shall return this time. Not for several threads. After an error that CUDA does not recover from
 * (700 to 719, 999) every later call of the library returns it too.
 */
int stub_result(const char *name, int *calls) {
  static int lost;
  const char *fail = getenv("STUB_CUDA_FAIL");
  size_t length = strlen(name);
  int code = 0, from = 1;
  *calls += 1;
  if (lost) return lost;
  if (!fail || strncmp(fail, name, length) != 0 || fail[length] != '=') return 0;
  sscanf(fail + length + 1, "%d@%d", &code, &from);
  if (*calls < from) return 0;
  if ((code >= 700 && code < 720) || code == 999) lost = code;
  return code;
}

#define RESULT()                                    \
  do {                                              \
    static int calls;                               \
    int result = stub_result(__func__, &calls);     \
    if (result) return sticky = result;             \
  } while (0)

static int sticky;
static size_t used;

/* Sizes stand in front of the blocks, which keep an alignment of 256 bytes. */
static int allocate(void **out, size_t size) {
  size_t limit = number("STUB_CUDA_MEMORY", (size_t)8 << 30);
  char *block;
  if (used + size > limit) return sticky = 2;
  if (posix_memalign((void **)&block, 256, size + 256)) return sticky = 2;
  *(size_t *)block = size;
  used += size;
  *out = block + 256;
  return 0;
}

static int release(void *pointer) {
  if (pointer) {
    char *block = (char *)pointer - 256;
    used -= *(size_t *)block;
    free(block);
  }
  return 0;
}

int cudaMalloc(void **out, size_t size) { RESULT(); return allocate(out, size); }
int cudaFree(void *pointer) { RESULT(); return release(pointer); }
int cudaMallocFromPoolAsync(void **out, size_t size, void *pool, void *stream) { RESULT(); return allocate(out, size); }
int cudaFreeAsync(void *pointer, void *stream) { RESULT(); return release(pointer); }
int cudaMallocHost(void **out, size_t size) { RESULT(); *out = malloc(size ? size : 1); return *out ? 0 : 2; }
int cudaHostAlloc(void **out, size_t size, unsigned flags) { RESULT(); *out = malloc(size ? size : 1); return *out ? 0 : 2; }
int cudaFreeHost(void *pointer) { free(pointer); return 0; }
int cudaMemcpy(void *to, const void *from, size_t size, int kind) { RESULT(); memmove(to, from, size); return 0; }
int cudaMemcpyAsync(void *to, const void *from, size_t size, int kind, void *stream) { RESULT(); memmove(to, from, size); return 0; }
int cudaMemset(void *to, int value, size_t size) { memset(to, value, size); return 0; }
int cudaMemsetAsync(void *to, int value, size_t size, void *stream) { memset(to, value, size); return 0; }

int cudaMemGetInfo(size_t *available, size_t *total) {
  RESULT();
  *total = number("STUB_CUDA_MEMORY", (size_t)8 << 30);
  *available = *total - used;
  return 0;
}

int cudaGetDeviceCount(int *count) { RESULT(); *count = (int)number("STUB_CUDA_DEVICES", 1); return 0; }
int cudaGetDevice(int *device) { RESULT(); *device = 0; return 0; }
int cudaDriverGetVersion(int *version) { *version = 13000; return 0; }
int cudaRuntimeGetVersion(int *version) { *version = 13000; return 0; }

/* Compute capability 9.0. Attribute numbers are those of cudaDeviceAttr. */
int cudaDeviceGetAttribute(int *value, int attribute, int device) {
  RESULT();
  switch (attribute) {
    case 75: *value = 9; break;
    case 76: *value = 0; break;
    case 10: *value = 32; break;
    case 16: *value = 132; break;
    case 1: *value = 1024; break;
    default: *value = 65536; break;
  }
  return 0;
}

/* cudaDeviceProp of CUDA 13, as far as it is filled: only offsets matter. */
int cudaGetDeviceProperties(char *properties, int device) {
  RESULT();
  memset(properties, 0, 400);
  strcpy(properties, "Stub without a device");
  *(size_t *)(properties + 288) = number("STUB_CUDA_MEMORY", (size_t)8 << 30);
  *(size_t *)(properties + 296) = 49152;
  *(int *)(properties + 304) = 65536;
  *(int *)(properties + 308) = 32;
  *(int *)(properties + 320) = 1024;
  for (int i = 0; i < 3; i++) {
    *(int *)(properties + 324 + 4 * i) = i < 2 ? 1024 : 64;
    *(int *)(properties + 336 + 4 * i) = 65535;
  }
  *(int *)(properties + 360) = 9;
  *(int *)(properties + 364) = 0;
  *(int *)(properties + 384) = 132;
  return 0;
}

static const char *text_of(int code) {
  switch (code) {
    case 0: return "no error";
    case 2: return "out of memory";
    case 35: return "CUDA driver version is insufficient for CUDA runtime version";
    case 100: return "no CUDA-capable device is detected";
    case 209: return "no kernel image is available for execution on the device";
    case 700: return "an illegal memory access was encountered";
    case 719: return "unspecified launch failure";
    case 999: return "unknown error";
    default: return "another error";
  }
}
const char *cudaGetErrorString(int code) { return text_of(code); }
const char *cudaGetErrorName(int code) {
  switch (code) {
    case 0: return "cudaSuccess";
    case 2: return "cudaErrorMemoryAllocation";
    case 35: return "cudaErrorInsufficientDriver";
    case 100: return "cudaErrorNoDevice";
    case 209: return "cudaErrorNoKernelImageForDevice";
    case 700: return "cudaErrorIllegalAddress";
    case 719: return "cudaErrorLaunchFailure";
    default: return "cudaErrorUnknown";
  }
}
int cudaGetLastError(void) { int code = sticky; sticky = 0; return code; }
int cudaPeekAtLastError(void) { return sticky; }

/* Handles: any address that is not null. */
static char handle[4096];
#define HANDLE(name, ...) \
  int name(void **out, ##__VA_ARGS__) { RESULT(); *out = handle; return 0; }
HANDLE(cudaStreamCreate)
HANDLE(cudaStreamCreateWithFlags, unsigned flags)
HANDLE(cudaEventCreate)
HANDLE(cudaEventCreateWithFlags, unsigned flags)
HANDLE(cudaMemPoolCreate, const void *properties)

int cudaStreamIsCapturing(void *stream, int *status) { *status = 0; return 0; }
int cudaFuncGetAttributes(char *attributes, const void *function) { memset(attributes, 0, 64); return 0; }
int cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int *count, const void *f, int size, size_t shared, unsigned flags) {
  *count = 1;
  return 0;
}
int cudaGetDriverEntryPointByVersion(const char *name, void **out, unsigned version, unsigned long long flags, int *status) {
  *out = NULL;
  if (status) *status = 1;
  return 0;
}
int cudaPointerGetAttributes(char *attributes, const void *pointer) { memset(attributes, 0, 32); return 0; }
void **__cudaRegisterFatBinary(void *binary) { return (void **)handle; }
unsigned __cudaPushCallConfiguration(void) { return 0; }
int cudaLaunchKernel(void) { RESULT(); return 0; }
int cudaLaunchKernelExC(void) { RESULT(); return 0; }
int __cudaLaunchKernel(void) { RESULT(); return 0; }
int cudaStreamSynchronize(void *stream) { RESULT(); return 0; }
int cudaDeviceSynchronize(void) { RESULT(); return 0; }
