"""Synthetic copies of every dataset in every layout that can be written."""

from __future__ import annotations

from pathlib import Path

from ferdata.ingesters.demo import write_demo
from ferdata.ingesters.synthetic import writers

COPIES = [(name, layout) for name, writer in writers().items() for layout in writer.layouts]
"""Name and layout of each copy."""

_SCALES = {"affectnet": 0.0002}


def scale_of(name: str) -> float:
    """Return the size of a dataset's copies as a fraction of the real one."""
    return _SCALES.get(name, 0.002)


def write_copies(out: Path) -> dict[tuple[str, str], Path]:
    """Draw all copies; return the root of each."""
    return {
        (name, layout): write_demo(
            name, out / f"{name}-{layout}", layout=layout, scale=scale_of(name), quiet=True
        ).root
        for name, layout in COPIES
    }
