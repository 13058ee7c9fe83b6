"""Generated code, executed by PyTorch: each strategy computes the same bits and leaves no cast that could go."""
import copy
import importlib.util
import re
import shutil
import zipfile

import pytest
import torch
import torch.nn as nn
import torch.nn.functional as F
from models import BF16, RUNNABLE
from oracle import decomposed_casts, export
from safetensors.torch import load_file, save_file
from test_fix import SPECIAL, call, same_bits, weight_bytes


class Reused(nn.Module):
    """One layer called three times, and a buffer used twice."""

    def __init__(self):
        super().__init__()
        self.a = nn.Linear(32, 32)
        self.register_buffer("table", torch.randn(32, 32), persistent=False)

    def forward(self, x):
        with torch.autocast("cpu", dtype=BF16):
            for _ in range(3):
                x = torch.relu(self.a(x))
            return F.linear(F.linear(x, self.table), self.table)


class LanguageModel(nn.Module):
    """One weight is the embedding table, in float32, and the output layer, in low precision."""

    def __init__(self):
        super().__init__()
        self.embed, self.hidden, self.head = nn.Embedding(50, 32), nn.Linear(32, 32), nn.Linear(32, 50, bias=False)
        self.head.weight = self.embed.weight

    def forward(self, ids):
        with torch.autocast("cpu", dtype=BF16):
            return self.head(F.gelu(self.hidden(self.embed(ids))))


