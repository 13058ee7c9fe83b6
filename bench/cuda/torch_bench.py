"""The models of bench/cuda in PyTorch: eager with and without autocast's cache, and AOTInductor's default, folded and frozen builds.

    python torch_bench.py --device cuda --runs 50 --sizes '{"model": "mlp", "layers": 8, ..., "batch": 1, "dtype": "float16"}'

Prints one line of JSON: milliseconds per forward (median), or why it did not run.
"""

import argparse
import json
import statistics
import time

import torch
from torch import nn
from torch.nn import functional as F


class MLP(nn.Module):
    def __init__(self, layers, width, hidden, **_):
        super().__init__()
        sizes = [width if i % 2 == 0 else hidden for i in range(layers + 1)]
        self.layers = nn.ModuleList(nn.Linear(a, b, bias=False) for a, b in zip(sizes, sizes[1:]))

    def forward(self, x):
        for i, layer in enumerate(self.layers):
            x = layer(torch.relu(x) if i > 0 else x)
        return x


class Layer(nn.Module):
    def __init__(self, width, hidden, heads):
        super().__init__()
        self.heads = heads
        self.q, self.k, self.v, self.o = (nn.Linear(width, width, bias=False) for _ in range(4))
        self.gate, self.up = (nn.Linear(width, hidden, bias=False) for _ in range(2))
        self.down = nn.Linear(hidden, width, bias=False)
        self.attention_norm = nn.Parameter(torch.ones(width))
        self.ffn_norm = nn.Parameter(torch.ones(width))

    @staticmethod
    def norm(x, weight):
        return x * torch.rsqrt((x * x).mean(-1, keepdim=True) + 1e-5) * weight

    def forward(self, x):
        batch, tokens, width = x.shape
        normed = self.norm(x, self.attention_norm)
        q, k, v = (one(normed).view(batch, tokens, self.heads, -1).transpose(1, 2) for one in (self.q, self.k, self.v))
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.o(mixed.transpose(1, 2).reshape(batch, tokens, width))
        normed = self.norm(x, self.ffn_norm)
        return x + self.down(F.silu(self.gate(normed)) * self.up(normed))


class Decoder(nn.Module):
    def __init__(self, layers, width, hidden, heads, **_):
        super().__init__()
        self.layers = nn.ModuleList(Layer(width, hidden, heads) for _ in range(layers))
        self.norm = nn.Parameter(torch.ones(width))

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return Layer.norm(x, self.norm)


class InRegion(nn.Module):
    """A model under autocast, so that the region is part of what is exported."""

    def __init__(self, model, device, dtype):
        super().__init__()
        self.model, self.device, self.dtype = model, device, dtype

    def forward(self, *inputs):
        with torch.autocast(self.device, self.dtype):
            return self.model(*inputs)


def make(sizes, device):
    torch.manual_seed(0)
    model = (MLP if sizes["model"] == "mlp" else Decoder)(**sizes).to(device)
    tokens = [sizes["tokens"]] if sizes["model"] == "decoder" else []
    return model, (torch.randn(sizes["batch"], *tokens, sizes["width"], device=device),)


def median_ms(forward, device, runs):
    def once():
        start = time.perf_counter()
        forward()
        if device == "cuda":
            torch.cuda.synchronize()
        return (time.perf_counter() - start) * 1000

    for _ in range(5):
        once()
    return statistics.median(once() for _ in range(runs))


def eager(model, inputs, device, dtype, cached):
    def forward():
        with torch.autocast(device, dtype, cache_enabled=cached):
            return model(*inputs)

    return forward


def compiled(model, inputs, device, dtype, configs, low=False):
    if low:
        # Weights converted before the export, as a saved file holds them.
        for name, parameter in model.named_parameters():
            if parameter.dim() == 2:
                parameter.data = parameter.data.to(dtype)
    program = torch.export.export(InRegion(model, device, dtype), inputs)
    package = torch._inductor.aoti_compile_and_package(program, inductor_configs=configs)
    runner = torch._inductor.aoti_load_package(package)
    return lambda: runner(*inputs)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--sizes", type=json.loads, required=True)
    args = parser.parse_args()
    device, _, index = args.device.partition(":")
    if device == "cuda":
        torch.cuda.set_device(int(index or 0))
    dtype = getattr(torch, args.sizes["dtype"])
    ways = {
        "torch eager, cache": lambda *a: eager(*a, True),
        "torch eager, no cache": lambda *a: eager(*a, False),
        "AOTInductor default": lambda *a: compiled(*a, {}),
        "AOTInductor folded": lambda *a: compiled(*a, {"aot_inductor.use_runtime_constant_folding": True}),
        "AOTInductor frozen": lambda *a: compiled(*a, {}, low=True),
    }
    times = {}
    for name, way in ways.items():
        try:
            with torch.no_grad():
                model, inputs = make(args.sizes, device)
                times[name] = median_ms(way(model.eval(), inputs, device, dtype), device, args.runs)
        except Exception as error:  # one way that fails must not hide the others
            times[name] = f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}"
    print(json.dumps(times))


if __name__ == "__main__":
    main()
