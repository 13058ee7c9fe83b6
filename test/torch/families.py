"""Small models of families that no fixture holds. Each entry makes a model, its inputs and its export options."""
import math

import torch
import torch.nn as nn
import torch.nn.functional as F
import transformers as t
from models import BF16

Dim = torch.export.Dim


class Region(nn.Module):
    """A model inside one region, as users wrap the forward of a library's model."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, *args):
        with torch.autocast("cpu", dtype=BF16):
            return self.model(*args)


class FirstOutput(nn.Module):
    """The first tensor of a library model's output."""

    def __init__(self, model, names=("input_ids",), result=0, **fixed):
        super().__init__()
        self.model, self.names, self.result, self.fixed = model, names, result, fixed

    def forward(self, *args):
        with torch.autocast("cpu", dtype=BF16):
            return self.model(**dict(zip(self.names, args)), **self.fixed, return_dict=False)[self.result]


class SlidingGroupedDecoder(nn.Module):
    """A decoder layer by hand: rotary positions, grouped-query heads, a sliding window, RMS norm, gated MLP."""

    def __init__(self, size=48, heads=6, groups=2, window=4):
        super().__init__()
        self.heads, self.groups, self.window, self.head = heads, groups, window, size // heads
        self.embed = nn.Embedding(50, size)
        self.norms = nn.ModuleList([nn.RMSNorm(size), nn.RMSNorm(size)])
        self.q = nn.Linear(size, size, bias=False)
        self.k = nn.Linear(size, groups * self.head, bias=False)
        self.v = nn.Linear(size, groups * self.head, bias=False)
        self.o = nn.Linear(size, size, bias=False)
        self.gate, self.up = nn.Linear(size, 96, bias=False), nn.Linear(size, 96, bias=False)
        self.down = nn.Linear(96, size, bias=False)
        self.register_buffer("frequencies", 1 / 10000 ** (torch.arange(0, self.head, 2) / self.head), persistent=False)

    def rotate(self, x):
        angles = torch.arange(x.shape[2], device=x.device)[:, None] * self.frequencies
        angles = torch.cat([angles, angles], -1)
        half = x.shape[-1] // 2
        return x * angles.cos() + torch.cat([-x[..., half:], x[..., :half]], -1) * angles.sin()

    def attend(self, x):
        batch, length, _ = x.shape
        split = lambda y, n: y.view(batch, length, n, self.head).transpose(1, 2)
        q, k, v = split(self.q(x), self.heads), split(self.k(x), self.groups), split(self.v(x), self.groups)
        q, k = self.rotate(q).to(v.dtype), self.rotate(k).to(v.dtype)
        at = torch.arange(length, device=x.device)
        distance = at[:, None] - at[None, :]
        mask = (distance >= 0) & (distance < self.window)
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, enable_gqa=True)
        return self.o(y.transpose(1, 2).reshape(batch, length, -1))

    def forward(self, ids):
        with torch.autocast("cpu", dtype=BF16):
            x = self.embed(ids)
            x = x + self.attend(self.norms[0](x))
            y = self.norms[1](x)
            x = x + self.down(F.silu(self.gate(y)) * self.up(y))
            return F.linear(x, self.embed.weight)


class RelativeAttention(nn.Module):
    """Attention with a learned bias per bucket of distance, as T5 has."""

    def __init__(self, size=32, heads=4, buckets=8):
        super().__init__()
        self.heads, self.buckets = heads, buckets
        self.qkv, self.out = nn.Linear(size, 3 * size, bias=False), nn.Linear(size, size, bias=False)
        self.bias = nn.Embedding(buckets, heads)

    def bucket(self, distance):
        half = self.buckets // 2
        sign = (distance > 0).long() * half
        distance = distance.abs()
        exact = half // 2
        far = exact + (torch.log(distance.float().clamp(min=1) / exact) / math.log(16 / exact) * (half - exact)).long()
        return sign + torch.where(distance < exact, distance, torch.min(far, torch.full_like(far, half - 1)))

    def forward(self, x):
        with torch.autocast("cpu", dtype=BF16):
            batch, length, size = x.shape
            q, k, v = self.qkv(x).view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4).unbind(0)
            at = torch.arange(length, device=x.device)
            bias = self.bias(self.bucket(at[None, :] - at[:, None])).permute(2, 0, 1).unsqueeze(0)
            weights = F.softmax((q @ k.transpose(-1, -2)).float() + bias, dim=-1).to(v.dtype)
            return self.out((weights @ v).transpose(1, 2).flatten(2))


