"""Writes aten_dtypes.json.gz: the dtypes of the results of ATen's operators, as PyTorch computes them on meta tensors.

Run with each version: `python test/data/make_aten_dtypes.py`. The file keeps what the other version gave; of 2.13.0 it has what differs
from 2.15.0.

Operators are called with arguments from aten_cases.json, from PyTorch's own samples (`op_db`), or guessed from the schema, and then with
the same arguments in other dtypes: every pair of dtypes for two tensors, every single deviation for more; each tensor without dimensions;
each Python number as int, float and bool; each `dtype` argument. An operator that meta tensors are not enough for is called on the CPU.
Meta tensors are taken in dtypes that no kernel takes: the CPU says which calls of samples are refused.

A call is `[arguments, dtypes of tensors, dtypes of results]`; both lists of dtypes are indices into `texts`, which have a word per
call and a letter per tensor: `-` where PyTorch refuses, `.` for a result that is no tensor.
"""
import gzip
import itertools
import json
import os
import pathlib
import pickle
import re
import signal
import warnings

import torch

FILE = pathlib.Path(__file__).with_name("aten_dtypes.json.gz")
NEWEST = "2.15.0"
LETTERS = {
    "f": torch.float32,
    "h": torch.float16,
    "b": torch.bfloat16,
    "d": torch.float64,
    "l": torch.int64,
    "i": torch.int32,
    "o": torch.bool,
    "u": torch.uint8,
    "c": torch.complex64,
    # Of results alone.
    "a": torch.int8,
    "s": torch.int16,
    "y": torch.complex32,
    "z": torch.complex128,
}
TRIED = "fhbdliouc"
LETTER_OF = {dtype: letter for letter, dtype in LETTERS.items()}
NAMES = {str(dtype).removeprefix("torch."): dtype for dtype in LETTERS.values()}
NO_KERNEL = "?"
DTYPES_GIVEN = (torch.float32, torch.bfloat16, torch.float64, torch.int64)


class T:
    """A tensor of a call; `values` are those that it must have where it is called on the CPU."""

    def __init__(self, values, shape=None):
        self.values = values
        self.shape = tuple(values.shape) if shape is None else shape

    @property
    def letter(self):
        return LETTER_OF[self.values.dtype]

    def make(self, device, letter):
        if device == "meta":
            return torch.empty(self.shape, dtype=LETTERS[letter], device="meta")
        values = self.values.reshape(-1)[:1].reshape(self.shape) if self.shape == () else self.values
        return values.to(LETTERS[letter]).clone()


def overloads():
    """Operators that a program can call, by name and overload; `out=` variants are left out."""
    found = {}
    for schema in torch._C._jit_get_all_schemas():
        if not schema.name.startswith("aten::") or any(argument.is_out for argument in schema.arguments):
            continue
        if not any("Tensor" in str(result.type) for result in schema.returns):
            continue
        try:
            op = getattr(getattr(torch.ops.aten, schema.name.removeprefix("aten::")), schema.overload_name or "default")
            if op.has_kernel_for_dispatch_key is None:
                continue
        except (AttributeError, RuntimeError):
            continue
        name = schema.name.removeprefix("aten::")
        found[f"{name}.{schema.overload_name}" if schema.overload_name else name] = op
    return found


def map_tensors(item, change):
    if isinstance(item, (T, torch.Tensor)):
        return change(item)
    if isinstance(item, (list, tuple)):
        return [map_tensors(one, change) for one in item]
    return item


def tensors_of(args):
    found = []
    map_tensors(list(args.values()), found.append)
    return found


