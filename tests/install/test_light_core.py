"""The core alone reads, builds and verifies; what is left out is said in one sentence.

Python runs on links to what `dependencies` in `pyproject.toml` asks for, so a package that is not
declared can't be imported, here and in worker processes.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from support.builds import write_build
from support.installed import closure, link_environment, requirements_of, run_in

from ferdata.shards.record import BuildRecord

LEFT_OUT = {"mediapipe", "albumentations", "datasets", "huggingface_hub", "torch", "matplotlib"}


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an environment with the core alone."""
    return link_environment(
        tmp_path_factory.mktemp("core") / "packages", closure(requirements_of()).values()
    )


@pytest.fixture(scope="module")
def built(core: Path) -> Path:
    """Return a build that the core alone made."""
    out = core.parent / "built"
    words = ["build", "rafdb", "--demo", "--demo-scale", "0.003", "--workers", "2", "--out", out]
    result = run_in(core, "-m", "ferdata", *words)
    assert result.returncode == 0, result.stderr
    remedy = "MediaPipe is not installed; run: pip install 'ferdata[model]'"
    assert result.stderr.count(remedy) == 1
    assert "load_dataset" not in result.stdout  # the library of that example is not installed
    assert "ferdata train" not in result.stdout
    return out


def test_the_core_has_one_opencv_and_nothing_heavy(core: Path) -> None:
    names = {path.name for path in core.iterdir()}
    assert not names & LEFT_OUT
    assert {"cv2", "numpy", "pyarrow", "h5py"} <= names
    assert sum(name.startswith("opencv_") and "dist-info" in name for name in names) == 1


def test_a_demo_is_built_and_verified(core: Path, built: Path) -> None:
    record = BuildRecord.open(built)
    assert "mediapipe could not run (a library is missing): no landmarks were detected" in (
        record.notes
    )
    assert not {"albumentations", "albucore"} & set(record.versions)
    assert record.versions["opencv-python"].startswith("5.")
    assert (built / "report.html").is_file()
    result = run_in(core, "-m", "ferdata", "verify", built)
    assert result.returncode == 0, result.stderr


def test_the_plan_is_that_of_a_full_installation(built: Path, tmp_path: Path) -> None:
    """Without landmarks on both sides, so that only versions could differ."""
    import ferdata

    data = built / "demo"
    full = ferdata.build("rafdb", data, tmp_path / "full", landmarks="none", report=False)
    core_record = BuildRecord.open(built)
    assert full.record.versions == core_record.versions


def test_reading_shards_needs_torch_and_little_of_the_core(tmp_path: Path) -> None:
    build = write_build(tmp_path / "build")
    read = ("h5py", "numpy", "pydantic", "PyYAML", "torch")
    needed = closure(map(Requirement, read))
    assert not {"pandas", "pyarrow", "opencv-python-headless"} & set(needed)
    packages = link_environment(tmp_path / "packages", needed.values())
    code = """
import sys
from torch.utils.data import DataLoader
from ferdata.data import ShardDataset, ShardLoader

rows = ShardDataset(sys.argv[1], "train")
print(len(rows), sum(len(batch["label"]) for batch in DataLoader(rows, batch_size=16)))
print(sum(len(batch["label"]) for batch in ShardLoader(sys.argv[1], "train", batch_size=16)))
"""
    result = run_in(packages, "-c", code, build)
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == ["70", "70", "70"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["build", "rafdb", "--demo", "--augment", "balance"], "ferdata[augment]"),
        (["build", "jaffe", "--demo"], "ferdata[model]"),  # photographs, to be aligned
    ],
)
def test_what_needs_an_extra_says_so(core: Path, words: list[str], said: str) -> None:
    out = core.parent / "-".join(words).replace(" ", "")
    result = run_in(core, "-m", "ferdata", *words, "--demo-scale", "0.003", "--out", out)
    assert result.returncode == 2
    *_, last = result.stderr.strip().splitlines()
    assert f"pip install '{said}'" in last
    assert "Traceback" not in result.stderr
    if "--augment" in words:
        assert not out.exists()  # said before any work


def test_doctor_lists_extras_and_finds_no_problem(core: Path, built: Path) -> None:
    result = run_in(core, "-m", "ferdata", "doctor", "--json")
    assert result.returncode == 0, result.stdout
    findings = {each["subject"]: each for each in json.loads(result.stdout)}
    assert findings["extra augment"]["status"] == "warning"
    assert "pip install 'ferdata[augment]'" in findings["extra augment"]["detail"]
    assert findings["opencv distributions"]["detail"].startswith("opencv-python-headless 5.")
    card = run_in(core, "-m", "ferdata", "card", built)
    assert card.stderr.endswith("run: pip install 'ferdata[hf]'\n")
