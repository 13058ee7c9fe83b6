"""Export a program that calls operators of every autocast policy, once per device type.

    python make_programs.py OUT

Needs a CUDA build of torch, but no GPU: the program for CUDA is traced with fake tensors, whose dtypes are those of real
ones. Made with 2.13.0. Writes OUT/policies-cpu.pt2, OUT/policies-cuda.pt2 and OUT/policies-cuda-bfloat16.pt2.
"""

import pathlib
import sys
import warnings

import torch
import torch.cuda.amp.common
import torch.nn as nn
import torch.nn.functional as F
from torch._subclasses.fake_tensor import FakeTensorMode

warnings.filterwarnings("ignore")
torch.cuda.amp.common.amp_definitely_not_available = lambda: False
torch.cuda.is_bf16_supported = lambda *args, **kwargs: True


class Policies(nn.Module):
    def __init__(self, device, dtype):
        super().__init__()
        self.device, self.dtype = device, dtype
        self.l = nn.Linear(8, 8)
        self.w = nn.Parameter(torch.ones(8))
        self.rms = nn.RMSNorm(8)
        self.group = nn.GroupNorm(2, 8)
        self.bilinear = nn.Bilinear(8, 8, 4)
        self.conv = nn.Conv1d(8, 8, 3, padding="same")
        self.transposed = nn.ConvTranspose2d(1, 2, 2, 2)
        self.cell = nn.RNNCell(8, 8)

    def forward(self, x, t):
        with torch.autocast(self.device, dtype=self.dtype):
            return self.calls(x, t)

    def calls(self, x, t):
        y = self.l(x)
        image = y[None, None]
        # Only CUDA promotes these.
        like = x.to(y.dtype) if self.device == "cpu" else x
        return (
            y,
            F.softmax(y, -1) @ x.t(),
            torch.addcmul(y, x, x),
            torch.atan2(y, x),
            self.rms(y),
            self.group(y),
            self.bilinear(x, y) if self.device == "cuda" else self.bilinear(x, y.float()),
            self.conv(y[None].transpose(1, 2)),
            self.transposed(image),
            self.cell(y),
            torch.cross(y[:, :3], like[:, :3], -1),
            F.mse_loss(y, x),
            F.l1_loss(y, x),
            F.smooth_l1_loss(y, x),
            F.kl_div(y, x),
            F.cross_entropy(y, t),
            F.nll_loss(y, t),
            F.binary_cross_entropy_with_logits(y, x),
            F.cosine_similarity(y, x),
            F.hinge_embedding_loss(y, x.sign()),
            F.layer_norm(y, (8,), self.w),
            F.gelu(y),
            F.prelu(y, self.w),
            F.softplus(y),
            F.log_softmax(y, -1),
            torch.softmax(y, -1, dtype=torch.float64),
            F.interpolate(image, scale_factor=2),
            F.interpolate(image, scale_factor=2, mode="bilinear"),
            F.pad(y[None], (1, 1), mode="reflect"),
            F.avg_pool2d(image, 2),
            y.exp(),
            y.log(),
            y.sin(),
            y.rsqrt(),
            y.pow(2),
            2**y,
            y.std(),
            y.logsumexp(0),
            y.cumsum(0),
            y.cumprod(0),
            y.prod(),
            y.sum(),
            y.sum(0),
            y.norm(),
            y.norm(dim=0),
            torch.linalg.vector_norm(y),
            torch.renorm(y, 2, 0, 1.0),
            torch.cdist(y.float(), x),
            torch.dot(y[0], like[0]),
            torch.outer(y[0], x[0]),
            y @ like[0],
            torch.einsum("ij,kj->ik", y, like),
            torch.tensordot(y, like, ([1], [1])),
            torch.inner(y, like),
            torch.linalg.matmul(y, like.t()),
            torch.linalg.multi_dot([y, like.t(), y]),
            torch.addmm(x[:, :4], y, x.t()),
            torch.baddbmm(y[None, :, :4].float(), y[None], x[None].transpose(1, 2)),
            F.scaled_dot_product_attention(image, x[None, None], image),
            torch.cat([y, x]),
            torch.stack([y, x]),
            torch.scatter_add(y, 0, t[:, None].expand(4, 8), like),
            y.index_put((t,), like),
            y.double() @ x.double().t(),
        )


def strip(ep):
    """Without traces: they name files of the machine, and the tests do not need them."""
    for module in ep.graph_module.modules():
        if isinstance(module, torch.fx.GraphModule):
            for node in module.graph.nodes:
                for key in ("stack_trace", "from_node", "custom", "torch_fn", "source_fn_stack"):
                    node.meta.pop(key, None)
    ep._example_inputs = None
    return ep


def on_cuda(module):
    for child in module.modules():
        for key, value in child._parameters.items():
            if value is not None:
                child._parameters[key] = nn.Parameter(torch.empty(value.shape, device="cuda"))


def main(out):
    out.mkdir(parents=True, exist_ok=True)
    x, t = torch.randn(4, 8), torch.tensor([0, 1, 2, 3])
    torch.export.save(
        strip(torch.export.export(Policies("cpu", torch.bfloat16), (x, t), strict=False)),
        out / "policies-cpu.pt2",
    )
    for dtype, name in ((torch.float16, "policies-cuda"), (torch.bfloat16, "policies-cuda-bfloat16")):
        model = Policies("cuda", dtype)
        with torch.device("cuda"), FakeTensorMode(allow_non_fake_inputs=True):
            on_cuda(model)
            args = (torch.empty(4, 8), torch.empty(4, dtype=torch.int64))
            ep = torch.export.export(model, args, strict=False)
        for key, value in ep._state_dict.items():
            ep._state_dict[key] = nn.Parameter(torch.zeros(value.shape))
        torch.export.save(strip(ep), out / f"{name}.pt2")


main(pathlib.Path(sys.argv[1]))
