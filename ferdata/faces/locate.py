"""The face stage: read each image once, hash it, and say where its face is."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ferdata.core.errors import DetectorUnavailableError, ManifestError, ModelFileError
from ferdata.core.manifest import Manifest, Reject
from ferdata.core.parallel import SerialExecutor, run_in_order
from ferdata.core.perceptual import HASH_NAME
from ferdata.core.progress import progress_bar
from ferdata.core.schema import SCHEMA
from ferdata.faces.cache import DetectionCache, box_key, cache_path
from ferdata.faces.columns import (
    COLUMNS,
    FacePoints,
    detected_points,
    make_columns,
    shipped_points,
)
from ferdata.faces.detectors.mediapipe import require_libraries
from ferdata.faces.detectors.model_file import fetch_model, find_model
from ferdata.faces.options import FaceOptions
from ferdata.faces.schemes import FACEPP37
from ferdata.faces.task import (
    DetectorSetup,
    FaceTask,
    ImageRef,
    ImageResult,
    close_detectors,
    run_face_task,
)

logger = logging.getLogger(__name__)

_TASK_ROWS = 128  # about a second of detection: smooth progress, little talk between processes


@dataclass
class LocateReport:
    """How the work was done; unlike the manifest it depends on what the cache held.

    Attributes:
        images: Rows that were read.
        detected: Images that the detector looked at.
        cached: Images whose detection was known from before.
        dataset: Rows with the dataset's own points.
        mediapipe: Rows with MediaPipe's points.
        none: Rows without points that went on.
        unreadable: Rows rejected because the image can't be used.
        faceless: Rows rejected because a face was required.
    """

    images: int = 0
    detected: int = 0
    cached: int = 0
    dataset: int = 0
    mediapipe: int = 0
    none: int = 0
    unreadable: int = 0
    faceless: int = 0

    def summary(self) -> str:
        """Return one line for a person."""
        parts = [
            f"{self.images:,} images",
            f"{self.detected:,} looked at by MediaPipe" if self.detected else "",
            f"{self.cached:,} known from before" if self.cached else "",
            f"{self.dataset:,} with the dataset's points" if self.dataset else "",
            f"{self.mediapipe:,} with MediaPipe's" if self.mediapipe else "",
            f"{self.none:,} without points" if self.none else "",
            f"{self.unreadable:,} unreadable" if self.unreadable else "",
            f"{self.faceless:,} rejected for having no face" if self.faceless else "",
        ]
        return "faces: " + ", ".join(part for part in parts if part)


def locate_faces(
    manifest: Manifest,
    options: FaceOptions | None = None,
    *,
    executor: Executor | None = None,
    workers: int = 1,
    quiet: bool = False,
) -> Manifest:
    """Read every image, hash it, and fill in its face; see `locate_faces_with_report`."""
    located, _ = locate_faces_with_report(
        manifest, options, executor=executor, workers=workers, quiet=quiet
    )
    return located


def locate_faces_with_report(
    manifest: Manifest,
    options: FaceOptions | None = None,
    *,
    executor: Executor | None = None,
    workers: int = 1,
    quiet: bool = False,
) -> tuple[Manifest, LocateReport]:
    """Read every image, hash it, and fill in its face.

    Fills the columns of `ferdata.faces.columns.COLUMNS`. The result does not depend on the
    executor, the workers or the cache.

    Args:
        manifest: Rows with `uri`, and the roots of their datasets.
        options: Where landmarks come from; default: `FaceOptions()`.
        executor: Anything that looks like a `concurrent.futures.Executor`; default: this process.
        workers: Number of processes that the executor has; bounds what is under way.
        quiet: Show no progress.

    Returns:
        The manifest, rows in their order without those rejected (stage `faces`), and how it went.

    Raises:
        ManifestError: The root of a dataset is not known.
        DetectorUnavailableError: `landmarks` is `mediapipe`, or a face is required, and a library
            that MediaPipe needs is missing.
        ModelFileError: As before, and the model file can't be had.
    """
    options = options or FaceOptions()
    _require_roots(manifest)
    shipped = _has_points(manifest) if options.landmarks in ("auto", "dataset") else None
    wanted = _rows_to_detect(len(manifest), options, shipped)
    setup = _prepare(options, quiet=quiet) if wanted.any() else None
    if setup is None:
        wanted = np.zeros(len(manifest), bool)
    _warn_of_assumed_order(manifest, shipped)
    work = _Work(manifest, options, wanted, setup)
    try:
        with (
            progress_bar("finding faces", len(manifest), quiet=quiet) as bar,
            DetectionCache(setup.cache if setup else None, setup.version if setup else "") as cache,
        ):
            found = run_in_order(
                executor or SerialExecutor(), run_face_task, work.tasks(), ahead=2 * workers + 1
            )
            for task, facts in zip(work.tasks(), found, strict=True):
                _remember(cache, task, facts)
                work.add(facts)
                bar.update(len(facts))
    finally:
        close_detectors()
    logger.info("%s", work.report.summary())
    return work.finish(), work.report


@dataclass
class _Work:
    """The rows on their way through the stage, and what has come out so far."""

    manifest: Manifest
    options: FaceOptions
    wanted: np.ndarray[Any, np.dtype[np.bool_]]
    setup: DetectorSetup | None
    report: LocateReport = field(default_factory=LocateReport)
    _columns: dict[str, list[pa.Array]] = field(
        default_factory=lambda: {name: [] for name in COLUMNS}
    )
    _rejected: dict[int, str] = field(default_factory=dict)  # row: reason
    _row: int = 0

    def tasks(self) -> Iterator[FaceTask]:
        """Cut the rows into tasks."""
        for start in range(0, len(self.manifest), _TASK_ROWS):
            rows = self.manifest.table.slice(start, _TASK_ROWS).select(["dataset", "uri", "box"])
            images = tuple(
                ImageRef(self.manifest.roots[row["dataset"]], row["uri"], _box(row["box"]), detect)
                for row, detect in zip(
                    rows.to_pylist(), self.wanted[start : start + _TASK_ROWS].tolist(), strict=True
                )
            )
            yield FaceTask(images, self.setup, self.options.perceptual_hash)

    def add(self, facts: list[ImageResult]) -> None:
        """Take the results of the next rows."""
        rows = self.manifest.table.slice(self._row, len(facts))
        points = self._points(rows, facts)
        kept_points, kept_facts = [], []
        for offset, (point, fact) in enumerate(zip(points, facts, strict=True)):
            if reason := self._count(point, fact):
                self._rejected[self._row + offset] = reason
            else:
                kept_points.append(point)
                kept_facts.append(fact)
        for name, array in make_columns(kept_points, kept_facts).items():
            self._columns[name].append(array)
        self._row += len(facts)

    def finish(self) -> Manifest:
        """Put the columns into the manifest."""
        ids, uris = self.manifest.table["sample_id"], self.manifest.table["uri"]
        mask = np.zeros(len(self.manifest), bool)
        mask[list(self._rejected)] = True
        rejects = [
            Reject(ids[row].as_py(), uris[row].as_py(), "faces", reason)
            for row, reason in self._rejected.items()
        ]
        located = self.manifest.reject(mask, rejects)
        for name, arrays in self._columns.items():
            located = located.with_column(name, pa.chunked_array(arrays, SCHEMA.field(name).type))
        return located.with_provenance("faces", self._facts())

    def _points(self, rows: pa.Table, facts: list[ImageResult]) -> list[FacePoints]:
        if self.options.landmarks in ("none", "mediapipe"):
            points = [FacePoints() for _ in facts]
        else:
            points = shipped_points(rows)
        return [
            detected_points(fact) if fact.origin else point
            for point, fact in zip(points, facts, strict=True)
        ]

    def _count(self, point: FacePoints, fact: ImageResult) -> str:
        """Count a row; return why it is rejected, or an empty string."""
        report = self.report
        report.images += 1
        if fact.problem:
            report.unreadable += 1
            return fact.problem
        report.detected += fact.origin == "detected"
        report.cached += fact.origin == "cache"
        if point.source == "none" and self.options.require_face:
            report.faceless += 1
            return "no face found, and --require-face is on"
        setattr(report, point.source, getattr(report, point.source) + 1)
        return ""

    def _facts(self) -> dict[str, Any]:
        """Return what the stage did, without anything that depends on the cache."""
        report = self.report
        return {
            "landmarks": self.options.landmarks,
            "require_face": self.options.require_face,
            "detector": self.setup.version if self.setup else None,
            "perceptual_hash": HASH_NAME if self.options.perceptual_hash else None,
            "rows": {
                "dataset": report.dataset,
                "mediapipe": report.mediapipe,
                "none": report.none,
                "unreadable": report.unreadable,
                "faceless": report.faceless,
            },
        }


def _rows_to_detect(
    rows: int, options: FaceOptions, shipped: np.ndarray[Any, np.dtype[np.bool_]] | None
) -> np.ndarray[Any, np.dtype[np.bool_]]:
    if options.landmarks == "mediapipe":
        return np.ones(rows, bool)
    if options.landmarks == "auto" and shipped is not None:
        return ~shipped
    return np.zeros(rows, bool)


def _has_points(manifest: Manifest) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return which rows came with landmarks or five points."""
    table = manifest.table
    there = pc.or_(pc.is_valid(table["landmarks"]), pc.is_valid(table["five_points"]))
    return np.asarray(there.to_numpy(), dtype=bool)


