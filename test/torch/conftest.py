"""Fresh exports for every run: models that no fixture holds, with what PyTorch itself computes for them."""
import json
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Castlens:
    """The command line of the checkout."""

    def run(self, *arguments, check=True):
        command = ["node", str(ROOT / "dist" / "sidecar" / "cli.js"), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, env={**os.environ, "NO_COLOR": "1"})
        if check and done.returncode != 0:
            raise AssertionError(f"{' '.join(command[2:])} exited {done.returncode}: {done.stderr}")
        return done

    def json(self, *arguments):
        return json.loads(self.run(*arguments, "--json").stdout)


@pytest.fixture(scope="session")
def castlens():
    if not (ROOT / "dist" / "sidecar" / "cli.js").exists():
        pytest.fail("dist/sidecar/cli.js is missing: npm run build")
    return Castlens()


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: compiles with AOTInductor")
