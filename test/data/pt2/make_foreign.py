"""Makes foreign.pt2: the fixture dynamic-batch with its gelu replaced by an operator castlens does not have.

    python test/data/pt2/make_foreign.py
"""
import pathlib
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parents[1] / "fixtures" / "dynamic-batch" / "model.pt2"

with zipfile.ZipFile(SOURCE) as source, zipfile.ZipFile(HERE / "foreign.pt2", "w") as target:
    for info in source.infolist():
        data = source.read(info)
        if info.filename.endswith("models/model.json"):
            changed = data.replace(b"torch.ops.aten.gelu.default", b"torch.ops.mylib.gate.default")
            assert changed != data
            data = changed
        target.writestr(zipfile.ZipInfo(info.filename), data)
