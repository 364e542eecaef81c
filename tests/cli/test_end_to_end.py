"""The README's first commands, run as they stand there, in a folder of their own."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from support.documentation import README, commands


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    words = shlex.split(command, comments=True)
    assert words[0] == "ferdata"
    return subprocess.run(
        [sys.executable, "-m", "ferdata", *words[1:]],
        cwd=folder,
        env=os.environ | {"FERDATA_CACHE_DIR": str(folder / "cache"), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.usefixtures("landmark_model")
def test_readme_commands_from_nothing_to_an_evaluated_model(tmp_path: Path) -> None:
    outputs = {}
    start = commands(README)[0]
    for command in start:
        result = run(command, tmp_path)
        assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"
        assert "Traceback" not in result.stderr
        outputs[command.split()[1]] = result.stdout
    assert "Next steps" in outputs["build"]
    record = json.loads((tmp_path / "out/rafdb/build.json").read_text())
    assert len(set(record["summary"]["after"]["train"].values())) == 1
    found = record["summary"]["faces"]
    assert found["mediapipe"] >= 0.98 * sum(found.values())

    evaluation = run("ferdata eval runs/demo out/rafdb --split test --json", tmp_path)
    report = json.loads(evaluation.stdout)
    assert report["split"] == "test"
    scores = report["scores"]
    assert scores["accuracy"] > scores["majority_accuracy"] + 0.2

    again = run(start[0], tmp_path)
    assert "already complete" in again.stdout
