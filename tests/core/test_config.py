"""Files of options."""

from __future__ import annotations

from pathlib import Path

import pytest

from ferdata.core.config import read_config, write_config
from ferdata.core.errors import OptionError


def test_what_is_written_is_read(tmp_path: Path) -> None:
    values = {"name": "rafdb", "size": 96, "choices": {"poses": "half"}, "formats": ["hdf5"]}
    write_config(tmp_path / "a.yaml", values, title="A test.")
    assert (tmp_path / "a.yaml").read_text().startswith("# A test.\nname: rafdb\n")
    assert read_config(tmp_path / "a.yaml") == values


def test_files_beside_it_are_found_and_dashes_count_as_underscores(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("[]")
    (tmp_path / "a.yaml").write_text("operations: mine.yaml\nrecipe: lmfer\nbalance-to: 100\n")
    expected = {"operations": str(tmp_path / "mine.yaml"), "recipe": "lmfer", "balance_to": 100}
    assert read_config(tmp_path / "a.yaml") == expected
    (tmp_path / "empty.yaml").write_text("# nothing\n")
    assert read_config(tmp_path / "empty.yaml") == {}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "can't be read"),
        ("a: [", "not a YAML file"),
        ("- 3", "expected a mapping of options.*found list"),
        ("!!python/object:os.system {}", "not a YAML file"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: str | None, message: str) -> None:
    if content is not None:
        (tmp_path / "a.yaml").write_text(content)
    with pytest.raises(OptionError, match=message):
        read_config(tmp_path / "a.yaml")
