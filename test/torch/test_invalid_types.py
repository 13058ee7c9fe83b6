"""Files whose types are wrong, repaired: what castlens calls right, the checker of ONNX takes."""
import base64
import json
import pathlib

import onnx
import pytest

CASES = [case for case in json.loads((pathlib.Path(__file__).parents[1] / "data" / "type_cases.json").read_text()) if not case["isValid"]]
# The forms that converters and exporters leave, and some of the operators of the backend suite.
FORMS, OTHERS = CASES[:11], CASES[11::12]


@pytest.mark.parametrize("case", FORMS + OTHERS, ids=lambda case: case["name"])
def test_repaired_file_is_valid(castlens, tmp_path, case):
    source, target = tmp_path / "model.onnx", tmp_path / "fixed.onnx"
    source.write_bytes(base64.b64decode(case["model"]))
    found = [finding for finding in castlens.json("census", source)["findings"] if finding["code"] == "invalid-types"]
    assert len(found) == 1 and found[0]["nodes"]
    left = castlens.json("fix", source, "--types", "-o", target)["types"]["left"]
    assert not left or case in OTHERS
    if left:
        with pytest.raises((onnx.checker.ValidationError, onnx.shape_inference.InferenceError)):
            onnx.checker.check_model(str(target), full_check=True)
    else:
        onnx.checker.check_model(str(target), full_check=True)
