"""Sizes that PyTorch refuses because of a guard are refused, and no others."""
import itertools
import random

import pytest
import torch
import torch.nn as nn

AUTO = torch.export.Dim.AUTO


class Equal(nn.Module):
    sizes = {"a": (2, 8), "b": (2, 8)}

    def forward(self, a, b):
        return a[:, : b.shape[1]] * b


class Branches(nn.Module):
    sizes = {"a": (6, 8), "b": (7, 4)}

    def forward(self, a, b):
        if 2 * a.shape[0] + 1 >= b.shape[0] and a.shape[0] < b.shape[0]:
            return a.sum() + b.sum()
        return a.sum()


class Views(nn.Module):
    sizes = {"a": (3, 16), "b": (5, 3)}

    def forward(self, a, b):
        return a.view(a.shape[0], a.shape[1] // 4, 4).mean(-1).sum() + b[1:-1, ::2].sum()


class Nested(nn.Module):
    sizes = {"a": (4, 6), "b": (3, 6)}

    def forward(self, args):
        return args["a"][: args["b"].shape[0]] + args["b"]


class Pools(nn.Module):
    sizes = {"a": (8, 8), "b": (4, 4)}

    def forward(self, a, b):
        return nn.functional.interpolate(nn.functional.max_pool2d(a[None, None], 2), scale_factor=2) + a + b.sum()


@pytest.mark.parametrize("strict", [False, True], ids=["traced", "strict"])
@pytest.mark.parametrize("model", [Equal, Branches, Views, Nested, Pools])
def test_refuses_what_pytorch_refuses(castlens, tmp_path, model, strict):
    tensors = {name: torch.ones(size) for name, size in model.sizes.items()}
    dynamic = {name: {0: AUTO, 1: AUTO} for name in tensors}
    nested = model is Nested
    arguments, shapes = ((tensors,), {"args": dynamic}) if nested else (tuple(tensors.values()), dynamic)
    program = torch.export.export(model(), arguments, dynamic_shapes=shapes, strict=strict)
    torch.export.save(program, tmp_path / "model.pt2")
    places = [node.meta["val"].shape for node in program.graph.nodes if node.op == "placeholder"]
    symbols = sorted({str(size) for shape in places for size in shape if not isinstance(size, int)})
    refused = ran = 0
    choices = list(itertools.product((3, 8, 6), repeat=len(symbols)))
    sampled = random.Random(0).sample(choices, min(len(choices), 12))
    own = {str(size): n for shape, tensor in zip(places, tensors.values()) for size, n in zip(shape, tensor.shape)}
    for sizes in [tuple(own[name] for name in symbols), *sampled]:
        dims = dict(zip(symbols, sizes))
        values = [torch.ones([dims.get(str(size), size) if not isinstance(size, int) else size for size in shape]) for shape in places]
        arguments = (dict(zip(tensors, values)),) if nested else values
        try:
            program.module()(*arguments)
            expected = 0
        except AssertionError as error:
            assert "Guard failed" in str(error)
            expected = 1
        options = [text for name, size in dims.items() for text in ("--dim", f"{name}={size}")]
        done = castlens.run("run", tmp_path / "model.pt2", *options, check=False)
        assert (done.returncode != 0) == bool(expected), (dims, done.stderr)
        if expected:
            refused += 1
            assert "guard" in done.stderr or "outside what the model was exported for" in done.stderr
        else:
            ran += 1
    assert ran > 0
    assert refused > 0 or model in (Equal, Pools)
