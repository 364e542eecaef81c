"""The generated reference has every command, flag and option; examples in the help are valid."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def docs() -> Iterator[Any]:
    """Return the modules that write the pages, found where Sphinx finds them."""
    sys.path.insert(0, str(ROOT / "docs/_ext"))
    from ferdata_docs import commands, options

    yield {"commands": commands, "options": options}
    sys.path.remove(str(ROOT / "docs/_ext"))


def test_every_flag_is_on_the_page_of_its_command(docs: Any, tmp_path: Path) -> None:
    docs["commands"].write_pages(tmp_path)
    number = 0
    for name, command in docs["commands"].commands().items():
        page = (tmp_path / "commands" / f"{name.split()[0]}.md").read_text(encoding="utf-8")
        assert f"{{program}} ferdata {name}\n" in page
        for parameter in command.params:
            if parameter.param_type_name == "option" and parameter.name != "help":
                assert f"{parameter.opts[-1]}" in page, f"{name} {parameter.name}"
                number += 1
    assert number > 150


def test_every_option_has_an_entry_with_its_default(docs: Any, tmp_path: Path) -> None:
    docs["options"].write_pages(tmp_path)
    for name, (_, _, models) in docs["options"].PAGES.items():
        page = (tmp_path / "options" / f"{name}.md").read_text(encoding="utf-8")
        for model in models:
            assert "``` " not in page
            for field in model.model_fields:
                assert f"{{py:attribute}} {model.__name__}.{field}\n:type: " in page
    train = (tmp_path / "options" / "train.md").read_text(encoding="utf-8")
    entry = train.partition("{py:attribute} TrainOptions.label_smoothing\n")[2]
    assert entry.startswith(":type: float\n:value: 0.0\n")
    assert "≥ 0 and < 1" in entry.partition("```")[0]


def test_every_example_in_the_help_is_valid(docs: Any) -> None:
    known, number = docs["commands"].commands(), 0
    for command in known.values():
        text = docs["commands"].examples(command).replace("\\\n", " ")
        for line in filter(None, map(str.strip, text.splitlines())):
            words = shlex.split(line.partition(" | ")[0], comments=True)
            words = words[words.index("ferdata") :]  # behind variables
            called = " ".join(words[1:3]) if " ".join(words[1:3]) in known else words[1]
            own = words[1 + len(called.split()) :]
            known[called].make_context(called, own)  # raises for an unknown flag or a bad value
            number += 1
    assert number > 60