class TiedLayers(nn.Module):
    """Two layers with one weight, in low precision alone."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(24, 24, bias=False), nn.Linear(24, 24)
        self.b.weight = self.a.weight

    def forward(self, x):
        with torch.autocast("cpu", dtype=BF16):
            return self.b(torch.tanh(self.a(x)))


class ConvNet(nn.Module):
    """Convolutions with batch norm, a depthwise one, and a linear layer at the end."""

    def __init__(self):
        super().__init__()
        self.a, self.norm = nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16)
        self.b, self.head = nn.Conv2d(16, 16, 3, groups=16), nn.Linear(16, 5)

    def forward(self, image):
        with torch.autocast("cpu", dtype=BF16):
            x = F.relu(self.norm(self.a(image)))
            return self.head(self.b(x).mean((2, 3)))


MODELS = {
    **RUNNABLE,
    **{name: (make, (x,), {}) for name, (make, x, _, _) in SPECIAL.items()},
    "reused": (Reused, (torch.randn(3, 32),), {}),
    "language-model": (LanguageModel, (torch.randint(0, 50, (2, 7)),), {}),
    "tied-layers": (TiedLayers, (torch.randn(3, 24),), {}),
    "convnet": (ConvNet, (torch.randn(2, 3, 12, 12),), {}),
}


def load_code(castlens, model_file, *options):
    """What castlens writes for a file, as a module."""
    path = model_file.with_suffix(".code.py")
    castlens.run("code", model_file, "-o", path, *options)
    return import_code(path)


def import_code(path):
    spec = importlib.util.spec_from_file_location("generated", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def leaves(result):
    return [leaf for leaf in torch.utils._pytree.tree_leaves(result) if isinstance(leaf, torch.Tensor)]


@pytest.fixture(scope="module", params=sorted(MODELS))
def exported(request, tmp_path_factory):
    """A model, the folder of its export, and its outputs."""
    torch.manual_seed(7)
    make, args, options = MODELS[request.param]
    model = make().eval()
    folder = tmp_path_factory.mktemp(request.param)
    with torch.no_grad():
        outputs = leaves(copy.deepcopy(model)(*args))
    export(folder, copy.deepcopy(model), args, **options)
    return request.param, model, folder, args, outputs


def check(castlens, program, folder, args, outputs, fixed):
    """The program computes the bits of the source and casts what the repaired file casts, no more; saved and loaded too."""
    torch.export.save(program, folder / "code.pt2")
    loaded = torch.export.load(folder / "code.pt2")
    # A call may update the buffers of a program.
    assert same_bits(call(copy.deepcopy(program), args), outputs)
    assert same_bits(call(loaded, args), outputs)
    assert decomposed_casts(program)[0] <= fixed["weightCastsAfter"]
    census = castlens.json("census", folder / "code.pt2")
    assert census["perForward"]["off"]["weightCasts"] <= fixed["weightCastsAfter"]
    assert {cast["weight"] for cast in census["weightCasts"]} <= {entry["weight"] for entry in fixed["left"]}


def test_preconvert(castlens, exported, tmp_path):
    name, model, folder, args, outputs = exported
    fixed = castlens.json("fix", folder / "model.pt2", "-o", tmp_path / "fixed.pt2")
    code = load_code(castlens, folder / "model.pt2", "--strategy", "preconvert")
    model = copy.deepcopy(model)
    assert code.preconvert(model) is model
    stored = {**dict(model.named_parameters(remove_duplicate=False)), **dict(model.named_buffers(remove_duplicate=False))}
    for entry in fixed["converted"]:
        if entry["weight"] in stored:
            assert stored[entry["weight"]].dtype == getattr(torch, entry["to"])
    if name == "tied-layers":
        assert model.a.weight is model.b.weight and model.a.weight.dtype == BF16
    options = MODELS[name][2]
    program = torch.export.export(model, args, dynamic_shapes=options.get("dynamic"), strict=options.get("strict", False))
    check(castlens, program, tmp_path, args, outputs, fixed)


@pytest.mark.parametrize(
    "file,mixed",
    [("model.pt2", "--leave-mixed"), ("model.pt2", "--keep-both"), ("model.core.pt2", "--leave-mixed")],
)
def test_export_pass(castlens, exported, tmp_path, file, mixed):
    _, _, folder, args, _ = exported
    fixed = castlens.json("fix", folder / file, "-o", tmp_path / "fixed.pt2", mixed)
    code = load_code(castlens, folder / file, "--strategy", "export-pass", mixed)
    source = torch.export.load(folder / file)
    outputs = call(torch.export.load(folder / file), args)
    before = {key: tensor.dtype for key, tensor in [*source.state_dict.items(), *source.constants.items()]}
    program = code.fold_weight_casts(source)
    assert before == {key: tensor.dtype for key, tensor in [*source.state_dict.items(), *source.constants.items()]}
    check(castlens, program, tmp_path, args, outputs, fixed)
    assert same_bits(call(source, args), outputs)
    assert weight_bytes(program) <= weight_bytes(torch.export.load(tmp_path / "fixed.pt2"))
    again = castlens.json("fix", tmp_path / "code.pt2", "-o", tmp_path / "again.pt2", mixed)
    assert again["converted"] == []


def test_another_model_is_refused(castlens, tmp_path):
    for name in ("sequence", "half"):
        (tmp_path / name).mkdir()
        make, args, options = RUNNABLE[name]
        export(tmp_path / name, make(), args, **options)
    code = load_code(castlens, tmp_path / "sequence" / "model.pt2")
    with pytest.raises(ValueError, match="no weight 'up.weight'"):
        code.fold_weight_casts(torch.export.load(tmp_path / "half" / "model.pt2"))
    with pytest.raises(AttributeError, match="up"):
        code.preconvert(RUNNABLE["half"][0]())


def test_code_beside_the_repaired_file(castlens, tmp_path):
    make, args, options = RUNNABLE["sequence"]
    export(tmp_path, make(), args, **options)
    report = castlens.json("fix", tmp_path / "model.pt2", "-o", tmp_path / "fixed.pt2", "--code", tmp_path / "fixed.py")
    assert report["codeFile"] == str(tmp_path / "fixed.py")
    assert castlens.run("code", tmp_path / "model.pt2").stdout == (tmp_path / "fixed.py").read_text()
    assert import_code(tmp_path / "fixed.py").LOW_PRECISION == {entry["weight"]: BF16 for entry in report["converted"]}


def wrapper_source(package):
    with zipfile.ZipFile(package) as archive:
        return "".join(archive.read(entry).decode() for entry in archive.namelist() if entry.endswith("wrapper.cpp"))


@pytest.mark.slow
def test_compiled_strategies(castlens, tmp_path):
    """Packages of both compile strategies return the source's bits and convert no weight while they run."""
    if shutil.which("g++") is None:
        pytest.skip("AOTInductor needs g++")
    torch.manual_seed(8)
    make, args, options = RUNNABLE["decorated"]
    outputs = export(tmp_path, make(), args, **options)["outputs"]
    code = load_code(castlens, tmp_path / "model.pt2")
    program = torch.export.load(tmp_path / "model.pt2")
    for function in (code.compile_with_runtime_folding, code.compile_frozen):
        package = function(program, str(tmp_path / f"{function.__name__}.pt2"))
        with torch.no_grad():
            assert same_bits(leaves(torch._inductor.aoti_load_package(package)(*args)), list(outputs))
        source = wrapper_source(package)
        dtypes = set(re.findall(r"constants_info_\[\d+\]\.dtype = [^;]*torch_dtype_(\w+)", source))
        names = set(re.findall(r'constants_info_\[\d+\]\.name = "(\w+)"', source))
        if function is code.compile_frozen:
            assert dtypes == {"bfloat16"}
        else:
            assert dtypes == {"float32", "bfloat16"}
            assert any("FOLDED_CONST" in name for name in names)


