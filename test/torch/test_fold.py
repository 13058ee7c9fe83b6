"""Repaired files with computed weights stored: the same bits, and no larger."""
import numpy as np
import onnx
import pytest
import torch
import torch.nn as nn
import torch.nn.functional as F
from models import BF16
from oracle import all_weight_casts
from test_fix import call, same_bits, weight_bytes


class Computed(nn.Module):
    """A linear layer in a region, with a weight that is computed from the tensors given."""

    def __init__(self, compute, **tensors):
        super().__init__()
        self.compute = compute
        for name, tensor in tensors.items():
            if tensor.is_floating_point() and not name.startswith("b_"):
                setattr(self, name, nn.Parameter(tensor))
            else:
                self.register_buffer(name, tensor)

    def forward(self, x):
        with torch.autocast("cpu", dtype=BF16):
            return F.linear(x, self.compute(self))


class OtherRegion(Computed):
    """The weight is computed in a region of its own."""

    def forward(self, x):
        with torch.autocast("cpu", enabled=False):
            weight = self.compute(self)
        with torch.autocast("cpu", dtype=BF16):
            return F.linear(x, weight)


class Twice(Computed):
    """One computed weight in two calls, as it is and turned around."""

    def forward(self, x):
        weight = self.compute(self)
        with torch.autocast("cpu", dtype=BF16):
            return F.linear(F.linear(x, weight), weight) @ weight


class Both(Computed):
    """A computed weight in both precisions."""

    def forward(self, x):
        weight = self.compute(self)
        y = F.linear(x, weight)
        with torch.autocast("cpu", dtype=BF16):
            return F.linear(y, weight)


class AlsoStored(Computed):
    """A weight that is computed with and cast by itself."""

    def forward(self, x):
        with torch.autocast("cpu", dtype=BF16):
            return F.linear(F.linear(x, self.w * self.s), self.w)


class RegionWithMore(nn.Module):
    """A region that computes a weight and something else, nested in another one."""

    def __init__(self):
        super().__init__()
        self.w, self.s, self.v = nn.Parameter(torch.randn(8, 8)), nn.Parameter(torch.randn(8, 1)), nn.Parameter(torch.randn(8, 8))

    def forward(self, x):
        with torch.autocast("cpu", dtype=BF16):
            with torch.autocast("cpu", enabled=False):
                weight, y = self.w * self.s, x.float() @ self.v
            return F.linear(y, weight) + F.linear(x, weight - 1)


class OnlyDeadCode(nn.Module):
    """The region that computes the weight holds code whose result nobody uses, and nothing else."""

    def __init__(self):
        super().__init__()
        self.w, self.s = nn.Parameter(torch.randn(8, 8)), nn.Parameter(torch.randn(8, 1))

    def forward(self, x):
        with torch.autocast("cpu", enabled=False):
            weight = self.w * self.s
            x.float() * 2
        with torch.autocast("cpu", dtype=BF16):
            return F.linear(x, weight)


def square(*dtype):
    return torch.randn(8, 8, dtype=dtype[0] if dtype else torch.float32)


def column():
    return torch.randn(8, 1)


def scaled(m):
    return m.w * m.s


def quantized(dtype, high=100):
    return torch.randint(-high, high, (8, 8)).to(dtype)


