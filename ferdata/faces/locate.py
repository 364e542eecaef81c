"""The face stage: read each image once, hash it, and find its face."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ferdata.core.errors import ManifestError, ModelFileError
from ferdata.core.manifest import Manifest
from ferdata.core.parallel import SerialExecutor, run_in_order
from ferdata.core.perceptual import HASH_NAME
from ferdata.core.progress import progress_bar
from ferdata.core.rejects import Reject
from ferdata.core.schema import SCHEMA
from ferdata.faces.cache import DetectionCache, box_key, cache_path
from ferdata.faces.class_counts import count_by_class
from ferdata.faces.columns import (
    COLUMNS,
    FacePoints,
    detected_points,
    make_columns,
    shipped_points,
)
from ferdata.faces.detectors import CANNOT_RUN
from ferdata.faces.options import FaceOptions
from ferdata.faces.plausible import FaceCheck, check_faces
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

Mask = npt.NDArray[np.bool_]

_TASK_ROWS = 128  # about a second of detection: smooth progress, little talk between processes


@dataclass
class LocateReport:
    """How the work was done; unlike the manifest it depends on what the cache held.

    Attributes:
        images: Rows that were read.
        detected: Images that the detector ran on.
        cached: Images whose detection was in the cache.
        sources: Rows that were kept, by `landmark_source`.
        unreadable: Rows rejected because the image can't be used.
        faceless: Rows rejected because a face was required.
        fallbacks: What the stage did instead of what it should, one text each.
    """

    images: int = 0
    detected: int = 0
    cached: int = 0
    sources: Counter[str] = field(default_factory=Counter)
    unreadable: int = 0
    faceless: int = 0
    fallbacks: list[str] = field(default_factory=list)

    def summary(self) -> str:
        """Return one line for the log."""
        counts = {
            "images": self.images,
            "with a detector run": self.detected,
            "from the detection cache": self.cached,
            **{
                "without landmarks" if source == "none" else f"with landmarks from {source}": rows
                for source, rows in sorted(self.sources.items())
            },
            "unreadable": self.unreadable,
            "rejected for having no face": self.faceless,
        }
        return "faces: " + ", ".join(
            f"{count:,} {what}" for what, count in counts.items() if count or what == "images"
        )


def locate_faces(
    manifest: Manifest,
    options: FaceOptions | None = None,
    *,
    executor: Executor | None = None,
    workers: int = 1,
    quiet: bool = False,
    report: LocateReport | None = None,
) -> Manifest:
    """Read every image, hash it, and fill in its face.

    Fills the columns of `ferdata.faces.columns.COLUMNS`, and `face_finding` where the five points
    are implausible (`ferdata.faces.plausible`). The result does not depend on the executor, the
    workers or the cache. What the stage could not do as asked is listed in the provenance, under
    `fallbacks`.

    Args:
        manifest: Rows with `uri`, and the roots of their datasets.
        options: Where landmarks come from; default: `FaceOptions()`.
        executor: Anything that looks like a `concurrent.futures.Executor`; default: this process.
        workers: Number of processes that the executor has; bounds what is under way.
        quiet: Show no progress.
        report: Counted up as the work is done.

    Returns:
        The manifest without the rejected rows (stage `faces`), order kept.

    Raises:
        ManifestError: The root of a dataset is not known.
        DetectorUnavailableError: The detector lacks a library, and `options` require it.
        ModelFileError: The same for its model file.
    """
    options = options or FaceOptions()
    _require_roots(manifest)
    report = report or LocateReport()
    wanted = _rows_to_detect(manifest, options)
    setup = _prepare(options, report, quiet=quiet) if wanted.any() else None
    if setup is None:
        wanted = np.zeros(len(manifest), bool)
    _report_assumed_order(manifest, options, report)
    work = _Work(manifest, options, wanted, setup, report)
    try:
        with (
            progress_bar("finding faces", len(manifest), quiet=quiet) as bar,
            setup.open_cache(repair=True) if setup else nullcontext() as cache,
        ):
            found = run_in_order(
                executor or SerialExecutor(), run_face_task, work.tasks(), ahead=2 * workers + 1
            )
            for task, results in zip(work.tasks(), found, strict=True):
                _remember(cache, task, results)
                work.add(results)
                bar.update(len(results))
    finally:
        close_detectors()
    logger.info("%s", report.summary())
    return work.finish()


@dataclass
class _Work:
    """The rows on their way through the stage, and the columns made so far."""

    manifest: Manifest
    options: FaceOptions
    wanted: Mask
    setup: DetectorSetup | None
    report: LocateReport
    _columns: dict[str, list[pa.Array]] = field(
        default_factory=lambda: {name: [] for name in COLUMNS}
    )
    _rejected: dict[int, str] = field(default_factory=dict)  # row: reason
    _found: dict[int, bool] = field(default_factory=dict)  # row: whether it has a face
    _row: int = 0

    def __post_init__(self) -> None:
        self._detector = self.setup.make() if self.setup else None

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

    def add(self, results: list[ImageResult]) -> None:
        """Take the results of the next rows."""
        rows = self.manifest.table.slice(self._row, len(results))
        kept = []
        for offset, pair in enumerate(zip(self._points(rows, results), results, strict=True)):
            if not pair[1].problem:
                self._found[self._row + offset] = pair[0].source != "none"
            if reason := self._count(*pair):
                self._rejected[self._row + offset] = reason
            else:
                kept.append(pair)
        columns = make_columns([points for points, _ in kept], [result for _, result in kept])
        for name, array in columns.items():
            self._columns[name].append(array)
        self._row += len(results)

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
        check = check_faces(located)
        located = located.with_column("face_finding", check.findings)
        return located.with_provenance("faces", self._provenance(check))

    def _points(self, rows: pa.Table, results: list[ImageResult]) -> list[FacePoints]:
        if self.options.keeps_shipped:
            shipped = shipped_points(rows)
        else:
            shipped = [FacePoints() for _ in results]
        name = self.options.detector
        return [
            detected_points(result.detection, name, self._detector.scheme)
            if self._detector and result.origin
            else points
            for points, result in zip(shipped, results, strict=True)
        ]

    def _count(self, points: FacePoints, result: ImageResult) -> str:
        """Count a row; return why it is rejected, or an empty string."""
        report = self.report
        report.images += 1
        if result.problem:
            report.unreadable += 1
            return result.problem
        report.detected += result.origin == "detected"
        report.cached += result.origin == "cache"
        if points.source == "none" and self.options.require_face:
            report.faceless += 1
            return "no face found, and --require-face is on"
        report.sources[points.source] += 1
        return ""

    def _provenance(self, check: FaceCheck) -> dict[str, Any]:
        """Return what the stage did, without anything that depends on the cache."""
        options, report = self.options, self.report
        labels = self.manifest.table["label"].to_pylist()
        sources = ("dataset", options.detector, "none")
        return {
            "landmarks": options.landmarks,
            "require_face": options.require_face,
            "detector": self._detector.version if self._detector else None,
            "perceptual_hash": HASH_NAME if options.perceptual_hash else None,
            "rows": {
                **{source: report.sources[source] for source in sources},
                "unreadable": report.unreadable,
                "faceless": report.faceless,
            },
            "by_class": count_by_class(
                self.manifest.label_space.names,
                (labels[row] for row in self._found),
                self._found.values(),
            ),
            "eye_ranges": {
                f"{dataset} {framing}": list(eyes)
                for (dataset, framing), eyes in check.ranges.items()
            },
            **({"fallbacks": report.fallbacks} if report.fallbacks else {}),
        }


def has_points(manifest: Manifest) -> Mask:
    """Return which rows came with landmarks or five points, bool (N,)."""
    table = manifest.table
    there = pc.or_(pc.is_valid(table["landmarks"]), pc.is_valid(table["five_points"]))
    return np.asarray(there.to_numpy(), dtype=bool)


def _rows_to_detect(manifest: Manifest, options: FaceOptions) -> Mask:
    if options.landmarks in ("dataset", "none"):
        return np.zeros(len(manifest), bool)
    return ~has_points(manifest) if options.keeps_shipped else np.ones(len(manifest), bool)


def _prepare(options: FaceOptions, report: LocateReport, *, quiet: bool) -> DetectorSetup | None:
    """Get the detector ready; None, and a fallback in the report, if it can't run and need not."""
    setup = DetectorSetup(options.detector, options.score, options.blendshapes, cache_path())
    try:
        setup.make().prepare(quiet=quiet)
    except CANNOT_RUN as error:
        if options.must_detect:
            raise
        # The record must not depend on this machine's paths: the reason in short, not the message.
        reason = "no model file" if isinstance(error, ModelFileError) else "a library is missing"
        text = f"{setup.name} could not run ({reason}): no landmarks were detected"
        report.fallbacks.append(text)
        logger.warning("%s: %s", text, error)
        return None
    return setup


