"""Writes aten_schemas.json: the schemas of ATen with their alias annotations, as PyTorch 2.15.0 has them and where 2.13.0 differs.

Run with each version: `python test/data/make_aten_schemas.py`. The file keeps what the other version gave.
"""
import json
import pathlib

import torch

FILE = pathlib.Path(__file__).with_name("aten_schemas.json")
NEWEST = "2.15.0"


def schemas():
    """Schemas by name and overload; those that write into a tensor that the caller gives for it (`out=`) are left out."""
    found = {}
    for schema in torch._C._jit_get_all_schemas():
        if schema.name.startswith("aten::") and not any(argument.is_out for argument in schema.arguments):
            text = str(schema).removeprefix("aten::")
            found[text[: text.index("(")]] = text
    return found


def write(versions):
    newest = versions[NEWEST]
    parts = []
    for version, texts in sorted(versions.items(), reverse=True):
        lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(text)}" for name, text in sorted(texts.items()))
        parts.append(f"{json.dumps(version)}: {{\n{lines}\n}}")
    assert newest
    FILE.write_text("{\n" + ",\n".join(parts) + "\n}\n")


def main():
    versions = json.loads(FILE.read_text()) if FILE.exists() else {}
    version = torch.__version__.split("+")[0]
    found = schemas()
    if version != NEWEST:
        newest = versions[NEWEST]
        # Empty: that version has none of this name.
        found = {name: found.get(name, "") for name in {*found, *newest} if found.get(name) != newest.get(name)}
    write({**versions, version: found})


if __name__ == "__main__":
    main()
