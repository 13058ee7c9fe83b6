"""Branches and loops of `.pt2` programs: weights they are given are weights there, for the census and for the repair."""
import pytest
import torch
import torch.nn as nn
import torch.nn.functional as F
from oracle import CastCounter
from safetensors.torch import load_file, save_file
from torch._higher_order_ops.map import map as map_rows
from torch._higher_order_ops.scan import scan
from torch._higher_order_ops.while_loop import while_loop

from test_code import load_code
from test_fix import call, same_bits

BF16 = torch.bfloat16


def low():
    return torch.autocast("cpu", dtype=BF16)


class Layers(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(16, 16), nn.Linear(16, 16)


class Branches(Layers):
    """One weight in both branches, the other in one."""

    def forward(self, x, flag):
        def one(x):
            with low():
                return self.a(x)

        def other(x):
            with low():
                return self.b(self.a(x))

        return torch.cond(flag, one, other, (x,))


class MixedBranches(Layers):
    """Cast in one branch, used as stored in the other and around."""

    def forward(self, x, flag):
        def one(x):
            with low():
                return self.a(x).float()

        def other(x):
            return self.a(x)

        return torch.cond(flag, one, other, (self.b(x),))


class While(Layers):
    def forward(self, x):
        def body(i, x):
            with low():
                x = self.a(x)
            return i + 1, x.float() + self.b(x.float())

        return while_loop(lambda i, x: i < 3, body, (torch.tensor(0), x))


class Scan(Layers):
    """A branch in the body of a scan, and a weight that is used as stored around it."""

    def forward(self, x):
        def body(carry, row):
            def one(carry):
                with low():
                    return self.a(carry).float()

            def other(carry):
                with low():
                    return self.b(self.a(carry)).float()

            carry = torch.cond(row.sum() > 0, one, other, (carry,))
            return carry, carry.clone()

        return scan(body, self.a(x)[0], x, dim=0)


class Map(Layers):
    def forward(self, x):
        def body(row):
            with low():
                return self.b(F.relu(self.a(row)))

        return map_rows(body, x)


class Returned(Layers):
    """Branches that return the weight itself, and one that returns its cast."""

    def forward(self, x, flag):
        def one(x):
            with low():
                return self.a(x).float(), self.a.weight.clone(), self.b.weight.to(BF16)

        def other(x):
            with low():
                return self.a(x).float(), x.new_zeros(16, 16), self.b.weight.t().to(BF16).contiguous()

        return torch.cond(flag, one, other, (x,))


class Carried(Layers):
    """State that starts as a weight and changes."""

    def forward(self, x):
        def body(i, w):
            with low():
                x = F.linear(self.a.weight, w)
            return i + 1, x.float()

        return while_loop(lambda i, w: i < 2, body, (torch.tensor(0), self.b.weight.clone()))[1] + x[0]


X = torch.randn(4, 16)
TRUE, FALSE = torch.tensor(True), torch.tensor(False)
# Calls; casts in one forward, and with eager mode's cache in the decomposed program; weights that are left, also with both copies.
CASES = {
    "branches": (Branches, [(X, TRUE), (X, FALSE)], 6, 4, set(), set()),
    "mixed-branches": (MixedBranches, [(X, TRUE), (X, FALSE)], 2, 2, {"a.weight", "a.bias"}, set()),
    "while": (While, [(X,)], 2, 2, set(), set()),
    "scan": (Scan, [(X,)], 24, 4, {"a.weight", "a.bias"}, set()),
    "map": (Map, [(X,)], 16, 4, set(), set()),
    "returned": (Returned, [(X, TRUE), (X, FALSE)], 6, 4, {"a.weight", "b.weight"}, {"b.weight"}),
    "carried": (Carried, [(X,)], 1, 1, set(), set()),
}


@pytest.fixture(scope="module", params=sorted(CASES))
def exported(request, tmp_path_factory):
    torch.manual_seed(7)
    folder = tmp_path_factory.mktemp(request.param)
    make, calls, *expected = CASES[request.param]
    program = torch.export.export(make().eval(), calls[0])
    torch.export.save(program, folder / "model.pt2")
    torch.export.save(program.run_decompositions(), folder / "model.core.pt2")
    return (folder, calls, *expected)


@pytest.mark.parametrize("file", ["model.pt2", "model.core.pt2"])
def test_casts_of_weights_that_nested_graphs_are_given(castlens, exported, file):
    folder, _, casts, cached, *_ = exported
    census = castlens.json("census", folder / file)
    assert census["perForward"]["off"]["weightCasts"] == casts
    assert census["perForward"]["folded"]["weightCasts"] == 0
    if file == "model.core.pt2":
        assert census["perForward"]["autocast"]["weightCasts"] == cached


@pytest.mark.parametrize("mixed", ["--leave-mixed", "--keep-both"])
@pytest.mark.parametrize("file", ["model.pt2", "model.core.pt2"])
def test_repaired_programs(castlens, exported, tmp_path, file, mixed):
    folder, calls, _, _, left, left_with_both = exported
    source, target = folder / file, tmp_path / "fixed.pt2"
    report = castlens.json("fix", source, "-o", target, mixed)
    before, after = torch.export.load(source), torch.export.load(target)
    for inputs in calls:
        assert same_bits(call(before, inputs), call(after, inputs))
    expected = left if mixed == "--leave-mixed" else left_with_both
    # Decomposed casts are copies, and may be returned whatever they do.
    copied = {"b.weight"} if file == "model.core.pt2" else set()
    assert {entry["weight"] for entry in report["left"]} == expected - copied
    # What PyTorch makes of the file casts no other weights.
    decomposed = tmp_path / "decomposed.pt2"
    torch.export.save(after.run_decompositions({}), decomposed)
    census = castlens.json("census", decomposed)
    assert census["perForward"]["off"]["weightCasts"] == report["weightCastsAfter"]
    again = castlens.json("fix", target, "-o", tmp_path / "again.pt2", mixed)
    assert again["converted"] == []
    assert (tmp_path / "again.pt2").read_bytes() == target.read_bytes()


@pytest.mark.parametrize("mixed", ["--leave-mixed", "--keep-both"])
def test_the_export_pass_does_the_same(castlens, exported, tmp_path, mixed):
    folder, calls, *_ = exported
    source = tmp_path / "model.pt2"
    source.write_bytes((folder / "model.pt2").read_bytes())
    report = castlens.json("fix", source, "-o", tmp_path / "fixed.pt2", mixed)
    before = torch.export.load(source)
    after = load_code(castlens, source, "--strategy", "export-pass", mixed).fold_weight_casts(torch.export.load(source))
    torch.export.save(after, tmp_path / "code.pt2")
    for inputs in calls:
        assert same_bits(call(before, inputs), call(torch.export.load(tmp_path / "code.pt2"), inputs))
    census = castlens.json("census", tmp_path / "code.pt2")
    assert census["perForward"]["off"]["weightCasts"] <= report["weightCastsAfter"]
    stored = torch.export.load(tmp_path / "code.pt2").state_dict
    assert {name: stored[name].dtype for name in stored} == {
        name: tensor.dtype for name, tensor in torch.export.load(tmp_path / "fixed.pt2").state_dict.items()
    }


@pytest.mark.parametrize("file", ["model.pt2", "model.core.pt2"])
@pytest.mark.parametrize("name", ["branches", "mixed-branches", "returned"])
def test_the_branch_that_pytorch_takes_runs(castlens, tmp_path, name, file):
    torch.manual_seed(7)
    make, calls, *_ = CASES[name]
    model = make().eval()
    program = torch.export.export(model, calls[0])
    torch.export.save(program if file == "model.pt2" else program.run_decompositions(), tmp_path / file)
    for inputs in calls:
        save_file({f"input_{i}": t for i, t in enumerate(inputs)}, tmp_path / "in.safetensors")
        arguments = (tmp_path / file, "--inputs", tmp_path / "in.safetensors")
        castlens.run("run", *arguments, "--outputs", tmp_path / "out.safetensors")
        found = load_file(tmp_path / "out.safetensors")
        with torch.no_grad():
            wanted = model(*inputs)
        for i, want in enumerate(wanted if isinstance(wanted, tuple) else (wanted,)):
            got = found[f"output_{i}"]
            assert got.dtype == want.dtype and got.shape == want.shape
            assert (got.float() - want.float()).abs().max() <= want.float().abs().max() * 2**-6
        result = castlens.json("compare", *arguments, "--cache", "off,autocast,folded,frozen", "--runs", 1, "--warmup", 0)
        assert all(variant["bitIdenticalToOff"] is True for variant in result["variants"])
        assert [v["executedWeightCasts"] for v in result["variants"] if v["cache"] in ("folded", "frozen")] == [0, 0]


@pytest.mark.parametrize("inside", [False, True])
def test_the_eager_cache_outlives_a_round_of_a_loop_but_no_region(inside):
    """Why the mode `autocast` takes casts out of loops, up to the outermost region."""
    model = Layers()
    counter = CastCounter(model)
    x = X
    with counter:
        if inside:
            for _ in range(3):
                with low():
                    x = model.a(x).float()
        else:
            with low():
                for _ in range(3):
                    x = model.a(x).float()
    assert counter.casts == (6 if inside else 2)
