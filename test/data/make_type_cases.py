"""Writes type_cases.json: small models with right and wrong types, and whether `onnx.checker` takes them.

Models of the ONNX backend suite, one or more per operator, as they are and with the type of one input or output changed; and the eight
forms in which converters and exporters leave wrong types. Run with a Python that has `onnx` and `ml_dtypes`:
`python test/data/make_type_cases.py > test/data/type_cases.json`.
"""
import base64
import json
import random

import ml_dtypes
import numpy as np
import onnx
from onnx import TensorProto as T
from onnx import helper, numpy_helper
from onnx.backend.test.case.node import collect_testcases

TYPES = [T.FLOAT, T.FLOAT16, T.BFLOAT16, T.DOUBLE, T.INT64, T.INT32, T.BOOL]
MOST_BYTES = 700
# What the checker refuses by more than the schemas: widths of bits, elements of sequences, attributes; and, of RMSNormalization, what its
# schema allows.
LEFT_OUT = {"BitCast", "RMSNormalization", "SequenceInsert", "SequenceMap", "SplitToSequence", "Scan", "FlexAttention", "LinearAttention",
            "MeanVarianceNormalization"}


def verdict(model):
    try:
        onnx.checker.check_model(model, full_check=True)
    except Exception:
        return False
    return True


def changed(model, rng):
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    ends = [end for end in [*copy.graph.input, *copy.graph.output] if end.type.tensor_type.elem_type not in (0, T.STRING)]
    if not ends:
        return None
    end = rng.choice(ends)
    end.type.tensor_type.elem_type = rng.choice([t for t in TYPES if t != end.type.tensor_type.elem_type])
    return f"{end.name} as {T.DataType.Name(end.type.tensor_type.elem_type)}", copy


def operators():
    rng = random.Random(7)
    counts = {}
    for case in sorted(collect_testcases(None), key=lambda one: one.name):
        model = case.model
        if model is None or len(model.graph.node) != 1 or model.graph.node[0].domain not in ("", "ai.onnx"):
            continue
        name = model.graph.node[0].op_type
        if name in LEFT_OUT or counts.get(name, 0) >= 2 or model.ByteSize() > MOST_BYTES:
            continue
        counts[name] = counts.get(name, 0) + 1
        yield case.name, model
        other = changed(model, rng)
        if other is not None:
            yield f"{case.name}, {other[0]}", other[1]


def info(name, dtype, shape):
    return helper.make_tensor_value_info(name, dtype, shape)


def model_of(nodes, weights, inputs, outputs, opset=18, values=()):
    initializers = [w if isinstance(w, onnx.TensorProto) else numpy_helper.from_array(w, name) for name, w in weights.items()]
    graph = helper.make_graph(nodes, "g", inputs, outputs, initializers, value_info=list(values))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)


