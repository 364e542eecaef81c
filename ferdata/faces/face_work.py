"""Rows on their way through the face stage: results of images become the manifest's columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ferdata.core.face_geometry import Box, points_problem
from ferdata.core.findings import finding
from ferdata.core.manifest import Manifest
from ferdata.faces.columns import (
    COLUMNS,
    FacePoints,
    detected_points,
    make_columns,
    shipped_points,
)
from ferdata.faces.locate_report import LocateReport
from ferdata.faces.options import FaceOptions
from ferdata.faces.task import DetectorSetup, FaceTask, ImageRef, ImageResult

_TASK_ROWS = 128  # about a second of detection: smooth progress, little talk between processes


@dataclass
class FaceWork:
    """Some rows, and the columns made of them so far.

    Attributes:
        manifest: The rows.
        options: Where landmarks come from.
        wanted: Rows to detect in, bool (N,).
        setup: How to detect; None if no row asks for it.
        report: Counted up as the work is done.
        doubts: Findings that the rows bring; of as many rows, or empty.
        kept: Positions of the rows that are in `columns`, in their order.
        doubted: Positions of rows whose landmarks can't be right, and the finding that says why;
            they are neither kept nor rejected, but wait for the detector's landmarks.
        rejected: Positions of rows that are left behind, and why.
        has_face: Whether a face was found, by the position of each readable row that isn't doubted.
        columns: The arrays of `COLUMNS` made so far.
    """

    manifest: Manifest
    options: FaceOptions
    wanted: npt.NDArray[np.bool_]
    setup: DetectorSetup | None
    report: LocateReport
    doubts: Sequence[str] = ()
    kept: list[int] = field(default_factory=list)
    doubted: dict[int, str] = field(default_factory=dict)
    rejected: dict[int, str] = field(default_factory=dict)
    has_face: dict[int, bool] = field(default_factory=dict)
    columns: dict[str, list[pa.Array]] = field(
        default_factory=lambda: {name: [] for name in COLUMNS}
    )
    _row: int = 0

    def __post_init__(self) -> None:
        self._detector = self.setup.make() if self.setup else None

    def tasks(self) -> Iterator[FaceTask]:
        """Cut the rows into tasks."""
        table = self.manifest.table.select(["dataset", "uri", "box"])
        for start in range(0, len(self.manifest), _TASK_ROWS):
            images = tuple(
                ImageRef(self.manifest.roots[row["dataset"]], row["uri"], _box(row["box"]), detect)
                for row, detect in zip(
                    table.slice(start, _TASK_ROWS).to_pylist(),
                    self.wanted[start : start + _TASK_ROWS].tolist(),
                    strict=True,
                )
            )
            options = self.options
            yield FaceTask(images, self.setup, options.perceptual_hash, options.keep_blank)

    def add(self, results: list[ImageResult]) -> None:
        """Take the results of the next rows."""
        rows = self.manifest.table.slice(self._row, len(results))
        first, self._row = self._row, self._row + len(results)
        brought = rows.column("quality").to_pylist()
        points, images = [], []
        for row, found, result, before in zip(
            range(first, self._row), self._points(rows, results), results, brought, strict=True
        ):
            doubt = self.doubts[row] if self.doubts else _doubt(found, result)
            if doubt and not self.doubts and self.options.landmarks == "auto":
                self.doubted[row] = doubt
                continue
            mine = FacePoints() if doubt and found.source == "dataset" else found
            if not result.problem:
                self.has_face[row] = mine.source != "none"
            if reason := self._count(mine, result):
                self.rejected[row] = reason
                continue
            self.kept.append(row)
            points.append(mine)
            findings = dict.fromkeys((*(before or ()), *result.findings, *filter(None, [doubt])))
            images.append(replace(result, findings=tuple(findings)))
        for name, array in make_columns(points, images).items():
            self.columns[name].append(array)

    @property
    def detector_version(self) -> str | None:
        """Version of the detector; None without one."""
        return self._detector.version if self._detector else None

    def _points(self, rows: pa.Table, results: list[ImageResult]) -> list[FacePoints]:
        if self.options.keeps_shipped and not self.doubts:
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


def _doubt(points: FacePoints, result: ImageResult) -> str:
    """Return the finding of landmarks that can't be right; an empty string for others."""
    if points.source != "dataset" or result.problem:
        return ""
    if points.five is None or points.landmarks is None:
        return ""
    problem = points_problem(points.five, points.landmarks, result.width, result.height)
    return finding("landmarks-dropped", problem) if problem else ""


def _box(values: list[float] | None) -> Box | None:
    return None if values is None else (values[0], values[1], values[2], values[3])
