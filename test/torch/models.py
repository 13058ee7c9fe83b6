"""Small models of the shapes people export, each with its example inputs."""
import torch
import torch.nn as nn
import torch.nn.functional as F

BF16 = torch.bfloat16


class Sequence(nn.Module):
    """Linear layers on a sequence, with GELU and layer norm; sizes that are no multiples of anything."""

    def __init__(self):
        super().__init__()
        self.up, self.down, self.norm = nn.Linear(37, 301), nn.Linear(301, 37), nn.LayerNorm(37)

    def forward(self, x):
        with torch.autocast("cpu", dtype=BF16):
            return self.norm(self.down(F.gelu(self.up(x))) + x)


class Wide(nn.Module):
    """Inner sizes beyond any blocking of a matrix kernel, one row."""

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(1500, 700), nn.Linear(700, 1500, bias=False), nn.Linear(1500, 3)])

    def forward(self, x):
        with torch.autocast("cpu", dtype=BF16):
            for layer in self.layers:
                x = torch.relu(layer(x))
        return x


class Half(nn.Module):
    """A float16 region."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(64, 200), nn.Linear(200, 16)

    def forward(self, x):
        with torch.autocast("cpu", dtype=torch.float16):
            return self.b(torch.relu(self.a(x)))


class Tied(nn.Module):
    """One weight under two names, used in both precisions."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(48, 48), nn.Linear(48, 48)
        self.b.weight = self.a.weight

    def forward(self, x):
        with torch.autocast("cpu", dtype=BF16):
            y = self.a(x)
        z = self.b(x)
        with torch.autocast("cpu", dtype=BF16):
            return self.b(y).float() + z


class Frozen(nn.Module):
    """Weights that eager PyTorch's own cache does not keep: frozen ones and a buffer."""

    def __init__(self):
        super().__init__()
        self.a = nn.Linear(32, 32)
        self.a.requires_grad_(False)
        self.b = nn.Linear(32, 32)
        self.register_buffer("table", torch.randn(32, 32))

    def forward(self, x):
        with torch.autocast("cpu", dtype=BF16):
            for _ in range(3):
                x = torch.relu(self.b(self.a(x)))
            return F.linear(F.linear(x, self.table), self.table)


class Deep(nn.Module):
    """Regions within regions: disabled inside, and enabled again inside that."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(40, 40), nn.Linear(40, 40), nn.Linear(40, 40)

    def forward(self, x):
        with torch.autocast("cpu", dtype=BF16):
            x = self.a(x)
            with torch.autocast("cpu", enabled=False):
                x = self.b(x.float())
                with torch.autocast("cpu", dtype=BF16):
                    x = self.c(self.a(x))
                x = self.b(x.float())
            return self.a(x)


class Plain(nn.Module):
    """No autocast at all."""

    def __init__(self):
        super().__init__()
        self.a = nn.Linear(8, 8)

    def forward(self, x):
        return torch.relu(self.a(x))


class Decorated(nn.Module):
    """The decorator form, which records cache_enabled true."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(24, 30), nn.Linear(30, 24)

    @torch.autocast("cpu", dtype=BF16)
    def forward(self, x):
        return self.b(F.relu(self.a(x)))


class TwoOutputs(nn.Module):
    """Two inputs, two outputs, one of them bfloat16."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(20, 12), nn.Linear(20, 12)

    def forward(self, x, y):
        with torch.autocast("cpu", dtype=BF16):
            p, q = self.a(x), self.b(y)
        return p, q.float() + 1.0


RUNNABLE = {
    "sequence": (Sequence, (torch.randn(3, 11, 37),), {}),
    "wide": (Wide, (torch.randn(1, 1500),), {}),
    "wide-batch": (Wide, (torch.randn(33, 1500),), {}),
    "half": (Half, (torch.randn(5, 64),), {}),
    "tied": (Tied, (torch.randn(4, 48),), {}),
    "frozen": (Frozen, (torch.randn(2, 32),), {}),
    "deep": (Deep, (torch.randn(6, 40),), {}),
    "plain": (Plain, (torch.randn(2, 8),), {}),
    "decorated": (Decorated, (torch.randn(7, 24),), {}),
    "strict": (Sequence, (torch.randn(2, 5, 37),), {"strict": True}),
    "two-outputs": (TwoOutputs, (torch.randn(3, 20), torch.randn(3, 20)), {}),
    "dynamic": (
        Sequence,
        (torch.randn(3, 11, 37),),
        {"dynamic": {"x": {0: torch.export.Dim("batch", max=64), 1: torch.export.Dim("seq", max=64)}}},
    ),
}
