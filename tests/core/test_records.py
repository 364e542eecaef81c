"""Records: one class writes and reads a file, and says what to do where it can't be used."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest

from ferdata.core.errors import BuildError
from ferdata.core.records import Record


class Note(Record):
    """The record of the tests."""

    file_name: ClassVar[str] = "note.json"
    current: ClassVar[str] = "test-note/3"
    error: ClassVar[type[BuildError]] = BuildError
    remedy: ClassVar[str] = "write it again"

    format: str = "test-note/3"
    text: str
    number: int = 0

    @classmethod
    def missing(cls, folder: Path) -> str:
        """Say that there is none."""
        return f"{folder}: no note"

    @classmethod
    def upgraded(cls, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Upgrade version 2, which said `words`."""
        if values["format"] != "test-note/2":
            return values
        return {"format": cls.current, "text": values["words"]}


def test_what_is_saved_is_opened_again(tmp_path: Path) -> None:
    note = Note(text="hello", number=3)
    note.save(tmp_path)
    assert Note.open(tmp_path) == note


def test_an_older_format_is_upgraded(tmp_path: Path) -> None:
    (tmp_path / "note.json").write_text('{"format": "test-note/2", "words": "old"}')
    assert Note.open(tmp_path) == Note(text="old")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no note"),
        ("{", "not readable as JSON: .*; write it again"),
        ("[]", "not written by ferdata; write it again"),
        ('{"text": "x"}', "not written by ferdata"),
        ('{"format": "test-note/4"}', "written by a newer ferdata.*pip install -U ferdata"),
        ('{"format": "test-note/1"}', "format test-note/1, but this ferdata reads test-note/3"),
        ('{"format": "other/9"}', "format other/9, but this ferdata reads"),
        ('{"format": "test-note/3"}', r"damaged \(text: .*\); write it again"),
        ('{"format": "test-note/3", "text": "x", "more": 1}', r"damaged \(more: "),
    ],
)
def test_files_that_cant_be_used_are_refused(
    tmp_path: Path, content: str | None, message: str
) -> None:
    if content is not None:
        (tmp_path / "note.json").write_text(content)
    with pytest.raises(BuildError, match=message):
        Note.open(tmp_path)


def test_records_are_plain_json(tmp_path: Path) -> None:
    Note(text="ä").save(tmp_path)
    values = json.loads((tmp_path / "note.json").read_text(encoding="utf-8"))
    assert values == {"format": "test-note/3", "text": "ä", "number": 0}
