"""Reading every image once more, for the measures of an audit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ferdata.audits.image_measures import ImageMeasure, ImageMeasures, measure_image
from ferdata.audits.images import ImagePlaces, Load
from ferdata.core.errors import ImageError
from ferdata.core.images import read_bytes, resolve
from ferdata.core.parallel import default_workers, open_executor, run_in_order
from ferdata.core.progress import progress_bar

_ROWS = 128  # of a task
_WORTH = 2000  # images from which starting another process pays

_Place = tuple[Load, tuple[Path, str] | None]


def measure_images(places: ImagePlaces, *, workers: int | None, quiet: bool) -> ImageMeasures:
    """Measure images that have been read before.

    Args:
        places: Where they are.
        workers: Number of processes; None for one per core where that pays.
        quiet: Show no progress.

    Raises:
        WorkerError: A worker process died.
    """
    if workers is None:
        workers = max(1, min(default_workers(), len(places) // _WORTH))
    both = list(zip(places.loads, places.files, strict=True))
    tasks = [both[at : at + _ROWS] for at in range(0, len(both), _ROWS)]
    measured: list[ImageMeasure] = []
    with (
        progress_bar("measuring images", len(places), quiet=quiet) as bar,
        open_executor("processes", workers) as executor,
    ):
        for each in run_in_order(executor, _measure, tasks, ahead=2 * workers + 1):
            measured += each
            bar.update(len(each))
    return ImageMeasures.of(measured)


def _measure(task: Sequence[_Place]) -> list[ImageMeasure]:
    return [measure_image(np.ascontiguousarray(load()), _bytes(file)) for load, file in task]


def _bytes(file: tuple[Path, str] | None) -> bytes:
    """Return the bytes of a file; none for a row of a file, or one that is gone."""
    if file is None or "#" in file[1]:
        return b""
    try:
        return read_bytes(resolve(*file))
    except ImageError:
        return b""
