"""Sets in other libraries' formats: a folder becomes a declaration, drafted from what it holds.

found = read_import("hf:data/my-faces")
found.declaration, found.root
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ferdata.core.errors import LabelError, LayoutError, OptionError, ParseError
from ferdata.core.files import EXPORT_RECORD
from ferdata.core.parsing import parse_json, parse_yaml
from ferdata.ingesters.declared.declaration import Declaration, parse_declaration
from ferdata.ingesters.declared.draft import draft_declaration
from ferdata.ingesters.info import shipped_file

FORMATS = {
    "hf": "a Hugging Face dataset: Parquet files, the folder of save_to_disk, or an image folder",
    "fiftyone": "a FiftyOne dataset: FiftyOneDataset, FiftyOneImageClassificationDataset or "
    "ImageClassificationDirectoryTree",
}
"""The formats that are imported, with what a folder of each may be."""

_NOT_STATED = ("", "unknown", "other")
"""Licenses of cards that say nothing."""

_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")
_FRONT_MATTER = re.compile(r"---\s*\n(.*?)\n---", re.DOTALL)


@dataclass(frozen=True)
class Import:
    """A folder in another library's format, ready to be built.

    Attributes:
        declaration: What it holds.
        root: The folder.
    """

    declaration: Declaration
    root: Path


def read_import(source: str, name: str | None = None) -> Import:
    """Find out what a folder in another library's format holds.

    Args:
        source: `FORMAT:PATH`, with one of `FORMATS`, for instance `hf:data/my-faces`.
        name: Name of the set; default: the one that a FiftyOne dataset or an export of ferdata
            has, else the folder's.

    Raises:
        OptionError: The source is not as described, or the folder does not exist.
        LayoutError: The folder holds no images with labels.
        LabelError: Some labels name no expression.
        ManifestError: The name can't be used.
    """
    kind, root = _parse(source)
    draft = draft_declaration(root)
    if draft is None:
        raise LayoutError(f"{source}: no images with labels were found; expected {FORMATS[kind]}")
    if draft.unknown:
        raise LabelError(
            f"{source}: {len(draft.unknown)} labels name no expression: "
            f"{', '.join(draft.unknown[:8])}. {how_to_name_labels(root)}"
        )
    about = _about(kind, root)
    values = {**parse_yaml(draft.text), **about}
    values["name"] = name or about.get("name") or values["name"]
    return Import(parse_declaration(values, source), root)


def how_to_name_labels(root: Path) -> str:
    """Return how the classes of unknown labels are declared."""
    return (
        f"Run `ferdata detect '{root}' --write my.yaml`, name their classes under labels: there, "
        f"then: ferdata build my.yaml --data '{root}' --out DIR"
    )


def _parse(source: str) -> tuple[str, Path]:
    """Return the format and the folder.

    Raises:
        OptionError: The format is unknown, or there is no such folder.
    """
    kind, colon, place = str(source).partition(":")
    if kind not in FORMATS or not colon or not place:
        expected = " or ".join(f"{each}:PATH" for each in FORMATS)
        raise OptionError(f"--from {source}: expected {expected}")
    root = Path(place).expanduser()
    if root.is_dir():
        return kind, root
    advice = (
        f". To build a dataset of the Hub, download it first: hf download {place} "
        "--repo-type dataset --local-dir DIR"
        if kind == "hf" and _HUB_NAME.fullmatch(place)
        else ""
    )
    raise OptionError(f"--from {source}: there is no folder {root}{advice}")


def _about(kind: str, root: Path) -> dict[str, Any]:
    """Return name, title and license, where files of the folder state them."""
    about = _card(root) if kind == "hf" else _named(_json(root / "metadata.json"))
    exported = _json(root / EXPORT_RECORD)  # an export of ferdata: its terms still apply
    if terms := exported.get("terms"):
        about |= {"license": ". ".join(map(str, terms)), **_named(exported)}
    return about


def _json(path: Path) -> dict[str, Any]:
    """Return the content of a JSON file; nothing where there is none."""
    try:
        found = parse_json(path.read_bytes())
    except (OSError, ParseError):
        return {}
    return found if isinstance(found, dict) else {}


def _named(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return the name of a set, where one is stated that can be used."""
    usable = re.sub(r"[^A-Za-z0-9_.+-]+", "-", str(found.get("name") or "")).strip("-_.+")
    if not usable:
        return {}
    return {"name": f"my-{usable}" if shipped_file(usable).is_file() else usable}


def _card(root: Path) -> dict[str, Any]:
    """Return title and license, where the card of a Hugging Face dataset states them."""
    try:
        text = (root / "README.md").read_text(encoding="utf-8", errors="replace")
        front = _FRONT_MATTER.match(text)
        stated = parse_yaml(front[1]) if front else {}
    except (OSError, ParseError):
        return {}
    if not isinstance(stated, dict):
        return {}
    known = {"title": stated.get("pretty_name"), "license": stated.get("license")}
    return {
        key: value
        for key, value in known.items()
        if isinstance(value, str) and value not in _NOT_STATED
    }
