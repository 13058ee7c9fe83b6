"""Write aten_cases.json: operands, arguments and results of ATen operators as PyTorch computes them on the CPU.

    python test/data/make_aten_cases.py        (needs torch)

Operands are multiples of 1/16 so that every floating type holds them exactly. Arguments that have their default are left
out, as torch.export does.
"""

import json
import math
import pathlib

import torch

A = torch.ops.aten
F32, BF16, F16, I64 = torch.float32, torch.bfloat16, torch.float16, torch.int64
torch.manual_seed(0)
CASES = []


def t(*shape, dtype=F32, low=-48, high=48):
    """Multiples of 1/16 in [-3, 3]."""
    x = torch.randint(low, high + 1, shape)
    return (x.to(torch.float64) / 16).to(dtype) if dtype.is_floating_point else x.to(dtype)


def pos(*shape, dtype=F32):
    return t(*shape, dtype=dtype, low=1, high=48)


def ints(*shape, low=0, high=5, dtype=I64):
    return torch.randint(low, high, shape).to(dtype)


def mask(*shape):
    return torch.randint(0, 2, shape).bool()


class Weight:
    """An operand that is a weight of the model."""

    def __init__(self, value):
        self.value = value


class Laid:
    """An operand whose place in memory matters."""

    def __init__(self, value):
        self.value = value


def number(x):
    if isinstance(x, float) and not math.isfinite(x):
        return str(x)
    return x


def tensor(x, weight=False):
    x = x.detach().contiguous()
    data = x.flatten()
    if x.dtype.is_floating_point:
        values = [number(float(f"{v:.9g}")) if x.dtype != torch.float64 else number(v) for v in data.to(torch.float64).tolist()]
        values = [int(v) if isinstance(v, float) and v.is_integer() and str(v) != "-0.0" else v for v in values]
    else:
        values = [int(v) for v in data.tolist()]
    out = {"dtype": str(x.dtype)[6:], "shape": list(x.shape), "data": values}
    return {**out, "weight": True} if weight else out


def argument(x):
    if isinstance(x, Weight):
        return {"tensor": tensor(x.value, True)}
    if isinstance(x, Laid):
        return {"tensor": {**tensor(x.value), "strides": list(x.value.stride()), "offset": x.value.storage_offset()}}
    if isinstance(x, torch.Tensor):
        return {"tensor": tensor(x)}
    if isinstance(x, torch.dtype):
        return {"dtype": str(x)[6:]}
    if isinstance(x, (list, tuple)):
        return {"list": [argument(y) for y in x]}
    if x is None:
        return {"none": True}
    if isinstance(x, bool):
        return {"bool": x}
    if isinstance(x, int):
        return {"int": x if abs(x) < 2**53 else str(x)}
    if isinstance(x, float):
        return {"float": number(x)}
    return {"string": str(x)}


def plain(x):
    if isinstance(x, (Weight, Laid)):
        return x.value
    if isinstance(x, (list, tuple)):
        return [plain(y) for y in x]
    return x.clone() if isinstance(x, torch.Tensor) else x


def case(op, *args, **kwargs):
    """One call. `op` is an overload; positional arguments are named by its schema."""
    names = [a.name for a in op._schema.arguments]
    given = {**dict(zip(names, args)), **kwargs}
    with torch.no_grad():
        result = op(*[plain(a) for a in args], **{k: plain(v) for k, v in kwargs.items()})
    results = list(result) if isinstance(result, (list, tuple)) else [result]
    CASES.append(
        {
            "op": str(op),
            "args": {k: argument(v) for k, v in given.items()},
            "results": [tensor(r) for r in results],
        }
    )


def both(op, *shapes, make=t, **kwargs):
    """The call in float32 and in bfloat16."""
    for dtype in (F32, BF16):
        case(op, *[make(*s, dtype=dtype) if isinstance(s, tuple) else s for s in shapes], **kwargs)


# Matrix products, the second operand a weight or not.
for dtype in (F32, BF16, F16):
    for lead in ((3,), (), (2, 3), (2, 1, 3), (0,)):
        case(A.linear.default, t(*lead, 5, dtype=dtype), Weight(t(4, 5, dtype=dtype)), Weight(t(4, dtype=dtype)))
    case(A.linear.default, t(2, 3, 5, dtype=dtype), Weight(t(4, 5, dtype=dtype)))
    case(A.linear.default, t(3, 5, dtype=dtype), t(4, 5, dtype=dtype), t(4, dtype=dtype))
    case(A.addmm.default, Weight(t(4, dtype=dtype)), t(3, 5, dtype=dtype), Weight(t(5, 4, dtype=dtype)))
    case(A.addmm.default, t(3, 4, dtype=dtype), t(3, 5, dtype=dtype), Weight(t(5, 4, dtype=dtype)), beta=0.5, alpha=2)
    case(A.addmm.default, t(3, 4, dtype=dtype), t(3, 5, dtype=dtype), t(5, 4, dtype=dtype), beta=0)
    case(A.mm.default, t(3, 5, dtype=dtype), Weight(t(5, 4, dtype=dtype)))
    case(A.mm.default, Weight(t(3, 5, dtype=dtype)), t(5, 4, dtype=dtype))
    case(A.bmm.default, t(2, 3, 5, dtype=dtype), t(2, 5, 4, dtype=dtype))
    case(A.bmm.default, t(2, 3, 5, dtype=dtype), Weight(t(2, 5, 4, dtype=dtype)))
    case(A.matmul.default, t(2, 3, 5, dtype=dtype), Weight(t(5, 4, dtype=dtype)))
    case(A.matmul.default, t(5, dtype=dtype), Weight(t(5, 4, dtype=dtype)))
    case(A.matmul.default, t(3, 5, dtype=dtype), t(5, dtype=dtype))
    case(A.matmul.default, t(2, 1, 3, 5, dtype=dtype), t(4, 5, 2, dtype=dtype))
case(A.linear.default, t(2, 0), Weight(t(4, 0)), Weight(t(4)))
case(A.mm.default, t(0, 5), Weight(t(5, 4)))
both(A.baddbmm.default, (2, 3, 4), (2, 3, 5), (2, 5, 4))
both(A.addmv.default, (3,), (3, 5), (5,))
both(A.mv.default, (3, 5), (5,))
both(A.dot.default, (5,), (5,))
both(A.outer.default, (3,), (4,))

# Arithmetic.
for name in ("add", "sub", "mul", "div"):
    op = getattr(A, name)
    both(op.Tensor, (3, 4), (4,))
    case(op.Tensor, t(3, 4), t(3, 4, dtype=BF16))
    case(op.Tensor, t(3, 4, dtype=BF16), pos())
    case(op.Scalar, ints(3, low=1), 2)
    case(op.Scalar, ints(3, low=1), 2.5)
    both(op.Scalar, (3,), 1.7)
    case(op.Tensor, ints(3, low=1), ints(3, low=1))
for name in ("add", "sub"):
    both(getattr(A, name).Tensor, (3, 4), (3, 4), alpha=3)
case(A.add.Tensor, mask(4), mask(4))
case(A.mul.Tensor, mask(4), mask(4))
case(A.mul.Tensor, mask(4), t(4))
both(A.rsub.Scalar, (3,), 1)
both(A.rsub.Scalar, (3,), 1.5, 2)
for mode in ("floor", "trunc"):
    both(A.div.Tensor_mode, (12,), (12,), make=pos, rounding_mode=mode)
    case(A.div.Tensor_mode, t(12), pos(12), rounding_mode=mode)
    case(A.div.Tensor_mode, ints(12, low=-9, high=9), ints(12, low=1), rounding_mode=mode)
case(A.floor_divide.default, ints(12, low=-9, high=9), ints(12, low=1))
case(A.remainder.Tensor, ints(12, low=-9, high=9), ints(12, low=1))
case(A.remainder.Scalar, t(12), 0.75)
case(A.remainder.Tensor, t(12), -pos(12))
case(A.fmod.Tensor, t(12), pos(12))
for exponent in (1, 2, 3, 0.5, -0.5, -1, 1.3, 4):
    both(A.pow.Tensor_Scalar, (5,), exponent, make=pos)
case(A.pow.Tensor_Scalar, ints(4), 2)
case(A.pow.Tensor_Tensor, pos(4), t(4))
case(A.pow.Scalar, 2.5, t(4))
both(A.addcmul.default, (4,), (4,), (4,), value=0.5)
both(A.addcdiv.default, (4,), (4,), (4,), make=pos, value=0.5)
for name in ("maximum", "minimum"):
    both(getattr(A, name).default, (3, 4), (4,))
    case(getattr(A, name).default, ints(5), ints(5))
for name in ("eq", "ne", "lt", "le", "gt", "ge"):
    op = getattr(A, name)
    both(op.Tensor, (12,), (12,))
    case(op.Tensor, ints(12), ints(12))
    case(op.Tensor, ints(12), t(12))
    case(op.Scalar, ints(12), 2)
    case(op.Scalar, ints(12), 2.5)
    both(op.Scalar, (12,), 0.25)
    case(op.Scalar, torch.tensor([float("-inf"), 1.0, float("nan")]), float("-inf"))