def results_of(op, args, word, device):
    """A letter per result; `-` where PyTorch refuses the call, `?` where it has no kernel for a 16-bit type alone."""
    letters = iter(word)
    call = {name: map_tensors(item, lambda one: one.make(device, next(letters))) for name, item in args.items()}
    positional = [call.pop(one.name) for one in op._schema.arguments if not one.kwarg_only and one.name in call]
    try:
        results = op(*positional, **call)
    except Exception as error:  # noqa: BLE001: whatever it is, the call is refused
        return NO_KERNEL if re.search("not implemented for '(Half|BFloat16)'", str(error)) else "-"
    flat = []
    for one in results if isinstance(results, (list, tuple)) else (results,):
        flat += one if isinstance(one, (list, tuple)) else (one,)
    return "".join(LETTER_OF.get(one.dtype, ".") if isinstance(one, torch.Tensor) else "." for one in flat) or "."


# Sources of arguments -------------------------------------------------------------------------------------------------------


def in_order(op, args):
    """Arguments up to one that is left out: those after it must be given by name, which operators do not take."""
    order = [one.name for one in op._schema.arguments]
    known = {one.name: one for one in op._schema.arguments}
    given = {}
    last = max((order.index(name) for name in args if not known[name].kwarg_only), default=-1)
    for index, name in enumerate(order):
        if name in args:
            given[name] = args[name]
        elif index < last and not known[name].kwarg_only:
            given[name] = known[name].default_value
    return given


def from_cases():
    """Arguments of the numeric cases, by operator: one call per combination of kinds of arguments."""

    def item(x):
        if "tensor" in x:
            tensor = x["tensor"]
            return T(torch.tensor([float(v) for v in tensor["data"]], dtype=torch.float64).to(NAMES[tensor["dtype"]]).reshape(tensor["shape"]))
        if "list" in x:
            return [item(one) for one in x["list"]]
        if "dtype" in x:
            return NAMES[x["dtype"]]
        if "none" in x:
            return None
        ((kind, value),) = x.items()
        return {"int": int, "float": float}.get(kind, lambda v: v)(value)

    def kind(x):
        if "tensor" in x:
            return len(x["tensor"]["shape"]) == 0
        return tuple(kind(one) for one in x["list"]) if "list" in x else json.dumps(x) if "bool" in x or "string" in x or "none" in x else next(iter(x))

    calls, seen = {}, set()
    for case in json.loads(pathlib.Path(__file__).with_name("aten_cases.json").read_text())["cases"]:
        name = case["op"].removeprefix("aten.").removesuffix(".default")
        key = (name, tuple((arg, kind(x)) for arg, x in case["args"].items()))
        if key not in seen and len(calls.get(name, ())) < 4:
            try:
                args = {arg: item(x) for arg, x in case["args"].items()}
            except KeyError:
                continue
            seen.add(key)
            calls.setdefault(name, []).append(args)
    return calls


def from_samples(wanted):
    """Arguments of PyTorch's own samples, by operator."""
    from torch.testing._internal.common_methods_invocations import op_db

    by_base = {}
    for name, op in wanted.items():
        by_base.setdefault(name.split(".")[0], []).append((name, op))
    calls = {}
    for info in op_db:
        for full in {info.name, info.aten_name or info.name, *(alias.name for alias in info.aliases)}:
            base = full.removeprefix("nn.functional.").replace(".", "_").replace("special_special", "special")
            for name, op in [*by_base.get(base, ()), *by_base.get(base + "_", ())]:
                if name in calls:
                    continue
                dtype = next((one for one in (torch.float32, torch.int64) if info.supports_dtype(one, "cpu")), torch.complex64)
                torch.manual_seed(0)
                try:
                    samples = list(itertools.islice(info.sample_inputs("cpu", dtype), 12))
                except Exception:  # noqa: BLE001
                    continue
                for sample in samples:
                    args = bind(op, [sample.input, *sample.args], sample.kwargs)
                    if args is not None and works(op, args) is not None:
                        calls[name] = [args]
                        break
    return calls


def bind(op, positional, keywords):
    arguments = op._schema.arguments
    order = [one.name for one in arguments if not one.kwarg_only]
    if len(positional) > len(order) or any(name not in {one.name for one in arguments} for name in keywords):
        return None
    args = {**dict(zip(order, positional)), **keywords}
    if any(isinstance(args.get(one.name), torch.Tensor) and "Tensor" not in str(one.type) for one in arguments):
        return None
    if any(one.dtype not in LETTER_OF or one.layout != torch.strided or one.is_quantized for one in tensors_of(args)):
        return None
    return in_order(op, {name: map_tensors(item, lambda x: T(x.detach().contiguous())) for name, item in args.items()})


