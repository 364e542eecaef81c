"""Wrong calls: exit code 2, one clear message on standard error, no traceback."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest


def ferdata(*words: object, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ferdata", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        **options,
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["build", "rafdb", "--out", "{tmp}/o"], "give either --data DIR"),
        (["build", "rafdbb", "--demo", "--out", "{tmp}/o"], "Did you mean 'rafdb'"),
        (["build", "rafdb", "--data", "{tmp}/none", "--out", "{tmp}/o"], "none"),
        (["build", "rafdb", "--data", "{tmp}", "--out", "{tmp}/o"], "rafdb"),
        (["build", "rafdb", "--demo", "--size", "3", "--out", "{tmp}/o"], "--size 3"),
        (["build", "rafdb", "--demo", "--augment", "more", "--out", "{tmp}/o"], "--augment more"),
        (["build", "rafdb", "--demo", "--shard-bytes", "9X", "--out", "{tmp}/o"], "256MB"),
        (["build", "rafdb", "--demo", "--split", "random", "--out", "{tmp}/o"], "official"),
        (["verify", "{tmp}"], "build"),
        (["train", "{tmp}"], "build"),
        (["datasets", "nope"], "expected one of"),
        (["recipes", "lmferr"], "Did you mean 'lmfer'"),
        (["train", "{tmp}", "--set", "lookahead"], "expected NAME=VALUE"),
        (["eval", "{tmp}", "{tmp}"], "not a training run"),
        (["compare", "{tmp}"], "not a training run"),
        (["predict", "{tmp}", "{tmp}"], "not a training run"),
        (["export", "{tmp}"], "neither a build nor a training run"),
        (["view", "{tmp}"], "neither a build, a training run nor an audit"),
        (["nonsense"], "nonsense"),
    ],
)
def test_wrong_call(tmp_path: Path, words: list[str], message: str) -> None:
    result = ferdata(*(word.format(tmp=tmp_path) for word in words))
    assert result.returncode == 2, result.stderr
    assert message in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    "verb",
    [
        "build", "verify", "train", "eval", "compare", "predict", "export", "recipes", "datasets",
        "detect", "ingest", "demo", "doctor", "report",
        "view",
    ],
)  # fmt: skip
def test_every_verb_has_help_with_an_example(verb: str) -> None:
    result = ferdata(verb, "--help")
    assert result.returncode == 0
    assert "Examples:" in result.stdout
    assert f"  ferdata {verb}" in result.stdout


def test_version() -> None:
    assert ferdata("--version").stdout.startswith("ferdata 0.")


def test_doctor_reports_every_part_as_json() -> None:
    subjects = {finding["subject"] for finding in json.loads(ferdata("doctor", "--json").stdout)}
    assert {"cv2", "opencv distributions", "detector mediapipe", "GPU", "free disk"} <= subjects


def test_doctor_recommends_an_opencv_that_every_distribution_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from ferdata.cli import doctor
    from ferdata.core import extras

    # 5.1.0.95 was released for contrib only
    versions = {"opencv-python": "5.0.0.93", "opencv-contrib-python": "5.1.0.95"}

    def version(name: str) -> str:
        if name not in versions:
            raise importlib.metadata.PackageNotFoundError(name)
        return versions[name]

    monkeypatch.setattr(importlib.metadata, "version", version)
    finding = next(f for f in doctor.examine() if f.subject == "opencv distributions")
    assert finding.status == "problem"
    pins = "opencv-contrib-python==5.0.0.93 opencv-python==5.0.0.93"
    assert f"--no-deps {pins}" in finding.detail
    constraints = (Path(__file__).parents[2] / "constraints.txt").read_text().splitlines()
    assert {f"{name}=={doctor._CV2_VERSION}" for name in extras.OPENCV_DISTRIBUTIONS} <= {
        *constraints
    }


def test_doctor_names_a_missing_model_a_problem(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from ferdata.cli import doctor
    from ferdata.faces.detectors.mediapipe import MediaPipeDetector

    (file,) = MediaPipeDetector.files
    nowhere = dataclasses.replace(file, name="absent.task")
    monkeypatch.setattr(MediaPipeDetector, "files", (nowhere,))
    finding = next(f for f in doctor.examine() if f.subject == "detector mediapipe")
    assert finding.status == "problem"
    assert "absent.task is missing. Run: pip install 'ferdata[model]', or:" in finding.detail


def test_interrupt_leaves_with_130_and_can_go_on(demo_rafdb: Path, tmp_path: Path) -> None:
    words = ["build", "rafdb", "--data", demo_rafdb, "--out", tmp_path / "o", "--landmarks", "none"]
    words += ["--augment", "balance", "--shard-bytes", "300kB", "--workers", "2"]
    command = [sys.executable, "-m", "ferdata", *map(str, words)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 60
        while not list((tmp_path / "o").glob("hdf5/*.json")):
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.005)
        process.send_signal(signal.SIGINT)
        stderr = process.communicate(timeout=30)[1]
    assert process.returncode == 130, stderr
    assert "Traceback" not in stderr
    assert "run the same command again" in stderr
    result = ferdata(*words)
    assert result.returncode == 0, result.stderr
    assert ferdata("verify", tmp_path / "o").returncode == 0