case(A.eq.Tensor, mask(5), mask(5))
case(A.eq.Scalar, torch.tensor([1, 2], dtype=torch.int32), 2)
for name in ("logical_and", "logical_or", "logical_xor"):
    case(getattr(A, name).default, mask(6), t(6, low=-1, high=1))
case(A.logical_not.default, t(6, low=-1, high=1))
case(A.logical_not.default, mask(6))
for name in ("bitwise_and", "bitwise_or", "bitwise_xor"):
    case(getattr(A, name).Tensor, mask(6), mask(6))
    case(getattr(A, name).Tensor, ints(6), ints(6))
    case(getattr(A, name).Scalar, ints(6), 3)
case(A.__and__.Tensor, mask(6), mask(6))
case(A.__or__.Tensor, mask(6), mask(6))
case(A.bitwise_not.default, mask(6))
case(A.bitwise_not.default, ints(6))

# Functions of one tensor.
for name in (
    "abs ceil cos erf exp floor neg relu round sigmoid sign sin sinh cosh tan tanh silu hardsigmoid hardswish square trunc "
    "expm1 exp2 atan asinh mish relu6 log_sigmoid"
).split():
    both(getattr(A, name).default, (3, 5))
for name in "log sqrt rsqrt reciprocal log1p log2 log10 acosh".split():
    both(getattr(A, name).default, (3, 5), make=lambda *s, dtype: pos(*s, dtype=dtype) + 1)
for name in "acos asin atanh".split():
    both(getattr(A, name).default, (7,), make=lambda *s, dtype: t(*s, dtype=dtype, low=-15, high=15))
case(A.sqrt.default, ints(4))
case(A.sigmoid.default, ints(4))
case(A.neg.default, ints(4))
case(A.abs.default, ints(6, low=-3))
both(A.gelu.default, (12,))
both(A.gelu.default, (12,), approximate="tanh")
both(A.hardtanh.default, (12,))
both(A.hardtanh.default, (12,), -0.5, 2)
both(A.clamp.default, (12,), -0.3, 0.7)
both(A.clamp.default, (12,), None, 0.5)
case(A.clamp.default, ints(6), 1, 3)
case(A.clamp.Tensor, t(6), t(6) - 3, t(6) + 3)
both(A.clamp_min.default, (12,), 0.1)
both(A.clamp_max.default, (12,), 0.1)
both(A.leaky_relu.default, (12,))
both(A.leaky_relu.default, (12,), 0.2)
both(A.elu.default, (12,))
both(A.softplus.default, (12,))
both(A.softplus.default, (12,), 2, 3)
case(A.isnan.default, torch.tensor([1.0, float("nan"), float("inf")]))
case(A.isinf.default, torch.tensor([1.0, float("nan"), float("-inf")]))
for name in (
    "abs acos asin atanh asinh atan ceil cos cosh erf exp exp2 expm1 floor hardsigmoid hardswish mish neg relu relu6 round "
    "sigmoid sign silu sin sinh square tan tanh trunc gelu leaky_relu log10 log log1p log2 reciprocal rsqrt sqrt acosh"
).split():
    case(getattr(A, name + "_").default, t(5, low=-15, high=15).abs() + (1 if name == "acosh" else 0))
for name in ("add_", "sub_", "mul_", "div_", "remainder_", "fmod_"):
    case(getattr(A, name).Tensor, pos(5), pos(5))
    case(getattr(A, name).Scalar, pos(5), 0.75)
for name in ("bitwise_and_", "bitwise_or_", "bitwise_xor_"):
    case(getattr(A, name).Tensor, ints(5), ints(5))
    case(getattr(A, name).Scalar, ints(5), 3)
case(A.div_.Tensor_mode, pos(5), pos(5), rounding_mode="floor")
case(A.div_.Scalar_mode, pos(5), 0.75, rounding_mode="trunc")
case(A.div.Scalar_mode, pos(5), 0.75, rounding_mode="floor")
case(A.floor_divide.Scalar, ints(5), 2)
case(A.floor_divide_.Scalar, ints(5), 2)
case(A.floor_divide_.Tensor, ints(5), ints(5, low=1))
case(A.fmod.Scalar, t(5), 0.75)
case(A.rsub.Tensor, t(5), t(5))
case(A.__and__.Scalar, ints(5), 3)
case(A.__or__.Scalar, ints(5), 3)
case(A.__xor__.Scalar, ints(5), 3)
case(A.__xor__.Tensor, mask(5), mask(5))
case(A.masked_fill_.Scalar, t(5), mask(5), 1.5)
case(A.clamp_.default, t(5), -1, 1)
case(A.clamp_max_.default, t(5), 1)
case(A.clamp_min_.default, t(5), 1)
both(A.hardtanh_.default, (12,), 0, 6)

# Casts.
for source in (F32, BF16, F16, torch.float64, I64, torch.int32, torch.bool):
    for target in (F32, BF16, F16, torch.float64, I64, torch.bool):
        x = mask(6) if source == torch.bool else t(6, dtype=source, low=-40, high=40) if source.is_floating_point else ints(6, dtype=source)
        case(A._to_copy.default, x, dtype=target)
case(A._to_copy.default, torch.tensor([1.00390625, 1.01171875, 3.5e38, -0.0, 1e-40, 65519.0, 65520.0, float("nan")]), dtype=BF16)
case(A._to_copy.default, torch.tensor([1.00048828125, 1.00146484375, 65519.0, 65520.0, -0.0, 1e-8, 6e-8, float("-inf")]), dtype=F16)
case(A.to.dtype, t(4), BF16)
case(A.to.dtype, t(4), F32)
case(A.type_as.default, t(4), t(2, dtype=F16))
case(A.to.other, t(4), t(2, dtype=BF16))
case(A.to.device, t(4), "cpu", F16)
case(A.to.dtype_layout, t(4), dtype=torch.bool)
for name in ("contiguous", "detach", "detach_", "lift_fresh", "lift_fresh_copy", "positive"):
    case(getattr(A, name).default, t(4))
case(A.dropout_.default, t(4), 0.5, False)
case(A.feature_dropout.default, t(4), 0.5, False)
case(A.native_dropout.default, t(4), 0.5, False)
CASES[-1]["results"] = CASES[-1]["results"][:1]
case(A.clone.default, t(4))
case(A.alias.default, t(4))
case(A.dropout.default, t(4), 0.5, False)

# Layout.
both(A.view.default, (2, 6), [3, -1])
both(A.view.default, (2, 6), [4, 3])
case(A.view.default, t(0, 6), [0, 2, 3])
case(A.view.default, t(2, 0, 3), [-1, 3])
case(A.reshape.default, t(2, 3, 4), [6, 4])
case(A.flatten.using_ints, t(2, 3, 4), 1)
case(A.flatten.using_ints, t(2, 3, 4))
case(A.flatten.using_ints, t(2, 3, 4, 5), 1, 2)
case(A.flatten.using_ints, t())
case(A.unflatten.int, t(2, 12), 1, [3, -1])
both(A.permute.default, (2, 3, 4), [2, 0, 1])
case(A.permute.default, t(2, 3, 4), [0, -1, 1])
case(A.transpose.int, t(2, 3, 4), 0, -1)
case(A.t.default, t(2, 3))
case(A.t.default, t(3))
case(A.swapaxes.default, t(2, 3, 4), 0, 1)
case(A._unsafe_view.default, t(2, 3, 4), [6, 4])
case(A.numpy_T.default, t(2, 3))
case(A.movedim.int, t(2, 3, 4), 0, 2)
case(A.movedim.intlist, t(2, 3, 4), [0, 1], [2, 0])
case(A.squeeze.default, t(1, 3, 1))
case(A.squeeze.dim, t(1, 3, 1), 0)
case(A.squeeze.dim, t(1, 3, 1), 1)
case(A.squeeze.dims, t(1, 3, 1), [0, -1])
case(A.unsqueeze.default, t(2, 3), -1)
case(A.unsqueeze.default, t(2, 3), 1)
case(A.expand.default, t(1, 3), [2, -1])
case(A.expand.default, t(3), [2, 4, 3])
case(A.expand.default, t(1), [0])
case(A.expand_as.default, t(1, 3), t(2, 3))
case(A.view_as.default, t(2, 3), t(3, 2))
for args in ((1, 1, 3), (0, -2), (1, 0, 2**63 - 1), (0, 1, -1), (-1, 0, 2**63 - 1, 2), (1, 3, 1), (1, -100, 100), (1,)):
    case(A.slice.Tensor, t(3, 6), *args)
