"""`ferdata train` as a person meets it."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from typer.testing import CliRunner

from ferdata.cli.app import app

FAST = ["--model", "test_resnet", "--batch-size", "14", "--device", "cpu"]


def test_train_prints_scores_or_json(make_build, tmp_path):
    run, build = str(tmp_path / "run"), str(make_build())
    result = CliRunner().invoke(app, ["train", build, *FAST, "--epochs", "1", "--out", run])
    assert result.exit_code == 0, result.output
    assert "always predicting" in " ".join(result.stdout.split())
    assert f"ferdata eval {run} {build}" in result.stdout
    result = CliRunner().invoke(app, ["train", build, "--out", run, "--resume", "--json"])
    assert json.loads(result.stdout)["epochs"] == 1


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_control_c_keeps_the_last_epoch_and_exits_with_130(make_build, tmp_path):
    build, run = make_build(), tmp_path / "run"
    command = [sys.executable, "-c", "from ferdata.cli import main; main()", "train", str(build),
               *FAST, "--epochs", "500", "--out", str(run)]  # fmt: skip
    last = run / "checkpoints" / "last.ckpt"
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        for _ in range(600):
            if last.exists() or process.poll() is not None:
                break
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        _, messages = process.communicate(timeout=60)
    assert process.returncode == 130, messages
    assert "of 500 epochs; resume with: ferdata train" in messages
    assert "Traceback" not in messages
    assert "Lightning" not in messages
    assert last.exists()
    assert not list(run.rglob("*.partial"))
