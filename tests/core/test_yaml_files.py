"""Strict models of YAML files: what a wrong file is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict

from ferdata.core.errors import ManifestError, UnknownNameError
from ferdata.core.yaml_files import describe_unknown_key, load_named, read_model


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid")
    framing: str
    caveats: tuple[str, ...] = ()


class Whole(BaseModel):
    model_config = ConfigDict(extra="forbid")
    license: str
    parts: dict[str, Part | None] = {}
    layouts: tuple[Part, ...] = ()


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("license: x\nlicens: y", "the file: unknown key 'licens'. Did you mean 'license'?"),
        ("licence: x", "the file: the key 'licence' is now called 'license'"),
        ("license: x\nsound: {}", "unknown key 'sound'; expected one of layouts, license, parts"),
        ("{}", "license: Field required"),
        ("[1]", "the file: Input should be a valid dictionary"),
        (
            "license: x\nparts: {one: {framing: a, notes: [b]}}",
            "parts.one: the key 'notes' is now called 'caveats'",
        ),
        ("license: x\nlayouts: [{framing: a}, {framin: b}]",
         "layouts.1: unknown key 'framin'. Did you mean 'framing'?; layouts.1.framing: Field"),
        ("a: [", "not a YAML file"),
    ],
)  # fmt: skip
def test_problems_name_place_and_remedy(tmp_path: Path, text: str, problems: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(ManifestError) as caught:
        read_model(path, "whole", Whole)
    assert str(caught.value).startswith(f"{path}: not a ")
    assert problems in str(caught.value)


def test_a_renamed_key_is_not_missing_too(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("licence: x")
    with pytest.raises(ManifestError) as caught:
        read_model(tmp_path / "mine.yaml", "whole", Whole)
    assert "required" not in str(caught.value)


def test_renamed_keys_only_where_the_new_name_is_known() -> None:
    assert "now called 'leak_free'" in describe_unknown_key("sound", ["leak_free", "build"])
    assert "expected one of build" in describe_unknown_key("sound", ["build"])


def test_files_by_path_and_shipped_ones_by_name(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"gone\.yaml: can't be read \(No such file"):
        load_named("whole", "mixes", str(tmp_path / "gone.yaml"), Whole)
    with pytest.raises(UnknownNameError, match="unknown whole 'nothing'"):
        load_named("whole", "mixes", "nothing", Whole)