both(A.slice.Tensor, (3, 6), 1, 2, 4)
case(A.narrow.default, t(3, 6), 1, 2, 3)
case(A.select.int, t(3, 6), 1, -1)
case(A.select.int, t(3, 6), 0, 1)
both(A.cat.default, [t(2, 3), t(2, 1)], 1)
case(A.cat.default, [t(2, 3), t(1, 3, dtype=BF16)])
case(A.cat.default, [t(0), t(2, 3)], -1)
case(A.stack.default, [t(2, 3), t(2, 3)], 1)
case(A.stack.default, [t(2, 3), t(2, 3)], -1)
case(A.split.Tensor, t(2, 7), 3, 1)
case(A.split.Tensor, t(2, 6), 6, 1)
case(A.split_with_sizes.default, t(2, 7), [2, 4, 1], -1)
case(A.split.sizes, t(2, 7), [2, 5], 1)
case(A.unsafe_split.Tensor, t(2, 7), 4, 1)
case(A.chunk.default, t(7, 2), 3)
case(A.unbind.int, t(2, 3), 1)
case(A.repeat.default, t(2, 3), [2, 1, 2])
case(A.flip.default, t(2, 3), [0, 1])
case(A.flip.default, t(2, 3), [1])
case(A.tril.default, t(3, 4))
case(A.tril.default, t(3, 4), -1)
case(A.triu.default, t(3, 4), 1)
both(A.constant_pad_nd.default, (2, 3), [1, 2, 0, 1], 0.7)
case(A.constant_pad_nd.default, t(2, 3), [1, 0])
case(A.pad.default, t(2, 3), [1, 2], "constant", 1.5)

# Creation.
case(A.arange.default, 5)
case(A.arange.default, 5, dtype=F32)
case(A.arange.default, 2.5)
case(A.arange.start, 2, 7)
case(A.arange.start_step, 2, 9, 3)
case(A.arange.start_step, 1, 0, -0.25)
case(A.full.default, [2, 3], 1.7)
case(A.full.default, [2, 3], 1.7, dtype=BF16)
case(A.full.default, [], True, dtype=torch.bool)
case(A.full.default, [2], 3)
case(A.zeros.default, [2, 3])
case(A.ones.default, [2], dtype=I64)
case(A.new_full.default, t(2), [3], 0.5)
case(A.new_zeros.default, t(2, dtype=BF16), [3])
case(A.new_ones.default, t(2), [], dtype=torch.bool)
case(A.full_like.default, t(2, 3), 1.5)
case(A.full_like.default, mask(2, 3), 0)
case(A.zeros_like.default, ints(2, 3))
case(A.ones_like.default, t(2, 3), dtype=BF16)
case(A.scalar_tensor.default, float("-inf"), dtype=BF16)
case(A.scalar_tensor.default, 0.1)

# Indexing.
both(A.embedding.default, (5, 3), ints(2, 4))
case(A.embedding.default, Weight(t(5, 3)), ints(2, 4), 1)
case(A.index_select.default, t(3, 4), 1, torch.tensor([2, 0]))
case(A.gather.default, t(3, 4), 1, ints(3, 2, high=4))
case(A.gather.default, t(3, 4), -2, ints(2, 4, high=3))
case(A.index.Tensor, t(3, 4), [torch.tensor([2, -1, 0])])
case(A.index.Tensor, t(3, 4, 2), [None, ints(2, 3, high=4)])
case(A.index.Tensor, t(3, 4, 2), [ints(5, high=3), ints(5, high=4)])
case(A.index.Tensor, t(3, 4, 2), [ints(5, 1, high=3), ints(2, high=4)])
case(A.index.Tensor, t(2, 3, 4, 2), [None, ints(5, high=3), ints(5, high=4)])
case(A.index.Tensor, t(3, 4, 2), [ints(5, high=3), None, ints(5, high=2)])
case(A.index.Tensor, t(2, 3, 4), [None, ints(5, high=3), ints(2, 1, high=4)])
case(A.index.Tensor, mask(2, 12), [ints(2, 1, 1, 1, high=2), ints(12, high=12)])
case(A.index.Tensor, t(4, 2), [torch.tensor([True, False, True, True])])
case(A.index.Tensor, t(2, 2, 3), [torch.tensor([[True, False], [False, True]])])
case(A.index.Tensor, t(2, 4), [None, torch.tensor([True, False, True, True])])
both(A.where.self, mask(3, 4), (3, 4), (4,))
case(A.where.self, mask(3), t(3, dtype=BF16), t(3))
case(A.where.ScalarOther, mask(3), t(3), 0.5)
case(A.where.ScalarSelf, mask(3), 0.5, t(3))
case(A.where.Scalar, mask(3), 1.0, 0.0)
both(A.masked_fill.Scalar, (3, 4), mask(3, 4), float("-inf"))
case(A.masked_fill.Tensor, t(3, 4), mask(3, 4), t())
case(A.diff.default, ints(2, 5))
case(A.diff.default, ints(2, 5), 1, -1, torch.zeros(2, 1, dtype=I64))
case(A.diff.default, t(2, 5), 2)
case(A.diff.default, mask(6))

# Reductions.
both(A.mean.default, (3, 4))
both(A.mean.dim, (3, 4), [1])
both(A.mean.dim, (2, 3, 4), [-1, -2], True)
case(A.mean.dim, t(3, 4, dtype=BF16), [1], dtype=F32)
case(A.mean.dim, t(3, 4), None)
both(A.sum.default, (3, 4))
both(A.sum.dim_IntList, (3, 4), [0], True)
case(A.sum.dim_IntList, mask(3, 4), [1])
case(A.sum.dim_IntList, ints(3, 4), [1])
case(A.sum.dim_IntList, t(3, 4, dtype=BF16), [1], dtype=F32)
case(A.sum.default, t())
case(A.prod.default, t(4))
both(A.amax.default, (3, 4), [1])
both(A.amin.default, (3, 4), [-1], True)
case(A.amax.default, t(3, 4))
case(A.max.default, t(3, 4))
case(A.min.default, ints(3, 4))
case(A.any.dim, mask(3, 2), -1, True)
case(A.any.dims, mask(2, 3, 2), [0, 2])
case(A.any.default, t(3, low=0, high=1))
case(A.all.dim, mask(3, 2), 1)
case(A.all.default, mask(2))
case(A.argmax.default, torch.tensor([[1.0, 3, 2], [5, 4, 6]]), -1)
case(A.argmax.default, torch.tensor([[1.0, 3, 2], [5, 4, 6]]))
case(A.argmin.default, torch.tensor([[1.0, 3, 2], [5, 4, 6]]), 0, True)
both(A.var.correction, (3, 6), [1])
both(A.std.correction, (3, 6), [1], correction=0, keepdim=True)
case(A.linalg_vector_norm.default, t(3, 4))
case(A.linalg_vector_norm.default, t(3, 4), 1, [1])
case(A.linalg_vector_norm.default, t(3, 4), float("inf"), [1], True)
case(A.linalg_vector_norm.default, t(3, 4), 3, [0])
both(A.softmax.int, (3, 5), -1)
both(A.softmax.int, (3, 5), 0)
case(A.softmax.int, t(3, 5, dtype=BF16), 1, F32)
both(A._softmax.default, (2, 3, 4), 1, False)
both(A.log_softmax.int, (3, 5), -1)
both(A._log_softmax.default, (3, 5), -1, False)
case(A.softmax.int, torch.tensor([[0.0, float("-inf"), 1.0]]), -1)
both(A.cumsum.default, (3, 5), 1)
case(A.cumsum.default, ints(3, 5), -1)
case(A.cumsum.default, mask(3, 5), 0)

# Normalisation.
for dtype in (F32, BF16):
    w, b = Weight(t(6)), Weight(t(6))
    case(A.layer_norm.default, t(3, 6, dtype=dtype), [6], Weight(w.value.to(dtype)), Weight(b.value.to(dtype)))
    case(A.layer_norm.default, t(3, 6, dtype=dtype), [6], Weight(w.value.to(dtype)), Weight(b.value.to(dtype)), 1e-12)
    case(A.layer_norm.default, t(2, 3, 4, dtype=dtype), [3, 4])
    case(A.rms_norm.default, t(3, 6, dtype=dtype), [6], Weight(w.value.to(dtype)))
    case(A.rms_norm.default, t(3, 6, dtype=dtype), [6], None, 1e-3)
    case(A.batch_norm.default, t(2, 3, 4, 2, dtype=dtype), pos(3), t(3), t(3), pos(3), False, 0.1, 1e-5, False)
    case(A.group_norm.default, t(2, 4, 3, dtype=dtype), 2, t(4, dtype=dtype), t(4, dtype=dtype))
    case(A.group_norm.default, t(2, 4, 3, 2, dtype=dtype), 4)
case(A.layer_norm.default, t(3, 6, dtype=BF16), [6], w, b)
case(A.native_layer_norm.default, t(3, 6), [6], w, b, 1e-5)
case(A.batch_norm.default, t(2, 3), None, None, t(3), pos(3), False, 0.1, 1e-3, False)
case(A._native_batch_norm_legit_no_training.default, t(2, 3, 4), pos(3), t(3), t(3), pos(3), 0.1, 1e-5)
CASES[-1]["results"] = CASES[-1]["results"][:1]
case(A.native_group_norm.default, t(2, 4, 6), t(4), t(4), 2, 4, 6, 2, 1e-5)
CASES[-1]["results"] = CASES[-1]["results"][:1]

