"""Every command and Python block of the README and of the documentation, run on synthetic copies.

The copies lie where the pages expect the real ones, below `~/data`. Demos are made smaller, and
training is cut to one epoch, a recipe's also to small images; `test_end_to_end.py` runs the
README's first block as it stands. Blocks of `sh` and `python` run; `console` and `py` don't.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.command_session import failed, run_session
from support.documentation import README, blocks, commands, pages

from ferdata.ingesters.demo import write_demo

COPIES = {
    "RAF-DB": (("rafdb", 0.008), ("rafdb-compound", 0.008)),
    "fer": (("ferplus", 0.004),),
    "CK+": (("ckplus", 0.04),),
    "KDEF_and_AKDEF": (("kdef", 0.01),),
    "AffectNet": (("affectnet", 0.0003),),
    "jaffe": (("jaffe", 0.2),),
}
"""Datasets of each folder below `~/data`, with their scales."""

SERVERS = ("view",)
"""Verbs that run until they are stopped; tests of their own start them."""

GIVEN = (
    "ferdata build rafdb --demo --augment balance --out out/rafdb",
    "ferdata build ckplus --data ~/data/CK+ --landmarks none --out out/ckplus",
    "ferdata ingest rafdb --data ~/data/RAF-DB --out rafdb.parquet",
)
"""What the pages take as made before, by the README or another page."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("landmark_model"),
    pytest.mark.skipif(shutil.which("bash") is None, reason="the commands are for bash"),
]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
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
    return os.environ | {
        "HOME": str(home),
        "FERDATA_CACHE_DIR": str(home / "cache"),
        "OMP_NUM_THREADS": "1",
    }


def shortened(text: str) -> str:
    """Return a command or a block of Python with little to draw and one epoch to train."""
    text = re.sub(r" --epochs \d+", "", text)
    small = " --input-size 64 --batch-size 16" if "--recipe" in text else ""
    text = re.sub(r"^ferdata train\b", f"ferdata train --epochs 1{small}", text)
    text = re.sub(r"\bepochs=\d+", "epochs=1", text)
    text = re.sub(r"^ferdata (build|demo)\b", r"ferdata \1 --workers 1", text)
    text = re.sub(r"^ferdata compare\b", "ferdata compare --repeats 1", text)
    text = re.sub(r"^ferdata demo\b", "ferdata demo --scale 0.005", text)
    text = re.sub(r" --demo-scale \S+", "", text)
    return text.replace(" --demo ", " --demo --demo-scale 0.006 ").replace(
        "demo=True", "demo=True, demo_scale=0.006"
    )


def steps(path: Path) -> Iterator[str]:
    """Yield the commands of a page, then its Python blocks, shortened."""
    for block in commands(path):
        yield from (shortened(line) for line in block if line.split()[1] not in SERVERS)
    for block in blocks(path, "python"):
        # The same run as the shell's, which is finished by now.
        yield shortened(block).replace("runs/demo", "runs/python")


def require_success(home: Path, given: list[str]) -> None:
    results = run_session(home / "work", environment(home), given)
    for each in results:
        told = f"{each['step']}\n{each['output']}"
        assert not failed(each["step"], each["status"]), told
        assert "Traceback" not in each["output"]
    assert len(results) == len(given)


@pytest.mark.parametrize("how_to", [False, True], ids=["README-and-tutorials", "how-to"])
def test_every_command_and_python_block_runs(home: Path, *, how_to: bool) -> None:
    shown = [README, *pages()]
    shown = [path for path in shown if (path.parent.name == "how-to") is how_to]
    given = [*map(shortened, GIVEN), *(step for path in shown for step in steps(path))]
    assert len(given) > 25
    require_success(home, given)