# Model, casts before, casts after (training IR is counted decomposed), computed weights stored, words of the reasons for the others.
CASES = {
    "scaled": (lambda: Computed(scaled, w=square(), s=column()), 1, 0, 1, []),
    "other-region": (lambda: OtherRegion(scaled, w=square(), s=column()), 1, 0, 1, []),
    "twice": (lambda: Twice(scaled, w=square(), s=column()), 3, 0, 1, []),
    "both": (lambda: Both(scaled, w=square(), s=column()), 1, 1, 0, ["would take"]),
    "also-stored": (lambda: AlsoStored(scaled, w=square(), s=column()), 2, 2, 0, ["would take"]),
    "region-with-more": (RegionWithMore, 2, 0, 2, []),
    "only-dead-code": (OnlyDeadCode, 1, 0, 1, []),
    "turned": (lambda: Computed(lambda m: (m.w / m.s).t(), w=square(), s=column()), 1, 0, 1, []),
    "permuted": (lambda: Computed(lambda m: (m.w.view(2, 4, 8).permute(2, 0, 1) + 1).reshape(8, 8).t(), w=square()), 1, 0, 1, []),
    "sliced": (lambda: Computed(lambda m: (m.w * m.s)[:, 1:7:1][:, :4].repeat(1, 2), w=square(), s=column()), 1, 0, 1, []),
    "cut": (lambda: Computed(lambda m: torch.cat([t.t() for t in (m.w * m.s).chunk(2, 1)]), w=square(), s=column()), 1, 0, 1, []),
    "concatenated": (lambda: Computed(lambda m: torch.cat([m.w, m.v]), w=square(), v=square()), 1, 0, 1, []),
    "stacked": (lambda: Computed(lambda m: torch.stack([m.w, m.v]).flatten(0, 1), w=square(), v=square()), 1, 0, 1, []),
    "masked": (lambda: Computed(lambda m: torch.where(m.b_mask, m.w, 0.0) * -m.s, w=square(), s=column(), b_mask=quantized(torch.bool, 2)), 1, 0, 1, []),
    "kept-part": (lambda: Computed(lambda m: m.w.masked_fill(m.w.abs() < 0.5, 0.0), w=square()), 1, 0, 1, []),
    "root": (lambda: Computed(lambda m: m.w / m.w.abs().sqrt(), w=square()), 1, 0, 1, []),
    "centered": (lambda: Computed(lambda m: (1 - m.w) - m.s, w=square(), s=column()), 1, 0, 1, []),
    "wide": (lambda: Computed(lambda m: (m.w * m.s.double()).float(), w=square(torch.float64), s=column()), 3, 0, 1, []),
    "through-float16": (lambda: Computed(lambda m: (m.w.half() * m.s.half() + 0.5).float() * 0.3, w=square(), s=column()), 4, 0, 1, []),
    "bfloat16-and-number": (lambda: Computed(lambda m: (m.w.bfloat16() * 0.1).float() * m.s, w=square(), s=column()), 3, 2, 0, ["another dtype"]),
    "bfloat16": (lambda: Computed(lambda m: ((m.w.bfloat16() - m.s.bfloat16()) / 3).float(), w=square(), s=column()), 4, 0, 1, []),
    "float16-and-int": (lambda: Computed(lambda m: (m.w.half() * m.q).float(), w=square(), q=quantized(torch.int64)), 3, 0, 1, []),
    "number-of-another-dtype": (lambda: Computed(lambda m: (m.w.bfloat16() * m.b_n).float(), w=square(), b_n=torch.tensor(0.1)), 3, 2, 0, ["another dtype"]),
    "inner-and-outer": (lambda: Computed(lambda m: torch.cat([(m.w.half() * m.s.half()).float()] * 3), w=square(), s=column()), 4, 2, 0, ["would take"]),
    "int8": (lambda: Computed(lambda m: m.q.to(BF16) * m.b_s, q=quantized(torch.int8), b_s=column().to(BF16)), 1, 1, 0, ["would take"]),
    "uint8": (lambda: Computed(lambda m: (m.q.float() - 128) * m.b_s, q=quantized(torch.uint8), b_s=column()), 2, 2, 0, ["would take"]),
    "int32": (lambda: Computed(lambda m: m.q.float() * m.b_s, q=quantized(torch.int32, 2**30), b_s=column()), 2, 0, 1, []),
    "int64": (lambda: Computed(lambda m: m.q.to(BF16), q=quantized(torch.int64, 2**62)), 1, 0, 1, []),
    "product": (lambda: Computed(lambda m: m.w + m.b @ m.a * 0.5, w=square(), b=torch.randn(8, 2), a=torch.randn(2, 8)), 3, 1, 0, ["libraries"]),
    "normed": (lambda: Computed(lambda m: m.w / m.w.norm(dim=1, keepdim=True) * m.s, w=square(), s=column()), 1, 1, 0, ["libraries"]),
    "tanh": (lambda: Computed(lambda m: m.w * torch.tanh(m.s), w=square(), s=column()), 1, 1, 0, ["tanh"]),
    "alpha": (lambda: Computed(lambda m: torch.add(m.w, m.s, alpha=0.3), w=square(), s=column()), 1, 1, 0, ["alpha"]),
    "not-a-number": (lambda: Computed(lambda m: m.w / (m.w - m.w), w=square()), 1, 0, 1, []),
    "zero-by-zero": (lambda: Computed(lambda m: (m.w - m.w) / (m.w - m.w), w=square()), 1, 1, 0, ["NaN"]),
    "repeated": (lambda: Computed(lambda m: (m.w + 1).expand(8, 8), w=torch.randn(1, 8)), 1, 1, 0, []),
}
FORMS = ["model.pt2", "model.core.pt2"]


@pytest.fixture(scope="module", params=sorted(CASES))
def folded(request, tmp_path_factory):
    torch.manual_seed(5)
    make, *expected = CASES[request.param]
    folder = tmp_path_factory.mktemp(request.param)
    x = torch.randn(3, 8)
    program = torch.export.export(make().eval(), (x,))
    torch.export.save(program, folder / "model.pt2")
    torch.export.save(program.run_decompositions(), folder / "model.core.pt2")
    return folder, x, expected


