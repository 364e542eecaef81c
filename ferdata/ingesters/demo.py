"""`write_demo`: a synthetic copy of a dataset, in the dataset's true layout.

A `DemoWriter` says which images a copy has, and writes one of them and the lists. Everything else
is here: order, workers, progress, reruns.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ferdata.core.errors import BuildError, LayoutError, OptionError, UnknownNameError
from ferdata.core.files import DEMO_MARKER, read_json, write_json
from ferdata.core.parallel import open_executor, run_in_order
from ferdata.core.progress import progress_bar
from ferdata.ingesters.declared.finding import find_declaration
from ferdata.ingesters.declared.synthetic import DeclaredWriter
from ferdata.ingesters.lookup import declared_names
from ferdata.ingesters.synthetic import ROWS_FOLDER, DemoImage, DemoWriter, writers

logger = logging.getLogger(__name__)

DRAWING_VERSION = 1
"""Increased when the same seed draws other bytes; part of a copy's marker."""

_CHUNK = 16  # images per task: long enough to hide the queue, short enough for a smooth bar


@dataclass(frozen=True)
class DemoCopy:
    """A synthetic copy on disk.

    Attributes:
        name: The dataset.
        root: The folder to give to `ferdata build --data`.
        layout: The layout it is in.
        scale: Its size, as a fraction of the real dataset's.
        seed: The seed it was drawn from.
        counts: Images by split and label.
        written: False if an identical copy was already there.
        choices: What the copy must be read with: the order of its codes, where it has others'.
    """

    name: str
    root: Path
    layout: str
    scale: float
    seed: int
    counts: Mapping[str, Mapping[str, int]]
    written: bool
    choices: Mapping[str, str] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """Number of images."""
        return sum(sum(labels.values()) for labels in self.counts.values())


def find_writer(name: str) -> DemoWriter[Any]:
    """Return the writer of a dataset, or of a declared set by its name or file.

    Raises:
        UnknownNameError: No copy of such a dataset can be drawn.
    """
    known = writers()
    if name not in known:
        if (declaration := find_declaration(name)) is not None:
            return DeclaredWriter(declaration)
        raise UnknownNameError("dataset with a synthetic copy", name, [*known, *declared_names()])
    return known[name]


def write_demo(
    name: str,
    out: Path,
    *,
    layout: str | None = None,
    scale: float = 0.05,
    seed: int = 0,
    workers: int = 1,
    quiet: bool = False,
) -> DemoCopy:
    """Draw a copy of a dataset with true layout, file names, codes and class proportions.

    The bytes depend on everything but `out` and `workers`. A complete copy with the same options
    is kept; an interrupted one is finished.

    Args:
        name: The dataset, for instance `"rafdb"`, or the path of a declaration.
        out: Folder of the copy, new or empty.
        layout: One of the writer's layouts; default: its first.
        scale: Size as a fraction of the real dataset's, above 0 and up to 1; every class keeps at
            least one image.
        seed: Seed of all draws; another seed draws other faces.
        workers: Number of processes.
        quiet: Show no progress.

    Raises:
        UnknownNameError: The dataset or the layout is unknown.
        OptionError: The scale or the number of workers is out of range.
        LayoutError: The folder contains something else.
        BuildError: The folder can't be written.
    """
    writer = find_writer(name)
    layout = writer.layouts[0] if layout is None else layout
    if layout not in writer.layouts:
        raise UnknownNameError(f"layout of {name}", layout, writer.layouts)
    if not isinstance(scale, int | float) or not 0.0 < scale <= 1.0:
        raise OptionError(f"--scale {scale}: must be above 0 and at most 1 (the real size)")
    if workers < 1:
        raise OptionError(f"--workers {workers}: must be at least 1")
    images = writer.plan(layout, scale, seed)
    marker: dict[str, Any] = {
        "name": writer.name,
        "layout": layout,
        "scale": scale,
        "seed": seed,
        "drawing_version": DRAWING_VERSION,
        "counts": count_images(images),
    }
    written = not _is_complete(out, marker)
    if written:
        try:
            _write(name, out, images, marker, workers=workers, quiet=quiet)
        except OSError as error:
            raise BuildError(
                f"{out}: the copy can't be written: {error.strerror or error}"
            ) from error
    choices = writer.choices.get(layout, {})
    return DemoCopy(name, out, layout, scale, seed, marker["counts"], written, choices)


def count_images(images: Sequence[DemoImage]) -> dict[str, dict[str, int]]:
    """Count the images that are rows, by split and label."""
    counts: dict[str, dict[str, int]] = {}
    for image in images:
        if image.label is not None:
            labels = counts.setdefault(image.split, {})
            labels[image.label] = labels.get(image.label, 0) + 1
    return counts


def _is_complete(out: Path, marker: Mapping[str, Any]) -> bool:
    """Say whether a folder contains this copy, complete.

    Raises:
        LayoutError: The folder contains anything but this copy or an unfinished one.
        BuildError: The folder can't be read.
    """
    if not out.exists():
        return False
    if not out.is_dir():
        raise LayoutError(f"{out}: is a file; --out must be a folder")
    try:
        if not any(out.iterdir()):
            return False
        found = read_json(out / DEMO_MARKER) if (out / DEMO_MARKER).is_file() else None
    except OSError as error:
        raise BuildError(f"{out}: can't be read: {error.strerror or error}") from error
    if not isinstance(found, dict):
        raise LayoutError(
            f"{out}: is not empty and not a synthetic copy; nothing was written. "
            "Give --out a new or empty folder."
        )
    complete = found.pop("complete", False)
    if found != dict(marker):
        differing = sorted(key for key in marker if found.get(key) != marker[key])
        raise LayoutError(
            f"{out}: contains a synthetic copy with another {', '.join(differing)}; nothing was "
            "written. Give --out another folder, or remove this one."
        )
    return bool(complete)


def _write(
    name: str,
    out: Path,
    images: Sequence[DemoImage],
    marker: Mapping[str, Any],
    *,
    workers: int,
    quiet: bool,
) -> None:
    """Write a copy; its marker becomes complete when everything else is written."""
    writer = find_writer(name)
    write_json(out / DEMO_MARKER, {**marker, "complete": False})
    for folder in writer.folders(marker["layout"]):
        (out / folder).mkdir(parents=True, exist_ok=True)
    tasks = [
        _Task(name, out, marker["layout"], marker["seed"], tuple(images[at : at + _CHUNK]))
        for at in range(0, len(images), _CHUNK)
    ]
    kind = "serial" if workers == 1 else "processes"
    with (
        progress_bar(f"drawing {writer.name}", len(images), quiet=quiet) as bar,
        open_executor(kind, workers) as executor,
    ):
        for count in run_in_order(executor, _write_images, tasks, ahead=4 * workers):
            bar.update(count)
    writer.write_lists(out, marker["layout"], images)
    shutil.rmtree(out / ROWS_FOLDER, ignore_errors=True)
    write_json(out / DEMO_MARKER, {**marker, "complete": True})
    logger.debug("%s: %d images drawn", out, len(images))


@dataclass(frozen=True)
class _Task:
    """Some images to draw, small enough to send to another process."""

    name: str
    out: Path
    layout: str
    seed: int
    images: tuple[DemoImage, ...]


def _write_images(task: _Task) -> int:
    """Draw and write the images of a task; returns their number."""
    writer = find_writer(task.name)
    for image in task.images:
        writer.write_image(task.out, task.layout, image, task.seed)
    return len(task.images)