def forms():
    half, single = np.float16, np.float32
    node = helper.make_node
    yield "a Cast that was not patched", model_of(
        [node("Cast", ["x"], ["xh"], to=T.FLOAT16), node("Cast", ["xh"], ["b"], to=T.FLOAT, name="cast"), node("MatMul", ["b", "w"], ["c"]), node("Cast", ["c"], ["y"], to=T.FLOAT)],
        {"w": np.ones((4, 4), half)}, [info("x", T.FLOAT, [2, 4])], [info("y", T.FLOAT, [2, 4])], values=[info("b", T.FLOAT16, [2, 4]), info("c", T.FLOAT16, [2, 4])])
    yield "operands of two types", model_of([node("Add", ["x", "k"], ["y"], name="add")], {"k": np.ones((1, 4), half)}, [info("x", T.FLOAT, [2, 4])], [info("y", T.FLOAT, [2, 4])])
    yield "scales of Resize in float16", model_of([node("Resize", ["x", "", "s"], ["y"], mode="nearest", name="resize")], {"s": np.array([1, 1, 2, 2], half)}, [info("x", T.FLOAT16, [1, 1, 2, 2])], [info("y", T.FLOAT16, [1, 1, 4, 4])])
    yield "LayerNormalization with parameters in another type", model_of([node("LayerNormalization", ["x", "g", "b"], ["y"], name="ln")], {"g": np.ones(4, half), "b": np.zeros(4, half)}, [info("x", T.FLOAT, [2, 4])], [info("y", T.FLOAT, [2, 4])])
    then = helper.make_graph([node("Gemm", ["x", "w", "b"], ["o1"], name="gemm")], "t", [], [info("o1", T.FLOAT, [2, 4])], [numpy_helper.from_array(np.ones((4, 4), half), "w"), numpy_helper.from_array(np.ones(4, half), "b")])
    other = helper.make_graph([node("Identity", ["x"], ["o2"])], "e", [], [info("o2", T.FLOAT, [2, 4])])
    yield "operands of two types in a branch", model_of([node("If", ["c"], ["y"], then_branch=then, else_branch=other)], {}, [info("x", T.FLOAT, [2, 4]), info("c", T.BOOL, [])], [info("y", T.FLOAT, [2, 4])])
    low = helper.make_tensor("w", T.BFLOAT16, [1, 1, 1, 1], np.ones(1, single).astype(ml_dtypes.bfloat16).tobytes(), raw=True)
    for opset in (20, 22):
        yield f"Conv in bfloat16 of operator set {opset}", model_of([node("Conv", ["x", "w"], ["y"], name="conv")], {"w": low}, [info("x", T.BFLOAT16, [1, 1, 2, 2])], [info("y", T.BFLOAT16, [1, 1, 2, 2])], opset)
    yield "an output declared in another type", model_of([node("Relu", ["x"], ["y"], name="relu")], {}, [info("x", T.FLOAT16, [4])], [info("y", T.FLOAT, [4])])
    for opset in (14, 15):
        yield f"BatchNormalization with statistics in float32, operator set {opset}", model_of(
            [node("BatchNormalization", ["x", "s", "b", "m", "v"], ["y"], name="bn")],
            {"s": np.ones(3, single if opset == 14 else half), "b": np.zeros(3, single if opset == 14 else half), "m": np.zeros(3, single), "v": np.ones(3, single)},
            [info("x", T.FLOAT16, [2, 3, 4])], [info("y", T.FLOAT16, [2, 3, 4])], opset)
    yes = helper.make_graph([node("Cast", ["x"], ["o1"], to=T.FLOAT16)], "t", [], [info("o1", T.FLOAT16, [4])])
    no = helper.make_graph([node("Relu", ["x"], ["o2"])], "e", [], [info("o2", T.FLOAT, [4])])
    yield "branches of two types", model_of([node("If", ["c"], ["y"], then_branch=yes, else_branch=no, name="if")], {}, [info("x", T.FLOAT, [4]), info("c", T.BOOL, [])], [info("y", T.FLOAT, [4])])
    body = helper.make_graph([node("Identity", ["go"], ["again"]), node("Cast", ["s"], ["next"], to=T.FLOAT16)], "b", [info("i", T.INT64, []), info("go", T.BOOL, []), info("s", T.FLOAT, [4])], [info("again", T.BOOL, []), info("next", T.FLOAT16, [4])])
    yield "a loop that changes the type of its state", model_of([node("Loop", ["n", "", "x"], ["y"], body=body, name="loop")], {"n": np.array(3, np.int64)}, [info("x", T.FLOAT, [4])], [info("y", T.FLOAT, [4])])
    given = helper.make_graph([node("Add", ["x", "w"], ["t"], name="sum")], "t", [], [info("t", T.FLOAT, [4]), info("w", T.FLOAT16, [4])], [numpy_helper.from_array(np.ones(4, half), "w")])
    made = helper.make_graph([node("Identity", ["x"], ["e"]), node("Cast", ["x"], ["low"], to=T.FLOAT16)], "e", [], [info("e", T.FLOAT, [4]), info("low", T.FLOAT16, [4])])
    yield "an initializer that a branch returns and adds", model_of(
        [node("If", ["c"], ["y", "z"], then_branch=given, else_branch=made, name="if")], {}, [info("x", T.FLOAT, [4]), info("c", T.BOOL, [])], [info("y", T.FLOAT, [4]), info("z", T.FLOAT16, [4])])


def in_function():
    """Types that are wrong in a function of the model, where nothing is repaired."""
    imports = [helper.make_opsetid("", 18), helper.make_opsetid("f", 1)]
    body = [helper.make_node("Cast", ["a"], ["low"], to=T.FLOAT16), helper.make_node("Add", ["low", "a"], ["b"])]
    function = helper.make_function("f", "Mix", ["a"], ["b"], body, imports[:1])
    graph = helper.make_graph([helper.make_node("Mix", ["x"], ["y"], domain="f", name="mix")], "g", [info("x", T.FLOAT, [4])], [info("y", T.FLOAT, [4])])
    yield "operands of two types in a function", helper.make_model(graph, opset_imports=imports, functions=[function], ir_version=9)


def main():
    print("[")
    lines = []
    for name, model in [*forms(), *in_function(), *operators()]:
        lines.append(json.dumps({"name": name, "isValid": verdict(model), "model": base64.b64encode(model.SerializeToString()).decode()}))
    print(",\n".join(lines))
    print("]")


main()
