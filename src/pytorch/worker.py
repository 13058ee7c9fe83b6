"""Runs exported programs with PyTorch, for castlens.

One JSON object per line: requests on standard input, replies on standard output. Tensors travel as safetensors files. Whatever
PyTorch and compilers print goes to standard error. The process ends, with all processes that it started, when its standard input
ends. Needs PyTorch and the standard library, nothing else.
"""

import ctypes
import json
import os
import queue
import signal
import struct
import sys
import threading
import time
import traceback

HEARTBEAT_S = 1.0

# The environment as it was given: PyTorch adds to it.
GIVEN = sorted(os.environ.items())

# Names of dtypes in safetensors files, and in torch. Source: the README of safetensors.
DTYPES = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2",
    "F8_E4M3FNUZ": "float8_e4m3fnuz",
    "F8_E5M2FNUZ": "float8_e5m2fnuz",
    "F8_E8M0": "float8_e8m0fnu",
    "I64": "int64",
    "I32": "int32",
    "I16": "int16",
    "I8": "int8",
    "U64": "uint64",
    "U32": "uint32",
    "U16": "uint16",
    "U8": "uint8",
    "BOOL": "bool",
    "C64": "complex64",
}


class Refused(Exception):
    """What cannot be done, for the user."""

    def __init__(self, code, summary, **details):
        super().__init__(summary)
        self.info = {"code": code, "summary": summary, **details}


# ---------------------------------------------------------------------------------------------------------------- tensors


def read_tensors(path):
    """The tensors of a safetensors file by name, in the order of the file."""
    import torch

    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        table = json.loads(file.read(length))
        start = 8 + length
        tensors = {}
        for name, entry in table.items():
            if name == "__metadata__":
                continue
            begin, end = entry["data_offsets"]
            file.seek(start + begin)
            data = bytearray(file.read(end - begin))
            dtype = getattr(torch, DTYPES[entry["dtype"]])
            if data:
                flat = torch.frombuffer(data, dtype=torch.uint8).view(dtype)
            else:
                flat = torch.empty(0, dtype=dtype)
            tensors[name] = flat.reshape(entry["shape"])
        return tensors


def write_tensors(path, tensors):
    """Write tensors to a safetensors file, in this order."""
    import torch

    names = {getattr(torch, name): short for short, name in DTYPES.items() if hasattr(torch, name)}
    table, chunks, offset = {}, [], 0
    for name, tensor in tensors:
        if tensor.dtype not in names:
            raise Refused("unsupported-operator", f"output '{name}' is {tensor.dtype}, which castlens cannot compare", entry=name)
        flat = tensor.detach().to("cpu").contiguous().reshape(-1)
        data = ctypes.string_at(flat.data_ptr(), flat.numel() * flat.element_size()) if flat.numel() else b""
        table[name] = {"dtype": names[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [offset, offset + len(data)]}
        offset += len(data)
        chunks.append(data)
    header = json.dumps(table).encode()
    header += b" " * (-len(header) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(header)))
        file.write(header)
        for data in chunks:
            file.write(data)


# ------------------------------------------------------------------------------------------------------------- the machine


def describe_environment():
    """Versions, devices and compiler of this Python. Says what is missing instead of failing."""
    found = {
        "executable": sys.executable,
        "python": ".".join(map(str, sys.version_info[:3])),
        "torch": None,
        "cuda": None,
        "devices": [],
        "compiler": None,
        "problems": [],
    }
    try:
        import torch
    except ImportError as error:
        found["problems"].append(f"PyTorch cannot be imported: {error}")
        return found
    found["torch"] = torch.__version__
    found["cuda"] = torch.version.cuda
    try:
        if torch.cuda.is_available():
            found["devices"] = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    except Exception as error:
        found["problems"].append(f"CUDA cannot be used: {first_line(error)}")
    try:
        from torch._inductor.cpp_builder import get_cpp_compiler

        found["compiler"] = get_cpp_compiler()
    except Exception as error:
        found["problems"].append(f"no C++ compiler that Inductor can use: {first_line(error)}")
    try:
        from torch._inductor import aoti_compile_and_package  # noqa: F401
    except ImportError:
        found["problems"].append(f"torch {torch.__version__} cannot write AOTInductor packages: 2.6 or later can")
    return found


def instruction_set():
    """The vector instructions that Inductor compiles for on this machine, as text."""
    try:
        from torch._inductor.cpu_vec_isa import pick_vec_isa

        return str(pick_vec_isa())
    except Exception:
        return "unknown"