SHAPES = ((2, 3), (3, 3), (4,), (1, 2, 4), (1, 2, 4, 4), (1, 2, 4, 4, 4), ())


def guessed(op):
    """Arguments made up from the schema: some of these work with most operators."""
    text = str(op._schema)
    for shape, number, fill in itertools.product(SHAPES, (1, 0, 2), (1, 2)):
        args = {}
        for one in op._schema.arguments:
            if one.has_default_value() and one.name not in ("dtype",):
                continue
            given = guess(one, re.search(r"(\S+) " + one.name + r"\b", text.split("(", 1)[1]), shape, number, fill)
            if given is ...:
                break
            args[one.name] = given
        else:
            yield in_order(op, args)


def guess(argument, written, shape, number, fill):
    kind = re.sub(r"\(.*?\)", "", written[1] if written else str(argument.type)).lstrip("(")
    if kind.startswith("Tensor"):
        if kind.endswith("?") and argument.name not in ("weight", "bias"):
            return None
        isIndex = re.search(r"ind(ex|ices)|offsets|lengths|bins|pivot", argument.name)
        values = torch.zeros(shape, dtype=torch.int64) if isIndex else torch.ones(shape)
        return [T(values), T(values)] if "[]" in kind else T(values)
    if kind.endswith("?"):
        return None
    if re.match(r"(Sym)?[Ii]nt\[", kind):
        size = re.search(r"\[(\d+)\]", kind)
        return [fill] * (int(size[1]) if size else max(len(shape), 1))
    simple = {"int": number, "SymInt": number, "Scalar": number, "float": 0.5, "bool": False, "ScalarType": torch.float32, "Dimname": ...}
    return simple.get(kind, ...)


def works(op, args, devices=("meta", "cpu")):
    """The device on which a call works; none where on none."""
    word = "".join(one.letter for one in tensors_of(args))
    return next((device for device in devices if results_of(op, args, word, device) not in ("-", NO_KERNEL)), None)


# Variations -----------------------------------------------------------------------------------------------------------------


def words(args):
    """Dtypes for the tensors of a call: a letter per tensor."""
    given = "".join(one.letter for one in tensors_of(args))
    free = [index for index, letter in enumerate(given) if letter in "fhbdc"] or list(range(len(given)))

    def replaced(places):
        return "".join(places.get(index, letter) for index, letter in enumerate(given))

    found = [replaced(dict.fromkeys(free, letter)) for letter in TRIED]
    if len(free) == 2:
        found += [replaced(dict(zip(free, pair))) for pair in itertools.product(TRIED, repeat=2)]
    elif 2 < len(free) <= 5:
        for common, letter, place in itertools.product("fhl", TRIED, free):
            found.append(replaced({**dict.fromkeys(free, common), place: letter}))
    for place in set(range(len(given))) - set(free):
        found += [replaced({place: letter}) for letter in TRIED]
    return list(dict.fromkeys(found))


def variations(op, args):
    """The call, and the calls that differ in one tensor without dimensions, one number or one `dtype`; with the words to try."""
    all_words = words(args)
    alike = all_words[: len(TRIED)]
    yield args, all_words
    tensors = [name for name, item in args.items() if isinstance(item, T)]
    for name in tensors if len(tensors) > 1 else ():
        if args[name].shape != () and args[name].letter in "fhbd":
            yield {**args, name: T(args[name].values, ())}, all_words
    for one in op._schema.arguments:
        kind = str(one.type)
        if kind in ("number", "Optional[number]") and isinstance(args.get(one.name), (int, float)):
            for number in (2, 0.5, True):
                yield {**args, one.name: number}, alike
        if one.name == "dtype" or one.name == "out_dtype":
            for dtype in DTYPES_GIVEN:
                yield in_order(op, {**args, one.name: dtype}), alike


