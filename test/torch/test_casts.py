"""Casts of weights, bit by bit as PyTorch's: every result of float16 and bfloat16, and both sides of every rounding boundary."""
import numpy as np
import pytest
import torch
import torch.nn as nn
import torch.nn.functional as F

COLUMNS = 64


def boundary_patterns(dtype):
    """float32 bits of all results of a type, of the ties between them, of the neighbours of both, and of some NaN."""
    halves = torch.arange(0, 0x8000, dtype=torch.int32).to(torch.int16).view(dtype)
    values = halves[torch.isfinite(halves)].to(torch.float64)
    # Beyond the largest number lies infinity, where the next one would be.
    upper = torch.cat([values[1:], 2 * values[-1:] - values[-2:-1]])
    points = torch.cat([values, (values + upper) / 2]).to(torch.float32).numpy().view(np.uint32)
    near = np.concatenate([points, points + np.uint32(1), points[points > 0] - np.uint32(1)])
    special = np.array([0x7F800000, 0x7F7FFFFF, 1, 0x007FFFFF, 0x7F800001, 0x7FC00000, 0x7FFFFFFF, 0x7F912345], dtype=np.uint32)
    both = np.concatenate([near, special])
    return np.concatenate([both, both | np.uint32(0x80000000)])


class Patterns(nn.Module):
    def __init__(self, bits, dtype):
        super().__init__()
        self.dtype = dtype
        padded = np.resize(bits, -(-len(bits) // COLUMNS) * COLUMNS)
        self.weight = nn.Parameter(torch.from_numpy(padded.view(np.float32).reshape(-1, COLUMNS).copy()))

    def forward(self, x):
        with torch.autocast("cpu", dtype=self.dtype):
            return F.linear(x, self.weight)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=["float16", "bfloat16"])
@pytest.mark.parametrize("copies", [1, 48], ids=["at once", "on threads"])
def test_every_rounding_is_the_one_of_torch(castlens, tmp_path, dtype, copies):
    model = Patterns(np.tile(boundary_patterns(dtype), copies), dtype)
    # Beyond 64 MiB threads do the work.
    assert (model.weight.nbytes > 64 * 2**20) == (copies > 1)
    torch.export.save(torch.export.export(model, (torch.zeros(1, COLUMNS),)), tmp_path / "model.pt2")
    castlens.json("fix", tmp_path / "model.pt2", "-o", tmp_path / "fixed.pt2")
    found = torch.export.load(tmp_path / "fixed.pt2").state_dict["weight"]
    expected = model.weight.detach().to(dtype)
    assert found.dtype == dtype
    # The bits of a NaN differ between the CPUs that PyTorch runs on.
    is_nan = torch.isnan(expected)
    assert is_nan.any() and torch.equal(torch.isnan(found), is_nan)
    assert torch.equal(found.view(torch.int16)[~is_nan], expected.view(torch.int16)[~is_nan])
    results = expected.view(torch.int16)[~is_nan].unique()
    assert len(results) == 2 * (0x7C01 if dtype == torch.float16 else 0x7F81)
