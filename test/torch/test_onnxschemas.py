"""The table of ai.onnx's types against the schemas of the installed `onnx`."""
import pathlib
import re
import subprocess
import sys

import onnx
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def bare(text):
    """Without what formatting changes."""
    return re.sub(r"[\s,]", "", text)


def test_table_is_that_of_the_package():
    table = (ROOT / "src" / "operators" / "onnxtable.ts").read_text()
    version = re.search(r"ONNX_SCHEMAS_OF = '(.+)'", table).group(1)
    if onnx.__version__ != version:
        pytest.skip(f"onnx {onnx.__version__} is installed, the table is of {version}")
    generator = ROOT / "scripts" / "onnxschemas" / "generate.py"
    made = subprocess.run([sys.executable, generator], capture_output=True, text=True, check=True).stdout
    assert bare(made) == bare(table)
