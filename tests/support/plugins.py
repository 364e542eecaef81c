"""Installing the example package of plugins, and making entry points be there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np

from ferdata.core.registry import GROUP

SOURCE = Path(__file__).with_name("plugin_package")


def install_example(target: Path, scratch: Path) -> None:
    """Install the package into a folder; by hand where its build backend or pip is missing.

    Args:
        target: The folder, to be put on `PYTHONPATH`.
        scratch: A folder that does not exist; building leaves files beside the source.
    """
    shutil.copytree(SOURCE, scratch, ignore=shutil.ignore_patterns("__pycache__"))
    if find_spec("setuptools") and find_spec("pip"):
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
        command += ["--no-build-isolation", "--target", str(target), str(scratch)]
        subprocess.run(command, check=True, capture_output=True, text=True)
    else:
        install_by_hand(target, scratch)


def install_by_hand(target: Path, source: Path) -> None:
    """Copy the modules of a package and write the metadata that an installer would."""
    project = tomllib.loads((source / "pyproject.toml").read_text())["project"]
    module = project["name"].replace("-", "_")
    shutil.copytree(source / module, target / module)
    info = target / f"{module}-{project['version']}.dist-info"
    info.mkdir()
    metadata = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    (info / "METADATA").write_text(metadata)
    entries = [f"{name} = {value}" for name, value in project["entry-points"][GROUP].items()]
    (info / "entry_points.txt").write_text("\n".join([f"[{GROUP}]", *entries]) + "\n")


def write_smiles(folder: Path) -> Path:
    """Write a copy of the example's dataset, 32 images of noise, and return its root."""
    for number in range(32):
        name = f"{('happy', 'neutral')[number % 2]}/smiler{number // 4:02d}_{number % 4}.png"
        path = folder / "smiles" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 255, (48, 48), np.uint8)
        path.write_bytes(cv2.imencode(".png", pixels)[1].tobytes())
    return folder / "smiles"


def run_ferdata(*arguments: object, path: Path) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process that sees the packages in a folder."""
    places = [str(path), str(SOURCE.parents[2]), os.environ.get("PYTHONPATH", "")]
    return subprocess.run(
        [sys.executable, "-m", "ferdata", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, places))},
        capture_output=True,
        text=True,
        check=False,
    )
