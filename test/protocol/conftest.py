"""Makes the kernel that was built last known to jupyter_client, whatever is installed."""

import json
import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
KERNEL = ROOT / "dist" / "sidecar" / "kernel.js"


@pytest.fixture(scope="session", autouse=True)
def kernelspec(tmp_path_factory):
    """A data directory with the project's kernelspec, its command pointing into the checkout."""
    if not KERNEL.exists():
        pytest.exit(f"{KERNEL} is missing: run `npm run build:sidecar`", returncode=1)
    data = tmp_path_factory.mktemp("jupyter")
    folder = data / "kernels" / "castlens"
    folder.mkdir(parents=True)
    spec = json.loads((ROOT / "kernelspec" / "kernel.json").read_text())
    node = shutil.which("node")
    spec["argv"] = [node, str(KERNEL), "{connection_file}"]
    (folder / "kernel.json").write_text(json.dumps(spec))
    before = os.environ.get("JUPYTER_PATH")
    os.environ["JUPYTER_PATH"] = str(data)
    yield
    if before is None:
        del os.environ["JUPYTER_PATH"]
    else:
        os.environ["JUPYTER_PATH"] = before
