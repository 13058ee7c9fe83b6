"""Overridden regions: what castlens makes of a recorded program, against the same model exported with the regions wanted."""
import pytest
import torch
import torch.nn as nn
import torch.nn.functional as F
from models import BF16
from oracle import decomposed_casts, eager_casts
from safetensors.torch import load_file, save_file

HALF = torch.float16
MODES = "off,autocast,folded,frozen"


class Stack(nn.Module):
    """Linear layers, softmax and layer norm in one region."""

    def __init__(self, dtype=BF16, enabled=True):
        super().__init__()
        self.a, self.b, self.norm = nn.Linear(48, 96), nn.Linear(96, 48), nn.LayerNorm(48)
        self.dtype, self.enabled = dtype, enabled

    def forward(self, x):
        with torch.autocast("cpu", dtype=self.dtype, enabled=self.enabled):
            y = torch.softmax(self.b(F.gelu(self.a(x))), -1)
            return self.norm(y + x), y


class Nested(nn.Module):
    """A region in a region, weights used in both, and one behind them."""

    def __init__(self, outer=True, inner=False, dtype=BF16, apart=False):
        super().__init__()
        self.a, self.b, self.c = (nn.Linear(40, 40) for _ in range(3))
        self.outer, self.inner, self.dtype, self.apart = outer, inner, dtype, apart

    def forward(self, x):
        with torch.autocast("cpu", dtype=BF16, enabled=self.outer):
            x = torch.relu(self.a(x))
            with torch.autocast("cpu", dtype=self.dtype, enabled=self.inner):
                y = self.b(x.float())
                # PyTorch's own cache fails on a weight that nested regions cast to two dtypes.
                x = y if self.apart else self.a(x.float()) + y
            x = self.a(self.c(x.float()))
        return x.float() @ self.c.weight


class Conv(nn.Module):
    """Convolutions with batch norm and an addition of both dtypes."""

    def __init__(self, dtype=BF16, enabled=True):
        super().__init__()
        self.a, self.norm, self.b = nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.Conv2d(8, 8, 3, padding=1, groups=8)
        self.register_buffer("more", torch.randn(2, 1, 8, 8))
        self.dtype, self.enabled = dtype, enabled

    def forward(self, x):
        with torch.autocast("cpu", dtype=self.dtype, enabled=self.enabled):
            x = F.relu(self.norm(self.a(x)))
            return x + self.b(x), torch.cat([x, self.more], 1)


# Recorded model, model with the regions wanted, input, overrides.
CASES = {
    "float16": (Stack, dict(), dict(dtype=HALF), (4, 48), ["submod_1=float16"]),
    "bfloat16": (Stack, dict(dtype=HALF), dict(), (4, 48), ["submod_1=bfloat16"]),
    "off": (Stack, dict(), dict(enabled=False), (4, 48), ["submod_1=off"]),
    "on": (Stack, dict(enabled=False), dict(), (4, 48), ["submod_1=on"]),
    "on in float16": (Stack, dict(enabled=False), dict(dtype=HALF), (4, 48), ["submod_1=float16"]),
    "inner on": (Nested, dict(), dict(inner=True), (3, 40), ["submod_1_2=on"]),
    "inner in float16": (Nested, dict(apart=True), dict(apart=True, inner=True, dtype=HALF), (3, 40), ["submod_1_2=float16"]),
    "inner off": (Nested, dict(inner=True), dict(), (3, 40), ["submod_1_2=off"]),
    "outer off": (Nested, dict(inner=True), dict(outer=False, inner=True), (3, 40), ["submod_1=off"]),
    "both off": (Nested, dict(inner=True), dict(outer=False), (3, 40), ["submod_1=off", "submod_1_2=off"]),
    "convolution in float16": (Conv, dict(), dict(dtype=HALF), (2, 3, 8, 8), ["submod_1=float16"]),
    "convolution on": (Conv, dict(enabled=False), dict(), (2, 3, 8, 8), ["submod_1=on"]),
}


