"""The face stage: read each image once, hash it, and find its face."""

from __future__ import annotations

import logging
from concurrent.futures import Executor
from contextlib import nullcontext
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
from ferdata.faces.detectors import CANNOT_RUN
from ferdata.faces.face_work import FaceWork
from ferdata.faces.locate_report import LocateReport
from ferdata.faces.options import FaceOptions
from ferdata.faces.plausible import check_faces
from ferdata.faces.schemes import FACEPP37
from ferdata.faces.task import (
    DetectorSetup,
    ImageResult,
    close_detectors,
    run_face_task,
)

__all__ = ["LocateReport", "has_points", "locate_faces"]

logger = logging.getLogger(__name__)

Mask = npt.NDArray[np.bool_]


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
    work = FaceWork(manifest, options, wanted, setup, report)
    again = None
    try:
        _run(work, executor or SerialExecutor(), workers=workers, quiet=quiet)
        if work.doubted:
            again = _look_again(work, quiet=quiet)
            _run(again, executor or SerialExecutor(), workers=workers, quiet=quiet)
    finally:
        close_detectors()
    logger.info("%s", report.summary())
    return _finished(work, again)


def _run(work: FaceWork, executor: Executor, *, workers: int, quiet: bool) -> None:
    """Read all images of some work, and detect where it asks for it."""
    setup = work.setup
    with (
        progress_bar("finding faces", len(work.manifest), quiet=quiet) as bar,
        setup.open_cache(repair=True) if setup else nullcontext() as cache,
    ):
        found = run_in_order(executor, run_face_task, work.tasks(), ahead=2 * workers + 1)
        for results in found:
            _remember(cache, results)
            work.add(results)
            bar.update(len(results))


def _look_again(work: FaceWork, *, quiet: bool) -> FaceWork:
    """Return the work of detecting in images whose dataset's landmarks can't be right."""
    report = work.report
    count = len(work.doubted)
    text = f"{count:,} images have landmarks of their dataset that can't be right and aren't used"
    report.fallbacks.append(text)
    logger.warning("%s; `quality` in the manifest says why", text)
    setup = work.setup or _prepare(work.options, report, quiet=quiet)
    rows = work.manifest.take(list(work.doubted))
    wanted = np.full(count, setup is not None)
    return FaceWork(rows, work.options, wanted, setup, report, list(work.doubted.values()))


def _finished(work: FaceWork, again: FaceWork | None) -> Manifest:
    """Put the columns into the manifest."""
    manifest, rejected, kept, columns = work.manifest, work.rejected, work.kept, work.columns
    if again is not None:
        rows = list(work.doubted)
        rejected = rejected | {rows[each]: why for each, why in again.rejected.items()}
        kept = kept + [rows[each] for each in again.kept]
        columns = {name: columns[name] + again.columns[name] for name in columns}
    ids, uris = manifest.table["sample_id"], manifest.table["uri"]
    mask = np.zeros(len(manifest), bool)
    mask[list(rejected)] = True
    rejects = [
        Reject(ids[row].as_py(), uris[row].as_py(), "faces", rejected[row])
        for row in sorted(rejected)
    ]
    located: Manifest = manifest.reject(mask, rejects)
    order = np.argsort(kept) if again is not None else None
    for name, arrays in columns.items():
        column = pa.chunked_array(arrays, SCHEMA.field(name).type)
        located = located.with_column(name, column if order is None else column.take(order))
    check = check_faces(located)
    located = located.with_column("face_finding", check.findings)
    provenance = _provenance(again or work) | {
        "by_class": _found_by_class(work, again),
        "eye_ranges": {
            f"{dataset} {framing}": list(eyes) for (dataset, framing), eyes in check.ranges.items()
        },
    }
    return located.with_provenance("faces", provenance)


def _found_by_class(work: FaceWork, again: FaceWork | None) -> dict[str, dict[str, int]]:
    """Count readable images with and without a face, by class."""
    found = dict(work.has_face)
    if again is not None:
        rows = list(work.doubted)
        found |= {rows[each]: there for each, there in again.has_face.items()}
    labels = work.manifest.table["label"].to_pylist()
    names = work.manifest.label_space.names
    return count_by_class(names, (labels[row] for row in found), found.values())


def _provenance(work: FaceWork) -> dict[str, Any]:
    """Return what the stage did, without anything that depends on the cache."""
    options, report = work.options, work.report
    sources = ("dataset", options.detector, "none")
    return {
        "landmarks": options.landmarks,
        "require_face": options.require_face,
        "detector": work.detector_version,
        "perceptual_hash": HASH_NAME if options.perceptual_hash else None,
        "rows": {
            **{source: report.sources[source] for source in sources},
            "unreadable": report.unreadable,
            "faceless": report.faceless,
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


def _remember(cache: DetectionCache | None, results: list[ImageResult]) -> None:
    """Store new detections; only the main process writes."""
    if cache is None:
        return
    cache.put(
        {
            (result.pixel_sha256, box_key(result.box)): result.detection
            for result in results
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
