"""CONTRIBUTING.md: the files that it names are there, and its code is Python."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

from test_structure import ROOMS

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)


def test_files_are_there() -> None:
    named = set(re.findall(r"`((?:ferdata|tests|manifests|docs)/[\w./]+)`", TEXT))
    assert len(named) > 15
    for name in named:  # of a recipe's NAME, its folder or the one above
        assert (ROOT / name.partition("NAME")[0]).exists(), name


def test_folders_are_in_their_order() -> None:
    assert " · ".join(f"`{room}`" for room in ROOMS) in " ".join(TEXT.split())


def test_code_is_python() -> None:
    found = blocks("python")
    assert len(found) > 8
    for code in found:
        ast.parse(code)


def test_entry_points_are_those_of_the_example() -> None:
    example = (ROOT / "tests/support/plugin_package/pyproject.toml").read_text(encoding="utf-8")
    (lines,) = blocks("toml")
    assert tomllib.loads(lines)["project"] == {
        "entry-points": tomllib.loads(example)["project"]["entry-points"]
    }