class WindowedAttention(nn.Module):
    """Shifted windows with a relative position table, as Swin has; the shift is masked."""

    def __init__(self, size=24, heads=3, window=4):
        super().__init__()
        self.heads, self.window, self.shift = heads, window, window // 2
        self.patch = nn.Conv2d(3, size, 2, 2)
        self.norm = nn.LayerNorm(size)
        self.qkv, self.out = nn.Linear(size, 3 * size), nn.Linear(size, size)
        self.table = nn.Parameter(torch.randn((2 * window - 1) ** 2, heads))
        grid = torch.stack(torch.meshgrid(torch.arange(window), torch.arange(window), indexing="ij")).flatten(1)
        relative = grid[:, :, None] - grid[:, None, :] + window - 1
        self.register_buffer("index", relative[0] * (2 * window - 1) + relative[1], persistent=False)
        self.merge = nn.Linear(4 * size, 2 * size, bias=False)

    def windows(self, x):
        batch, height, width, size = x.shape
        w = self.window
        x = x.view(batch, height // w, w, width // w, w, size)
        return x.permute(0, 1, 3, 2, 4, 5).reshape(-1, w * w, size)

    def mask(self, height, width):
        image = torch.zeros(1, height, width, 1)
        count = 0
        edges = (slice(0, -self.window), slice(-self.window, -self.shift), slice(-self.shift, None))
        for rows in edges:
            for columns in edges:
                image[:, rows, columns, :] = count
                count += 1
        parts = self.windows(image).squeeze(-1)
        different = parts[:, None, :] - parts[:, :, None]
        return different.masked_fill(different != 0, -100.0).masked_fill(different == 0, 0.0)

    def forward(self, image):
        with torch.autocast("cpu", dtype=BF16):
            x = self.patch(image).permute(0, 2, 3, 1)
            batch, height, width, size = x.shape
            y = torch.roll(self.norm(x), (-self.shift, -self.shift), (1, 2))
            parts = self.windows(y)
            n, area, _ = parts.shape
            q, k, v = self.qkv(parts).reshape(n, area, 3, self.heads, -1).permute(2, 0, 3, 1, 4).unbind(0)
            scores = (q * (size // self.heads) ** -0.5) @ k.transpose(-2, -1)
            bias = self.table[self.index.view(-1)].view(area, area, -1).permute(2, 0, 1).contiguous()
            scores = scores + bias.unsqueeze(0)
            mask = self.mask(height, width)
            scores = scores.view(batch, -1, self.heads, area, area) + mask[None, :, None]
            weights = F.softmax(scores.view(-1, self.heads, area, area), dim=-1)
            parts = self.out((weights.to(v.dtype) @ v).transpose(1, 2).reshape(n, area, size))
            w = self.window
            y = parts.view(batch, height // w, width // w, w, w, size).permute(0, 1, 3, 2, 4, 5)
            y = torch.roll(y.reshape(batch, height, width, size), (self.shift, self.shift), (1, 2))
            x = x + y
            pieces = [x[:, 0::2, 0::2], x[:, 1::2, 0::2], x[:, 0::2, 1::2], x[:, 1::2, 1::2]]
            return self.merge(torch.cat(pieces, -1))


class UNet(nn.Module):
    """Group norm, strided and transposed convolutions, interpolation, attention at the bottom, a time embedding."""

    def __init__(self, size=16):
        super().__init__()
        self.start = nn.Conv2d(3, size, 3, padding=1)
        self.norms = nn.ModuleList([nn.GroupNorm(4, size), nn.GroupNorm(4, size), nn.GroupNorm(4, 2 * size)])
        self.down = nn.Conv2d(size, size, 3, stride=2, padding=1)
        self.time = nn.Sequential(nn.Linear(8, size), nn.SiLU(), nn.Linear(size, size))
        self.attention = nn.MultiheadAttention(size, 2, batch_first=True)
        self.up = nn.ConvTranspose2d(size, size, 4, stride=2, padding=1)
        self.smooth = nn.Conv2d(2 * size, size, 3, padding=1)
        self.end = nn.Conv2d(2 * size, 3, 1)

    def forward(self, x, step):
        with torch.autocast("cpu", dtype=BF16):
            frequencies = torch.exp(-torch.arange(4, device=x.device) / 2)
            angles = step[:, None].float() * frequencies
            time = self.time(torch.cat([angles.sin(), angles.cos()], -1))
            first = self.start(x)
            y = self.down(F.silu(self.norms[0](first))) + time[:, :, None, None]
            b, c, h, w = y.shape
            flat = self.norms[1](y).flatten(2).transpose(1, 2)
            y = y + self.attention(flat, flat, flat, need_weights=False)[0].transpose(1, 2).reshape(b, c, h, w)
            wide = F.interpolate(y, scale_factor=2.0, mode="nearest")
            y = self.smooth(torch.cat([self.up(y), wide], 1))
            y = F.interpolate(F.avg_pool2d(y, 2), size=(8, 8), mode="bilinear", align_corners=False)
            return self.end(F.silu(self.norms[2](torch.cat([y, first], 1))))


class Separable(nn.Module):
    """Depthwise and pointwise convolutions, squeeze and excitation, batch norm, in-place activations."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 12, 3, 2, 1, bias=False), nn.BatchNorm2d(12), nn.Hardswish(inplace=True))
        self.depth = nn.Sequential(nn.Conv2d(12, 12, 5, 1, 2, groups=12, bias=False), nn.BatchNorm2d(12), nn.ReLU6(inplace=True))
        self.squeeze = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(12, 4, 1), nn.ReLU(inplace=True), nn.Conv2d(4, 12, 1), nn.Hardsigmoid(inplace=True))
        self.point = nn.Conv2d(12, 20, 1)
        self.head = nn.Linear(20, 7)

    def forward(self, x):
        with torch.autocast("cpu", dtype=BF16):
            x = self.depth(self.stem(x))
            x = self.point(x * self.squeeze(x))
            return self.head(F.max_pool2d(x, 3, 2, 1).mean((2, 3)))


class Audio(nn.Module):
    """One-dimensional convolutions: dilated, grouped, transposed, gated."""

    def __init__(self):
        super().__init__()
        self.start = nn.Conv1d(2, 16, 10, stride=5)
        self.layers = nn.ModuleList([nn.Conv1d(16, 32, 3, padding=d, dilation=d, groups=2) for d in (1, 2, 4)])
        self.norm = nn.GroupNorm(1, 16)
        self.back = nn.ConvTranspose1d(16, 2, 10, stride=5)

    def forward(self, x):
        with torch.autocast("cpu", dtype=BF16):
            x = F.gelu(self.norm(self.start(x)))
            for layer in self.layers:
                x = x + F.glu(layer(x), 1)
            return torch.tanh(self.back(F.leaky_relu(x, 0.1)))


class Cells(nn.Module):
    """Recurrent cells, unrolled."""

    def __init__(self):
        super().__init__()
        self.lstm, self.gru, self.head = nn.LSTMCell(12, 16), nn.GRUCell(16, 16), nn.Linear(16, 5)

    def forward(self, x):
        with torch.autocast("cpu", dtype=BF16):
            h = c = g = torch.zeros(x.shape[0], 16)
            steps = []
            for step in x.unbind(1):
                h, c = self.lstm(step, (h, c))
                g = self.gru(h, g)
                steps.append(self.head(g))
            return torch.stack(steps, 1)


class TwoPrecisions(nn.Module):
    """One weight in bfloat16 and in float16 regions, and in float32."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(32, 32) / 6)
        self.embedding = nn.Embedding(20, 32)

    def forward(self, ids):
        x = self.embedding(ids)
        with torch.autocast("cpu", dtype=BF16):
            x = F.linear(x, self.weight)
        with torch.autocast("cpu", dtype=torch.float16):
            y = F.linear(x, self.weight.t())
        with torch.autocast("cpu", dtype=BF16):
            logits = F.linear(y, self.embedding.weight)
        return logits, F.linear(x.float(), self.weight)


class Named(nn.Module):
    """Keyword inputs, a dictionary with a nested tuple as output."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(10, 14), nn.Linear(14, 10)

    def forward(self, x, *, scale, offset=None):
        with torch.autocast("cpu", dtype=BF16):
            hidden = torch.relu(self.a(x) * scale)
            last = self.b(hidden)
            if offset is not None:
                last = last + offset
        return {"last": last, "hidden": (hidden, hidden.float().sum(-1))}


class Lifted(nn.Module):
    """Constants in the forward, a buffer that is not saved, views written in place where no other name is read."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(16, 16), nn.Linear(16, 16)
        self.register_buffer("mask", torch.ones(16, 16).tril(), persistent=False)

    def forward(self, x):
        table = torch.tensor([[0.5, -1.0], [2.0, 0.25]])
        with torch.autocast("cpu", dtype=BF16):
            y = F.linear(self.a(x), self.b.weight * self.mask)
            y.mul_(0.5).add_(1.0)
            z = torch.relu_(y.view(-1, 8, 2))
            return torch.matmul(z, table) + torch.tensor(3.0)


class Written(nn.Module):
    """Slices and selects of a new tensor written in place, and the tensor read afterwards."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(12, 12), nn.Linear(12, 6)

    def forward(self, x):
        with torch.autocast("cpu", dtype=BF16):
            y = self.a(x)
            out = torch.zeros(x.shape[0], 4, 12)
            out[:, 0] = y
            out[:, 1:3, 2:8] = self.b(y).unsqueeze(1)
            out[:, 3].fill_(0.5)
            out[:, :, -1] *= 2
            return self.b(out)


class DynamicAttention(nn.Module):
    """Masked attention whose batch and length are dynamic."""

    def __init__(self):
        super().__init__()
        self.heads = 4
        self.qkv, self.out = nn.Linear(32, 96), nn.Linear(32, 32)

    def forward(self, x, keep):
        with torch.autocast("cpu", dtype=BF16):
            batch, length, size = x.shape
            q, k, v = self.qkv(x).chunk(3, -1)
            q, k, v = (y.reshape(batch, length, self.heads, -1).transpose(1, 2) for y in (q, k, v))
            causal = torch.ones(length, length, dtype=torch.bool).tril()
            mask = causal & keep[:, None, None, :]
            y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
            return self.out(y.transpose(1, 2).reshape(batch, length, size))


class StateSpace(nn.Module):
    """A selective scan, unrolled, with depthwise causal convolution; einsum both as product and as contraction."""

    def __init__(self, size=8, states=4):
        super().__init__()
        self.size, self.states = size, states
        self.start, self.end = nn.Linear(size, 4 * size, bias=False), nn.Linear(2 * size, size, bias=False)
        self.convolution = nn.Conv1d(2 * size, 2 * size, 3, groups=2 * size, padding=2)
        self.parts, self.step = nn.Linear(2 * size, 2 * states + 2, bias=False), nn.Linear(2, 2 * size)
        self.decay = nn.Parameter(torch.arange(1, states + 1).float().log().repeat(2 * size, 1))

    def forward(self, x):
        with torch.autocast("cpu", dtype=BF16):
            length = x.shape[1]
            y, gate = self.start(x).chunk(2, -1)
            y = F.silu(self.convolution(y.mT)[..., :length]).mT
            step, b, c = self.parts(y).split([2, self.states, self.states], -1)
            step = F.softplus(self.step(step)).float()
            kept = torch.exp(torch.einsum("bld,dn->bldn", step, -self.decay.exp()))
            added = torch.einsum("bld,bln,bld->bldn", step, b, y)
            state, outputs = y.new_zeros(x.shape[0], 2 * self.size, self.states), []
            for i in range(length):
                state = kept[:, i] * state + added[:, i]
                outputs.append(torch.einsum("bdn,bn->bd", state, c[:, i].float()))
            return self.end(torch.stack(outputs, 1) * F.silu(gate))


def choose_clearly(gate):
    """A gate that reads the score of each expert from an input of its own: rounding cannot change a choice."""
    with torch.no_grad():
        gate.weight.copy_(torch.eye(*gate.weight.shape))
        if gate.bias is not None:
            gate.bias.zero_()
    return gate


def scored(tokens, size, experts):
    """Tokens whose first values are scores for the experts, whole numbers in random order."""
    x = torch.randn(tokens, size)
    x[:, :experts] = torch.rand(tokens, experts).argsort(-1).float()
    return x


class SortedExperts(nn.Module):
    """Tokens sorted by expert, multiplied by matrices read by index, and added up where they came from."""

    def __init__(self, size=12, experts=4):
        super().__init__()
        self.gate = choose_clearly(nn.Linear(size, experts))
        self.matrices = nn.Parameter(torch.randn(experts, size, size) / 4)

    def forward(self, x):
        with torch.autocast("cpu", dtype=BF16):
            weights, experts = self.gate(x).softmax(-1).topk(2, -1)
            tokens = torch.arange(x.shape[0])[:, None].expand(-1, 2).reshape(-1)
            order = experts.reshape(-1).argsort(stable=True)
            tokens, chosen = tokens[order], experts.reshape(-1)[order]
            y = torch.bmm(x[tokens].unsqueeze(1), self.matrices[chosen]).squeeze(1) * weights.reshape(-1)[order, None]
            return torch.zeros(x.shape, dtype=y.dtype).index_add_(0, tokens, y)


class Patches(nn.Module):
    """Blocks of an image unfolded, mixed by an encoder layer, folded back; uneven pools, nearest-exact and pixel shuffles."""

    def __init__(self, size=8):
        super().__init__()
        self.start, self.end = nn.Conv2d(3, size, 3, padding=1), nn.Conv2d(2 * size, 12, 3, padding=1, padding_mode="reflect")
        self.mix = nn.TransformerEncoderLayer(size, 2, 16, batch_first=True, norm_first=True)
        self.pool = nn.AdaptiveAvgPool2d((3, 5))

    def forward(self, x):
        with torch.autocast("cpu", dtype=BF16):
            y = self.start(x)
            b, c, h, w = y.shape
            z = F.unfold(y, 2, stride=2).view(b, c, 4, -1).permute(0, 2, 3, 1).reshape(b * 4, -1, c)
            z = self.mix(z).reshape(b, 4, -1, c).permute(0, 3, 1, 2).reshape(b, c * 4, -1)
            y = self.end(torch.cat([y, F.fold(z, (h, w), 2, stride=2)], 1))
            y = F.interpolate(F.pixel_shuffle(y, 2), scale_factor=0.5, mode="nearest-exact")
            return self.pool(y), F.pixel_unshuffle(y, 2)


class Graph(nn.Module):
    """Attention over the edges of a graph: sums, means and extremes scattered to nodes."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(6, 8), nn.Linear(8, 8)
        self.attention = nn.Parameter(torch.randn(1, 16))

    def forward(self, x, edges):
        with torch.autocast("cpu", dtype=BF16):
            source, target = edges
            count, h = x.shape[0], self.a(x)
            score = F.leaky_relu((torch.cat([h[source], h[target]], -1) * self.attention).sum(-1), 0.2).float()
            most = torch.full((count,), -1e9).scatter_reduce(0, target, score, "amax")
            share = torch.exp(score - most[target])
            share = share / torch.zeros(count).index_add(0, target, share)[target]
            total = torch.zeros(count, 8).scatter_add(0, target[:, None].expand(-1, 8), h[source] * share[:, None])
            return torch.zeros(count, 8).scatter_reduce(0, target[:, None].expand(-1, 8), self.b(total)[source].float(), "mean")


class Remembering(nn.Module):
    """Buffers that the forward writes to and reads afterwards, and masked writes."""

    def __init__(self):
        super().__init__()
        self.a = nn.Linear(6, 6)
        self.register_buffer("cache", torch.randn(4, 6))
        self.register_buffer("mean", torch.zeros(6))

    def forward(self, x):
        with torch.autocast("cpu", dtype=BF16):
            before = F.linear(self.cache, self.a.weight)
            y = self.a(x)
            self.cache[:2] = y
            self.mean.mul_(0.9).add_(y.float().mean(0), alpha=0.1)
            z = F.linear(self.cache, self.a.weight) + self.mean
            z[z < 0] = -1.0
            return before, z


class Multiples(nn.Module):
    """An image whose sizes are multiples of four."""

    def __init__(self):
        super().__init__()
        self.convolution, self.norm = nn.Conv2d(3, 4, 3, padding=1), nn.GroupNorm(2, 4)

    def forward(self, x):
        with torch.autocast("cpu", dtype=BF16):
            y = F.max_pool2d(self.norm(self.convolution(x)), 2)
            return torch.roll(y, (1, -1), (2, 3)), y.var((2, 3), unbiased=False)


class Views(nn.Module):
    """Writes through every other element, permuted and reshaped views, and into a copy of a view; sinusoidal positions."""

    def __init__(self, size=8):
        super().__init__()
        self.a = nn.Linear(size, size)

    def forward(self, x):
        with torch.autocast("cpu", dtype=BF16):
            batch, length, size = x.shape
            angles = torch.arange(length)[:, None] * torch.exp(-torch.arange(0, size, 2) / size)
            positions = torch.zeros(length, size)
            positions[:, 0::2] = angles.sin()
            positions[:, 1::2] = angles.cos()
            y = self.a(x + positions)
            out = torch.zeros(batch, length, size)
            out.permute(2, 0, 1)[1:3] = y[..., :2].permute(2, 0, 1)
            out.view(batch, -1)[:, 3:5].mul_(0).add_(2)
            out.narrow(2, 6, 2).neg_()
            grid = torch.stack(torch.meshgrid(torch.arange(3), torch.arange(3), indexing="ij")).permute(1, 2, 0).contiguous()
            grid[:, :, 0] += 2
            grid[:, :, 1] *= 5
            return self.a(out), out[:, 0], grid.sum(-1)


class Synonyms(nn.Module):
    """Names that are others' too, and composite operators as NumPy's users write them."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(6, 6), nn.Linear(6, 4)

    def forward(self, x):
        with torch.autocast("cpu", dtype=BF16):
            y = torch.clip(self.a(x), -1.0, 1.0)
            wide = torch.hstack([y, torch.multiply(y, 2).flip(1)])
            tall = torch.vstack([y, torch.subtract(y, y.absolute())])
            variance, mean = torch.var_mean(y.float(), dim=1, correction=0)
            y = torch.where(torch.isfinite(y) & torch.isclose(y, y), y, torch.zeros_like(y))
            return wide, self.b(tall), variance, mean, torch.kron(y[:2, :2], y[:2, :3]), torch.rot90(y), y.float().trace()


class Chosen(nn.Module):
    """Tokens dealt out to experts by index, as many as choose each: sizes that depend on values."""

    def __init__(self, size=8, experts=3):
        super().__init__()
        self.gate = choose_clearly(nn.Linear(size, experts, bias=False))
        self.experts = nn.ModuleList([nn.Linear(size, size) for _ in range(experts)])

    def forward(self, x, first):
        with torch.autocast("cpu", dtype=BF16):
            choice = F.one_hot(self.gate(x).argmax(-1), len(self.experts))
            out = torch.zeros_like(x)
            for i, expert in enumerate(self.experts):
                tokens = choice[:, i].nonzero().squeeze(-1)
                out.index_add_(0, tokens, expert(x[tokens]).float())
            count = first.item()
            torch._check(count >= 1)
            torch._check(count <= x.shape[0])
            return out, self.experts[0](x[:count])


class Running(nn.Module):
    """Instance norm with running statistics, and a smooth reduction of an image."""

    def __init__(self):
        super().__init__()
        self.convolution, self.norm = nn.Conv2d(3, 4, 3), nn.InstanceNorm2d(4, affine=True, track_running_stats=True)
        with torch.no_grad():
            self.norm.running_mean.normal_()

    def forward(self, x):
        with torch.autocast("cpu", dtype=BF16):
            y = self.norm(self.convolution(x))
        return y, F.interpolate(y.float(), size=(4, 5), mode="bicubic", antialias=True)


def ids(high, *shape):
    return torch.randint(0, high, shape)


# Inputs are the same in every run and every worker.
torch.manual_seed(11)

FAMILIES = {
    "sliding-grouped-decoder": (SlidingGroupedDecoder, (ids(50, 2, 9),), {}),
    "relative-attention": (RelativeAttention, (torch.randn(2, 10, 32),), {}),
    "windowed-attention": (WindowedAttention, (torch.randn(2, 3, 16, 16),), {}),
    "unet": (UNet, (torch.randn(2, 3, 8, 8), torch.tensor([3, 500])), {}),
    "separable": (Separable, (torch.randn(2, 3, 20, 20),), {}),
    "audio": (Audio, (torch.randn(2, 2, 200),), {}),
    "cells": (Cells, (torch.randn(3, 4, 12),), {}),
    "two-precisions": (TwoPrecisions, (ids(20, 2, 5),), {}),
    "named": (Named, (torch.randn(4, 10),), {"kwargs": {"scale": torch.tensor(1.5), "offset": torch.randn(10)}}),
    "lifted": (Lifted, (torch.randn(5, 16),), {}),
    "written": (Written, (torch.randn(3, 12),), {}),
    "state-space": (StateSpace, (torch.randn(2, 4, 8),), {}),
    "sorted-experts": (SortedExperts, (scored(7, 12, 4),), {}),
    "patches": (Patches, (torch.randn(2, 3, 8, 12),), {}),
    "graph": (Graph, (torch.randn(7, 6), ids(7, 2, 15)), {}),
    "remembering": (Remembering, (torch.randn(2, 6),), {}),
    "views": (Views, (torch.randn(2, 5, 8),), {}),
    "synonyms": (Synonyms, (torch.randn(6, 6),), {}),
    "chosen": (Chosen, (scored(7, 8, 3), torch.tensor(3)), {}),
    "running": (Running, (torch.randn(2, 3, 10, 12),), {}),
    "multiples": (
        Multiples,
        (torch.randn(2, 3, 16, 24),),
        {"dynamic": {"x": {0: Dim("n", max=8), 2: 4 * Dim("h", min=2, max=20), 3: 4 * Dim("w", min=2, max=20)}}},
    ),
    "dynamic-attention": (
        DynamicAttention,
        (torch.randn(3, 7, 32), torch.arange(7).expand(3, 7) < torch.tensor([[7], [4], [5]])),
        {"dynamic": {"x": {0: Dim("batch", max=32), 1: Dim("length", max=64)}, "keep": {0: Dim("batch", max=32), 1: Dim("length", max=64)}}},
    ),
}


def library_models():
    """Models of the transformers library, from configurations alone."""
    common = dict(vocab_size=64, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=48)
    mistral = t.MistralConfig(**common, num_key_value_heads=2, sliding_window=4, max_position_embeddings=32)
    t5 = t.T5Config(vocab_size=64, d_model=32, d_kv=8, d_ff=48, num_layers=2, num_heads=4)
    swin = t.SwinConfig(image_size=32, patch_size=2, embed_dim=16, depths=[2, 2], num_heads=[2, 4], window_size=4)
    beit = t.BeitConfig(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=48, image_size=16, patch_size=4, use_relative_position_bias=True)
    deberta = t.DebertaV2Config(**common, relative_attention=True, pos_att_type=["p2c", "c2p"], position_buckets=8)
    return {
        "beit": (lambda: FirstOutput(t.BeitModel(beit), names=("pixel_values",)), (torch.randn(1, 3, 16, 16),), {}),
        "deberta": (lambda: FirstOutput(t.DebertaV2Model(deberta)), (ids(64, 2, 9),), {}),
        "mistral": (lambda: FirstOutput(t.MistralForCausalLM(mistral), use_cache=False), (ids(64, 2, 9),), {}),
        "t5-encoder": (lambda: FirstOutput(t.T5EncoderModel(t5)), (ids(64, 2, 9),), {}),
        "swin": (lambda: FirstOutput(t.SwinModel(swin), names=("pixel_values",)), (torch.randn(1, 3, 32, 32),), {}),
    }


FAMILIES.update(library_models())