# Convolution and pooling.
for dtype in (F32, BF16):
    x = t(2, 4, 6, 5, dtype=dtype)
    w = Weight(t(6, 4, 3, 3, dtype=dtype))
    case(A.conv2d.default, x, w, Weight(t(6, dtype=dtype)))
    case(A.conv2d.default, x, w, None, [2, 2], [1, 1])
    case(A.conv2d.default, x, Weight(t(4, 1, 3, 3, dtype=dtype)), Weight(t(4, dtype=dtype)), [1, 1], [1, 1], [1, 1], 4)
    case(A.convolution.default, x, w, None, [1, 1], [2, 1], [2, 2], False, [0, 0], 1)
    case(A.conv1d.default, t(2, 4, 6, dtype=dtype), Weight(t(3, 4, 2, dtype=dtype)))
    case(A.avg_pool2d.default, x, [2, 2])
    case(A.avg_pool2d.default, x, [3, 3], [2, 2], [1, 1], False, False)
    case(A.max_pool2d.default, x, [3, 3], [2, 2], [1, 1])
    case(A.adaptive_avg_pool2d.default, x, [1, 1])
    case(A.adaptive_avg_pool2d.default, t(2, 3, 6, 4, dtype=dtype), [3, 2])
case(A.conv1d.padding, t(1, 2, 6), Weight(t(2, 2, 3)), None, [1], "valid")
case(A.conv3d.default, t(1, 2, 3, 3, 3), Weight(t(2, 2, 2, 2, 2)))
case(A.conv3d.padding, t(1, 2, 3, 3, 3), Weight(t(2, 2, 2, 2, 2)), None, [1, 1, 1], "same")
case(A.conv_transpose1d.default, t(1, 4, 5), Weight(t(4, 2, 3)), Weight(t(2)), [2], [1], [1])
case(A.conv_transpose3d.input, t(1, 2, 2, 2, 2), Weight(t(2, 2, 2, 2, 2)))
case(A.avg_pool1d.default, t(1, 2, 7), [3], [2])
case(A.max_pool1d.default, t(1, 2, 7), [3], [2])
case(A.max_pool3d.default, t(1, 2, 4, 4, 4), [2, 2, 2])
case(A.adaptive_avg_pool1d.default, t(1, 2, 6), [3])
case(A._adaptive_avg_pool2d.default, t(1, 2, 6, 4), [3, 2])
case(A.conv2d.default, t(4, 6, 5), Weight(t(6, 4, 3, 3)))
case(A.conv2d.padding, t(1, 4, 6, 5), Weight(t(6, 4, 2, 3)), None, [1, 1], "same")
case(A.convolution.default, t(1, 4, 3, 3), Weight(t(4, 2, 3, 3)), Weight(t(2)), [2, 2], [1, 1], [1, 1], True, [1, 1], 1)
case(A.conv_transpose2d.input, t(1, 4, 3, 3), Weight(t(4, 2, 2, 2)), None, [2, 2])
case(A.max_pool2d_with_indices.default, t(1, 2, 5, 5), [2, 2], ceil_mode=True)
CASES[-1]["results"] = CASES[-1]["results"][:1]

# Attention.
for dtype in (F32, BF16):
    q, k, v = t(2, 4, 3, 8, dtype=dtype), t(2, 4, 5, 8, dtype=dtype), t(2, 4, 5, 8, dtype=dtype)
    S = A.scaled_dot_product_attention.default
    case(S, q, k, v)
    case(S, q, k, v, scale=0.25)
    case(S, q, k, v, torch.tensor([[True, False, True, True, False], [True] * 5, [False] * 5]))
    case(S, q, k, v, t(2, 1, 3, 5, dtype=dtype))
    case(S, q, k, v, None, 0.0, True)
    case(S, q, k[:, :2], v[:, :2], None, 0.0, False, enable_gqa=True)

# Resizing and padding.
x = t(1, 2, 4, 3)
case(A.upsample_nearest2d.vec, x, None, [2.0, 2.0])
case(A.upsample_nearest2d.vec, x, [7, 5], None)
case(A.upsample_nearest1d.vec, t(1, 2, 4), None, [2.0])
case(A.upsample_nearest3d.vec, t(1, 1, 2, 2, 2), [4, 4, 2], None)
case(A.upsample_bilinear2d.vec, x, None, False, [2.0, 2.0])
case(A.upsample_bilinear2d.vec, x, [7, 5], False, None)
case(A.upsample_bilinear2d.vec, x, [7, 5], True, None)
case(A.upsample_linear1d.vec, t(1, 2, 4), [7], False, None)
case(A.upsample_trilinear3d.vec, t(1, 1, 2, 2, 2), [4, 3, 2], False, None)
case(A.upsample_bicubic2d.vec, x, [7, 5], False, None)
case(A.pixel_shuffle.default, t(1, 8, 2, 3), 2)
case(A.reflection_pad1d.default, t(1, 2, 4), [2, 1])
case(A.reflection_pad2d.default, x, [1, 2, 1, 0])
case(A.reflection_pad3d.default, t(1, 1, 2, 3, 3), [1, 1, 1, 1, 0, 1])
case(A.replication_pad1d.default, t(1, 2, 4), [2, 1])
case(A.replication_pad2d.default, x, [1, 2, 1, 0])
case(A.replication_pad3d.default, t(1, 1, 2, 3, 3), [1, 1, 1, 1, 0, 1])
for mode in ("reflect", "replicate", "circular"):
    case(A.pad.default, x, [1, 2, 1, 0], mode)
case(A.roll.default, t(3, 4), [1, -2], [0, 1])
case(A.roll.default, t(3, 4), [5], [1])
case(A.roll.default, t(3, 4), [3])
case(A.repeat_interleave.self_int, t(2, 3), 2, 1)
case(A.repeat_interleave.self_int, t(2, 3), 3)

# Order.
for name in ("max", "min"):
    case(getattr(A, name).dim, torch.randperm(12).view(3, 4).float(), 1)
    case(getattr(A, name).dim, torch.randperm(12).view(3, 4), -2, True)
    case(getattr(A, name).other, t(3), t(3))
case(A.topk.default, torch.randperm(12).view(3, 4).float(), 2)
case(A.topk.default, torch.randperm(12).view(3, 4), 3, 0, False)
case(A.sort.default, torch.randperm(12).view(3, 4).float())
case(A.sort.default, torch.randperm(12).view(3, 4), 0, True)
both(A.logsumexp.default, (3, 5), [1])
case(A.prod.dim_int, t(3, 4), 1)
case(A.var.default, t(6))
case(A.var.dim, t(3, 6), [1], False)
case(A.std.default, t(6), False)
case(A.std.dim, t(3, 6), [1], True, True)
both(A.selu.default, (12,))
case(A.selu_.default, t(5))
both(A.celu.default, (12,), 0.7)
case(A.celu_.default, t(5))
case(A.elu.default, t(12), 1.67, 1.05, 1)
case(A.elu.default, t(12), 1, 1, 0.5)
case(A.prelu.default, t(2, 3, 4), Weight(t(3)))
case(A.prelu.default, t(2, 3), Weight(t(1)))
both(A.glu.default, (2, 6))
case(A.lerp.Scalar, t(4), t(4), 0.3)
case(A.lerp.Tensor, t(4), t(4), t(4))
case(A.instance_norm.default, t(2, 3, 5), Weight(t(3)), Weight(t(3)), None, None, True, 0.1, 1e-5, False)

# Recurrent cells.
for dtype in (F32, BF16):
    for name, count in (("gru_cell", 3), ("rnn_tanh_cell", 1), ("rnn_relu_cell", 1)):
        ws = [Weight((t(*s) / 4).to(dtype)) for s in ((4 * count, 5), (4 * count, 4), (4 * count,), (4 * count,))]
        case(getattr(A, name).default, (t(2, 5) / 4).to(dtype), (t(2, 4) / 4).to(dtype), *ws)
ws = [Weight(t(*s)) for s in ((16, 5), (16, 4), (16,), (16,))]
case(A.lstm_cell.default, t(2, 5), [t(2, 4), t(2, 4)], *ws)
case(A.lstm_cell.default, t(2, 5), [t(2, 4), t(2, 4)], ws[0], ws[1])

# Writing into a copy.
case(A.copy.default, t(2, 3), t(3, dtype=BF16))
case(A.fill.Scalar, t(2, 3), 1.7)
case(A.fill.Tensor, t(2, 3), t())
case(A.slice_scatter.default, t(3, 5), t(3, 2), 1, 1, 3)
case(A.slice_scatter.default, t(3, 5), t(3, 5), 1)
case(A.slice_scatter.default, t(3, 5), t(1, 5), 0, -1)
case(A.select_scatter.default, t(3, 5), t(3), 1, 2)
case(A.scatter.value, t(3, 4), 1, ints(3, 2, high=4), 0.7)
case(A.scatter.src, t(3, 4), 1, torch.tensor([[0, 2], [1, 3], [3, 0]]), t(3, 3))
case(A.scatter_add.default, t(3, 4), 0, ints(2, 4, high=3), t(2, 4))