@pytest.fixture(scope="module", params=sorted(CASES))
def case(request, tmp_path_factory):
    make, recorded, wanted, shape, overrides = CASES[request.param]
    folder = tmp_path_factory.mktemp("region")
    torch.manual_seed(6)
    model = make(**recorded).eval()
    x = torch.randn(*shape)
    torch.export.save(torch.export.export(model, (x,)), folder / "model.pt2")
    save_file({"input_0": x}, folder / "inputs.safetensors")
    other = make(**wanted).eval()
    other.load_state_dict(model.state_dict())
    program = torch.export.export(other, (x,))
    torch.export.save(program, folder / "wanted.pt2")
    with torch.no_grad():
        outputs = other(x)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    options = [text for override in overrides for text in ("--region", override)]
    return folder, options, decomposed_casts(program), eager_casts(other, (x,)), outputs


def test_casts_are_those_of_the_model_with_these_regions(castlens, case):
    folder, options, (count, moved), eager, _ = case
    census = castlens.json("census", folder / "model.pt2", *options)
    assert census["perForward"]["off"] == {"weightCasts": count, "bytesMoved": moved}
    assert census["perForward"]["autocast"]["weightCasts"] == eager
    exported = castlens.json("census", folder / "wanted.pt2")
    assert census["weightCasts"] == [{**cast, "source": mine["source"]} for cast, mine in zip(exported["weightCasts"], census["weightCasts"], strict=True)]
    assert census["activationCasts"] == exported["activationCasts"]
    assert {"dtype-mismatch", "autocast-error"}.isdisjoint(finding["code"] for finding in census["findings"])


def test_outputs_are_those_of_the_model_with_these_regions(castlens, case):
    folder, options, _, _, outputs = case
    inputs, out = folder / "inputs.safetensors", folder / "out.safetensors"
    castlens.run("run", folder / "model.pt2", *options, "--inputs", inputs, "--outputs", out)
    found = load_file(out)
    assert len(found) == len(outputs)
    for i, want in enumerate(outputs):
        got = found[f"output_{i}"]
        assert got.dtype == want.dtype and got.shape == want.shape
        assert (got.float() - want.float()).abs().max() <= want.float().abs().max() * 2**-6
    # The same program, whether the regions are recorded so or overridden: the same bits.
    castlens.run("run", folder / "wanted.pt2", "--inputs", inputs, "--outputs", folder / "same.safetensors")
    assert (folder / "same.safetensors").read_bytes() == out.read_bytes()


def test_modes_are_bit_identical_and_run_what_was_planned(castlens, case):
    folder, options, *_ = case
    inputs = folder / "inputs.safetensors"
    result = castlens.json("compare", folder / "model.pt2", *options, "--cache", MODES, "--runs", 1, "--warmup", 0, "--inputs", inputs)
    assert result["failed"] == []
    for variant in result["variants"]:
        assert variant["bitIdenticalToOff"] is True
        assert variant["executedWeightCasts"] == variant["plannedWeightCasts"]


def test_calls_that_pytorch_refuses_are_told(castlens, tmp_path):
    """Switched on, the region gives the layer behind it low precision: PyTorch raises, castlens says so and goes on."""

    class Behind(nn.Module):
        def __init__(self, enabled):
            super().__init__()
            self.a, self.b, self.enabled = nn.Linear(8, 8), nn.Linear(8, 8), enabled

        def forward(self, x):
            with torch.autocast("cpu", dtype=BF16, enabled=self.enabled):
                x = self.a(x)
            return self.b(x)

    x = torch.randn(2, 8)
    with pytest.raises(RuntimeError, match="same dtype"):
        Behind(True)(x)
    model = Behind(False).eval()
    torch.export.save(torch.export.export(model, (x,)), tmp_path / "model.pt2")
    save_file({"input_0": x}, tmp_path / "in.safetensors")
    run = castlens.json("run", tmp_path / "model.pt2", "--region", "submod_1=on", "--inputs", tmp_path / "in.safetensors", "--outputs", tmp_path / "out.safetensors")
    assert [finding["code"] for finding in run["findings"]] == ["autocast-error"]
    assert run["executedWeightCasts"] == run["planned"]["weightCasts"] == 2
    with torch.no_grad(), torch.autocast("cpu", dtype=BF16):
        low = model.a(x)
    want = model.b(low.float())
    got = load_file(tmp_path / "out.safetensors")["output_0"]
    assert got.dtype == torch.float32
    assert (got - want).abs().max() <= want.abs().max() * 2**-6


