"""What can be done with a saved program: each action returns tensors that tell whether two programs do the same, or raises."""
import contextlib
import io
from unittest import mock

import torch
import torch._inductor
from torch._inductor import codecache, config


class Generated(Exception):
    """Code was generated; no compiler runs."""


def tensors(tree):
    return [leaf for leaf in torch.utils._pytree.tree_leaves(tree) if isinstance(leaf, torch.Tensor)]


def call(module, arguments):
    args, kwargs = arguments
    with torch.no_grad():
        return tensors(module(*args, **kwargs))


def run(file, arguments):
    return call(torch.export.load(file).module(), arguments)


def decompose(file, arguments):
    return call(torch.export.load(file).run_decompositions().module(), arguments)


def save_again(file, arguments):
    saved = io.BytesIO()
    torch.export.save(torch.export.load(file), saved)
    saved.seek(0)
    return call(torch.export.load(saved).module(), arguments)


def update_weights(file, arguments):
    """Other weights, of as many bits as every dtype holds, under the names that the program has for them."""
    module = torch.export.load(file).module()
    state = {name: shifted(tensor) for name, tensor in module.state_dict().items()}
    module.load_state_dict(state)
    return call(module, arguments)


def shifted(tensor):
    return (tensor.double() * 0.5).to(tensor.dtype) if tensor.is_floating_point() else tensor


def generate_code(file, arguments):
    """AOTInductor up to the source code of the package."""

    def stop(*_, **__):
        raise Generated

    with mock.patch.object(codecache.AotCodeCompiler, "compile", stop), mock.patch.object(config.cpp, "simdlen", 1), torch.no_grad():
        try:
            torch._inductor.aoti_compile_and_package(torch.export.load(file), package_path=str(file) + ".package.pt2")
        except Exception as error:
            if not is_generated(error):
                raise
            return []
    raise AssertionError("the code was not handed to the compiler")


def is_generated(error):
    while error is not None:
        if isinstance(error, Generated) or "Generated" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False


def export_to_onnx(file, arguments):
    args, kwargs = arguments
    with contextlib.redirect_stdout(io.StringIO()):
        torch.onnx.export(torch.export.load(file), args, kwargs=kwargs, dynamo=True, verbose=False)
    return []


ACTIONS = {action.__name__: action for action in (run, decompose, save_again, update_weights, generate_code, export_to_onnx)}


def try_out(file, arguments, actions):
    """By action, the tensors it returns, or the exception it raises."""
    found = {}
    for name in actions:
        torch.manual_seed(1)
        try:
            found[name] = ACTIONS[name](file, arguments)
        except Exception as error:
            found[name] = error
    return found
