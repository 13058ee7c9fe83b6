"""The operators that the policy tables are held against are those of the dispatcher of the installed torch."""
import json
import pathlib

import pytest
import torch

DATA = pathlib.Path(__file__).parents[1] / "unit" / "autocast" / "data"
IS_LATER = tuple(int(part) for part in torch.__version__.split(".")[:2]) >= (2, 14)


@pytest.mark.parametrize("device", ["cpu", "cuda", "xpu", "mps"])
def test_registered_operators(device):
    recorded = (
        json.loads((DATA / "registered-2.15.json").read_text())
        if IS_LATER
        else json.loads((DATA / "torch.json").read_text())["registered"]
    )
    names = torch._C._dispatch_get_registrations_for_dispatch_key(f"Autocast{device.upper()}")
    found = {name.removeprefix("aten::") for name in names if name.startswith("aten::")}
    # Registered by builds with CUDA only.
    by_build = {"_cudnn_rnn", "cudnn_convolution", "cudnn_convolution_transpose"}
    assert found - by_build == set(recorded[device]) - by_build