@pytest.mark.parametrize("file", FORMS)
def test_computed_weights(castlens, folded, tmp_path, file):
    folder, x, (before_casts, after_casts, stored, reasons) = folded
    source, target = folder / file, tmp_path / "fixed.pt2"
    report = castlens.json("fix", source, "-o", target, "--fold-computed")
    before, after = torch.export.load(source), torch.export.load(target)
    assert same_bits(call(before, [x]), call(after, [x]))
    plain = castlens.json("fix", source, "-o", tmp_path / "plain.pt2")
    assert report["sizeAfter"] <= plain["sizeAfter"]
    assert weight_bytes(after) <= weight_bytes(torch.export.load(tmp_path / "plain.pt2"))
    assert len(report["folded"]["weights"]) == stored
    assert sum(entry["sizeBytes"] for entry in report["folded"]["weights"]) <= report["folded"]["freedBytes"]
    assert report["weightCastsBefore"] == all_weight_casts(before.run_decompositions({}))[0]
    assert (report["weightCastsBefore"], report["weightCastsAfter"]) == (before_casts, after_casts)
    core = after.run_decompositions({})
    assert all_weight_casts(core)[0] == after_casts
    assert same_bits(call(before, [x]), call(core, [x]))
    for entry in report["folded"]["weights"]:
        tensor = after.constants[entry["weight"]]
        assert tensor.dtype == getattr(torch, entry["to"]) and tensor.untyped_storage().nbytes() == entry["sizeBytes"]
    assert {name for name in before.state_dict} - {name for name in after.state_dict} == set(report["folded"]["freed"]) & set(before.state_dict)
    told = " ".join(entry["reason"] for entry in report["left"])
    assert all(word in told for word in reasons)
    if file != "model.pt2":
        return
    again = castlens.json("fix", target, "-o", tmp_path / "again.pt2", "--fold-computed")
    assert again["folded"]["weights"] == [] and again["converted"] == []


@pytest.mark.parametrize("name", ["scaled", "region-with-more", "turned", "int32"])
@pytest.mark.parametrize("file", FORMS)
def test_exports_and_compiles(castlens, tmp_path, name, file):
    torch.manual_seed(5)
    x = torch.randn(3, 8)
    program = torch.export.export(CASES[name][0]().eval(), (x,))
    torch.export.save(program if file == "model.pt2" else program.run_decompositions(), tmp_path / file)
    castlens.run("fix", tmp_path / file, "-o", tmp_path / "fixed.pt2", "--fold-computed")
    fixed = torch.export.load(tmp_path / "fixed.pt2")
    torch.onnx.export(fixed, (x,), str(tmp_path / "fixed.onnx"), dynamo=True)
    onnx.checker.check_model(str(tmp_path / "fixed.onnx"))
    compiled = torch.compile(fixed.module(), backend="aot_eager")
    with torch.no_grad():
        assert same_bits([compiled(x)], call(torch.export.load(tmp_path / file), [x]))


@pytest.mark.parametrize("ir", [3, 8])
@pytest.mark.parametrize("external", [False, True])
def test_onnx_initializers(castlens, tmp_path, external, ir):
    """What is stored is what onnxruntime computes itself, in a model that checks out."""
    onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime has no wheel for this Python")
    make, half, full = onnx.helper, onnx.TensorProto.FLOAT16, onnx.TensorProto.FLOAT
    random = np.random.default_rng(5)
    stored = {"w": random.standard_normal((64, 64)), "s": random.standard_normal((64, 1))}
    initializers = [onnx.numpy_helper.from_array(value.astype(np.float32), name) for name, value in stored.items()]
    computing = [make.make_node("Div", ["w", "s"], ["q"]), make.make_node("Sub", ["q", "s"], ["d"]), make.make_node("Cast", ["d"], ["low"], to=half)]
    info = make.make_tensor_value_info
    using = [make.make_node("Cast", ["x"], ["xh"], to=half), make.make_node("MatMul", ["xh", "low"], ["y"])]
    given = [info(name, full, value.shape) for name, value in stored.items()] if ir == 3 else []
    opsets = [make.make_opsetid("", 17 if ir == 8 else 9)]
    graph = make.make_graph([*computing, *using], "g", [info("x", full, [2, 64]), *given], [info("y", half, [2, 64])], initializers)
    alone = make.make_graph(computing, "g", given, [info("low", half, [64, 64])], initializers)
    source = tmp_path / "source" / "model.onnx"
    source.parent.mkdir()
    onnx.save(make.make_model(graph, opset_imports=opsets, ir_version=ir), source, save_as_external_data=external, location="w.bin", size_threshold=16)
    report = castlens.json("fix", source, "-o", tmp_path / "fixed.onnx", "--fold-computed")
    assert report["weightCastsAfter"] == 0 and sorted(report["folded"]["freed"]) == ["s", "w"]
    onnx.checker.check_model(str(tmp_path / "fixed.onnx"), full_check=True)
    [tensor] = onnx.load(tmp_path / "fixed.onnx").graph.initializer
    model = make.make_model(alone, opset_imports=opsets, ir_version=ir)
    [want] = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"]).run(None, {})
    assert tensor.name == "low" and onnx.numpy_helper.to_array(tensor).tobytes() == want.tobytes()
    onnxruntime.InferenceSession(str(tmp_path / "fixed.onnx"), providers=["CPUExecutionProvider"])
