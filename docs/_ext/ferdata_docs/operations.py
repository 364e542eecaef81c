"""The gallery: every operation with its ranges, and a picture made by the code that it shows."""

from __future__ import annotations

import dataclasses
import inspect
import json
from collections.abc import Iterator
from pathlib import Path

import yaml

from ferdata.augmentation.operations import KINDS, Operation
from ferdata_docs import drawing
from ferdata_docs.samples import strip, write_picture
from ferdata_docs.writing import code, fence, table, write_page

EXAMPLES = {
    "albumentations": {"transform": "CLAHE", "parameters": {"clip_limit": [1, 4]}},
}
"""Options of an operation that has no useful defaults."""


def write_pages(folder: Path) -> None:
    """Write the page and its pictures."""
    kinds = {name: KINDS.get(name) for name in KINDS.names()}
    parts = [part for name, kind in kinds.items() for part in _operation(name, kind, folder)]
    write_page(
        folder / "operations.md",
        "# Gallery of operations",
        "Every operation of augmentation with its options, the widest range of each, and what it "
        "does to a drawn face: the face, then five copies, "
        "drawn with probability 1 and the default "
        "ranges. Above each copy is what was drawn, as its row in the manifest says it. "
        "[Augmentation](../augmentation.md) explains how lists of operations are used.",
        "The pictures are made by this function, called with the entry that stands above each:",
        fence("python", inspect.getsource(drawing.draw_copies)),
        *parts,
    )


def _operation(name: str, kind: type[Operation], folder: Path) -> Iterator[str]:
    entry = {"op": name, **EXAMPLES.get(name, {}), "probability": 1.0}
    images, drawn = drawing.draw_copies(entry)
    write_picture(
        folder / "pictures" / f"{name}.png", strip(images, ["", *map(_caption, drawn)], 3)
    )
    yield f"## {name}"
    yield " ".join(inspect.cleandoc(kind.__doc__ or "").split("\n\n")[0].split())
    yield table(["option", "default", "widest range"], _options(kind))
    yield fence("yaml", yaml.safe_dump([entry], default_flow_style=True, sort_keys=False, width=90))
    yield f"![A drawn face and five copies with {name}](pictures/{name}.png)"


def _options(kind: type[Operation]) -> Iterator[list[str]]:
    for field in dataclasses.fields(kind):
        default = str(_plain(field.default)) or "required"
        if field.default_factory is not dataclasses.MISSING:
            default = str(field.default_factory())
        low, high = kind.limits.get(field.name, (None, None))
        widest = f"{low:g} to {high:g}" if low is not None else ""
        widest = "0 to 1" if field.name == "probability" else widest
        yield [code(field.name), code(default), widest]


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _caption(text: str) -> str:
    """Return what was drawn for a copy, short enough to stand above it."""
    values = {key: each for key, each in json.loads(text)[0].items() if key not in ("op", "seed")}
    short = [f"{key} {each:.3g}" for key, each in values.items() if isinstance(each, int | float)]
    return ", ".join(short)[:20]