def written(item):
    """An argument for the file: a tensor by its shape, the dtypes of all are in the words."""
    if isinstance(item, T):
        return {"t": list(item.shape)}
    if isinstance(item, (list, tuple)):
        return [written(one) for one in item]
    if isinstance(item, torch.dtype):
        return {"d": str(item).removeprefix("torch.")}
    if isinstance(item, float):
        return {"f": str(item)}
    if item is None or isinstance(item, (bool, int, str)):
        return item
    return {"other": str(item)}


def computed(op, args, word, device, is_checked):
    """
    The dtypes of a call's results. Meta tensors are taken together in dtypes that no kernel takes: the CPU says which, but for 16-bit
    types, of which it has fewer kernels than other devices.
    """
    results = results_of(op, args, word, device)
    if device == "meta" and is_checked and results != "-":
        on_cpu = results_of(op, args, word, "cpu")
        return results if on_cpu == NO_KERNEL else on_cpu
    return "-" if results == NO_KERNEL else results


def calls_of(op, samples, is_checked=True):
    """What the file says of an operator."""
    found = []
    for sample in samples:
        sample = in_order(op, sample)
        device = works(op, sample)
        if device is None:
            continue
        for args, tried in variations(op, sample):
            if not is_checked:
                tried = [word for word in tried if len(set(word)) < 2]
            results = [computed(op, args, word, device, is_checked) for word in tried]
            if set(results) != {"-"}:
                found.append([{name: written(item) for name, item in args.items()}, " ".join(tried), " ".join(results)])
    return found


def in_child(work, seconds=30):
    """What `work` returns, done by a child process: wrong arguments may end it. Empty where they do, or where it takes long."""
    source, sink = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(seconds)
        with os.fdopen(sink, "wb") as file:
            pickle.dump(work(), file)
        os._exit(0)
    os.close(sink)
    with os.fdopen(source, "rb") as file:
        data = file.read()
    os.waitpid(child, 0)
    return pickle.loads(data) if data.endswith(b".") else []


def calls_with_any(op, samples):
    """The calls of an operator with its samples, or with arguments that are guessed."""
    calls = calls_of(op, samples)
    if calls:
        return calls
    args = next((one for one in guessed(op) if works(op, one, ("meta",))), None)
    return [] if args is None else calls_of(op, [args], False)


def dump(wanted):
    cases = from_cases()
    samples = from_samples({name: op for name, op in wanted.items() if name not in cases})
    found = {}
    for name, op in wanted.items():
        calls = in_child(lambda: calls_with_any(op, cases.get(name) or samples.get(name) or []))
        if calls:
            found[name] = calls
    return found


# The file -------------------------------------------------------------------------------------------------------------------


def read():
    """Calls by version and operator, texts put in; of the older version what differs."""
    if not FILE.exists():
        return {}
    stored = json.loads(gzip.decompress(FILE.read_bytes()))
    texts = stored["texts"]
    return {
        version: {name: [[args, texts[tried], texts[results]] for args, tried, results in calls] for name, calls in operators.items()}
        for version, operators in stored["versions"].items()
    }


def write(versions):
    texts = {}
    numbered = {
        version: {
            name: [[args, texts.setdefault(tried, len(texts)), texts.setdefault(results, len(texts))] for args, tried, results in calls]
            for name, calls in sorted(operators.items())
        }
        for version, operators in sorted(versions.items(), reverse=True)
    }
    text = json.dumps({"texts": list(texts), "versions": numbered}, separators=(",", ":"))
    FILE.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


def main():
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    version = torch.__version__.split("+")[0]
    versions = read()
    found = dump(overloads())
    if version != NEWEST:
        newest = versions[NEWEST]
        found = {name: found.get(name, []) for name in {*found, *newest} if found.get(name) != newest.get(name)}
    write({**versions, version: found})
    print(version, len(found), "operators,", FILE.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
