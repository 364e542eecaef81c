"""Files are whole or not there."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from ferdata.core.errors import BuildError
from ferdata.core.files import finish_atomically, read_json, write_atomically, write_json


def test_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "a.json"
    write_json(target, {"n": 1})
    with pytest.raises(RuntimeError), write_atomically(target) as file:
        file.write(b"half")
        raise RuntimeError("killed")
    assert read_json(target) == {"n": 1}
    assert list(tmp_path.iterdir()) == [target]


def test_full_disk_is_a_clear_error(tmp_path: Path) -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    message = r"shard\.h5: can't be written: No space left"
    with (
        pytest.raises(BuildError, match=message),
        finish_atomically(tmp_path / "shard.h5") as partial,
    ):
        partial.write_bytes(b"x")
        raise full
    assert list(tmp_path.iterdir()) == []


def test_broken_json_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{")
    with pytest.raises(BuildError, match=r"x\.json: not readable as JSON"):
        read_json(tmp_path / "x.json")
    with pytest.raises(BuildError, match="no such file"):
        read_json(tmp_path / "y.json")
