"""The README's first commands, run as they stand there, in a folder of their own."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from support.command_session import run_session
from support.documentation import README, commands

EVALUATION = "ferdata eval runs/demo out/rafdb --split test --json"


@pytest.mark.slow
@pytest.mark.usefixtures("landmark_model")
def test_readme_commands_from_nothing_to_an_evaluated_model(tmp_path: Path) -> None:
    own = {"FERDATA_CACHE_DIR": str(tmp_path / "cache"), "OMP_NUM_THREADS": "1"}
    start = commands(README)[0]
    results = run_session(tmp_path, os.environ | own, [*start, EVALUATION, start[0]])
    for each in results:
        assert each["status"] == 0, f"{each['step']}\n{each['output']}"
        assert "Traceback" not in each["output"]
    *firsts, evaluation, again = results
    outputs = {each["step"].split()[1]: each["output"] for each in firsts}
    assert "Next steps" in outputs["build"]
    record = json.loads((tmp_path / "out/rafdb/build.json").read_text())
    assert len(set(record["summary"]["after"]["train"].values())) == 1
    found = record["summary"]["faces"]
    assert found["mediapipe"] >= 0.98 * sum(found.values())

    printed = evaluation["output"]
    report, _ = json.JSONDecoder().raw_decode(printed, printed.index("{"))
    assert report["split"] == "test"
    scores = report["scores"]
    assert scores["accuracy"] > scores["majority_accuracy"] + 0.2
    assert "already complete" in again["output"]