def test_cuda_region_recorded_without_cuda(castlens, tmp_path):
    """The region of a model for CUDA, exported here: enabled it casts what the same region on the CPU does."""

    class For(nn.Module):
        def __init__(self, device):
            super().__init__()
            self.a, self.b, self.device = nn.Linear(24, 24), nn.Linear(24, 24), device

        def forward(self, x):
            with torch.autocast(self.device, dtype=HALF):
                x = self.b(torch.relu(self.a(x)))
            return x.float()

    x = torch.randn(2, 24)
    cpu = For("cpu").eval()
    model = For("cuda").eval()
    model.load_state_dict(cpu.state_dict())
    torch.export.save(torch.export.export(model, (x,)), tmp_path / "model.pt2")
    save_file({"input_0": x}, tmp_path / "in.safetensors")
    plain = castlens.json("census", tmp_path / "model.pt2")
    enabled = castlens.json("census", tmp_path / "model.pt2", "--region", "submod_1=on")
    assert [region["enabled"] for region in plain["regions"]] == [False]
    assert enabled["regions"] == plain["regions"]
    assert plain["perForward"]["off"]["weightCasts"] == 0
    count, moved = decomposed_casts(torch.export.export(cpu, (x,)))
    assert enabled["perForward"]["off"] == {"weightCasts": count, "bytesMoved": moved}
    castlens.run("run", tmp_path / "model.pt2", "--region", "submod_1=on", "--inputs", tmp_path / "in.safetensors", "--outputs", tmp_path / "out.safetensors")
    with torch.no_grad():
        want = cpu(x)
    got = load_file(tmp_path / "out.safetensors")["output_0"]
    assert (got - want).abs().max() <= want.abs().max() * 2**-6
    # On this machine's tensors the region would not act in PyTorch, while float16 weights would be there.
    refused = castlens.run("fix", tmp_path / "model.pt2", "-o", tmp_path / "fixed.pt2", "--region", "submod_1=on", check=False)
    assert refused.returncode == 1 and "its tensors are on another device" in refused.stderr
    assert not (tmp_path / "fixed.pt2").exists()


def call(path, x):
    """Outputs of a saved program in PyTorch."""
    with torch.no_grad():
        outputs = torch.export.load(path).module()(x)
    return outputs if isinstance(outputs, tuple) else (outputs,)


def recorded_dtypes(path):
    """Dtypes of all values that the program records, graph by graph."""
    found = []
    for _, module in torch.export.load(path).graph_module.named_modules():
        if isinstance(module, torch.fx.GraphModule):
            for node in module.graph.nodes:
                value = node.meta.get("val")
                if isinstance(value, torch.Tensor) and node.op == "call_function":
                    found.append((str(node.target), value.dtype))
    return found


@pytest.mark.parametrize("mixed", ["--leave-mixed", "--keep-both"])
def test_written_files_have_these_regions(castlens, case, mixed):
    folder, options, _, _, outputs = case
    x = load_file(folder / "inputs.safetensors")["input_0"]
    fixed, reference = folder / f"fixed{mixed}.pt2", folder / f"reference{mixed}.pt2"
    report = castlens.json("fix", folder / "model.pt2", "-o", fixed, mixed, *options)
    castlens.run("fix", folder / "wanted.pt2", "-o", reference, mixed)
    # What eager PyTorch computes with these regions, to the bit.
    for got, want in zip(call(fixed, x), outputs, strict=True):
        assert got.dtype == want.dtype and torch.equal(got, want)
    assert recorded_dtypes(fixed) == recorded_dtypes(reference)
    left, other = castlens.json("census", fixed), castlens.json("census", reference)
    assert [region["enabled"] for region in left["regions"]] == [region["enabled"] for region in other["regions"]]
    assert left["perForward"] == other["perForward"]
    assert report["weightCastsAfter"] == left["perForward"]["off"]["weightCasts"]
    assert {"dtype-mismatch", "autocast-error"}.isdisjoint(finding["code"] for finding in left["findings"])
    count, _ = decomposed_casts(torch.export.load(fixed))
    assert count == report["weightCastsAfter"]
    again = castlens.json("fix", fixed, "-o", folder / f"again{mixed}.pt2", mixed)
    assert again["converted"] == [] and (folder / f"again{mixed}.pt2").read_bytes() == fixed.read_bytes()
