"""Compiled packages: the casts that castlens reads in the code against those of the graph that Inductor lowered, and of the program.

The sources in a package are what is read, so no C++ compiler runs: shared libraries are empty files.
"""

import importlib.util
from pathlib import Path

import pytest
import torch
import torch.nn as nn
import torch.nn.functional as F

from models import RUNNABLE

ROOT = Path(__file__).parents[2]
BF16 = torch.bfloat16

MODES = {
    "off": {},
    "folded": {"aot_inductor.use_runtime_constant_folding": True},
    "frozen": {"freezing": True},
}


class TwoUses(nn.Module):
    """Two layers, each used twice."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(16, 48), nn.Linear(48, 16)

    def forward(self, x):
        with torch.autocast("cpu", dtype=BF16):
            for _ in range(2):
                x = self.b(torch.relu(self.a(x)))
        return x.float()


class Convolutions(nn.Module):
    """Weights go through transposed tiles."""

    def __init__(self):
        super().__init__()
        self.a, self.norm, self.b, self.c = nn.Conv2d(3, 16, 3), nn.BatchNorm2d(16), nn.Conv2d(16, 24, 3), nn.Linear(24, 10)

    def forward(self, x):
        with torch.autocast("cpu", dtype=BF16):
            x = torch.relu(self.norm(self.a(x)))
            return self.c(torch.relu(self.b(x)).mean((2, 3)))


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm, self.qkv, self.out = nn.LayerNorm(32), nn.Linear(32, 96), nn.Linear(32, 32)

    def forward(self, x):
        with torch.autocast("cpu", dtype=BF16):
            q, k, v = (part.view(2, 7, 4, 8).transpose(1, 2) for part in self.qkv(self.norm(x)).chunk(3, -1))
            y = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(2, 7, 32)
            return x + self.out(y)


CASES = {
    "two-uses": (TwoUses, (torch.randn(4, 16),)),
    "convolutions": (Convolutions, (torch.randn(1, 3, 16, 16),)),
    "attention": (Attention, (torch.randn(2, 7, 32),)),
    "nested": RUNNABLE["deep"][:2],
    "float16": RUNNABLE["half"][:2],
}


@pytest.fixture(scope="module", autouse=True)
def no_compiler(tmp_path_factory):
    from torch._inductor import cpp_builder
    from torch._inductor.cpu_vec_isa import pick_vec_isa

    # Which vector instructions code is generated for is found out by compiling.
    pick_vec_isa()
    build = cpp_builder.CppBuilder.build

    def skip(self, *args, **kwargs):
        if ".S" in str(self._sources_args):
            return build(self, *args, **kwargs)
        Path(self.get_target_file_path()).touch()

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path_factory.mktemp("inductor")))
        patch.setattr(cpp_builder.CppBuilder, "build", skip)
        yield


@pytest.fixture(scope="module")
def worker():
    spec = importlib.util.spec_from_file_location("castlens_worker", ROOT / "src/pytorch/worker.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", CASES)
def test_counts_are_those_of_the_lowered_graph(name, mode, worker, castlens, tmp_path):
    make, inputs = CASES[name]
    program = torch.export.export(make().eval(), inputs)
    torch.export.save(program, tmp_path / "model.pt2")
    package = tmp_path / f"model.{mode}.pt2"
    with worker.LoweredGraphs(lambda *_: None) as lowered, torch.no_grad():
        torch._inductor.aoti_compile_and_package(program, package_path=str(package), inductor_configs=dict(MODES[mode]))
    (found,) = castlens.json("census", package)["models"]
    every_call = sum(cast["count"] for cast in lowered.every_call.values())
    at_load = sum(cast["count"] for cast in lowered.at_load.values())
    assert found["notCounted"] == []
    assert (found["castsPerCall"], found["castsAtLoad"]) == (every_call, at_load)
    assert found["build"] == {"off": "default"}.get(mode, mode)
    against = found["against"]
    assert against["isFoundByName"] is True
    exported = castlens.json("census", tmp_path / "model.pt2")["perForward"]["off"]["weightCasts"]
    assert against["exported"] == exported > 0
    if mode == "off":
        assert every_call == exported
        assert [row["why"] for row in against["casts"]] == [None] * len(against["casts"])
    else:
        why = {"folded": "cast once, at load", "frozen": "cast when it was compiled"}[mode]
        assert {row["why"] for row in against["casts"]} == {why}