case(A.atan2.default, torch.tensor([1.0, 1, -1, -1, 0, 0, 2, -2, 0]), torch.tensor([2.0, -2, 2, -2, 1, -1, 0, 0, 0]))
both(A.logaddexp.default, (5,), (5,))
case(A.one_hot.default, ints(2, 3), 5)
case(A._native_batch_norm_legit.no_stats, t(2, 3, 4), Weight(t(3)), Weight(t(3)), True, 0.1, 1e-5)
CASES[-1]["results"] = CASES[-1]["results"][:1]
case(A.index_put.default, t(4, 3), [torch.tensor([2, 0])], t(2, 3))
case(A.index_put.default, t(4, 3), [torch.tensor([2, 2, 0])], t(), True)
case(A.index_put.default, t(4, 3, 2), [torch.tensor([2, 0]), torch.tensor([1, -1])], t(2))

# Adaptive pools with uneven windows; places of largest elements; divisors.
case(A.adaptive_avg_pool2d.default, t(2, 3, 7, 5), [3, 5])
case(A.adaptive_avg_pool2d.default, t(2, 3, 7, 5, dtype=BF16), [4, 2])
case(A.adaptive_avg_pool1d.default, t(3, 7), [4])
case(A.adaptive_avg_pool3d.default, t(2, 3, 4, 5, 3), [2, 3, 1])
case(A.adaptive_avg_pool3d.default, t(2, 3, 4, 6, 2), [2, 3, 1])
case(A._adaptive_avg_pool3d.default, t(2, 3, 4, 5, 3), [1, 1, 1])
for n, op in ((1, A.adaptive_max_pool1d), (2, A.adaptive_max_pool2d), (3, A.adaptive_max_pool3d)):
    case(op.default, t(2, 3, *(7, 5, 4)[:n]), [3, 2, 4][:n])
    CASES[-1]["results"] = CASES[-1]["results"][:1]
case(A.max_pool2d_with_indices.default, t(2, 3, 6, 5), [2, 2], [2, 2], [1, 1])
case(A.max_pool1d_with_indices.default, t(2, 3, 7), [3], [2])
case(A.max_pool3d_with_indices.default, t(1, 2, 4, 4, 5), [2, 2, 2])
case(A.avg_pool2d.default, t(2, 3, 6, 5), [2, 3], [2, 1], [1, 1], divisor_override=5)
case(A.avg_pool3d.default, t(2, 3, 4, 5, 6), [2, 3, 2], [2, 1, 2], [1, 1, 0])
case(A.avg_pool3d.default, t(2, 3, 4, 5, 6), [2, 2, 2], count_include_pad=False, padding=[1, 1, 1])

# Reading and writing by index.
case(A.index.Tensor, t(3, 4, 5), [mask(3, 4), torch.tensor(2)])
case(A.index.Tensor, t(3, 4, 2), [None, torch.tensor([[True, False], [True, True], [False, True], [True, False]])])
case(A._unsafe_index.Tensor, t(3, 4), [None, ints(2, 3, high=4)])
case(A.take_along_dim.default, t(3, 4), ints(3, 2, high=4), 1)
case(A.take_along_dim.default, t(3, 4), ints(1, 4, high=3), 0)
case(A.take_along_dim.default, t(3, 4), ints(5, high=12))
case(A.take.default, t(3, 4), ints(2, 2, high=12))
case(A.isin.Tensor_Tensor, ints(3, 4), ints(3))
case(A.isin.Tensor_Scalar, ints(3, 4), 2, invert=True)
case(A.index_put.default, t(3, 4), [mask(3, 4)], t())
case(A.index_put.default, t(3, 4), [torch.tensor([True, False, True])], t(2, 4))
case(A.index_put.default, t(3, 4), [None, torch.tensor([True, False, True, True])], t(3, 3))
case(A.index_put.default, t(3, 4, 5), [None, torch.tensor([2, 0]), torch.tensor([1, 4])], t(3, 2))
case(A.index_put.default, t(3, 4, 5), [torch.tensor([2, 0]), None, torch.tensor([1, 4])], t(2, 4))
case(A.index_put.default, t(3, 4, 5), [None, None, torch.tensor([[2, 2], [0, 1]])], t(2, 2), True)
case(A._unsafe_index_put.default, t(3, 4), [None, torch.tensor([1, 3])], t(3, 2), True)
for dtype in (F32, BF16):
    case(A.index_add.default, t(3, 4, dtype=dtype), 1, torch.tensor([0, 2, 0]), t(3, 3, dtype=dtype))
case(A.index_add.default, t(3, 4), 0, torch.tensor([1, 1]), t(2, 4), alpha=0.5)
case(A.index_copy.default, t(3, 4), 1, torch.tensor([3, 0]), t(3, 2))
case(A.index_fill.int_Scalar, t(3, 4), 1, torch.tensor([3, 0]), 1.5)
for name in ("sum", "mean", "prod", "amax", "amin"):
    for include in (True, False):
        case(A.scatter_reduce.two, t(3, 4), 0, ints(2, 4, high=3), t(3, 4), name, include_self=include)
case(A.masked_scatter.default, t(3, 4), mask(3, 4), t(12))
case(A.masked_scatter.default, t(3, 4), mask(4), t(3, 5))

# Order.
case(A.sort.stable, ints(3, 6), stable=True, dim=1, descending=True)
case(A.argsort.default, torch.tensor([[2.0, -1, 0.5], [0.25, 3, 1]]), 1)
case(A.argsort.stable, ints(3, 6), stable=True, dim=1)
case(A.kthvalue.default, torch.tensor([[2.0, -1, 0.5], [0.25, 3, 1]]), 2)
case(A.kthvalue.default, torch.tensor([[2.0, -1, 0.5], [0.25, 3, 1]]), 1, 0, True)
case(A.median.dim, torch.tensor([[2.0, -1, 0.5, 7], [0.25, 3, 1, 0]]), 1)
case(A.median.default, t(3, 4))
for args in ((0.3,), (0.3, 1), (0.5, 0, True), (0.25, None, True)):
    case(A.quantile.scalar, t(3, 5), *args)
for args in ((torch.tensor([0.1, 0.5, 1.0]), 1), (torch.tensor([0.2, 0.9]), 0, True), (torch.tensor([0.2, 0.9]),), (torch.tensor(0.7), -1)):
    case(A.quantile.default, t(3, 5), *args)
case(A.bucketize.Tensor, t(3, 4), torch.tensor([-1.0, 0.0, 1.0]))
case(A.bucketize.Tensor, ints(3, 4), torch.tensor([1, 2, 4]), out_int32=True, right=True)
case(A.searchsorted.Tensor, torch.tensor([[-1.0, 0.0, 1.0], [-2, 0.5, 2]]), t(2, 4))
case(A.searchsorted.Tensor, torch.tensor([-1.0, 0.0, 1.0]), t(2, 4), side="right")

# Sums of products, distances.
case(A.einsum.default, "bhqd,bhkd->bhqk", [t(2, 2, 3, 4), t(2, 2, 5, 4)])
case(A.einsum.default, "... i, i j -> ... j", [t(2, 3, 4, dtype=BF16), Weight(t(4, 5, dtype=BF16))])
case(A.einsum.default, "bld,bln,bld->bldn", [t(2, 3, 4), t(2, 3, 2), t(2, 3, 4)])
case(A.einsum.default, "ii->i", [t(3, 3)])
case(A.einsum.default, "ij,jk", [t(3, 4), t(4, 2)], path=[0, 1])
case(A.tensordot.default, t(2, 3, 4), t(4, 3, 5), [1, 2], [1, 0])
both(A.vdot.default, (5,), (5,))
case(A.linalg_multi_dot.default, [t(2, 3), t(3, 4), t(4, 2)])
case(A.bilinear.default, t(3, 4), t(3, 2), Weight(t(5, 4, 2)), Weight(t(5)))
case(A._trilinear.default, t(3, 4), t(5, 4, 2), t(3, 2), [1, 3], [0], [1, 2], [2, 3])
for p in (1.0, 2.0, 3.0, math.inf):
    case(A.cdist.default, t(2, 3, 4), t(2, 5, 4), p)
case(A._cdist_forward.default, t(3, 4), t(5, 4), 2.0, None)
case(A.pairwise_distance.default, t(3, 4), t(3, 4))
case(A.linalg_cross.default, t(2, 3), t(2, 3))
case(A.linalg_cross.default, t(3, 4), t(3, 4), dim=0)
both(A.cosine_similarity.default, (3, 4), (3, 4))
case(A.cosine_similarity.default, t(3, 4, 2), t(4, 2), dim=1)
case(A._weight_norm.default, Weight(t(3, 4, 2)), Weight(pos(3, 1, 1)))
case(A._weight_norm.default, t(3, 4), pos(1, 4), 1)
case(A._weight_norm_interface.default, t(3, 4), pos(3, 1))

