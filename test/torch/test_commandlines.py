"""Many command lines in one process print what each prints in a process of its own."""
import pathlib

import pytest

EXAMPLE = pathlib.Path(__file__).parents[2] / "examples" / "mlp.pt2"


@pytest.mark.parametrize("arguments", [("census", EXAMPLE), ("census", EXAMPLE, "--json"), ("census", "missing.pt2"), ("--version",), ("fix",)], ids=str)
def test_one_process_for_all_says_the_same(castlens, arguments):
    alone = castlens.run_alone(*arguments)
    for _ in range(2):
        together = castlens.run(*arguments, check=False)
        assert (together.returncode, together.stdout, together.stderr) == (alone.returncode, alone.stdout, alone.stderr)


def test_files_are_read_anew(castlens, tmp_path):
    (tmp_path / "model.pt2").write_bytes(EXAMPLE.read_bytes())
    castlens.run("census", tmp_path / "model.pt2")
    (tmp_path / "model.pt2").write_bytes(b"")
    assert castlens.run("census", tmp_path / "model.pt2", check=False).returncode == 1
