"""The wheel in an environment of its own: nothing of the checkout may be needed."""

import json
import re
import zipfile
from pathlib import Path

FIXTURE = Path(__file__).resolve().parents[1] / "fixtures" / "seed-mlp" / "model.pt2"
SIDECAR = "share/jupyter/kernels/castlens/sidecar/"

# Runs in the environment: starts the kernel by its name and executes a cell.
TALK_TO_KERNEL = """
from jupyter_client.manager import start_new_kernel

manager, client = start_new_kernel(kernel_name="castlens", startup_timeout=60)
try:
    info = client.kernel_info(reply=True, timeout=30)["content"]
    texts = []
    def collect(message):
        if message["msg_type"] == "stream":
            texts.append(message["content"]["text"])
    reply = client.execute_interactive("console.log(6 * 7)", output_hook=collect, timeout=60)
    print(info["implementation"], info["language_info"]["name"], reply["content"]["status"], *texts)
finally:
    client.stop_channels()
    manager.shutdown_kernel(now=False)
"""


def test_is_tagged_for_the_platform(wheel):
    assert re.fullmatch(r"castlens-[^-]+-py3-none-(?!any)\w+\.whl", wheel.name)


def test_holds_one_platform_only(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    runtimes = {
        re.search(r"onnxruntime-node/bin/napi-v\d+/(\w+/\w+)/", name)[1]
        for name in names
        if "onnxruntime-node/bin/" in name
    }
    prebuilt = {
        re.search(r"zeromq/build/(\w+/\w+)/", name)[1] for name in names if name.endswith("addon.node")
    }
    assert len(runtimes) == 1
    assert prebuilt == runtimes


def test_holds_what_the_bundles_leave_outside_and_no_more(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    packages = {
        match[1] for name in names if (match := re.search(SIDECAR + r"node_modules/([^/]+)/", name))
    }
    bundles = {match[1] for name in names if (match := re.search(SIDECAR + r"(\w+\.js)$", name))}
    assert packages == {"cmake-ts", "onnxruntime-common", "onnxruntime-node", "zeromq"}
    assert bundles == {"cli.js", "engine.js", "evaluator.js", "guard.js", "kernel.js"}
    assert not [name for name in names if name.endswith((".ts", ".map", ".cc"))]


def test_names_no_path_of_the_machine_that_built_it(wheel):
    checkout = str(Path(__file__).resolve().parents[2]).encode()
    archive = zipfile.ZipFile(wheel)
    assert [name for name in archive.namelist() if checkout in archive.read(name)] == []


def test_extension_is_enabled_and_ok(environment):
    result = environment.run("jupyter-labextension", "list")
    (line,) = [line for line in (result.stdout + result.stderr).splitlines() if "castlens v" in line]
    assert "enabled" in line
    assert "OK" in line


def test_kernelspec_is_listed(environment):
    specs = json.loads(environment.run("jupyter-kernelspec", "list", "--json").stdout)["kernelspecs"]
    spec = specs["castlens"]
    assert Path(spec["resource_dir"]).is_relative_to(environment.folder)
    assert spec["spec"]["language"] == "typescript"
    assert spec["spec"]["interrupt_mode"] == "message"


def test_kernel_starts_and_runs_a_cell(environment):
    result = environment.run("python", "-c", TALK_TO_KERNEL, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == ["castlens", "typescript", "ok", "42"]


def test_command_line_takes_a_census(environment):
    result = environment.run("castlens", "census", str(FIXTURE), "--json", check=False)
    assert result.returncode == 0, result.stderr
    census = json.loads(result.stdout)
    assert census["format"] == "pt2"
    assert len(census["weightCasts"]) > 0


def test_command_line_runs_a_model(environment):
    result = environment.run("castlens", "run", str(FIXTURE), "--device", "cpu", "--json", check=False)
    assert result.returncode == 0, result.stderr


def test_command_line_passes_the_exit_code_on(environment):
    result = environment.run("castlens", "census", check=False)
    assert result.returncode == 2
    assert result.stderr != ""
