"""The model that mlp.ts writes, as PyTorch exports it.

    python mlp.py OUT.pt2 [--layers 8] [--width 1024] [--hidden 4096] [--batch 4] [--dtype bfloat16]

mlp.ts needs no PyTorch; the lines it names as sources are lines of this file.
"""

import argparse

import torch
from torch import nn


class MLP(nn.Module):
    def __init__(self, layers, width, hidden, dtype):
        super().__init__()
        sizes = [width if i % 2 == 0 else hidden for i in range(layers + 1)]
        self.layers = nn.ModuleList(nn.Linear(a, b, bias=False) for a, b in zip(sizes, sizes[1:]))
        self.dtype = dtype

    def forward(self, x):
        with torch.autocast(device_type="cpu", dtype=self.dtype):
            for i, layer in enumerate(self.layers):
                if i > 0:
                    x = torch.relu(x)
                x = layer(x)
        return x


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("out")
    for name, value in [("layers", 8), ("width", 1024), ("hidden", 4096), ("batch", 4)]:
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--dtype", default="bfloat16")
    args = parser.parse_args()
    model = MLP(args.layers, args.width, args.hidden, getattr(torch, args.dtype))
    program = torch.export.export(model, (torch.randn(args.batch, args.width),))
    torch.export.save(program, args.out)
