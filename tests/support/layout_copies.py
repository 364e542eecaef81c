"""Synthetic copies of every dataset in every layout that can be written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ferdata.ingesters.demo import write_demo
from ferdata.ingesters.synthetic import writers

COPIES = [(name, layout) for name, writer in writers().items() for layout in writer.layouts]
"""Name and layout of each copy."""

_SCALES = {("affectnet", "any"): 0.0002, ("fer2013", "class-folders"): 0.006,
    ("fer2013", "arrays"): 0.006}  # fmt: skip
"""FER2013 without its file names is known by its class shares, which takes 200 images."""


def scale_of(name: str, layout: str) -> float:
    """Return the size of a copy as a fraction of the real dataset."""
    return _SCALES.get((name, layout), _SCALES.get((name, "any"), 0.002))


def choices_of(name: str, layout: str) -> Mapping[str, str]:
    """Return what a copy must be read with; a small one does not show the order of its codes."""
    return writers()[name].choices.get(layout, {})


def write_copies(out: Path) -> dict[tuple[str, str], Path]:
    """Draw all copies; return the root of each."""
    return {
        (name, layout): write_demo(
            name, out / f"{name}-{layout}", layout=layout, scale=scale_of(name, layout), quiet=True
        ).root
        for name, layout in COPIES
    }
