"""Every command prints on a console that knows few letters, such as cp1252 on Windows."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ferdata.cli import main
from ferdata.cli.app import VERBS
from ferdata.ingesters.lookup import dataset_names
from ferdata.recipes import recipe_names


def printed(monkeypatch: pytest.MonkeyPatch, encoding: str, *words: str) -> str:
    """Run a command with both outputs in an encoding; return what it printed as a result."""
    out, errors = (io.TextIOWrapper(io.BytesIO(), encoding, "strict") for _ in range(2))
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", errors)
    with pytest.raises(SystemExit) as exit_:
        main(list(words))
    out.flush()
    assert exit_.value.code in (0, None), errors.buffer.getvalue()
    return out.buffer.getvalue().decode(encoding)


@pytest.mark.parametrize("encoding", ["cp1252", "cp437", "latin-1"])
def test_help_is_printed(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for verb in VERBS:
        assert "Usage: ferdata" in printed(monkeypatch, encoding, verb, "--help")
    alpha = {"cp437": "α"}.get(encoding, "\\u03b1")
    assert f"step size {alpha} of" in printed(monkeypatch, encoding, "train", "--help")


def test_facts_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in dataset_names():
        assert name in printed(monkeypatch, "cp1252", "datasets", name)
    for name in recipe_names():
        assert name in printed(monkeypatch, "cp1252", "recipes", name)
    assert "leak-copy" in printed(monkeypatch, "cp1252", "audit", "--list-rules")


def test_json_stays_json(monkeypatch: pytest.MonkeyPatch) -> None:
    for words in (["datasets", "jaffe", "--json"], ["recipes", "--json"]):
        here = json.loads(printed(monkeypatch, "utf-8", *words))
        for encoding in ("cp1252", "ascii"):
            assert json.loads(printed(monkeypatch, encoding, *words)) == here


def test_a_whole_way_on_such_a_console(tmp_path: Path) -> None:
    """In processes of their own: build, verify, audit, report, in a folder that is not ASCII."""
    out = tmp_path / "søt → λ"
    environment = os.environ | {"PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"}
    build = [
        "build",
        "rafdb",
        "--demo",
        "--demo-scale",
        "0.002",
        "--out",
        out,
        "--landmarks",
        "none",
    ]
    for words in (
        [*build, "--demo-scale", "0.002", "--size", "32", "--workers", "1"],
        ["verify", out],
        ["card", out],
        ["build", "rafdb", "--data", out / "nowhere λ", "--out", tmp_path / "none"],
    ):
        result = subprocess.run(
            [sys.executable, "-m", "ferdata", *map(str, words)],
            capture_output=True,
            check=False,
            env=environment,
            cwd=Path(__file__).parents[2],
        )
        assert b"Traceback" not in result.stderr, result.stderr
        assert b"Error" in result.stderr or result.returncode in (0, 1)
        result.stdout.decode("cp1252")
