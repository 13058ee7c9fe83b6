"""What PyTorch itself does: casts counted in eager runs and in decomposed programs, outputs, saved exports."""
import operator

import torch
from safetensors.torch import save_file
from torch.utils._python_dispatch import TorchDispatchMode


class CastCounter(TorchDispatchMode):
    """Counts dtype-changing copies whose source storage is a parameter or buffer of the model."""

    def __init__(self, model):
        super().__init__()
        tensors = list(model.parameters()) + list(model.buffers())
        self.owned = {t.untyped_storage().data_ptr() for t in tensors}
        self.casts = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func is torch.ops.aten._to_copy.default:
            source, dtype = args[0], kwargs.get("dtype")
            if dtype is not None and dtype != source.dtype and source.is_floating_point():
                self.casts += source.untyped_storage().data_ptr() in self.owned
        return func(*args, **kwargs)


def eager_casts(model, args):
    """Weight casts of one eager forward with PyTorch's own cache, in grad mode."""
    counter = CastCounter(model)
    with counter:
        model(*args)
    return counter.casts


def decomposed_casts(program):
    """Weight casts and bytes moved of one call of the decomposed program, through layout operators too."""
    decomposed = program.run_decompositions({})
    signature = decomposed.graph_signature
    weights = {*signature.inputs_to_parameters, *signature.inputs_to_buffers, *signature.inputs_to_lifted_tensor_constants}
    layout = {"t", "transpose", "permute", "view", "reshape", "unsqueeze", "squeeze", "expand", "slice", "select", "alias", "clone", "lift_fresh_copy", "split", "split_with_sizes", "chunk", "unbind"}
    derived = set(weights)
    count = moved = 0
    for node in decomposed.graph.nodes:
        if node.op != "call_function" or not node.args or not hasattr(node.args[0], "name"):
            continue
        source = node.args[0]
        if source.name not in derived:
            continue
        if node.target is operator.getitem:
            derived.add(node.name)
            continue
        if node.target is torch.ops.aten._to_copy.default:
            dtype, value = node.kwargs.get("dtype"), source.meta["val"]
            if dtype is not None and dtype != value.dtype and value.is_floating_point():
                count += 1
                moved += value.numel() * (value.element_size() + torch.empty((), dtype=dtype).element_size())
        elif getattr(node.target, "overloadpacket", None) is not None:
            name = node.target.overloadpacket.__name__
            if name in layout:
                derived.add(node.name)
    return count, moved


def export(folder, model, args, dynamic=None, strict=False):
    """Save the model in every form, its inputs and its eager outputs; returns what PyTorch counted."""
    model = model.eval()
    with torch.no_grad():
        outputs = model(*args)
    outputs = outputs if isinstance(outputs, (tuple, list)) else (outputs,)
    program = torch.export.export(model, args, dynamic_shapes=dynamic, strict=strict)
    torch.export.save(program, folder / "model.pt2")
    torch.export.save(program.run_decompositions(), folder / "model.core.pt2")
    save_file({f"input_{i}": t.contiguous() for i, t in enumerate(args)}, folder / "inputs.safetensors")
    save_file({f"output_{i}": t.contiguous() for i, t in enumerate(outputs)}, folder / "outputs.safetensors")
    count, moved = decomposed_casts(program)
    return {"casts": count, "moved": moved, "eager": eager_casts(model, args), "outputs": outputs}
