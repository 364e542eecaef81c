"""Reading every image once more, for the measures of an audit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ferdata.audits.image_measures import ImageMeasure, ImageMeasures, measure_image
from ferdata.core.errors import BuildError, ImageError
from ferdata.core.images import read_bytes, read_image, resolve
from ferdata.core.manifest import Manifest
from ferdata.core.parallel import default_workers, open_executor, run_in_order
from ferdata.core.progress import progress_bar
from ferdata.data.arrays import SplitArrays
from ferdata.data.build import Build

_ROWS = 128  # of a task
_WORTH = 2000  # images from which starting another process pays


@dataclass(frozen=True)
class _Files:
    """Images of a data folder: root and uri of each."""

    images: tuple[tuple[Path, str], ...]


@dataclass(frozen=True)
class _Stored:
    """Images of a build: a split and rows of it."""

    build: Path
    split: str
    rows: tuple[int, ...]


def measure_files(manifest: Manifest, *, workers: int | None, quiet: bool) -> ImageMeasures:
    """Measure the images of a manifest's rows, which the face stage has read before.

    Args:
        manifest: Rows with the roots of their datasets.
        workers: Number of processes; None for one per core where that pays.
        quiet: Show no progress.

    Raises:
        WorkerError: A worker process died.
    """
    names = manifest.table.column("dataset").to_pylist()
    uris = manifest.table.column("uri").to_pylist()
    images = [(manifest.roots[name], uri) for name, uri in zip(names, uris, strict=True)]
    tasks = [_Files(tuple(images[at : at + _ROWS])) for at in range(0, len(images), _ROWS)]
    return _run(tasks, len(images), workers=workers, quiet=quiet)


def measure_build(
    build: Build, manifest: Manifest, *, workers: int | None, quiet: bool
) -> ImageMeasures | None:
    """Measure the images of a build as they are stored; None without HDF5 shards.

    Args:
        build: The build.
        manifest: Its manifest.
        workers: As for `measure_files`.
        quiet: Show no progress.

    Raises:
        BuildError: A shard is missing or damaged.
    """
    if not any(name.startswith("hdf5/") for each in build.splits.values() for name in each.shards):
        return None
    tasks: list[_Files | _Stored] = []
    names: list[str] = []
    for split in build.splits:
        ids = SplitArrays(build, split).column("sample_id").tolist()
        names += ids
        rows = range(len(ids))
        tasks += [
            _Stored(build.root, split, tuple(rows[at : at + _ROWS]))
            for at in range(0, len(ids), _ROWS)
        ]
    measured = _run(tasks, len(names), workers=workers, quiet=quiet)
    position = {name: row for row, name in enumerate(names)}
    try:
        order = np.array([position[name] for name in manifest.column("sample_id")], np.int64)
    except KeyError as error:
        raise BuildError(
            f"{build.root}: its shards lack {error}, which is in its manifest; see ferdata verify"
        ) from None
    return ImageMeasures(**{name: values[order] for name, values in vars(measured).items()})


def _run(
    tasks: Sequence[_Files | _Stored], total: int, *, workers: int | None, quiet: bool
) -> ImageMeasures:
    if workers is None:
        workers = max(1, min(default_workers(), total // _WORTH))
    measured: list[ImageMeasure] = []
    with (
        progress_bar("measuring images", total, quiet=quiet) as bar,
        open_executor("processes", workers) as executor,
    ):
        for each in run_in_order(executor, _measure, tasks, ahead=2 * workers + 1):
            measured += each
            bar.update(len(each))
    return ImageMeasures.of(measured)


def _measure(task: _Files | _Stored) -> list[ImageMeasure]:
    found = _stored(task) if isinstance(task, _Stored) else _files(task)
    return list(found)


def _stored(task: _Stored) -> Iterator[ImageMeasure]:
    images = SplitArrays(task.build, task.split).gather(list(task.rows), ("image",))["image"]
    for image in images:
        rgb = np.repeat(image, 3, axis=2) if image.shape[2] == 1 else image
        yield measure_image(np.ascontiguousarray(rgb))


def _files(task: _Files) -> Iterator[ImageMeasure]:
    for root, uri in task.images:
        pixels = read_image(root, uri).pixels
        data = b""
        if "#" not in uri:
            try:
                data = read_bytes(resolve(root, uri))
            except ImageError:  # moved away in between
                data = b""
        yield measure_image(pixels, data)
