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
    """Weight casts and bytes moved of one call of the decomposed program: of stored weights, through layout operators too."""
    casts = _casts_of_weights(program.run_decompositions({}))
    return sum(kind == "stored" for kind, _ in casts), sum(moved for kind, moved in casts if kind == "stored")


def all_weight_casts(program):
    """Weight casts and bytes moved of one call of a decomposed program, also of what it computes from weights alone."""
    casts = _casts_of_weights(program)
    return len(casts), sum(moved for _, moved in casts)


LAYOUT = {"t", "transpose", "permute", "view", "reshape", "unsqueeze", "squeeze", "expand", "slice", "select", "alias", "clone", "lift_fresh_copy", "split", "split_with_sizes", "chunk", "unbind"}


def _casts_of_weights(program):
    """Kind and bytes moved of every cast of a weight, "stored", or of what only weights and literals go into, "computed"."""
    signature = program.graph_signature
    written = set(signature.buffers_to_mutate.values())
    names = {**signature.inputs_to_parameters, **signature.inputs_to_buffers, **signature.inputs_to_lifted_tensor_constants}
    flows = dict.fromkeys(names, "stored")
    changing = {name for name, target in names.items() if target in written}
    casts = []
    for node in program.graph.nodes:
        if node.op != "call_function":
            continue
        operands = [flows.get(operand.name) for operand in node.all_input_nodes]
        packet = getattr(getattr(node.target, "overloadpacket", None), "__name__", None)
        is_random = torch.Tag.nondeterministic_seeded in getattr(node.target, "tags", ())
        if None in operands or is_random or (packet is None and node.target is not operator.getitem):
            continue
        kinds = set(operands) - {"constant"}
        if not kinds:
            flows[node.name] = "constant"
            continue
        is_cast = packet == "_to_copy"
        if is_cast:
            source, dtype = node.args[0].meta["val"], node.kwargs.get("dtype")
            if dtype is not None and dtype != source.dtype:
                kind = flows[node.args[0].name]
                casts.append((kind, source.numel() * (source.element_size() + dtype.itemsize)))
        changes = any(operand.name in changing for operand in node.all_input_nodes)
        if is_cast or packet in LAYOUT or node.target is operator.getitem:
            flows[node.name] = flows[node.all_input_nodes[0].name]
            changing.update({node.name} if changes else ())
        elif not changes:
            flows[node.name] = "computed"
    return casts


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
