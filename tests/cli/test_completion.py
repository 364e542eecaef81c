"""Completion in bash, zsh and fish: the scripts, and what is completed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ferdata.cli.app import VERBS

SHELLS = ("bash", "zsh", "fish")
ROOT = Path(__file__).parents[2]


def ferdata(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ferdata", *words],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | environment,
        cwd=ROOT,
    )


def asked(shell: str, line: str) -> dict[str, str]:
    """Return the variables by which a shell's script asks for the end of a line."""
    if shell == "bash":
        number = len(line.split()) - (not line.endswith(" "))
        return {"COMP_WORDS": line, "COMP_CWORD": str(number)}
    fish = {"_TYPER_COMPLETE_FISH_ACTION": "get-args"} if shell == "fish" else {}
    return {"_TYPER_COMPLETE_ARGS": line} | fish


def completed(shell: str, line: str) -> list[str]:
    variables = asked(shell, line) | {"_FERDATA_COMPLETE": f"complete_{shell}"}
    result = ferdata(**variables)
    assert result.stderr == ""
    return result.stdout.split("\n")[:-1] if result.stdout.strip() else []


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_of_each_shell(shell: str, tmp_path: Path) -> None:
    result = ferdata("--show-completion", shell, _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    assert result.returncode == 0, result.stderr
    assert f"_FERDATA_COMPLETE=complete_{shell}" in result.stdout
    last = {"bash": "complete -o", "zsh": "compdef", "fish": "complete --command ferdata"}
    assert last[shell] in result.stdout
    if shutil.which(shell):
        script = tmp_path / f"ferdata.{shell}"
        script.write_text(result.stdout)
        subprocess.run([shell, "-n", script], check=True, capture_output=True)


@pytest.mark.parametrize("shell", SHELLS)
def test_verbs_are_completed(shell: str) -> None:
    verbs = completed(shell, "ferdata ")
    if shell == "bash":
        assert verbs == list(VERBS)
    else:  # with their line of help
        text = "\n".join(verbs)
        assert all(verb in text for verb in VERBS)
        assert "Train a model on a build" in text


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("ferdata ver", ["verify"]),
        ("ferdata build rafdb", ["rafdb", "rafdb-compound"]),
        ("ferdata build FER", ["FERPLUS-7", "FER_CK+_KDEF"]),
        ("ferdata build x --split stra", ["stratified:8:1:1"]),
        ("ferdata build x --formats hdf5,h", ["hdf5,hdf5", "hdf5,hf"]),
        ("ferdata build kdef --poses s", ["straight"]),
        ("ferdata build x --landmarks m", ["mediapipe"]),
        ("ferdata train out --recipe lm", ["lmfer"]),
        ("ferdata train out --model ct", ["ctan"]),
        ("ferdata audit x --rules tiny", ["tiny-class"]),
        ("ferdata split ex", ["export"]),
        ("ferdata nonsense x", []),
        ("ferdata build x --out ", []),  # left to the shell, which completes files
    ],
)  # fmt: skip
def test_what_is_completed(line: str, expected: list[str]) -> None:
    assert completed("bash", line) == expected


_BASH = """
source <(ferdata --show-completion bash)
COMP_WORDS=(ferdata build rafdb --align n); COMP_CWORD=4
"$(complete -p ferdata | grep -o '_ferdata[a-z_]*')" ferdata
echo "${COMPREPLY[@]}"
"""
_FISH = """
ferdata --show-completion fish | source
complete -C "ferdata build rafdb --align n"
"""


@pytest.mark.parametrize(("shell", "script"), [("bash", _BASH), ("fish", _FISH)])
def test_the_shell_itself_completes(shell: str, script: str, tmp_path: Path) -> None:
    if shutil.which(shell) is None or sys.platform == "win32":
        pytest.skip(f"no {shell}")
    program = tmp_path / "ferdata"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m ferdata "$@"\n')
    program.chmod(0o755)
    changed = {
        "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "HOME": str(tmp_path),
        "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1",
    }
    result = subprocess.run(
        [shell, *(["--norc"] if shell == "bash" else []), "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | changed,
        cwd=tmp_path,
    )
    assert result.stdout.split() == ["none"]
