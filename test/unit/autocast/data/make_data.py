"""Write what torch itself knows about autocast and result dtypes, for the tests.

    python make_data.py > torch.json

Needs torch only; made with 2.13.0. `registered` lists the operators with an autocast kernel per dispatch key, `dtypes`
what operators return on the CPU without autocast for operands of some dtypes.
"""

import json
import warnings

import torch

warnings.filterwarnings("ignore")

KEYS = {"cuda": "AutocastCUDA", "cpu": "AutocastCPU", "mps": "AutocastMPS", "xpu": "AutocastXPU"}


def registered():
    return {
        device: sorted(
            name.replace("aten::", "")
            for name in torch._C._dispatch_get_registrations_for_dispatch_key(key)
        )
        for device, key in KEYS.items()
    }


DTYPES = [torch.float32, torch.bfloat16, torch.float16, torch.float64, torch.int64, torch.uint8, torch.bool]


def name(dtype):
    return str(dtype)[6:]


def tensor(dtype, shape=(2, 2)):
    if dtype is torch.bool:
        return torch.ones(shape, dtype=dtype)
    return torch.ones(shape).to(dtype)


def results(value):
    if isinstance(value, torch.Tensor):
        return [name(value.dtype)]
    if isinstance(value, (list, tuple)):
        return [name(item.dtype) if isinstance(item, torch.Tensor) else None for item in value]
    return None


def attr(value, inputs):
    if isinstance(value, torch.Tensor):
        inputs.append(f"{name(value.dtype)} {list(value.shape)}".replace(", ", ","))
        return {"kind": "input", "index": len(inputs) - 1}
    if value is None:
        return {"kind": "none"}
    if isinstance(value, bool):
        return {"kind": "bool", "value": value}
    if isinstance(value, int):
        return {"kind": "int", "value": value}
    if isinstance(value, float):
        return {"kind": "float", "value": value}
    if isinstance(value, str):
        return {"kind": "string", "value": value}
    if isinstance(value, torch.dtype):
        return {"kind": "dtype", "value": name(value)}
    if isinstance(value, (list, tuple)):
        return {"kind": "list", "items": [attr(item, inputs) for item in value]}
    raise TypeError(type(value))


CASES = []


def case(overload, *args, **kwargs):
    base, _, which = overload.partition(".")
    op = getattr(getattr(torch.ops.aten, base), which or "default")
    try:
        found = results(op(*args, **kwargs))
    except (RuntimeError, NotImplementedError, TypeError, ValueError, IndexError):
        return
    if found is None:
        return
    schema = [argument.name for argument in op._schema.arguments]
    inputs = []
    attrs = {key: attr(value, inputs) for key, value in zip(schema, args)}
    attrs.update({key: attr(value, inputs) for key, value in kwargs.items()})
    CASES.append({"op": f"aten.{base}.{which or 'default'}", "inputs": inputs, "attrs": attrs, "outputs": found})


UNARY = """relu gelu silu tanh sigmoid exp log rsqrt sqrt sin cos erf reciprocal neg abs floor round sign logical_not isnan
softplus leaky_relu hardswish hardsigmoid hardtanh elu relu6 mish expm1 log1p square sum prod mean argmax
argmin max min any all std var clone detach t zeros_like ones_like ceil trunc tan atan sinh cosh asin acos log2 log10 exp2
bitwise_not isinf isfinite nonzero trace logit erfinv""".split()
BINARY = """add.Tensor sub.Tensor mul.Tensor div.Tensor maximum minimum eq.Tensor lt.Tensor ge.Tensor ne.Tensor
remainder.Tensor fmod.Tensor floor_divide pow.Tensor_Tensor atan2 bitwise_and.Tensor bitwise_or.Tensor logical_and
logical_or __and__.Tensor hypot copysign.Tensor rsub.Tensor matmul mm linear outer mse_loss l1_loss""".split()
SCALAR = """add.Scalar sub.Scalar mul.Scalar div.Scalar rsub.Scalar pow.Tensor_Scalar remainder.Scalar eq.Scalar gt.Scalar
le.Scalar floor_divide.Scalar clamp_min clamp_max fmod.Scalar""".split()

