"""The other side of `npm run bench:stats`: NumPy, and PyTorch where there is one, on the same float32 elements.

Reads the path of the file from the arguments, loads it, answers one JSON line, and then one for every line of standard input,
which names what to do: milliseconds that passed, and of all processors.
"""

import json
import sys
import time

import numpy as np

try:
    import torch
except ImportError:
    torch = None

weights = np.fromfile(sys.argv[1], dtype=np.float32)


def stats():
    weights.min(), weights.max(), weights.mean(), weights.std(), np.isnan(weights)


def read():
    """One pass over the memory, as fast as NumPy makes one."""
    weights.max()


def float16():
    weights.astype(np.float16)


def bfloat16():
    torch.from_numpy(weights).bfloat16()


versions = {"numpy": np.__version__, "torch": torch.__version__ if torch else None}
print(json.dumps(versions), flush=True)
for line in sys.stdin:
    work = {"stats": stats, "read": read, "float16": float16, "bfloat16": bfloat16}[line.strip()]
    start, cpu = time.perf_counter(), time.process_time()
    work()
    times = {"ms": 1000 * (time.perf_counter() - start), "cpuMs": 1000 * (time.process_time() - cpu)}
    print(json.dumps(times), flush=True)
