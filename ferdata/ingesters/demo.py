"""`write_demo`: a synthetic copy of a dataset, in the dataset's true layout.

A dataset is one file with one class that says which samples a copy has, writes one of them, and
writes the lists (`DemoWriter`). Everything else is here: order, workers, progress, reruns.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ferdata.core.errors import BuildError, LayoutError, OptionError, UnknownNameError
from ferdata.core.files import DEMO_MARKER, read_json, write_json
from ferdata.core.parallel import open_executor, run_in_order
from ferdata.core.progress import progress_bar
from ferdata.ingesters.synthetic import DemoWriter, Sample, writers

logger = logging.getLogger(__name__)

DRAWING_VERSION = 1
"""Raised whenever the same seed draws other bytes; part of a copy's marker."""

_CHUNK = 16  # samples per task: long enough to hide the queue, short enough for a smooth bar


@dataclass(frozen=True)
class DemoCopy:
    """A synthetic copy on disk.

    Attributes:
        name: The dataset.
        root: The folder to give to `ferdata build --data`.
        layout: The layout it is in.
        scale: Its size over the real dataset's.
        seed: The seed it was drawn from.
        counts: Images per split and label.
        written: False when an identical copy was there already.
    """

    name: str
    root: Path
    layout: str
    scale: float
    seed: int
    counts: Mapping[str, Mapping[str, int]]
    written: bool

    @property
    def total(self) -> int:
        """Number of images."""
        return sum(sum(labels.values()) for labels in self.counts.values())


def find_writer(name: str) -> DemoWriter:
    """Return the writer of a dataset.

    Raises:
        UnknownNameError: No copy of such a dataset can be drawn.
    """
    known = writers()
    if name not in known:
        raise UnknownNameError("demo dataset", name, known)
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
    """Draw a copy of a dataset: true layout, file names, codes and class proportions.

    The bytes depend on everything but `out` and `workers`. A complete copy with the same options
    is left as it is; an interrupted one is finished.

    Args:
        name: The dataset, for instance `"rafdb"`.
        out: Folder of the copy; empty or not there yet.
        layout: One of the writer's layouts; default: its first.
        scale: Size over the real dataset's, above 0 and up to 1; no class gets empty.
        seed: Another seed, other faces.
        workers: Number of processes.
        quiet: Show no progress.

    Raises:
        UnknownNameError: The dataset or the layout is unknown.
        OptionError: The scale or the number of workers is out of range.
        LayoutError: The folder holds something else.
        BuildError: The folder can't be written.
    """
    writer = find_writer(name)
    layout = writer.layouts[0] if layout is None else layout
    if layout not in writer.layouts:
        raise UnknownNameError(f"layout of {name}", layout, writer.layouts)
    if not 0.0 < scale <= 1.0:
        raise OptionError(f"--scale {scale}: it must be above 0 and at most 1 (the real size)")
    if workers < 1:
        raise OptionError(f"--workers {workers}: at least 1 is needed")
    samples = writer.plan(layout, scale, seed)
    record: dict[str, Any] = {
        "name": name,
        "layout": layout,
        "scale": scale,
        "seed": seed,
        "drawing_version": DRAWING_VERSION,
        "counts": count_samples(samples),
    }
    written = not _is_complete(out, record)
    if written:
        try:
            _write(writer, out, samples, record, workers=workers, quiet=quiet)
        except OSError as error:
            raise BuildError(
                f"{out}: the copy can't be written: {error.strerror or error}"
            ) from error
    return DemoCopy(name, out, layout, scale, seed, record["counts"], written)


def count_samples(samples: Sequence[Sample]) -> dict[str, dict[str, int]]:
    """Count the samples that are rows, per split and label."""
    counts: dict[str, dict[str, int]] = {}
    for sample in samples:
        if sample.label is None:
            continue
        labels = counts.setdefault(sample.split, {})
        labels[sample.label] = labels.get(sample.label, 0) + 1
    return counts


def _is_complete(out: Path, record: Mapping[str, Any]) -> bool:
    """Say whether a folder holds this copy already, whole.

    Raises:
        LayoutError: The folder holds anything but this copy or the beginning of it.
    """
    if not out.exists():
        return False
    if not out.is_dir():
        raise LayoutError(f"{out}: is a file; --out must name a folder")
    try:
        if not any(out.iterdir()):
            return False
        found = read_json(out / DEMO_MARKER) if (out / DEMO_MARKER).is_file() else None
    except OSError as error:
        raise BuildError(f"{out}: can't be read: {error.strerror or error}") from error
    if not isinstance(found, dict):
        raise LayoutError(
            f"{out}: is not empty and holds no synthetic copy of ours; nothing was written. "
            "Give --out a new or empty folder."
        )
    complete = found.pop("complete", False)
    if found != dict(record):
        differing = sorted(key for key in record if found.get(key) != record[key])
        raise LayoutError(
            f"{out}: holds a synthetic copy with another {', '.join(differing)}; nothing was "
            "written. Give --out another folder, or remove this one."
        )
    return bool(complete)


def _write(
    writer: DemoWriter,
    out: Path,
    samples: Sequence[Sample],
    record: Mapping[str, Any],
    *,
    workers: int,
    quiet: bool,
) -> None:
    """Write a copy; its marker says that it is complete when everything else is there."""
    write_json(out / DEMO_MARKER, {**record, "complete": False})
    for folder in writer.folders(record["layout"]):
        (out / folder).mkdir(parents=True, exist_ok=True)
    tasks = [
        _Task(writer.name, out, record["layout"], record["seed"], tuple(samples[at : at + _CHUNK]))
        for at in range(0, len(samples), _CHUNK)
    ]
    kind = "serial" if workers == 1 else "processes"
    with (
        progress_bar(f"drawing {writer.name}", len(samples), quiet=quiet) as bar,
        open_executor(kind, workers) as executor,
    ):
        for count in run_in_order(executor, _write_samples, tasks, ahead=4 * workers):
            bar.update(count)
    writer.write_lists(out, record["layout"], samples)
    write_json(out / DEMO_MARKER, {**record, "complete": True})
    logger.debug("%s: %d samples drawn", out, len(samples))


@dataclass(frozen=True)
class _Task:
    """Some samples to draw, small enough to send to another process."""

    name: str
    out: Path
    layout: str
    seed: int
    samples: tuple[Sample, ...]


def _write_samples(task: _Task) -> int:
    """Draw and write the samples of a task; returns their number."""
    writer = find_writer(task.name)
    for sample in task.samples:
        writer.write_sample(task.out, task.layout, sample, task.seed)
    return len(task.samples)
