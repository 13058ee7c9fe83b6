"""Rewrite exported programs into the layouts of older torch, for the tests of the reader.

Usage: python make_old_layouts.py FIXTURES OUT

The records are those that torch 2.7 and 2.8 write, made by the functions that still write them:
`serialize_torch_artifact` for pickles, `zipfile` for the container of 2.7 and `PT2ArchiveWriter` for that of 2.8.
torch's own `torch.export.load` reads the results back and must compute what the original computes.
"""

import pathlib
import sys
import zipfile

import torch
from torch._export.serde.serialize import serialize, serialize_torch_artifact
from torch.export.pt2_archive._package import PT2ArchiveReader, PT2ArchiveWriter


# Records that the writer makes by itself.
WRITER_RECORDS = ("archive_format", "archive_version", "byteorder", "version")


def write_27(program, path):
    artifact = serialize(program)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("serialized_exported_program.json", artifact.exported_program)
        archive.writestr(
            "serialized_state_dict.pt", serialize_torch_artifact(dict(program.state_dict))
        )
        archive.writestr(
            "serialized_constants.pt", serialize_torch_artifact(dict(program.constants))
        )
        archive.writestr(
            "serialized_example_inputs.pt", serialize_torch_artifact(program.example_inputs)
        )
        archive.writestr("version", "8.8")


def write_28(source, program, path):
    reader = PT2ArchiveReader(str(source))
    with PT2ArchiveWriter(str(path)) as archive:
        for name in reader.get_file_names():
            if name.startswith(("data/weights/", "data/constants/")):
                continue
            if name.startswith(".data/") or name in WRITER_RECORDS:
                continue
            archive.write_bytes(name, reader.read_bytes(name))
        archive.write_bytes(
            "data/weights/model.pt", serialize_torch_artifact(dict(program.state_dict))
        )
        archive.write_bytes(
            "data/constants/model.pt", serialize_torch_artifact(dict(program.constants))
        )


def check(path, program):
    loaded = torch.export.load(path)
    args, kwargs = program.example_inputs
    expected = torch.utils._pytree.tree_leaves(program.module()(*args, **kwargs))
    actual = torch.utils._pytree.tree_leaves(loaded.module()(*args, **kwargs))
    assert all(torch.equal(a, b) for a, b in zip(expected, actual, strict=True)), path


def main():
    fixtures, out = map(pathlib.Path, sys.argv[1:])
    for name in ("nested-regions",):
        source = fixtures / name / "model.pt2"
        program = torch.export.load(source)
        for layout in ("2.7", "2.8"):
            path = out / f"{name}.torch{layout}.pt2"
            if layout == "2.7":
                write_27(program, path)
            else:
                write_28(source, program, path)
            check(path, program)
            print(path.name, path.stat().st_size)


main()
