"""Every command and every Python block of the README, run in order, on synthetic copies.

The copies lie where the README expects the real ones, below `~/data`. Demos are made smaller and
training is cut to one epoch, a recipe's also to small images; `test_end_to_end.py` runs the first
block as it stands.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.readme import blocks, commands

from ferdata.ingesters.demo import write_demo

COPIES = {
    "RAF-DB": (("rafdb", 0.03), ("rafdb-compound", 0.03)),
    "fer": (("ferplus", 0.01),),
    "CK+": (("ckplus", 0.1),),
    "KDEF_and_AKDEF": (("kdef", 0.02),),
    "AffectNet": (("affectnet", 0.0005),),
    "jaffe": (("jaffe", 0.3),),
}
"""Datasets of each folder below `~/data`, with their scales."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    for folder, copies in COPIES.items():
        for name, scale in copies:
            copy = write_demo(name, home / "drawn" / name, scale=scale, quiet=True).root
            shutil.copytree(copy, home / "data" / folder, dirs_exist_ok=True)
    write_own_set(home / "data" / "my-set")
    work = home / "work"
    (work / "holiday").mkdir(parents=True)
    photographs = sorted((home / "drawn/rafdb").rglob("original/*.jpg"))
    for photograph, name in zip(photographs, ("photo.jpg", "holiday/1.jpg"), strict=False):
        shutil.copy(photograph, work / name)
    return home


def write_own_set(root: Path) -> None:
    """Write images of noise, by split and class."""
    names = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")
    for index in range(140):
        pixels = np.random.default_rng(index).integers(0, 255, (64, 64, 3), np.uint8)
        path = root / ("train", "train", "test")[index % 3] / names[index % 7] / f"{index}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), pixels)


def environment(home: Path) -> dict[str, str]:
    scripts = home / "bin"
    scripts.mkdir(exist_ok=True)
    (scripts / "ferdata").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m ferdata "$@"\n')
    (scripts / "ferdata").chmod(0o755)
    return os.environ | {
        "HOME": str(home),
        "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
        "FERDATA_CACHE_DIR": str(home / "cache"),
        "OMP_NUM_THREADS": "1",
    }


def run(words: list[str], home: Path) -> subprocess.CompletedProcess[str]:
    result = subprocess.run(
        words,
        cwd=home / "work",
        env=environment(home),
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, f"{words[-1]}\n{result.stdout}\n{result.stderr}"
    assert "Traceback" not in result.stderr
    return result


def shortened(text: str) -> str:
    """Return a command or a block of Python with little to draw and one epoch to train."""
    text = re.sub(r" --epochs \d+", "", text)
    small = " --input-size 64 --batch-size 16" if "--recipe" in text else ""
    text = re.sub(r"^ferdata train\b", f"ferdata train --epochs 1{small}", text)
    text = re.sub(r"\bepochs=\d+", "epochs=1", text)
    return text.replace(" --demo ", " --demo --demo-scale 0.01 ").replace(
        "demo=True", "demo=True, demo_scale=0.01"
    )


@pytest.mark.slow
@pytest.mark.usefixtures("landmark_model")
@pytest.mark.skipif(shutil.which("bash") is None, reason="the README's commands are for bash")
def test_every_command_and_python_block_runs(home: Path) -> None:
    lines = [line for block in commands() for line in block]
    assert len(lines) > 25
    for line in lines:
        run(["bash", "-c", shortened(line)], home)
    for block in blocks("python"):
        # The same run as the shell's, which is finished by now.
        run([sys.executable, "-c", shortened(block).replace("runs/demo", "runs/python")], home)