# Arrangement.
case(A.mT.default, t(2, 3, 4))
case(A.mH.default, t(3, 4))
case(A.adjoint.default, t(2, 3, 4))
case(A.swapdims.default, t(2, 3, 4), 0, -1)
case(A.moveaxis.int, t(2, 3, 4), 0, 2)
case(A.moveaxis.intlist, t(2, 3, 4), [0, 1], [2, 0])
case(A.broadcast_to.default, t(3, 1), [2, 3, 4])
case(A.reshape_as.default, t(2, 6), t(3, 4))
case(A.ravel.default, t(2, 3))
case(A.tile.default, t(2, 3), [2])
case(A.tile.default, t(3), [2, 2])
case(A.unsafe_chunk.default, t(5, 3), 2)
case(A.unfold.default, t(2, 7, 3), 1, 3, 2)
case(A.unfold.default, t(2, 7), 1, 2, 1)
case(A.unfold_copy.default, t(5, 2), 0, 4, 3)
case(A.im2col.default, t(2, 3, 5, 6), [2, 3], [1, 2], [1, 0], [2, 1])
case(A.im2col.default, t(3, 4, 4), [2, 2], [1, 1], [0, 0], [2, 2])
case(A.col2im.default, t(2, 12, 9), [4, 4], [2, 2], [1, 1], [0, 0], [1, 1])
case(A.col2im.default, t(2, 12, 4), [5, 4], [2, 2], [1, 2], [0, 1], [2, 2])
for args in ((), (1,), (-2,), (0, 2, 0), (1, 0, 2)):
    case(A.diagonal.default, t(3, 4, 5) if len(args) > 1 else t(3, 4), *args)
for args in ((), (1,), (-2,), (0, 0, 2)):
    case(A.diag_embed.default, t(2, 3), *args)
case(A.meshgrid.default, [t(3), t(4)])
case(A.meshgrid.indexing, [t(3), t(4), t(2)], indexing="xy")
case(A.pixel_unshuffle.default, t(2, 3, 4, 6), 2)
case(A.channel_shuffle.default, t(2, 6, 3, 2), 3)
case(A.native_channel_shuffle.default, t(2, 6, 3), 2)

# Images.
case(A._upsample_nearest_exact1d.vec, t(2, 3, 5), [7], None)
case(A._upsample_nearest_exact2d.vec, t(2, 3, 5, 4), None, [2.0, 2.0])
case(A._upsample_nearest_exact2d.vec, t(2, 3, 5, 6), [3, 4], None)
case(A._upsample_nearest_exact3d.vec, t(1, 2, 3, 4, 2), [4, 6, 3], None)
for mode in (0, 1, 2):
    for padding in (0, 1, 2):
        for corners in (False, True):
            case(A.grid_sampler.default, t(1, 2, 4, 5), t(1, 3, 3, 2, low=-21, high=21) + 0.01, mode, padding, corners)
case(A.grid_sampler_2d.default, t(1, 2, 4, 5), t(1, 3, 3, 2, low=-15, high=15), 0, 0, False)
case(A.grid_sampler_3d.default, t(1, 2, 3, 4, 5), t(1, 2, 3, 2, 3, low=-15, high=15), 0, 1, True)
case(A.affine_grid_generator.default, t(2, 2, 3), [2, 3, 4, 5], False)
case(A.affine_grid_generator.default, t(2, 2, 3), [2, 3, 4, 5], True)

# Running products, norms, truth, histograms.
both(A.cumprod.default, (3, 5), 1, make=pos)
case(A.cumprod.default, ints(3, 4), 0)
case(A.logcumsumexp.default, torch.tensor([[-math.inf, 1.0, -2.0, 0.5, 3.0], [0, 0, -math.inf, 1, 1]]), 1)
case(A.norm.Scalar, t(3, 4))
case(A.norm.Scalar, t(3, 4), 1)
case(A.norm.ScalarOpt_dim, t(3, 4), 2, [1], True)
case(A.norm.ScalarOpt_dim, t(3, 4), 3, [0])
case(A.norm.ScalarOpt_dim_dtype, t(3, 4, dtype=BF16), 2, [1], True, dtype=F32)
case(A.norm.ScalarOpt_dtype, t(3, 4, dtype=BF16), 2, dtype=F32)
case(A.frobenius_norm.dim, t(3, 4), [0, 1])
case(A._safe_softmax.default, torch.tensor([[1.0, 2, -math.inf], [-math.inf] * 3]), 1)
case(A.all.dims, mask(3, 4), [0, 1])
case(A.histc.default, t(20), 4, -2, 2)
case(A.histc.default, ints(9).float(), 5, 0, 4)

# Elementwise.
case(A.nan_to_num.default, torch.tensor([math.nan, math.inf, -math.inf, 1.5]))
case(A.nan_to_num.default, torch.tensor([math.nan, math.inf, -math.inf, 1.5], dtype=BF16), 2.0, 3.0, -4.0)
case(A.nan_to_num.default, ints(4))
both(A.hardshrink.default, (9,))
both(A.softshrink.default, (9,), 0.75)
both(A.threshold.default, (9,), 0.5, 2.0)
case(A.threshold_.default, t(9), 0.5, 2.0)
both(A.erfc.default, (9,))
case(A.erfc_.default, t(9))
both(A.frac.default, (9,))
case(A.frac_.default, t(9))
case(A.logit.default, torch.tensor([0.25, 0.5, 0.75]))
case(A.logit.default, torch.tensor([-0.25, 0.5, 1.75]), 0.125)
for op in (A.deg2rad, A.deg2rad_, A.rad2deg, A.rad2deg_):
    case(op.default, t(5))
case(A.clamp_min.Tensor, t(3, 4), t(4))
case(A.clamp_max.Tensor, t(3, 4), t(4))

# New tensors.
case(A.linspace.default, -1, 1, 7)
case(A.linspace.default, 0.5, 3, 4, dtype=BF16)
case(A.linspace.default, 2, 9, 1)
case(A.eye.default, 3)
case(A.eye.m, 2, 4, dtype=I64)
case(A.tril_indices.default, 3, 4, -1)
case(A.triu_indices.default, 3, 3, 1)
for op, args in ((A.empty.memory_format, ([0, 3],)), (A.empty_permuted.default, ([0, 3], [0, 1])), (A.new_empty.default, (t(2), [0, 3])), (A.empty_like.default, (t(0, 3),))):
    case(op if isinstance(op, torch._ops.OpOverload) else op.default, *args)

# Bags of embeddings.
for mode in (0, 1):
    bag = (Weight(t(6, 3)), torch.tensor([1, 2, 4, 5, 4, 3]), torch.tensor([0, 2, 2, 5]))
    case(A.embedding_bag.padding_idx, *bag, False, mode, False, None, False, None)
    CASES[-1]["results"] = CASES[-1]["results"][:1]
    case(A.embedding_bag.padding_idx, *bag, False, mode, False, None, True, 4)
    CASES[-1]["results"] = CASES[-1]["results"][:1]
for op in (A._embedding_bag, A._embedding_bag_forward_only):
    case(op.default, Weight(t(6, 3)), torch.tensor([1, 2, 4, 5]), torch.tensor([0, 3]), per_sample_weights=pos(4))
    CASES[-1]["results"] = CASES[-1]["results"][:1]

# Recurrent layers.
def layer(gates, hidden, inputs, layers, directions, biases):
    sizes = []
    for i in range(layers):
        for _ in range(directions):
            width = inputs if i == 0 else hidden * directions
            sizes += [(gates * hidden, width), (gates * hidden, hidden)] + [(gates * hidden,)] * (2 if biases else 0)
    return [Weight(t(*size) / 4) for size in sizes]


for op, gates in ((A.lstm, 4), (A.gru, 3), (A.rnn_tanh, 1), (A.rnn_relu, 1)):
    for count, directions, biases, first in ((1, 1, True, False), (2, 2, True, True), (1, 1, False, True)):
        state = lambda: t(count * directions, 2, 3)
        hx = [state(), state()] if gates == 4 else state()
        x = t(2, 5, 4) if first else t(5, 2, 4)
        case(op.input, x, hx, layer(gates, 3, 4, count, directions, biases), biases, count, 0.0, False, directions == 2, first)

# Ranges with a step, and indices from the end, written.
case(A.slice_scatter.default, t(3, 7), t(3, 3), 1, 1, 6, 2)
case(A.slice_scatter.default, t(7, 2), t(2, 2), 0, -5, None, 3)
case(A.slice_scatter.default, t(3, 4, dtype=BF16), t(3, 2, dtype=BF16), 1, 0, 9223372036854775807, 2)
case(A.select_scatter.default, t(3, 5), t(5), 0, -1)

# The same operators under other names.
for name in "absolute arctan negative special_erf special_erfc special_exp2 special_expit special_expm1 special_sinc sinc fix sgn arcsinh".split():
    case(getattr(A, name).default, t(3, 4))
for name in "arccos arcsin arctanh".split():
    case(getattr(A, name).default, t(7, low=-15, high=15))
case(A.arccosh.default, pos(4) + 1)
case(A.special_log1p.default, pos(4))
case(A.special_logit.default, torch.tensor([0.25, 0.5, 0.75]))
for name in "sinc_ sgn_".split():
    case(getattr(A, name).default, t(5, low=-15, high=15))
case(A.arctan2.default, t(8), t(8))
case(A.clip.default, t(8), -0.5, 0.5)
case(A.clip.Tensor, t(6), t(6) - 3, t(6) + 3)
for op in (A.concat, A.concatenate):
    case(op.default, [t(2, 3), t(2, 2)], 1)
