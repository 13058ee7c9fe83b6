"""Print, as JSON, the kernels of onnxruntime's CUDA provider that take or give float16 or bfloat16.

    gdb --batch -x next_factory.gdb --args python dump.py OUT.json

Needs the package onnxruntime-gpu and libraries that stand in for CUDA, see generate.mjs. The kernels are those that the provider's
library registers; the operators' signatures are those of the same onnxruntime.

For every operator and every version of it: the type parameters of its inputs and outputs, in order (`...` behind the last one that
repeats), and what the registered kernels allow for each parameter. A kernel belongs to a version as onnxruntime decides it
(KernelRegistry::VerifyKernelDef): it starts at that version, or its range ends and holds it.
"""

import json
import sys
from collections import defaultdict

import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as state

LOW = {"float16", "bfloat16"}
OPEN = 2**31 - 1
NAMES = {
    "float": "float32",
    "double": "float64",
    "float8e4m3fn": "float8_e4m3fn",
    "float8e4m3fnuz": "float8_e4m3fnuz",
    "float8e5m2": "float8_e5m2",
    "float8e5m2fnuz": "float8_e5m2fnuz",
}
KNOWN = {"float16", "bfloat16", "bool", "string", "float8e8m0", "float4e2m1", *NAMES}
KNOWN |= {f"{sign}int{bits}" for sign in ("", "u") for bits in (2, 4, 8, 16, 32, 64)}


def element(text):
    """`tensor(float)` to `float32`; None for sequences, optionals and the like."""
    if not text.startswith("tensor("):
        return None
    name = text[len("tensor(") : -1]
    if name not in KNOWN:
        raise SystemExit(f"unknown element type {name}")
    return NAMES.get(name, name)


def registered():
    """Kernels of the CUDA provider by operator: first and last version, allowed element types by parameter."""
    kernels = defaultdict(list)
    for kernel in state.get_all_opkernel_def():
        if kernel.provider == "CUDAExecutionProvider":
            types = {
                name: sorted(filter(None, map(element, allowed)))
                for name, allowed in kernel.type_constraints.items()
            }
            entry = (*kernel.version_range, types)
            # The list of providers has CUDA twice, see next_factory.gdb.
            if entry not in kernels[kernel.domain, kernel.op_name]:
                kernels[kernel.domain, kernel.op_name].append(entry)
    return kernels


def signature(parameters):
    names = [parameter.typeStr for parameter in parameters]
    if parameters and parameters[-1].option.name == "Variadic":
        names[-1] += "..."
    return names


def merged(kernels):
    """Kernels that differ in one parameter become one."""
    kernels = [dict(kernel) for kernel in kernels]
    i = 0
    while i < len(kernels):
        for j in range(i + 1, len(kernels)):
            a, b = kernels[i], kernels[j]
            differing = [name for name in a if a[name] != b.get(name)]
            if a.keys() == b.keys() and len(differing) <= 1:
                for name in differing:
                    a[name] = sorted({*a[name], *b[name]})
                del kernels[j]
                i = -1
                break
        i += 1
    return sorted(kernels, key=json.dumps)


def main(out):
    onnxruntime.set_default_logger_severity(4)
    versions = defaultdict(list)
    for schema in state.get_all_operator_schema():
        domain = "" if schema.domain == "ai.onnx" else schema.domain
        versions[domain, schema.name].append(schema)
    operators = {}
    for (domain, name), kernels in sorted(registered().items()):
        entries = []
        for schema in sorted(versions[domain, name], key=lambda schema: schema.since_version):
            since = schema.since_version
            inputs, outputs = signature(schema.inputs), signature(schema.outputs)
            used = {text.removesuffix("...") for text in inputs + outputs}
            matching = [
                {key: types for key, types in kernel.items() if key in used}
                for first, last, kernel in kernels
                if first == since or (last != OPEN and first < since <= last)
            ]
            low = any(LOW & {*types} for kernel in matching for types in kernel.values())
            if low or entries:
                # A version without kernels says so where an older one has some: an older kernel whose range is open is not taken.
                entries.append({"since": since, "in": inputs, "out": outputs, "kernels": merged(matching) if low else []})
        if entries:
            operators[f"{domain or 'onnx'}.{name}"] = entries
    result = {"version": onnxruntime.__version__, "build": onnxruntime.get_build_info(), "operators": operators}
    with open(out, "w", encoding="utf-8") as file:
        json.dump(result, file)


main(sys.argv[1])