def _prepare(options: FaceOptions, *, quiet: bool) -> DetectorSetup | None:
    """Get the detector's files together; None where `auto` has to go on without it."""
    try:
        require_libraries()
        model = find_model() or fetch_model(quiet=quiet)
    except (DetectorUnavailableError, ModelFileError) as error:
        if options.landmarks == "mediapipe" or options.require_face:
            raise
        logger.warning("No landmarks from MediaPipe, only the dataset's own: %s", error)
        return None
    return DetectorSetup(model, cache_path(), options.score, options.blendshapes)


def _remember(cache: DetectionCache, task: FaceTask, facts: list[ImageResult]) -> None:
    """Store what was detected just now; the main process alone writes."""
    cache.put(
        {
            (fact.pixel_sha256, box_key(ref.box)): fact.detection
            for ref, fact in zip(task.images, facts, strict=True)
            if fact.origin == "detected"
        }
    )


def _warn_of_assumed_order(
    manifest: Manifest, shipped: np.ndarray[Any, np.dtype[np.bool_]] | None
) -> None:
    if shipped is None:
        return
    table = manifest.table
    reduced = pc.and_(
        pc.fill_null(pc.equal(table["landmark_scheme"], FACEPP37.name), False),
        pc.is_null(table["five_points"]),
    )
    if count := pc.sum(reduced).as_py():
        logger.warning(
            "%d rows have 37 points of Face++ and no five points: their five points assume an "
            "order of the 37 that the dataset does not document",
            count,
        )


def _require_roots(manifest: Manifest) -> None:
    for dataset in pc.unique(manifest.table["dataset"]).to_pylist():
        if dataset not in manifest.roots:
            raise ManifestError(
                f"where {dataset}'s files are is not known; "
                f"load the manifest with roots={{{dataset!r}: folder}}"
            )


def _box(values: list[float] | None) -> tuple[float, float, float, float] | None:
    if values is None or not np.isfinite(values).all():
        return None
    return values[0], values[1], values[2], values[3]