def test_onnx_folding(castlens, tmp_path):
    """The file has no weight cast left and castlens computes the same bits, as does a new export of the converted module."""
    pytest.importorskip("onnxscript", reason="torch.onnx.export needs onnxscript")
    import onnx_ir

    torch.manual_seed(9)
    model, x = nn.Sequential(nn.Linear(96, 128), nn.ReLU(), nn.Linear(128, 96)), torch.randn(3, 96)

    class Region(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = model

        def forward(self, x):
            with torch.autocast("cpu", dtype=BF16):
                return self.body(x)

    module = Region().eval()
    source = tmp_path / "model.onnx"
    torch.onnx.export(module, (x,), dynamo=True, external_data=False).save(source)
    assert castlens.json("census", source)["perForward"]["off"]["weightCasts"] > 0
    code = load_code(castlens, source)
    onnx_ir.save(code.fold_onnx(onnx_ir.load(source)), tmp_path / "folded.onnx")
    torch.onnx.export(code.preconvert(module), (x,), dynamo=True, external_data=False).save(tmp_path / "converted.onnx")
    save_file({"input_0": x}, tmp_path / "in.safetensors")
    outputs = []
    for name in ("model", "folded", "converted"):
        out = tmp_path / f"{name}.safetensors"
        castlens.run("run", tmp_path / f"{name}.onnx", "--inputs", tmp_path / "in.safetensors", "--outputs", out)
        outputs.append(load_file(out)["output_0"])
        if name != "model":
            assert castlens.json("census", tmp_path / f"{name}.onnx")["perForward"]["off"]["weightCasts"] == 0
    assert same_bits(outputs, [outputs[0]] * 3)


class Recurrent(nn.Module):
    """A layer whose casts are inside of one operator, beside layers that are cast."""

    def __init__(self, layer):
        super().__init__()
        self.first, self.layer = nn.Linear(8, 8), layer

    def forward(self, x):
        with torch.autocast("cpu", dtype=BF16):
            result = self.layer(self.first(x).float())
            return result[0] if isinstance(result, tuple) else result


COMPOSITES = {
    "lstm": (lambda: nn.LSTM(8, 8), "layer.weight_ih_l0"),
    "gru": (lambda: nn.GRU(8, 8), "layer.weight_hh_l0"),
    "rnn-cell": (lambda: nn.RNNCell(8, 8), "layer.weight_ih"),
}


@pytest.mark.parametrize("name", COMPOSITES)
def test_pass_keeps_the_bits_or_names_the_weight(castlens, tmp_path, name):
    """Decomposing loses the casts inside of these operators, so that the pass would give other outputs."""
    torch.manual_seed(9)
    make, weight = COMPOSITES[name]
    x = torch.randn(2, 8) if "cell" in name else torch.randn(3, 2, 8)
    program = torch.export.export(Recurrent(make()).eval(), (x,))
    torch.export.save(program, tmp_path / "model.pt2")
    code = load_code(castlens, tmp_path / "model.pt2")
    with pytest.raises(ValueError, match=f"loses the casts inside of aten.*{weight}"):
        code.fold_weight_casts(program)
    # The module itself can be converted all the same.
    plain = Recurrent(make()).eval()
    assert code.preconvert(plain).first.weight.dtype is BF16


class Norms(nn.Module):
    """What an optimizer would fuse, casts by CastLike, a weight behind a transpose, and one used in both precisions."""

    def __init__(self):
        super().__init__()
        self.conv, self.batch, self.group = nn.Conv2d(3, 8, 3, bias=False), nn.BatchNorm2d(8), nn.GroupNorm(2, 8)
        self.weight, self.both = nn.Parameter(torch.randn(4, 8)), nn.Parameter(torch.randn(4, 4))

    def forward(self, x):
        with torch.autocast("cpu", dtype=BF16):
            y = self.group(self.batch(self.conv(x))).mean((2, 3)) @ self.weight.t()
            return y @ self.both + self.both.sum()


@pytest.mark.parametrize("mixed", ["--leave-mixed", "--keep-both"])
def test_onnx_folding_changes_casts_alone(castlens, tmp_path, mixed):
    """As many casts as the repaired file has, the same bits, and no other operator gone."""
    pytest.importorskip("onnxscript", reason="torch.onnx.export needs onnxscript")
    import onnx_ir

    torch.manual_seed(9)
    module, x = Norms(), torch.randn(1, 3, 8, 8)
    module.batch.running_var.uniform_(0.5, 2)
    module.batch.running_mean.normal_()
    source = tmp_path / "model.onnx"
    torch.onnx.export(module.eval(), (x,), dynamo=True, optimize=False, external_data=False).save(source)
    castlens.run("fix", source, "-o", tmp_path / "fixed.onnx", mixed)
    code = load_code(castlens, source, mixed)
    onnx_ir.save(code.fold_onnx(onnx_ir.load(source)), tmp_path / "folded.onnx")
    save_file({"input_0": x}, tmp_path / "in.safetensors")
    outputs, casts, operators = {}, {}, {}
    for name in ("model", "fixed", "folded"):
        file = tmp_path / f"{name}.onnx"
        castlens.run("run", file, "--inputs", tmp_path / "in.safetensors", "--outputs", tmp_path / "out.safetensors")
        outputs[name] = load_file(tmp_path / "out.safetensors")["output_0"]
        casts[name] = castlens.json("census", file)["perForward"]["off"]["weightCasts"]
        operators[name] = [node.op_type for node in onnx_ir.load(file).graph if node.op_type not in ("Cast", "CastLike")]
    assert same_bits([outputs["folded"], outputs["fixed"]], [outputs["model"]] * 2)
    assert casts["folded"] == casts["fixed"] < casts["model"]
    assert operators["folded"] == operators["model"]


def test_onnx_folding_of_another_model_is_refused(castlens, tmp_path):
    pytest.importorskip("onnxscript", reason="torch.onnx.export needs onnxscript")
    import onnx_ir

    source = tmp_path / "model.onnx"
    torch.onnx.export(Norms().eval(), (torch.randn(1, 3, 8, 8),), dynamo=True, optimize=False).save(source)
    code = load_code(castlens, source)
    model = onnx_ir.load(source)
    model.graph.initializers.pop("conv.weight")
    with pytest.raises(ValueError, match="no weight 'conv.weight'"):
        code.fold_onnx(model)
