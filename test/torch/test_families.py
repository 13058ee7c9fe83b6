"""Model families that no fixture holds, against PyTorch: census, computed dtypes, outputs, modes, executed casts."""
import copy

import pytest
import torch
from families import FAMILIES
from oracle import all_weight_casts
from safetensors.torch import load_file, save_file

MODES = "off,autocast,folded,frozen"
FILES = ["model.pt2", "model.core.pt2"]


def tensors(tree):
    return [leaf for leaf in torch.utils._pytree.tree_leaves(tree) if isinstance(leaf, torch.Tensor)]


@pytest.fixture(scope="module", params=sorted(FAMILIES))
def exported(request, tmp_path_factory):
    torch.manual_seed(3)
    make, args, options = FAMILIES[request.param]
    kwargs = options.get("kwargs", {})
    folder = tmp_path_factory.mktemp(request.param)
    model = make().eval()
    with torch.no_grad():
        # A copy: forwards may write into the buffers of their model.
        outputs = tensors(copy.deepcopy(model)(*args, **kwargs))
    program = torch.export.export(model, args, kwargs, dynamic_shapes=options.get("dynamic"))
    torch.export.save(program, folder / "model.pt2")
    core = program.run_decompositions()
    torch.export.save(core, folder / "model.core.pt2")
    save_file({f"input_{i}": t.contiguous() for i, t in enumerate([*args, *kwargs.values()])}, folder / "inputs.safetensors")
    casts = {"model.pt2": all_weight_casts(program.run_decompositions({})), "model.core.pt2": all_weight_casts(core)}
    return folder, casts, outputs


@pytest.mark.parametrize("file", FILES)
def test_census_and_dtypes(castlens, exported, file):
    folder, casts, _ = exported
    census = castlens.json("census", folder / file)
    off = census["perForward"]["off"]
    assert (off["weightCasts"], off["bytesMoved"]) == casts[file]
    assert off["bytesMoved"] == sum(cast["bytesMoved"] for cast in census["weightCasts"])
    codes = {finding["code"] for finding in census["findings"]}
    assert not codes & {"dtype-mismatch", "ambient-autocast"}


@pytest.mark.parametrize("file", FILES)
def test_outputs(castlens, exported, file):
    folder, _, outputs = exported
    out = folder / "castlens.safetensors"
    castlens.run("run", folder / file, "--inputs", folder / "inputs.safetensors", "--outputs", out)
    found = load_file(out)
    assert len(found) == len(outputs)
    for i, want in enumerate(outputs):
        got = found[f"output_{i}"]
        assert got.dtype == want.dtype and got.shape == want.shape
        assert (got.float() - want.float()).abs().max() <= want.float().abs().max() * 2**-6


@pytest.mark.parametrize("file", FILES)
def test_modes(castlens, exported, file):
    folder, _, _ = exported
    inputs = folder / "inputs.safetensors"
    result = castlens.json("compare", folder / file, "--cache", MODES, "--runs", 1, "--warmup", 0, "--inputs", inputs)
    assert [variant["cache"] for variant in result["variants"]] == MODES.split(",")
    for variant in result["variants"]:
        assert variant["bitIdenticalToOff"] is True
        assert variant["executedWeightCasts"] == variant["plannedWeightCasts"]
