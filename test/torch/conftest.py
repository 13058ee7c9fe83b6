"""Fresh exports for every run: models that no fixture holds, with what PyTorch itself computes for them."""
import json
import os
import pathlib
import select
import subprocess
import types

import pytest
from sparing import spare_repetitions

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUNDLE = ROOT / "dist" / "sidecar" / "cli.js"
TIME_LIMIT_S = 300
ENVIRONMENT = {**os.environ, "NO_COLOR": "1"}


class Castlens:
    """The command line of the checkout. One process runs all command lines of a worker, see commandlines.cjs."""

    def __init__(self):
        self._process = None

    def run(self, *arguments, check=True):
        arguments = [str(argument) for argument in arguments]
        done = self._ask(arguments)
        if check and done.returncode != 0:
            raise AssertionError(f"{' '.join(arguments)} exited {done.returncode}: {done.stderr}")
        return done

    def run_alone(self, *arguments):
        """In a process of its own, as a shell does."""
        command = ["node", str(BUNDLE), *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, timeout=TIME_LIMIT_S, env=ENVIRONMENT)

    def json(self, *arguments):
        return json.loads(self.run(*arguments, "--json").stdout)

    def close(self):
        if self._process is not None:
            self._process.stdin.close()
            self._process.wait(timeout=60)
            self._process = None

    def _ask(self, arguments):
        if self._process is None:
            command = ["node", str(pathlib.Path(__file__).with_name("commandlines.cjs"))]
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)
        process = self._process
        process.stdin.write(json.dumps(arguments) + "\n")
        process.stdin.flush()
        ready, _, _ = select.select([process.stdout], [], [], TIME_LIMIT_S)
        line = process.stdout.readline() if ready else ""
        if line == "":
            process.kill()
            self._process = None
            what = f"ended with {process.wait()}" if ready else f"took more than {TIME_LIMIT_S} s"
            raise AssertionError(f"{' '.join(arguments)}: the process {what}")
        answer = json.loads(line)
        return types.SimpleNamespace(returncode=answer["status"], stdout=answer["stdout"], stderr=answer["stderr"])


@pytest.fixture(scope="session")
def castlens():
    if not BUNDLE.exists():
        pytest.fail("dist/sidecar/cli.js is missing: npm run build")
    made = Castlens()
    yield made
    made.close()


@pytest.fixture(scope="session", autouse=True)
def spared():
    spare_repetitions()


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: compiles with AOTInductor")
