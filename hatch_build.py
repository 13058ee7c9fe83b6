"""Builds what the wheel is made of: npm packages, bundles and the JupyterLab extension, unless they are up to date."""

import shutil
import subprocess
import sysconfig
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


# Where each file or folder of the checkout goes in the environment.
SHARED_DATA = {
    "castlens/labextension": "share/jupyter/labextensions/castlens",
    "install.json": "share/jupyter/labextensions/castlens/install.json",
    "build/kernelspec": "share/jupyter/kernels/castlens",
}


class SidecarBuildHook(BuildHookInterface):
    def initialize(self, version, build_data):
        if self.target_name != "wheel":
            return
        node = shutil.which("node")
        if node is None:
            raise RuntimeError("Node 20 or later is needed to build castlens, and no `node` is on the PATH")
        for script in ("prepare.mjs", "stage-wheel.mjs"):
            subprocess.run([node, f"scripts/{script}"], cwd=self.root, check=True)
        # The sidecar holds binaries of this platform; the Python code runs on every version.
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform}"
        # One entry per file: hatchling leaves out of a folder what .gitignore names, node_modules for one.
        for source, target in SHARED_DATA.items():
            path = Path(self.root, source)
            files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
            for file in files:
                name = target if file == path else f"{target}/{file.relative_to(path).as_posix()}"
                build_data["shared_data"][str(file)] = name