for name in "divide multiply subtract true_divide greater greater_equal less less_equal not_equal".split():
    case(getattr(A, name).Tensor, t(3, 4), pos(4))
    case(getattr(A, name).Scalar, ints(4), 2)
case(A.divide.Tensor_mode, t(8), pos(8), rounding_mode="floor")
case(A.divide.Scalar_mode, t(8), 0.75, rounding_mode="trunc")
case(A.ger.default, t(3), t(4))
case(A.special_softmax.default, t(3, 4), 1)
case(A.special_softmax.default, t(3, 4, dtype=BF16), 0, F32)
case(A.special_log_softmax.default, t(3, 4), 1)
case(A.special_logsumexp.default, t(3, 4), [1])

# Elementwise, seldom.
both(A.xlogy.Tensor, (3, 4), (4,), make=pos)
case(A.xlogy.Tensor, torch.tensor([0.0, 0.0, 2.0, 0.0]), torch.tensor([0.0, math.inf, 3.0, math.nan]))
case(A.xlogy.Scalar_Self, 2, pos(4))
case(A.xlogy.Scalar_Other, pos(4), 2.5)
case(A.special_xlogy.default, pos(4), pos(4))
both(A.hypot.default, (4,), (4,))
case(A.heaviside.default, torch.tensor([-1.0, 0.0, 2.0]), torch.tensor([0.25, 0.5, 0.75]))
case(A.copysign.Tensor, t(4), torch.tensor([-0.0, 0.0, -2.0, 3.0]))
case(A.copysign.Tensor, t(4, dtype=BF16), t(4, dtype=BF16))
case(A.copysign.Scalar, t(4), -1)
case(A.ldexp.Tensor, t(4), ints(4))
both(A.logaddexp2.default, (4,), (4,))
case(A.float_power.Tensor_Scalar, pos(4), 1.5)
case(A.float_power.Tensor_Scalar, ints(4), 2)
case(A.float_power.Tensor_Tensor, pos(4), t(4))
case(A.isclose.default, torch.tensor([1.0, 1.0, math.inf, math.inf, math.nan]), torch.tensor([1.0 + 1e-6, 1.1, math.inf, 1.0, math.nan]))
case(A.isclose.default, torch.tensor([1.0, math.nan]), torch.tensor([1.05, math.nan]), 0.1, 0.0, True)
case(A.isclose.default, ints(4), ints(4))
for side in "lr":
    for dtype in (torch.uint8, torch.int32, I64):
        x = ints(6, low=0 if dtype == torch.uint8 else -90, high=90, dtype=dtype)
        case(getattr(A, f"__{side}shift__").Scalar, x, 3)
        case(getattr(A, f"__{side}shift__").Tensor, x, ints(6, dtype=dtype))
for op in (A.bitwise_left_shift, A.bitwise_right_shift):
    case(op.Tensor, ints(6, low=-90, high=90), ints(6))
    case(op.Tensor_Scalar, ints(6, low=-90, high=90), 2)
odd = torch.tensor([-1.0, -0.0, 0.0, math.inf, -math.inf, math.nan])
for name in "isfinite isposinf isneginf".split():
    case(getattr(A, name).default, odd)
    case(getattr(A, name).default, ints(3))
case(A.signbit.default, odd[:5])
case(A.signbit.default, odd[:5].to(BF16))
case(A.signbit.default, ints(3, low=-2))
both(A.rrelu.default, (5,))
case(A.rrelu.default, t(5), 0.1, 0.5)
case(A.rrelu_with_noise_functional.default, t(5), torch.zeros(5))
CASES[-1]["results"] = CASES[-1]["results"][:1]

# Reductions, seldom.
for op in (A.var_mean, A.std_mean):
    case(op.default, t(3, 4))
    case(op.dim, t(3, 4), [1])
    case(op.dim, t(3, 4), [0], False, True)
    both(op.correction, (3, 4), [1], correction=0)
case(A.nansum.default, torch.tensor([[1.0, math.nan], [2.0, 3.0]]), [1])
case(A.nanmean.default, torch.tensor([[1.0, math.nan], [2.0, 3.0]]))
case(A.nanmean.default, torch.tensor([[1.0, math.nan], [2.0, 3.0]]), [0], True)
case(A.count_nonzero.default, ints(3, 4, high=2))
case(A.count_nonzero.default, t(3, 4, low=-1, high=1), 1)
case(A.count_nonzero.dim_IntList, mask(3, 4), [0, 1])
both(A.aminmax.default, (3, 4))
case(A.aminmax.default, t(3, 4), dim=1, keepdim=True)
for p in (0, 1, 2, 3, math.inf):
    case(A.dist.default, t(3, 4), t(3, 4), p)
case(A.linalg_vector_norm.default, t(3, 4, low=-1, high=1), 0, [1])
case(A.linalg_norm.default, t(3, 4))
case(A.linalg_norm.default, t(3, 4), 1, [1], True)
case(A.linalg_matrix_norm.str_ord, t(2, 3, 4))

# Rows, columns, diagonals.
case(A.hstack.default, [t(2), t(3)])
case(A.hstack.default, [t(2, 2), t(2, 3)])
for op in (A.vstack, A.row_stack):
    case(op.default, [t(3), t(2, 3)])
case(A.dstack.default, [t(3), t(3)])
case(A.dstack.default, [t(2, 3), t(2, 3, 2)])
case(A.column_stack.default, [t(3), t(3, 2)])
for x in (t(), t(3), t(2, 3)):
    for op in (A.atleast_1d, A.atleast_2d, A.atleast_3d):
        case(op.default, x)
case(A.flipud.default, t(3, 2))
case(A.fliplr.default, t(3, 2))
for k in (-1, 0, 1, 2, 3):
    case(A.rot90.default, t(2, 3), k)
case(A.rot90.default, t(2, 3, 4), 1, [2, 0])
case(A.diag.default, t(3, 4))
case(A.diag.default, t(3, 4), -1)
case(A.diag.default, t(3))
case(A.diag.default, t(3), 2)
case(A.trace.default, t(3, 4))
case(A.trace.default, ints(3, 3))
case(A.kron.default, t(2, 3), t(3, 2))
case(A.kron.default, t(2), t(3, 2))
case(A.broadcast_tensors.default, [t(3, 1), t(4)])
case(A.cross.default, t(2, 3), t(2, 3))
case(A.cross.default, t(3, 4), t(3, 4), 0)
both(A.inner.default, (2, 3), (4, 3))
case(A.inner.default, t(3), t())
case(A.addbmm.default, t(3, 5), t(2, 3, 4), t(2, 4, 5), beta=0.5, alpha=2)
case(A.addr.default, t(3, 4), t(3), t(4), alpha=2)
case(A.zero.default, t(2, 3))

# What depends on values.
case(A.nonzero.default, t(3, 4, low=-1, high=1))
case(A.masked_select.default, t(3, 4), mask(3, 4))
case(A.masked_select.default, t(3, 4), mask(4))

# Batch norm in training, and with the statistics of the past.
for dtype in (F32, BF16):
    parameters = (Weight(t(3, dtype=dtype)), Weight(t(3, dtype=dtype)), Weight(t(3, dtype=dtype)), Weight(pos(3, dtype=dtype)))
    case(A.batch_norm.default, t(4, 3, 5, dtype=dtype), *parameters, True, 0.1, 1e-05, True)
    case(A.instance_norm.default, t(4, 3, 5, dtype=dtype), *parameters, False, 0.1, 1e-05, True)
    case(A._native_batch_norm_legit_functional.default, t(4, 3, 5, dtype=dtype), *parameters, True, 0.1, 1e-05)
case(A.batch_norm.default, t(4, 3, 5), None, None, None, None, True, 0.1, 1e-05, True)

# Images made smaller, smoothly.
for name in ("_upsample_bilinear2d_aa", "_upsample_bicubic2d_aa"):
    op = getattr(A, name)
    case(op.vec, t(1, 2, 8, 9), [4, 5], False, None)
    case(op.vec, t(1, 2, 4, 4), [6, 7], False, None)
    case(op.default, t(1, 2, 8, 9), [3, 4], False)

# Parts of nearly one size, and parts that end at given places.
for sections in (1, 2, 3, 7):
    case(A.tensor_split.sections, t(7, 2), sections)
case(A.tensor_split.sections, t(2, 3), 4, -1)
for places in ([2, 5], [2, 2], [-3, 100], [5, 2], []):
    case(A.tensor_split.indices, t(7, 2), places)
case(A.tensor_split.indices, t(2, 7), [3], 1)
for op, shape in ((A.hsplit, (6,)), (A.hsplit, (2, 6)), (A.vsplit, (6, 2)), (A.dsplit, (1, 2, 6))):
    both(op.int, shape, 3)
    case(op.array, t(*shape), [1, 4])

# What is the number itself where numbers are real.
case(A.matrix_H.default, t(2, 3))
for name in "real conj conj_physical resolve_conj resolve_neg".split():
    case(getattr(A, name).default, t(2, 3))

