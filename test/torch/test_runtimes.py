"""PyTorch as a runtime of comparisons: the counts, the packages that are kept, trust, and what is left behind."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CLI = ["node", str(ROOT / "dist/sidecar/cli.js")]
EXAMPLE = str(ROOT / "examples/mlp.pt2")


def run_castlens(*arguments, cache, **options):
    environment = {**os.environ, "CASTLENS_CACHE": str(cache), **options.pop("env", {})}
    return subprocess.run([*CLI, *arguments], capture_output=True, text=True, env=environment, **options)


def compare(cache, *arguments, file=EXAMPLE):
    done = run_castlens(
        "compare", file, "--python", sys.executable, "--trust", "--threads", "1", "--runs", "3", "--json", *arguments, cache=cache
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


def by_name(result):
    return {
        (one.get("runtimeName", "onnxruntime"), "repaired" if one.get("repaired") else one["cache"]): one
        for one in result["variants"]
    }


def test_counts_of_every_runtime(cache):
    result = compare(cache, "--runtime", "onnxruntime,eager,aotinductor")
    assert result["failed"] == []
    assert result["outputsComparedWith"] == "eager"
    found = by_name(result)
    executed = {name: one["executedWeightCasts"] for name, one in found.items()}
    assert executed == {
        ("onnxruntime", "off"): 4,
        ("onnxruntime", "autocast"): 4,
        ("onnxruntime", "folded"): 0,
        ("onnxruntime", "frozen"): 0,
        ("eager", "off"): 4,
        ("eager", "autocast"): 4,
        ("eager", "repaired"): 0,
        ("aotinductor", "off"): 4,
        ("aotinductor", "folded"): 0,
        ("aotinductor", "frozen"): 0,
        ("aotinductor", "repaired"): 0,
    }
    assert found["aotinductor", "folded"]["castsAtLoad"] == 4
    assert found["eager", "repaired"]["bitIdenticalToOff"] is True
    for one in found.values():
        assert one["maxRelativeDifferenceToOff"] < 1e-2
        assert len(one["samplesMs"]) == 3 and min(one["samplesMs"]) > 0
    assert sorted(cast["weights"][0] for cast in found["eager", "off"]["weightCasts"]) == [
        "sub.linear1.bias",
        "sub.linear1.weight",
        "sub.linear2.bias",
        "sub.linear2.weight",
    ]


def test_packages_are_kept(cache):
    result = compare(cache, "--runtime", "aotinductor", "--cache", "off")
    (again,) = compare(cache, "--runtime", "aotinductor", "--cache", "off")["variants"]
    assert again["reused"] is True
    # What only compiling tells was kept too.
    assert again["executedWeightCasts"] == 4
    assert again["compileMs"] == result["variants"][0]["compileMs"] > 0


def test_the_cache_of_autocast_saves_casts_of_a_weight_used_twice(cache):
    twice = str(ROOT / "test/fixtures/reused-weights/model.pt2")
    found = by_name(compare(cache, "--runtime", "eager", file=twice))
    off, cached = (found["eager", mode]["executedWeightCasts"] for mode in ("off", "autocast"))
    census = json.loads(run_castlens("census", twice, "--json", cache=cache).stdout)
    assert off == census["perForward"]["off"]["weightCasts"]
    assert cached == census["perForward"]["autocast"]["weightCasts"]
    assert cached < off


def test_a_mode_that_a_runtime_has_not_is_said(cache):
    result = compare(cache, "--runtime", "eager", "--cache", "off,folded")
    assert [one["cache"] for one in result["variants"]] == ["off"]
    assert "eager has no mode folded; it has off, autocast, repaired" in result["failed"][0]["message"]


def test_a_file_is_not_loaded_without_trust(cache):
    done = run_castlens("compare", EXAMPLE, "--runtime", "eager", "--python", sys.executable, cache=cache)
    assert done.returncode == 1
    assert "mlp.pt2: PyTorch may run this file only if you trust it" in done.stderr
    assert "--trust" in done.stderr


def test_a_python_without_torch_is_said(cache, tmp_path):
    (tmp_path / "torch.py").write_text('raise ImportError("No module named torch")')
    done = run_castlens(
        "compare", EXAMPLE, "--runtime", "eager", "--python", sys.executable, "--trust", cache=cache, env={"PYTHONPATH": str(tmp_path)}
    )
    assert done.returncode == 1
    assert "No module named torch" in done.stderr


def test_what_pytorch_cannot_load_is_one_message(cache):
    onnx = next((ROOT / "test/fixtures/onnx-kinds").glob("*.onnx"))
    done = run_castlens("compare", str(onnx), "--runtime", "eager", "--python", sys.executable, "--trust", cache=cache)
    assert done.returncode == 1
    assert "eager runs exported programs of PyTorch only" in done.stderr


def test_stopping_in_the_middle_of_a_compile_leaves_no_process(tmp_path):
    command = [*CLI, "compare", EXAMPLE, "--runtime", "aotinductor", "--cache", "off", "--python", sys.executable, "--trust"]
    # What was compiled before is no longer there to be taken.
    fresh = {**os.environ, "CASTLENS_CACHE": str(tmp_path), "TORCHINDUCTOR_CACHE_DIR": str(tmp_path / "inductor")}
    marker = f"CASTLENS_CACHE={tmp_path}"
    process = subprocess.Popen(command, env=fresh, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.time() + 120
    while not any(is_compiler(pid) for pid in processes_with(marker)):
        assert time.time() < deadline and process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    process.wait(timeout=60)
    deadline = time.time() + 60
    while processes_with(marker):
        assert time.time() < deadline, processes_with(marker)
        time.sleep(0.1)
    assert not list((tmp_path / "packages").glob("*.pt2"))


def processes_with(marker):
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and marker.encode() in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
        except OSError:
            pass
    return found


def is_compiler(pid):
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip() in ("cc1plus", "g++", "c++")
    except OSError:
        return False
