"""The wheel, built from this checkout, and an environment that holds nothing but it and JupyterLab."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# What a build or a server of another user would not have from us.
PRIVATE = ("JUPYTER", "IPYTHON", "JPY_", "PYTHON", "VIRTUAL_ENV", "NODE_PATH", "CASTLENS")


class Environment:
    """A virtual environment and the variables under which its programs run."""

    def __init__(self, folder):
        self.folder = folder
        self.bin = folder / ("Scripts" if os.name == "nt" else "bin")
        self.home = folder / "home"
        self.variables = clean_variables()
        self.variables.update(
            HOME=str(self.home),
            JUPYTER_PREFER_ENV_PATH="1",
            PATH=os.pathsep.join([str(self.bin), self.variables["PATH"]]),
        )

    def run(self, *command, check=True):
        return subprocess.run(
            [str(self.bin / command[0]), *command[1:]],
            cwd=self.home,
            env=self.variables,
            capture_output=True,
            text=True,
            check=check,
            timeout=300,
        )


def run_outside(*command):
    """Runs a command that must succeed, in the checkout and with nothing of ours in its variables."""
    result = subprocess.run(
        command, cwd=ROOT, env=clean_variables(), capture_output=True, text=True, check=False
    )
    if result.returncode != 0:
        pytest.exit(f"{' '.join(command)} failed:\n{result.stdout}{result.stderr}", returncode=1)


def clean_variables():
    return {name: value for name, value in os.environ.items() if not name.startswith(PRIVATE)}


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    target = tmp_path_factory.mktemp("wheel")
    run_outside(sys.executable, "-m", "pip", "wheel", ".", "--no-deps", "-w", str(target))
    (path,) = target.glob("castlens-*.whl")
    return path


@pytest.fixture(scope="session")
def environment(wheel, tmp_path_factory):
    folder = tmp_path_factory.mktemp("environment")
    run_outside(sys.executable, "-m", "venv", str(folder))
    environment = Environment(folder)
    environment.home.mkdir()
    requirements = ROOT / "requirements" / "lab.txt"
    environment.run("python", "-m", "pip", "install", "-q", str(wheel), "-r", str(requirements))
    return environment
