"""The ``castlens`` command: hands over to the command line of the Node sidecar."""

import os
import shutil
import subprocess
import sys
from importlib import metadata

_CLI = "share/jupyter/kernels/castlens/sidecar/cli.js"


def _cli_path():
    """Where this installation put the sidecar's command line, or None."""
    for file in metadata.files("castlens") or []:
        if file.as_posix().endswith(_CLI):
            return os.path.realpath(file.locate())
    return None


def main():
    cli = _cli_path()
    if cli is None:
        sys.exit("castlens: this installation has no sidecar; install the wheel again")
    node = shutil.which("node")
    if node is None:
        sys.exit("castlens: Node 20 or later is needed, and no `node` is on the PATH")
    command = [node, cli, *sys.argv[1:]]
    if os.name == "nt":
        # exec on Windows returns to the shell before the program ends.
        sys.exit(subprocess.run(command, check=False).returncode)
    os.execv(node, command)


if __name__ == "__main__":
    main()
