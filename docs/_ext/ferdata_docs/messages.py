"""The FAQ: commands that fail, what they print, and what to do."""

from __future__ import annotations

import contextlib
import io
import shlex
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import yaml

import ferdata
from ferdata.cli import main
from ferdata_docs.writing import fence, write_page

QUESTIONS = Path(__file__).parents[2] / "questions.yaml"
"""Questions with the command that shows the message, and the answer."""


def write_pages(folder: Path) -> None:
    """Write the page; each command is run, and must fail."""
    parts = []
    one = mock.patch("ferdata.core.parallel.default_workers", return_value=1)  # starts no process
    with one, tempfile.TemporaryDirectory() as place, contextlib.chdir(place):
        prepare(Path(place))
        for each in read_questions():
            parts += [f"## {each['question']}", fence("console", _session(each)), each["answer"]]
    write_page(
        folder / "questions.md",
        "# Questions and messages",
        "An error of ferdata says what is wrong, where, and what to do. These are the ones "
        "that people meet first, as the program prints them; where the message alone is not "
        "enough, here is more. All classes of errors are in "
        "[Python](../reference/python.md#errors).",
        *parts,
    )


def read_questions() -> list[dict[str, Any]]:
    """Return the questions, in order."""
    found: list[dict[str, Any]] = yaml.safe_load(QUESTIONS.read_text(encoding="utf-8"))
    return found


def prepare(place: Path) -> None:
    """Write what the commands find: a copy, a build, a damaged one, a folder of something else."""
    ferdata.demo("rafdb", place / "data/RAF-DB", scale=0.002, quiet=True)
    ferdata.build(
        "rafdb", place / "data/RAF-DB", place / "out/rafdb", landmarks="none", quiet=True,
        report=False,
    )  # fmt: skip
    shutil.copytree(place / "out/rafdb", place / "out/damaged")
    shard = next((place / "out/damaged/hdf5").glob("train*.h5"))
    shard.write_bytes(
        bytes(each ^ 1 for each in shard.read_bytes()[:9000]) + shard.read_bytes()[9000:]
    )
    (place / "data/holiday").mkdir()
    (place / "data/holiday/notes.txt").write_text("no images here\n", encoding="ascii")


def run(command: str) -> tuple[int, str]:
    """Run a command of ferdata in this process; returns its exit code and what it printed."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        try:
            main(shlex.split(command)[1:])
        except SystemExit as end:
            return int(end.code or 0), printed.getvalue()
    return 0, printed.getvalue()


def _session(question: dict[str, Any]) -> str:
    status, printed = run(question["command"])
    if status == 0:
        raise RuntimeError(f"{question['command']}: was to fail, and did not: {printed}")
    shown = printed.replace(f"{Path.cwd()}/", "").strip()
    return "\n".join([f"$ {question['command']}", *_wrapped(shown)])


def _wrapped(text: str, width: int = 88) -> Iterator[str]:
    """Yield lines of at most a width, broken between words."""
    for line in text.splitlines():
        words, current = line.split(" "), ""
        for word in words:
            if current and len(current) + 1 + len(word) > width:
                yield current
                current = "  " + word
            else:
                current = f"{current} {word}" if current else word
        yield current