# Losses: every element, mean, sum.
for reduction in range(3):
    for name in "mse_loss l1_loss smooth_l1_loss huber_loss soft_margin_loss".split():
        both(getattr(A, name).default, (3, 4), (3, 4), reduction)
    case(A.smooth_l1_loss.default, t(3, 4), t(3, 4), reduction, 0.3)
    case(A.smooth_l1_loss.default, t(3, 4), t(3, 4), reduction, 0.0)
    case(A.huber_loss.default, t(3, 4), t(3, 4), reduction, 0.3)
    case(A.margin_ranking_loss.default, t(3), t(3), torch.tensor([1.0, -1.0, 1.0]), 0.25, reduction)
    shares = t(3, 4, low=0, high=16)
    case(A.binary_cross_entropy.default, shares, t(3, 4, low=0, high=16), None, reduction)
    case(A.binary_cross_entropy.default, t(3, 4, low=1, high=15), shares, pos(4), reduction)
    both(A.binary_cross_entropy_with_logits.default, (3, 4), (3, 4), None, None, reduction)
    case(A.binary_cross_entropy_with_logits.default, t(3, 4) * 40, shares, pos(3, 1), pos(4), reduction)
    both(A.kl_div.default, (3, 4), (3, 4), reduction, log_target=True)
    case(A.kl_div.default, t(3, 4), shares, reduction)
    for dtype in (F32, BF16):
        logs = t(3, 5, dtype=dtype)
        for weight in (None, Weight(pos(5, dtype=dtype))):
            for op in (A.nll_loss, A.nll_loss_nd, A.cross_entropy_loss):
                case(op.default, logs, ints(3), weight, reduction)
            case(A.cross_entropy_loss.default, logs, torch.tensor([1, 4, 2]), weight, reduction, 4, 0.125)
            case(A.cross_entropy_loss.default, logs, t(3, 5, dtype=dtype, low=0, high=16), weight, reduction)
            case(A.cross_entropy_loss.default, logs, t(3, 5, dtype=dtype, low=0, high=16), weight, reduction, -100, 0.125)
        case(A.nll_loss.default, logs, torch.tensor([1, 4, 1]), None, reduction, 1)
        case(A.nll_loss.default, logs[0], ints(), None, reduction)
    image = t(2, 5, 3, 4)
    places = ints(2, 3, 4)
    case(A.nll_loss2d.default, image, places, None, reduction)
    for op in (A.nll_loss_nd, A.cross_entropy_loss):
        case(op.default, image, places, Weight(pos(5)), reduction, 2)
        case(op.default, image.flatten(2), places.flatten(1), None, reduction)
    case(A.cross_entropy_loss.default, image, places, Weight(pos(5)), reduction, 2, 0.25)
    case(A.cross_entropy_loss.default, image, t(2, 5, 3, 4, low=0, high=16), Weight(pos(5)), reduction)
    case(A.cross_entropy_loss.default, t(5), ints(), None, reduction, -100, 0.25)
    case(A.cross_entropy_loss.default, t(5), t(5, low=0, high=16), None, reduction)
    case(A.nll_loss_forward.default, t(3, 5), ints(3), Weight(pos(5)), reduction, -100)
    CASES[-1]["results"] = CASES[-1]["results"][:1]
    case(A.nll_loss2d_forward.default, image, places, None, reduction, 3)
    CASES[-1]["results"] = CASES[-1]["results"][:1]
for op in (A.nll_loss, A.cross_entropy_loss):
    case(op.default, t(2, 3), torch.tensor([-100, -100]))

# Elements by their place in memory: of operands without gaps, turned, and with gaps or upon one another.
for op in (A.as_strided, A.as_strided_copy):
    case(op.default, Laid(t(2, 6)), [3, 4], [4, 1])
    case(op.default, Laid(t(2, 6, dtype=BF16)), [4, 5], [2, 1])
dense, image = t(4, 6), t(2, 3, 4, 5).to(memory_format=torch.channels_last)
READINGS = (
    (dense, [6, 4], [1, 6], None),
    (dense, [2, 6], [6, 1], 12),
    (dense, [4, 6], [6, 1], None),
    (dense, [3, 4, 2], [0, 6, 3], 1),
    (dense, [], [], 7),
    (dense.t(), [4, 6], [6, 1], None),
    (dense.t(), [6, 4], [1, 6], None),
    (dense[1:], [2, 3], [6, 2], None),
    (dense[1:], [2, 3], [6, 2], 12),
    (dense[:, 1:4], [3, 2], [6, 1], 8),
    (dense[:1].expand(3, 6), [2, 3], [0, 2], None),
    (image, [2, 60], [60, 1], None),
    (image, [2, 3, 4, 5], [60, 1, 15, 3], None),
    (image[:, :, :1, :1], [2, 3, 1, 1], [60, 1, 3, 3], None),
    (t(5, 1, 1), [5], [1], None),
    (t(5, 1, 1), [1, 1, 5], [5, 7, 1], None),
)
for x, size, stride, offset in READINGS:
    case(A.as_strided.default, Laid(x), size, stride, offset)

# The largest elements of bags, and sums of products.
table = t(6, 3)
for dtype in (F32, BF16):
    bags = (Weight(table.to(dtype)), torch.tensor([1, 2, 4, 5, 4, 3]), torch.tensor([0, 2, 2, 5]))
    case(A.embedding_bag.padding_idx, *bags, False, 2, False, None, False, None)
    CASES[-1]["results"] = CASES[-1]["results"][:1]
    case(A.embedding_bag.padding_idx, *bags, False, 2, False, None, True, 4)
    CASES[-1]["results"] = CASES[-1]["results"][:1]
for op in (A._embedding_bag, A._embedding_bag_forward_only):
    case(op.default, Weight(table), torch.tensor([3, 3, 0]), torch.tensor([0, 2]), False, 2, padding_idx=3)
    CASES[-1]["results"] = CASES[-1]["results"][:1]
both(A.linalg_vecdot.default, (3, 4), (3, 4))
case(A.linalg_vecdot.default, t(4), t(4))
case(A.linalg_vecdot.default, t(3, 1, 2), t(4, 2), dim=-2)

# Losses of pairs, triplets and margins.
for reduction in range(3):
    signs = torch.tensor([1.0, -1.0, 1.0, -1.0])
    both(A.hinge_embedding_loss.default, (3, 4), signs, 0.5, reduction)
    case(A.hinge_embedding_loss.default, t(4), torch.tensor([1.0, -1.0, 0.0, 2.0]), reduction=reduction)
    both(A.poisson_nll_loss.default, (3, 4), (3, 4), True, False, 1e-8, reduction, make=pos)
    case(A.poisson_nll_loss.default, pos(3, 4), pos(3, 4), False, True, 1e-8, reduction)
    case(A.cosine_embedding_loss.default, t(4, 3), t(4, 3), torch.tensor([1, -1, 1, 0]), 0.25, reduction)
    both(A.cosine_embedding_loss.default, (4, 3), (4, 3), signs, -0.5, reduction)
    both(A.triplet_margin_loss.default, (4, 3), (4, 3), (4, 3), 4.0, reduction=reduction)
    case(A.triplet_margin_loss.default, t(4, 3), t(4, 3), t(4, 3), 3.0, 1.0, 0.25, True, reduction)
    case(A.multi_margin_loss.default, t(3, 5), ints(3), reduction=reduction)
    case(A.multi_margin_loss.default, t(3, 5), ints(3), 2, 0.5, pos(5), reduction)
    case(A.multi_margin_loss.default, t(5), ints(), 1, 1, pos(5), reduction)
case(A.cosine_embedding_loss.default, t(3), t(3), torch.tensor(1))

# Numbers that are lost beside 1.
for dtype in (F32, torch.float64, BF16):
    small = t(9, dtype=dtype) * 2**-20
    for op in (A.log1p, A.expm1):
        case(op.default, small)
        case(op.default, small * 2**-20)
        case(op.default, torch.tensor([0.0, -0.0, math.inf, -math.inf, math.nan, -1.0, -2.0, 3.0], dtype=dtype))
    case(A.log1p.default, torch.tensor([1e30, 1e10, 100.0, 0.3], dtype=dtype))
    case(A.expm1.default, torch.tensor([0.3, -0.3, 0.4999, 0.5, -0.5, -1.5], dtype=dtype))
    case(A.expm1.default, torch.tensor([-40.0, -100.0, 80.0], dtype=dtype))

SCHEMAS = {}
for op in {c["op"] for c in CASES}:
    _, name, overload = op.split(".")
    arguments = getattr(getattr(A, name), overload)._schema.arguments
    SCHEMAS[op] = [[a.name, argument(a.default_value) if a.has_default_value() else None] for a in arguments]

path = pathlib.Path(__file__).parent / "aten_cases.json"
path.write_text(json.dumps({"torch": torch.__version__.split("+")[0], "schemas": dict(sorted(SCHEMAS.items())), "cases": CASES}, separators=(",", ":")).replace('{"op"', '\n{"op"').replace(',"aten.', ',\n"aten.') + "\n")
print(len(CASES), "cases,", len({c["op"] for c in CASES}), "overloads,", path.stat().st_size, "bytes")
