"""Findings on programs that PyTorch exports just now."""
import pytest
import torch
from oracle import eager_casts
from safetensors.torch import load_file, save_file
from test_fix import COMPOSITES, Composite
from torch.nn.functional import relu


class Mlp(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.first = torch.nn.Linear(8, 16)
        self.second = torch.nn.Linear(16, 4)

    def forward(self, x):
        return self.second(relu(self.first(x)))


class Autocast(Mlp):
    def __init__(self, dtype):
        super().__init__()
        self.dtype = dtype

    def forward(self, x):
        with torch.autocast("cpu", dtype=self.dtype):
            return super().forward(x)


class Pair(Mlp):
    def forward(self, x):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return self.second(self.first(x).float().bfloat16())


def save(module, folder):
    path = folder / "model.pt2"
    torch.export.save(torch.export.export(module.eval(), (torch.randn(2, 8),)), path)
    return path


def findings(castlens, path):
    return {finding["code"]: finding for finding in castlens.json("census", path)["findings"]}


def test_ambient_autocast(castlens, tmp_path):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        path = save(Mlp(), tmp_path)
    program = torch.export.load(path)
    assert program.module()(torch.randn(2, 8)).dtype == torch.float32
    found = findings(castlens, path)
    assert set(found) == {"ambient-autocast"}
    assert set(found["ambient-autocast"]["weights"]) == {f"{m}.{p}" for m in ("first", "second") for p in ("weight", "bias")}


def test_autocast_inside_of_the_forward_is_not_ambient(castlens, tmp_path):
    assert set(findings(castlens, save(Autocast(torch.bfloat16), tmp_path))) == {"weights-cast-every-forward"}


def test_pairs_of_casts_with_nothing_in_between(castlens, tmp_path):
    finding = findings(castlens, save(Pair(), tmp_path))["cast-islands"]
    assert finding["severity"] == "warning"
    assert finding["cost"] == {"bytesMoved": 2 * 16 * (2 + 4) * 2}


def test_weights_out_of_range_are_those_that_pytorch_makes_infinite_or_zero(castlens, tmp_path):
    model = Autocast(torch.float16)
    with torch.no_grad():
        model.first.weight[0, :3] = 65520.0
        model.first.weight[0, 3] = 65519.0
        model.second.weight[0] = 2.0**-25
        model.second.weight[1] = 2.0**-25 * 1.001
    path = save(model, tmp_path)
    found = {finding["code"]: finding for finding in castlens.json("stats", path)["findings"]}
    assert set(found) == {"weight-overflow", "weight-vanishes"}
    infinite = model.first.weight.half().isinf().sum().item()
    zero = (model.second.weight.half() == 0).sum().item()
    assert (infinite, zero) == (3, 16)
    assert f"({infinite} of 128)" in found["weight-overflow"]["message"]
    assert f"({zero} of 64) become zero" in found["weight-vanishes"]["message"]
    assert found["weight-overflow"]["weights"] == ["first.weight"]
    assert found["weight-vanishes"]["weights"] == ["second.weight"]
    bfloat = save(Autocast(torch.bfloat16), tmp_path)
    assert castlens.json("stats", bfloat)["findings"] == []


class Recurrent(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.LSTM(8, 6, num_layers=2, bidirectional=True, batch_first=True)
        self.head = torch.nn.Linear(12, 3)

    def forward(self, x):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            sequence, (hidden, cell) = self.layer(x)
            return self.head(sequence[:, -1]), sequence, hidden, cell


def export_recurrent(folder):
    model, x = Recurrent().eval(), torch.randn(3, 5, 8)
    torch.export.save(torch.export.export(model, (x,)), folder / "model.pt2")
    return model, x


def test_lstm_casts_what_eager_pytorch_casts(castlens, tmp_path):
    model, x = export_recurrent(tmp_path)
    census = castlens.json("census", tmp_path / "model.pt2")
    # Casts come before the choice of the kernel. That of oneDNN does not exist on every processor.
    with torch.backends.mkldnn.flags(enabled=False):
        assert census["perForward"]["autocast"]["weightCasts"] == eager_casts(model, (x,)) == 18
    assert {finding["code"] for finding in census["findings"]} == {"weights-cast-every-forward", "composite-diverges"}


def test_lstm_is_what_eager_pytorch_runs(castlens, tmp_path):
    if not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        pytest.skip("PyTorch runs no LSTM in bfloat16 on this processor: oneDNN wants AVX-512")
    model, x = export_recurrent(tmp_path)
    save_file({"input_0": x}, tmp_path / "in.safetensors")
    castlens.run("run", tmp_path / "model.pt2", "--inputs", tmp_path / "in.safetensors", "--outputs", tmp_path / "out.safetensors")
    found = load_file(tmp_path / "out.safetensors")
    with torch.no_grad():
        wanted = model(x)
    for i, want in enumerate(wanted):
        got = found[f"output_{i}"]
        assert got.dtype == want.dtype == torch.bfloat16
        assert (got.float() - want.float()).abs().max() <= want.float().abs().max() * 2**-6


@pytest.mark.parametrize("name", COMPOSITES)
def test_casts_inside_of_operators_count_where_they_are_of_a_weight(castlens, tmp_path, name):
    """Sums and products of weights that a composite operator casts are no weights, to PyTorch's own cache as well."""
    torch.manual_seed(3)
    call, shape = COMPOSITES[name]
    model, x = Composite(call, shape), torch.randn(2, 8, 8)
    torch.export.save(torch.export.export(model.eval(), (x,)), tmp_path / "model.pt2")
    census = castlens.json("census", tmp_path / "model.pt2")
    assert census["perForward"]["autocast"]["weightCasts"] == eager_casts(model, (x,))
