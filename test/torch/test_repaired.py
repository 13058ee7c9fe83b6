"""A repaired file can do whatever its source could, to the bit: every family, and every program of the repository."""
import copy
import pathlib

import pytest
import torch
from abilities import ACTIONS, try_out
from families import FAMILIES
from safetensors.torch import load_file
from test_fix import same_bits

ROOT = pathlib.Path(__file__).resolve().parents[2]
FILES = ["examples/mlp.pt2", *sorted(str(file.relative_to(ROOT)) for file in (ROOT / "test/fixtures").rglob("*.pt2"))]
OPTIONS = ([], ["--keep-both"], ["--fold-computed"])
# Exporting to ONNX takes seconds: of the smaller programs.
MOST_NODES_FOR_ONNX = 40
# What makes a decomposed program of its own, or starts with one: of the program as the user has it.
OF_TRAINING_PROGRAMS = ("export_to_onnx", "generate_code")

# What PyTorch itself cannot do with a source.
UNABLE = {
    # Sizes that are multiples of a dimension.
    "multiples": {"decompose", "generate_code", "export_to_onnx"},
    # A constant without data, in 2.13.
    "beit": {"generate_code"},
    # An operator without a function in ONNX.
    "sorted-experts": {"export_to_onnx"},
    # A view whose strides differ where attention is decomposed.
    "test/fixtures/gpt2/model.pt2": {"decompose", "generate_code"},
}


def compare(castlens, folder, source, arguments):
    """Try out a file and what every repair of it makes; returns the actions that the source cannot do, with the reason."""
    actions = [name for name in ACTIONS if "core" not in source.name or name not in OF_TRAINING_PROGRAMS]
    program = torch.export.load(source)
    nodes = sum(len(module.graph.nodes) for module in program.graph_module.modules() if isinstance(module, torch.fx.GraphModule))
    if nodes > MOST_NODES_FOR_ONNX:
        actions = [name for name in actions if name != "export_to_onnx"]
    before = try_out(source, arguments, actions)
    able = [name for name in actions if not isinstance(before[name], Exception)]
    seen = {source.read_bytes()}
    for options in OPTIONS:
        target = folder / "fixed.pt2"
        report = castlens.json("fix", source, "-o", target, *options)
        if target.read_bytes() in seen:
            continue
        seen.add(target.read_bytes())
        after = try_out(target, arguments, able)
        failed = {name: repr(error)[:400] for name, error in after.items() if isinstance(error, Exception)}
        assert failed == {}, options
        # A copy or a computed weight is one more weight to update, with the value that belongs to the other one.
        has_more = any("copy" in entry for entry in report["converted"]) or report.get("folded", {}).get("weights")
        differing = [name for name in able if not same_bits(before[name], after[name])]
        assert set(differing) <= ({"update_weights"} if has_more else set()), options
        if not has_more:
            keys = [list(torch.export.load(file).module().state_dict()) for file in (source, target)]
            assert keys[0] == keys[1]
    assert len(seen) > 1 or report["weightCastsAfter"] == report["weightCastsBefore"]
    return {name: repr(before[name])[:300] for name in actions if name not in able}


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_families(castlens, tmp_path, name):
    torch.manual_seed(3)
    make, args, options = FAMILIES[name]
    arguments = (args, options.get("kwargs", {}))
    program = torch.export.export(make().eval(), *arguments, dynamic_shapes=options.get("dynamic"))
    torch.export.save(program, tmp_path / "model.pt2")
    torch.export.save(program.run_decompositions(), tmp_path / "model.core.pt2")
    for file in ("model.pt2", "model.core.pt2"):
        unable = compare(castlens, tmp_path, tmp_path / file, copy.deepcopy(arguments))
        assert set(unable) <= UNABLE.get(name, set()), unable


@pytest.mark.parametrize("file", FILES)
def test_files(castlens, tmp_path, file):
    program = torch.export.load(ROOT / file)
    unable = compare(castlens, tmp_path, ROOT / file, program.example_inputs)
    assert set(unable) <= UNABLE.get(file, set()), unable
