"""Every operator of the CUDA policy against what PyTorch does to its arguments, on fake CUDA tensors: no GPU is needed."""
import pathlib
import re

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

TABLE = pathlib.Path(__file__).parents[2] / "src" / "autocast" / "policy" / "cuda.ts"
VERSION = tuple(int(part) for part in torch.__version__.split(".")[:2])
HALF = torch.float16
# Registered by builds with CUDA only.
NOT_CALLABLE = {"cudnn_convolution", "cudnn_convolution_transpose"}


def policies():
    """Operators of the table for the installed torch, each with its policy."""
    source = TABLE.read_text()
    pattern = r"policy: '(\w+)',(?:\s*since: '([\d.]+)',)?\s*operators: \[([^\]]*)\]"
    for constant in ("SHARED_LISTS", "CUDA"):
        lists = source[source.index(f"export const {constant}:") :]
        for policy, since, names in re.findall(pattern, lists[: lists.index("\n]" if constant == "SHARED_LISTS" else "\n}")]):
            if since and VERSION < tuple(int(part) for part in since.split(".")):
                continue
            for name in re.findall(r"'([^']+)'", names):
                if name not in NOT_CALLABLE:
                    yield name, policy


OPERATORS = dict(policies())


class Casts(TorchDispatchMode):
    """The dtypes that tensors are cast to, by the tensor."""

    def __init__(self):
        super().__init__()
        self.to = {}

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func is torch.ops.aten._to_copy.default and "dtype" in kwargs:
            self.to.setdefault(id(args[0]), kwargs["dtype"])
        return func(*args, **kwargs)


def argument(kind, tensor):
    """A value for one argument of a schema. Shapes do not matter: autocast casts before the operator looks at them."""
    if kind == "Tensor":
        return tensor()
    if kind in ("List[Tensor]", "List[Optional[Tensor]]"):
        return [tensor(), tensor()]
    if kind.startswith("Optional"):
        return None
    if kind.startswith("List[bool]"):
        return [False, False]
    if kind.startswith("List"):
        return [0, 1]
    return {"int": 1, "SymInt": 1, "float": 0.5, "bool": False, "str": "ij,jk->ik", "number": 1, "Scalar": 1}[kind]


def call(name, dtypes):
    """Call an operator in a CUDA autocast; returns what each tensor was cast to, and the result where there is one."""
    base, _, overload = name.partition(".")
    operator = getattr(getattr(torch.ops.aten, base), overload or "default")
    given = []
    with FakeTensorMode():

        def tensor():
            given.append(torch.empty(4, 4, device="cuda", dtype=dtypes[len(given) % len(dtypes)]))
            return given[-1]

        args, kwargs = [], {}
        for formal in operator._schema.arguments:
            if formal.has_default_value():
                break
            value = argument(str(formal.type), tensor)
            if formal.kwarg_only:
                kwargs[formal.name] = value
            else:
                args.append(value)
        casts, result, error = Casts(), None, None
        torch.set_autocast_enabled("cuda", True)
        torch.set_autocast_dtype("cuda", HALF)
        try:
            with casts:
                result = operator(*args, **kwargs)
        except (RuntimeError, IndexError, ValueError, AssertionError, NotImplementedError) as raised:
            error = raised
        finally:
            torch.set_autocast_enabled("cuda", False)
            torch.clear_autocast_cache()
        return [casts.to.get(id(one)) for one in given], result, error


@pytest.mark.parametrize("name", OPERATORS)
def test_operator(name):
    policy = OPERATORS[name]
    if policy == "lower_precision_fp":
        cast, _, _ = call(name, [torch.float32])
        assert cast and set(cast) == {HALF}
    elif policy == "fp32":
        cast, _, _ = call(name, [HALF])
        assert cast and set(cast) == {torch.float32}
    elif policy == "promote":
        cast, _, _ = call(name, [HALF, torch.float32])
        assert cast[0] is torch.float32 and cast[1] is None
    elif policy in ("fp32_set_opt_dtype", "fp32_append_dtype"):
        cast, result, _ = call(name, [HALF])
        assert result.dtype is torch.float32
    else:
        assert policy == "banned"
        _, _, error = call(name, [HALF])
        assert "unsafe to autocast" in str(error)


def test_table_was_read():
    assert len(OPERATORS) > 100
    assert {"lower_precision_fp", "fp32", "promote", "fp32_set_opt_dtype", "fp32_append_dtype"} <= set(OPERATORS.values())
