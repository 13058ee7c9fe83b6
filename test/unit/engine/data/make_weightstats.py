"""Statistics of the weights of some fixtures, computed with NumPy.

    python make_weightstats.py > weightstats.json && npx prettier --write weightstats.json

Needs numpy and ml_dtypes. Reads the .pt2 archives with nothing but zipfile and json.
"""

import json
import pathlib
import zipfile

import ml_dtypes
import numpy as np

FIXTURES = pathlib.Path(__file__).parents[3] / "fixtures"
NAMES = ["seed-mlp", "convnet", "gpt2", "dynamic-batch"]
DTYPES = {5: np.int64, 7: np.float32, 12: np.bool_}


def narrowing(values, dtype):
    with np.errstate(over="ignore"):
        low = values.astype(np.float32).astype(dtype)
    finite = np.isfinite(values.astype(np.float64))
    wide = np.abs(low.astype(np.float64))
    tiny = float(ml_dtypes.finfo(dtype).smallest_normal)
    n = int(finite.sum())
    return {
        "overflow": int((np.isinf(wide) & finite).sum()) / n,
        "subnormal": int(((wide > 0) & (wide < tiny) & finite).sum()) / n,
        "vanish": int(((wide == 0) & (values != 0) & finite).sum()) / n,
    }


def stats(values):
    wide = values.astype(np.float64)
    finite = wide[np.isfinite(wide)]
    exponents = (values.astype(np.float32).reshape(-1).view(np.uint32) >> 23) & 0xFF
    bins, counts = np.unique(exponents, return_counts=True)
    return {
        "count": int(values.size),
        "min": float(finite.min()),
        "max": float(finite.max()),
        "mean": float(finite.mean()),
        "std": float(finite.std()),
        "zeros": int((wide == 0).sum()),
        "nan": int(np.isnan(wide).sum()),
        "inf": int(np.isinf(wide).sum()),
        "exponents": " ".join(f"{b}:{c}" for b, c in zip(bins, counts)),
        "float16": narrowing(values, np.float16),
        "bfloat16": narrowing(values, ml_dtypes.bfloat16),
    }


def tensors(archive, folder, config):
    root = archive.namelist()[0].split("/")[0]
    for name, payload in json.loads(archive.read(f"{root}/data/{folder}/{config}"))["config"].items():
        meta = payload["tensor_meta"]
        raw = np.frombuffer(archive.read(f"{root}/data/{folder}/{payload['path_name']}"), DTYPES[meta["dtype"]])
        sizes = [size["as_int"] for size in meta["sizes"]]
        strides = [stride["as_int"] * raw.itemsize for stride in meta["strides"]]
        offset = meta["storage_offset"]["as_int"]
        yield name, np.lib.stride_tricks.as_strided(raw[offset:], sizes, strides).copy()


def main():
    result = {}
    for fixture in NAMES:
        with zipfile.ZipFile(FIXTURES / fixture / "model.pt2") as archive:
            result[fixture] = {
                name: stats(values)
                for folder, config in [
                    ("weights", "model_weights_config.json"),
                    ("constants", "model_constants_config.json"),
                ]
                for name, values in tensors(archive, folder, config)
            }
    print(json.dumps(result))


main()