def first_line(error):
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def private_bytes():
    """Memory of this process that no file backs, in bytes; None where the system does not say."""
    try:
        with open("/proc/self/status") as file:
            for line in file:
                if line.startswith("RssAnon:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return None


def peak_bytes():
    """Largest resident set of this process so far, in bytes; None where the system does not say."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def outside_options():
    """Options of Inductor that are not its defaults: set by the environment, or by files that Python runs when it starts."""
    found = [f"{name}={value}" for name, value in GIVEN if name.startswith("TORCHINDUCTOR_")]
    try:
        import torch._inductor.config as config

        for name in ("freezing", "aot_inductor.use_runtime_constant_folding", "max_autotune", "cpp_wrapper", "emulate_precision_casts"):
            value = config
            for part in name.split("."):
                value = getattr(value, part, None)
            if value:
                found.append(f"{name}={value}")
    except Exception as error:
        print(f"castlens: Inductor's options cannot be read: {error}", file=sys.stderr)
    return found


# ---------------------------------------------------------------------------------------------------------- counting casts


def is_narrowing(source, target):
    """Whether a cast from `source` to `target` is from one floating point dtype to a different one."""
    return source != target and source.is_floating_point and target.is_floating_point


RANDOM = ("rand", "bernoulli", "normal", "dropout", "multinomial", "poisson", "exponential")


def count_in_eager(run, weights):
    """Weight casts of one forward in eager mode, by weight: what the dispatcher is asked for.

    A cast counts where its operand shares memory with a weight (`stored`), or was computed from weights alone (`computed`).
    """
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils._pytree import tree_leaves

    names = {}
    for name, tensor in weights:
        if tensor.numel():
            names.setdefault(tensor.untyped_storage().data_ptr(), set()).add(name)
    derived = {}
    kept = []
    counts = {}

    def origins(tensor):
        pointer = tensor.untyped_storage().data_ptr()
        if pointer in names:
            return names[pointer], "stored"
        return derived.get(pointer), "computed"

    class Counting(TorchDispatchMode):
        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            tensors = [leaf for leaf in tree_leaves((args, kwargs or {})) if isinstance(leaf, torch.Tensor)]
            sources = [origins(tensor) for tensor in tensors]
            result = function(*args, **(kwargs or {}))
            if tensors and all(found for found, _ in sources) and not any(word in str(function) for word in RANDOM):
                from_weights = set().union(*(found for found, _ in sources))
                leaves = [leaf for leaf in tree_leaves(result) if isinstance(leaf, torch.Tensor)]
                if function.overloadpacket is torch.ops.aten._to_copy and is_narrowing(tensors[0].dtype, leaves[0].dtype):
                    add_cast(counts, sorted(from_weights), tensors[0], leaves[0].dtype, sources[0][1])
                for leaf in leaves:
                    if leaf.numel() and origins(leaf)[0] is None:
                        derived[leaf.untyped_storage().data_ptr()] = from_weights
                        kept.append(leaf)
            return result

    with Counting():
        run()
    return list(counts.values())


def add_cast(counts, names, source, target, kind):
    key = (tuple(names), str(source.dtype), str(target), kind)
    entry = counts.setdefault(
        key,
        {
            "weights": list(names),
            "from": str(source.dtype).replace("torch.", ""),
            "to": str(target).replace("torch.", ""),
            "kind": kind,
            "count": 0,
        },
    )
    entry["count"] += 1


class LoweredGraphs:
    """Counts weight casts in the graphs that Inductor generates code from, while it is active."""

    def __init__(self, progress):
        self.every_call = {}
        self.at_load = {}
        self._progress = progress
        # Graphs are counted once; held, so that no other one takes the id of one that is gone.
        self._counted = {}

    def __enter__(self):
        from torch._inductor.graph import GraphLowering

        self._lowering = GraphLowering
        self._codegen = {}
        for name in ("codegen", "codegen_with_cpp_wrapper"):
            original = getattr(GraphLowering, name, None)
            if original is not None:
                self._codegen[name] = original
                setattr(GraphLowering, name, self._wrap(original))
        return self

    def __exit__(self, *_):
        for name, original in self._codegen.items():
            setattr(self._lowering, name, original)

    def _wrap(self, original):
        def codegen(lowering, *args, **kwargs):
            if id(lowering) not in self._counted:
                self._counted[id(lowering)] = lowering
                self._count(lowering)
                self._progress(f"Generating code of graph {len(self._counted)}")
            result = original(lowering, *args, **kwargs)
            self._progress("Compiling the generated code")
            return result

        return codegen

    def _count(self, lowering):
        import torch

        counts = self.at_load if getattr(lowering, "is_const_graph", False) else self.every_call
        static = static_inputs()
        origins = {}
        position = 0
        for node in lowering.module.graph.nodes:
            if node.op == "placeholder":
                if position in static:
                    origins[node] = ({node.name}, "stored")
                position += 1
            elif node.op == "get_attr":
                if not str(node.target).startswith("_FOLDED_CONST"):
                    origins[node] = ({str(node.target)}, "stored")
            elif node.op == "call_function":
                operands = node.all_input_nodes
                if not operands or not all(operand in origins for operand in operands):
                    continue
                if any(word in str(node.target) for word in RANDOM):
                    continue
                names = set().union(*(origins[operand][0] for operand in operands))
                kinds = {origins[operand][1] for operand in operands}
                is_view = getattr(node.target, "is_view", False)
                kind = "stored" if is_view and kinds == {"stored"} and len(operands) == 1 else "computed"
                source = operands[0].meta.get("val")
                result = node.meta.get("val")
                is_cast = node.target in (torch.ops.prims.convert_element_type.default, torch.ops.aten._to_copy.default)
                if is_cast and isinstance(source, torch.Tensor) and is_narrowing(source.dtype, result.dtype):
                    add_cast(counts, sorted(names), source, result.dtype, origins[operands[0]][1])
                origins[node] = (names, kind)


def static_inputs():
    """Positions of the parameters and buffers among the inputs of the graph that is being compiled."""
    import torch

    context = torch._guards.TracingContext.try_get()
    metadata = getattr(context, "fw_metadata", None)
    return set(getattr(metadata, "static_input_indices", None) or ())


# --------------------------------------------------------------------------------------------------------------- variants

INDUCTOR = {
    "off": {},
    "folded": {"aot_inductor.use_runtime_constant_folding": True},
    "frozen": {"freezing": True},
}


class Variant:
    """A program that can be run: `run()` is one forward on the inputs that were given."""

    def __init__(self, run, device):
        self._run = run
        self.device = device

    def run(self):
        import torch

        with torch.no_grad():
            return self._run()

    def time(self):
        """Wall time of one forward, in milliseconds; on a GPU until it has finished."""
        import torch

        synchronize(self.device)
        start = time.perf_counter_ns()
        with torch.no_grad():
            self._run()
        synchronize(self.device)
        return (time.perf_counter_ns() - start) / 1e6


def synchronize(device):
    if device.startswith("cuda"):
        import torch

        torch.cuda.synchronize(device)


class Worker:
    def __init__(self):
        self._programs = {}
        self._variants = {}
        # PyTorch's own choice of threads.
        self._threads = None

    def describe(self, _params, _progress):
        return describe_environment()

    def configure(self, params, _progress):
        """Threads of the process; returns what decides what a compiled package is made of."""
        import torch

        if self._threads is None:
            self._threads = torch.get_num_threads()
        torch.set_num_threads(params.get("threads") or self._threads)
        return {"torch": torch.__version__, "threads": torch.get_num_threads(), "instructionSet": instruction_set()}

    def prepare(self, params, progress):
        """Make a variant ready to run, compile it where it has to be, and run it once.

        Writes its outputs to `outputsFile`. A compiled package is taken from `package` where there is one, else written there.
        """
        import torch

        name, runtime, mode = params["id"], params["runtime"], params["mode"]
        device = params.get("device", "cpu")
        before = private_bytes()
        if device.startswith("cuda"):
            torch.cuda.reset_peak_memory_stats(device)
        started = time.perf_counter()
        result = {"compileMs": None, "reused": False, "lowered": None, "options": {}}
        if runtime == "aotinductor":
            run = self._compiled_package(params, mode, progress, result)
        else:
            progress("Loading the program")
            program = self._program(params)
            inputs = self._inputs(params, program, device)
            if runtime == "eager":
                run = self._eager(program, mode, inputs)
            else:
                run = self._compile(program, mode, inputs, progress, result)
        variant = Variant(run, device)
        result["loadMs"] = (time.perf_counter() - started) * 1000 - (result["compileMs"] or 0)
        progress("Running")
        outputs = variant.run()
        after = private_bytes()
        result["hostBytes"] = None if before is None or after is None else max(0, after - before)
        result["peakRssBytes"] = peak_bytes()
        result["outsideOptions"] = outside_options()
        result["deviceBytes"] = torch.cuda.max_memory_allocated(device) if device.startswith("cuda") else None
        if runtime == "eager":
            result["eager"] = count_in_eager(variant.run, self._weights(program))
        result["outputs"] = self._save(params["outputsFile"], outputs)
        result["describe"] = f"torch {torch.__version__}, {runtime}, {torch.get_num_threads()} threads"
        self._variants[name] = variant
        return result

    def time(self, params, _progress):
        """Time one forward of a variant that is prepared."""
        return {"ms": self._variants[params["id"]].time()}

    def release(self, params, _progress):
        self._variants.pop(params["id"], None)
        return {}

    def _program(self, params):
        import torch

        path, program = params["path"], params.get("program")
        state = os.stat(path)
        key = (path, program, state.st_ino, state.st_size, state.st_mtime_ns)
        if key not in self._programs:
            # One program and the repaired one are compared at a time.
            while len(self._programs) >= 2:
                self._programs.pop(next(iter(self._programs)))
            try:
                if program is None or program == "model":
                    loaded = torch.export.load(path)
                else:
                    from torch.export.pt2_archive._package import load_pt2

                    loaded = load_pt2(path).exported_programs[program]
            except Exception as error:
                raise Refused(
                    "runtime",
                    "PyTorch cannot load this program",
                    found=first_line(error),
                    hint=f"It was loaded with torch {torch.__version__}; the version that exported it, or a later one, may load it.",
                ) from error
            self._programs[key] = loaded
        return self._programs[key]

    def _weights(self, program):
        yield from program.state_dict.items()
        yield from ((name, value) for name, value in program.constants.items() if hasattr(value, "untyped_storage"))

    def _inputs(self, params, program, device):
        """The arguments of the program, from the tensors of a file in the order of the program's inputs."""
        import torch
        from torch.utils._pytree import tree_unflatten

        leaves, tensors = [], iter(read_tensors(params["inputsFile"]).values())
        for spec in user_inputs(program):
            kind = type(spec.arg).__name__
            if kind == "TensorArgument":
                leaves.append(next(tensors).to(device))
            elif kind == "ConstantArgument":
                leaves.append(spec.arg.value)
            else:
                raise Refused("bad-input", f"the input '{spec.arg.name}' is no tensor", entry=spec.arg.name, found=kind)
        args, kwargs = tree_unflatten(leaves, program.call_spec.in_spec)
        return args, kwargs

    def _save(self, path, outputs):
        import torch
        from torch.utils._pytree import tree_leaves

        tensors = [leaf for leaf in tree_leaves(outputs) if isinstance(leaf, torch.Tensor)]
        write_tensors(path, [(f"output_{i}", tensor) for i, tensor in enumerate(tensors)])
        return len(tensors)

    def _eager(self, program, mode, inputs):
        module = program.module()
        if mode == "autocast":
            enable_cache(module)
        args, kwargs = inputs
        return lambda: module(*args, **kwargs)

    def _compile(self, program, mode, inputs, progress, result):
        import torch

        progress("Compiling with torch.compile")
        options = {"freezing": True} if mode == "frozen" else {}
        started = time.perf_counter()
        module = torch.compile(program.module(), options=options) if options else torch.compile(program.module())
        args, kwargs = inputs
        with LoweredGraphs(progress) as lowered, torch.no_grad():
            module(*args, **kwargs)
        result["compileMs"] = (time.perf_counter() - started) * 1000
        result["lowered"] = {"everyCall": list(lowered.every_call.values()), "atLoad": list(lowered.at_load.values())}
        result["options"] = options
        return lambda: module(*args, **kwargs)

    def _compiled_package(self, params, mode, progress, result):
        import torch

        package = params["package"]
        result["options"] = INDUCTOR[mode]
        if os.path.exists(package):
            result["reused"] = True
        else:
            started = time.perf_counter()
            unfinished = f"{package}.{os.getpid()}.pt2"
            with LoweredGraphs(progress) as lowered:
                self._build(params, INDUCTOR[mode], unfinished, progress)
            os.replace(unfinished, package)
            result["compileMs"] = (time.perf_counter() - started) * 1000
            result["lowered"] = {"everyCall": list(lowered.every_call.values()), "atLoad": list(lowered.at_load.values())}
        progress("Loading the package")
        model = torch._inductor.aoti_load_package(package)
        args, kwargs = self._inputs(params, self._program(params), params.get("device", "cpu"))
        return lambda: model(*args, **kwargs)

    def _build(self, params, options, package, progress):
        import torch

        progress("Loading the program")
        program = self._program(params)
        if program.example_inputs is None:
            # Files need not hold sample inputs; AOTInductor asks for some.
            program.example_inputs = self._inputs(params, program, params.get("device", "cpu"))
        if not hasattr(torch._inductor, "aoti_compile_and_package"):
            raise Refused("runtime", f"torch {torch.__version__} cannot write AOTInductor packages", expected="torch 2.6 or later")
        progress("Compiling with AOTInductor")
        try:
            with torch.no_grad():
                torch._inductor.aoti_compile_and_package(program, package_path=package, inductor_configs=dict(options))
        except Exception as error:
            raise Refused("runtime", "AOTInductor cannot compile this program", found=first_line(error)) from error


def user_inputs(program):
    return [spec for spec in program.graph_signature.input_specs if spec.kind.name == "USER_INPUT"]


def enable_cache(module):
    """Set `cache_enabled` on every autocast region of a program. Export records it as false."""
    import torch

    for child in module.modules():
        graph = getattr(child, "graph", None)
        if not isinstance(graph, torch.fx.Graph):
            continue
        for node in graph.nodes:
            if node.op == "call_function" and node.target is torch.ops.higher_order.wrap_with_autocast:
                node.args = (*node.args[:3], True, *node.args[4:])
        child.recompile()


# ---------------------------------------------------------------------------------------------------------------- process


def descendants():
    """Process ids of everything that this process started, on Linux; elsewhere none are known."""
    parents = {}
    try:
        for name in os.listdir("/proc"):
            if name.isdigit():
                try:
                    with open(f"/proc/{name}/stat") as file:
                        parents[int(name)] = int(file.read().rpartition(")")[2].split()[1])
                except (OSError, ValueError):
                    pass
    except OSError:
        return []
    found, pending = [], [os.getpid()]
    while pending:
        parent = pending.pop()
        for child, its_parent in parents.items():
            if its_parent == parent:
                found.append(child)
                pending.append(child)
    return found


def end_all():
    """End this process and all that it started, at once."""
    for process in descendants():
        try:
            os.kill(process, signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
        except OSError:
            pass
    os._exit(0)


def main():
    # Replies have a descriptor of their own: whatever else is printed goes to standard error.
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    requests = os.fdopen(os.dup(0), "r", encoding="utf-8")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    lock = threading.Lock()

    def send(message):
        with lock:
            replies.write(json.dumps(message) + "\n")
            replies.flush()

    pending = queue.Queue()

    def listen():
        for line in requests:
            pending.put(json.loads(line))
        end_all()

    def beat():
        while True:
            time.sleep(HEARTBEAT_S)
            try:
                send({"heartbeat": True})
            except OSError:
                end_all()

    threading.Thread(target=listen, daemon=True).start()
    threading.Thread(target=beat, daemon=True).start()
    worker = Worker()
    send({"ready": True})
    while True:
        request = pending.get()
        name = request["id"]

        def progress(text):
            send({"id": name, "progress": {"text": text}})

        try:
            method = {
                "describe": worker.describe,
                "configure": worker.configure,
                "prepare": worker.prepare,
                "time": worker.time,
                "release": worker.release,
            }[request["method"]]
            send({"id": name, "result": method(request.get("params", {}), progress)})
        except Refused as error:
            send({"id": name, "error": error.info})
        except MemoryError:
            send({"id": name, "error": {"code": "out-of-memory", "summary": "Python ran out of memory"}})
        except Exception as error:
            is_full = type(error).__name__ in ("OutOfMemoryError",)
            traceback.print_exc()
            send(
                {
                    "id": name,
                    "error": {
                        "code": "out-of-memory" if is_full else "runtime",
                        "summary": f"PyTorch failed: {type(error).__name__}: {first_line(error)}",
                    },
                }
            )


if __name__ == "__main__":
    if sys.argv[1:] == ["--describe"]:
        print(json.dumps(describe_environment()))
    else:
        main()
