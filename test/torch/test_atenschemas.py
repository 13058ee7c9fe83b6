"""The schemas that the rules and records of castlens are held against are those of the installed torch."""
import json
import pathlib
import sys

import torch

DATA = pathlib.Path(__file__).parents[1] / "data"
sys.path.insert(0, str(DATA))

from make_aten_schemas import NEWEST, schemas  # noqa: E402


def test_recorded_schemas():
    recorded = json.loads((DATA / "aten_schemas.json").read_text())
    version = torch.__version__.split("+")[0]
    expected = {**recorded[NEWEST], **recorded.get(version, {})}
    # Libraries may add operators of their own to the namespace.
    found = schemas()
    assert {name: found.get(name, "") for name in expected} == expected