LOSSES = """smooth_l1_loss huber_loss kl_div soft_margin_loss binary_cross_entropy binary_cross_entropy_with_logits
cross_entropy_loss""".split()


def main():
    for dtype in DTYPES:
        x = tensor(dtype)
        for op in UNARY:
            case(op, x)
        for op in ("relu_", "neg_", "abs_"):
            case(op, x.clone())
        case("masked_fill.Scalar", x, torch.ones(2, 2, dtype=torch.bool), 1.0)
        case("gather", x, 0, torch.zeros(2, 2, dtype=torch.int64))
        case("index_select", x, 0, torch.zeros(2, dtype=torch.int64))
        case("index.Tensor", x, [torch.zeros(2, dtype=torch.int64)])
        case("embedding", x, torch.zeros(2, dtype=torch.int64))
        case("layer_norm", x, [2])
        case("layer_norm", x, [2], tensor(torch.float32, (2,)), tensor(torch.float32, (2,)))
        case("rms_norm", x, [2], tensor(torch.float32, (2,)))
        case("native_layer_norm", x, [2], None, None, 1e-5)
        case("softmax.int", x, 0)
        case("softmax.int", x, 0, torch.float32)
        case("log_softmax.int", x, 0)
        case("_softmax", x, 0, False)
        case("sum.dim_IntList", x, [0])
        case("sum.dim_IntList", x, [0], dtype=torch.float32)
        case("prod.dim_int", x, 0)
        case("mean.dim", x, [0])
        case("mean.dim", x, [0], dtype=torch.float64)
        case("cumsum", x, 0)
        case("cumsum", x, 0, dtype=torch.int32)
        case("cumprod", x, 0)
        case("max.dim", x, 0)
        case("min.dim", x, 0)
        case("topk", x, 1)
        case("sort", x)
        case("argsort", x)
        case("amax", x, [0])
        case("logsumexp", x, [0])
        case("any.dim", x, 0)
        case("norm.Scalar", x)
        case("linalg_vector_norm", x)
        case("split.Tensor", x, 1)
        case("chunk", x, 2)
        case("unbind.int", x)
        case("transpose.int", x, 0, 1)
        case("view", x, [4])
        case("dropout", x, 0.5, False)
        case("cat", [x, x])
        case("full_like", x, 1)
        case("full_like", x, 1, dtype=torch.float16)
        case("new_zeros", x, [2])
        case("new_ones", x, [2], dtype=torch.bool)
        case("to.dtype", x, torch.bfloat16)
        case("_to_copy", x, dtype=torch.float16)
        case("_to_copy", x)
        case("clamp", x, 0, 1)
        case("clamp", x, 0.5)
        case("where.ScalarOther", torch.ones(2, 2, dtype=torch.bool), x, 0)
        case("where.ScalarOther", torch.ones(2, 2, dtype=torch.bool), x, 0.5)
        case("div.Tensor_mode", x, x, rounding_mode="floor")
        case("avg_pool2d", tensor(dtype, (1, 1, 2, 2)), [2, 2])
        case("max_pool2d", tensor(dtype, (1, 1, 2, 2)), [2, 2])
        case("max_pool2d_with_indices", tensor(dtype, (1, 1, 2, 2)), [2, 2])
        case("conv2d", tensor(dtype, (1, 1, 2, 2)), tensor(dtype, (1, 1, 1, 1)))
        case("upsample_nearest2d", tensor(dtype, (1, 1, 2, 2)), [4, 4])
        case("constant_pad_nd", x, [1, 1])
        case("fft_fft", x)
        case("fft_rfft", x)
        case("diff", x)
        case("type_as", x, tensor(torch.float16))
        for scalar in (2, 0.5, True):
            for op in SCALAR:
                case(op, x, scalar)
            case("add.Tensor", x, scalar)
            case("mul.Tensor", x, scalar)
            case("full", [2], scalar)
        for scalar in (2, 0.5):
            case("pow.Scalar", scalar, x)
        for other in DTYPES:
            y = tensor(other)
            zero = tensor(other, ())
            for op in BINARY:
                case(op, x, y)
            for op in ("add.Tensor", "mul.Tensor", "div.Tensor", "maximum", "eq.Tensor"):
                case(op, x, zero)
                case(op, zero, x)
            case("cat", [x, y])
            case("stack", [x, y])
            case("where.self", torch.ones(2, 2, dtype=torch.bool), x, y)
            case("where.self", torch.ones(2, 2, dtype=torch.bool), x, zero)
            case("addcmul", x, x, y)
            case("lerp.Tensor", x, y, x)
            case("broadcast_tensors", [x, y])
    case("arange", 3)
    case("arange", 3.0)
    case("arange.start", 0, 3, dtype=torch.int32)
    case("arange.start_step", 0, 3, 1)
    case("zeros", [2])
    case("ones", [2], dtype=torch.int64)
    case("scalar_tensor", 1)
    case("scalar_tensor", 1.0, dtype=torch.bfloat16)
    case("eye", 2)
    case("linspace", 0, 1, 3)
    for dtype in DTYPES:
        x = tensor(dtype)
        for other in DTYPES:
            for op in LOSSES:
                case(op, x, tensor(other))
            case("cross_entropy_loss", x, tensor(other), tensor(dtype, (2,)))
        for op in "nll_loss nll_loss_nd cross_entropy_loss".split():
            case(op, x, torch.ones(2, dtype=torch.int64), tensor(dtype, (2,)))
        case("nll_loss_forward", x, torch.ones(2, dtype=torch.int64), None, 1, -100)
        for op in "real conj conj_physical resolve_conj resolve_neg matrix_H".split():
            case(op, x)
        for op in "hsplit.int vsplit.int tensor_split.sections".split():
            case(op, x, 2)
    for dtype in DTYPES:
        x, row = tensor(dtype), tensor(dtype, (2,))
        for other in DTYPES:
            y = tensor(other)
            case("hinge_embedding_loss", x, y)
            case("poisson_nll_loss", x, y, True, True, 1e-8, 1)
            case("poisson_nll_loss", x, y, False, False, 1e-8, 0)
            case("margin_ranking_loss", row, row, tensor(other, (2,)))
            case("margin_ranking_loss", row, tensor(other, (2,)), row)
            case("cosine_embedding_loss", x, x, tensor(other, (2,)))
            case("cosine_embedding_loss", x, y, row)
            case("triplet_margin_loss", x, x, y)
        case("multi_margin_loss", x, torch.ones(2, dtype=torch.int64))
    for dtype in DTYPES:
        x = tensor(dtype)
        case("float_power.Tensor_Scalar", x, 2)
        case("float_power.Scalar", 2, x)
        for other in DTYPES:
            case("float_power.Tensor_Tensor", x, tensor(other))
            case("ldexp.Tensor", x, tensor(other))
            case("ldexp.Tensor", x, tensor(other, ()))
            case("linalg_vecdot", x, tensor(other))
            wide = [tensor(dtype, (6, 2)), tensor(dtype, (6, 2))]
            case("gru_cell", x, tensor(other), *wide)
            long = [tensor(dtype, (8, 2)), tensor(dtype, (8, 2))]
            case("lstm_cell", x, [tensor(other), tensor(other)], *long)
    case("randint", 5, [2])
    case("randperm", 5)
    seen = {}
    for entry in CASES:
        seen.setdefault(json.dumps(entry, sort_keys=True), entry)
    lines = [json.dumps(entry, separators=(",", ":")) for entry in seen.values()]
    print('{"torch":%s,\n"registered":%s,\n"dtypes":[\n%s\n]}' % (
        json.dumps(torch.__version__.split("+")[0]), json.dumps(registered()), ",\n".join(lines)))


main()
