"""Calls inside of torch.vmap: what is cast, in which dtype they return, and repaired files."""
import pytest
import torch
import torch.nn as nn
import torch.nn.functional as F
from models import BF16
from oracle import all_weight_casts
from test_fix import call, same_bits


class Ensemble(nn.Module):
    """Weights with a first dimension that torch.vmap goes over."""

    def __init__(self, body):
        super().__init__()
        self.body, self.layer = body, nn.Linear(8, 8)
        self.weight, self.bias = nn.Parameter(torch.randn(3, 8, 8)), nn.Parameter(torch.randn(3, 8))

    def forward(self, x):
        with torch.autocast("cpu", dtype=BF16):
            return self.body(self, x)


BODIES = {
    "linear with bias": lambda m, x: torch.vmap(lambda w, b: F.linear(x, w, b))(m.weight, m.bias),
    "linear": lambda m, x: torch.vmap(lambda w: F.linear(x, w))(m.weight),
    "product": lambda m, x: torch.vmap(lambda w: x @ w)(m.weight),
    "bias alone": lambda m, x: torch.vmap(lambda b: F.linear(x, m.weight[0], b))(m.bias),
    "addmm": lambda m, x: torch.vmap(lambda w, b: torch.addmm(b, x, w))(m.weight, m.bias),
    "two layers": lambda m, x: torch.vmap(lambda w, b: F.linear(torch.relu(F.linear(x, w, b)), w, b))(m.weight, m.bias),
    "a layer behind": lambda m, x: m.layer(torch.vmap(lambda w, b: F.linear(x, w, b))(m.weight, m.bias)),
    "batched input": lambda m, x: torch.vmap(lambda row: m.layer(row))(x),
    "einsum": lambda m, x: torch.vmap(lambda w: torch.einsum("ij,jk->ik", x, w))(m.weight),
    "softmax behind": lambda m, x: torch.vmap(lambda w: F.softmax(F.linear(x, w), -1))(m.weight),
}


@pytest.mark.parametrize("name", BODIES)
def test_vmap(castlens, tmp_path, name):
    torch.manual_seed(5)
    x = torch.randn(2, 8)
    program = torch.export.export(Ensemble(BODIES[name]).eval(), (x,))
    source, target = tmp_path / "model.pt2", tmp_path / "fixed.pt2"
    torch.export.save(program, source)
    census = castlens.json("census", source)
    off = census["perForward"]["off"]
    assert (off["weightCasts"], off["bytesMoved"]) == all_weight_casts(program.run_decompositions({}))
    assert "dtype-mismatch" not in {finding["code"] for finding in census["findings"]}
    castlens.run("fix", source, "-o", target)
    fixed = torch.export.load(target)
    assert same_bits(call(fixed, [x]), call(program, [x]))
    assert same_bits(call(fixed.run_decompositions({}), [x]), call(program.run_decompositions({}), [x]))


def test_decomposed_program_runs(castlens, tmp_path):
    """What cannot be run says what can."""
    torch.manual_seed(5)
    x = torch.randn(2, 8)
    program = torch.export.export(Ensemble(BODIES["linear with bias"]).eval(), (x,))
    torch.export.save(program, tmp_path / "model.pt2")
    done = castlens.run("run", tmp_path / "model.pt2", check=False)
    assert done.returncode != 0 and "program.run_decompositions({}) has none" in done.stderr
    torch.export.save(program.run_decompositions({}), tmp_path / "decomposed.pt2")
    result = castlens.json("run", tmp_path / "decomposed.pt2")
    assert result["executedWeightCasts"] == result["planned"]["weightCasts"] == 1