def _remember(cache: DetectionCache | None, task: FaceTask, results: list[ImageResult]) -> None:
    """Store new detections; only the main process writes."""
    if cache is None:
        return
    cache.put(
        {
            (result.pixel_sha256, box_key(ref.box)): result.detection
            for ref, result in zip(task.images, results, strict=True)
            if result.origin == "detected"
        }
    )


def _report_assumed_order(manifest: Manifest, options: FaceOptions, report: LocateReport) -> None:
    """Report rows whose five points are reduced from Face++'s 37, see `FACEPP37`."""
    table = manifest.table
    reduced = pc.and_(
        pc.fill_null(pc.equal(table["landmark_scheme"], FACEPP37.name), False),
        pc.is_null(table["five_points"]),
    )
    count = pc.sum(reduced).as_py() if options.keeps_shipped else 0
    if count:
        text = (
            f"{count:,} images have Face++'s 37 points and no five points: their five points "
            "assume an order of the 37 that the dataset does not document"
        )
        report.fallbacks.append(text)
        logger.warning("%s", text)


def _require_roots(manifest: Manifest) -> None:
    for dataset in pc.unique(manifest.table["dataset"]).to_pylist():
        if dataset not in manifest.roots:
            raise ManifestError(
                f"the folder of {dataset}'s files is not known; "
                f"load the manifest with roots={{{dataset!r}: folder}}"
            )


def _box(values: list[float] | None) -> tuple[float, float, float, float] | None:
    if values is None or not np.isfinite(values).all():
        return None
    return values[0], values[1], values[2], values[3]
