"""castlens against PyTorch on models exported just now."""
import pytest
import torch
from models import RUNNABLE
from oracle import export
from safetensors.torch import load_file

MODES = "off,autocast,folded,frozen"


@pytest.fixture(scope="module", params=sorted(RUNNABLE))
def exported(request, tmp_path_factory):
    torch.manual_seed(1)
    make, args, options = RUNNABLE[request.param]
    folder = tmp_path_factory.mktemp(request.param)
    return folder, export(folder, make(), args, **options)


@pytest.mark.parametrize("file", ["model.pt2", "model.core.pt2"])
def test_census_counts_the_casts_of_the_decomposed_program(castlens, exported, file):
    folder, expected = exported
    census = castlens.json("census", folder / file)
    assert census["perForward"]["off"] == {"weightCasts": expected["casts"], "bytesMoved": expected["moved"]}


def test_census_counts_what_the_eager_cache_casts(castlens, exported):
    folder, expected = exported
    census = castlens.json("census", folder / "model.pt2")
    assert census["perForward"]["autocast"]["weightCasts"] == expected["eager"]


@pytest.mark.parametrize("file", ["model.pt2", "model.core.pt2"])
def test_outputs_are_those_of_eager_pytorch(castlens, exported, file):
    folder, expected = exported
    out = folder / "castlens.safetensors"
    castlens.run("run", folder / file, "--inputs", folder / "inputs.safetensors", "--outputs", out)
    found = load_file(out)
    for i, want in enumerate(expected["outputs"]):
        got = found[f"output_{i}"]
        assert got.dtype == want.dtype and got.shape == want.shape
        scale = want.float().abs().max()
        assert (got.float() - want.float()).abs().max() <= scale * 2**-6


@pytest.mark.parametrize("file", ["model.pt2", "model.core.pt2"])
def test_modes_are_bit_identical_and_run_what_was_planned(castlens, exported, file):
    folder, _ = exported
    inputs = folder / "inputs.safetensors"
    result = castlens.json("compare", folder / file, "--cache", MODES, "--runs", 1, "--warmup", 0, "--inputs", inputs)
    assert [variant["cache"] for variant in result["variants"]] == MODES.split(",")
    for variant in result["variants"]:
        assert variant["bitIdenticalToOff"] is True
        assert variant["executedWeightCasts"] == variant["plannedWeightCasts"]
