"""The record of a training run, `run.json`: written when it starts, completed when it ends."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import model_validator

from ferdata.core.errors import RunError
from ferdata.core.options import RENAMED
from ferdata.core.records import Record, RecordPart
from ferdata.faces.set_alignment import SetAlignment, with_alignment
from ferdata.models.spec import ModelSpec
from ferdata.runs.options import TrainOptions
from ferdata.shards.options import BuildOptions
from ferdata.shards.record import ImageRecord, LandmarkRecord


class FramingRecord(RecordPart):
    """How the source images of the build were framed; see `ferdata.data.framing`."""

    framings: tuple[str, ...] = ()
    """Framings of the images, `crop` and `photograph`; empty if unknown."""
    five_points: tuple[tuple[float, float], ...] | None = None
    """Median positions of the five points in the build's crops, as fractions of the side."""


class RunBuild(RecordPart):
    """The build that a run was trained on, as needed to resume it and to prepare new images."""

    path: str
    """The build directory, as it was given."""
    name: str
    plan_sha256: str
    ferdata_version: str = ""
    """Version of ferdata that wrote the build."""
    image: ImageRecord
    landmarks: LandmarkRecord = LandmarkRecord()
    options: BuildOptions = BuildOptions()
    alignment: SetAlignment = SetAlignment()
    """How the build brought images to the output."""
    framing: FramingRecord = FramingRecord()

    _old = model_validator(mode="before")(with_alignment)


class RunResults(RecordPart):
    """Results of training; the test scores are in the evaluation's own report."""

    parameters: int
    """Number of trainable parameters."""
    epochs: int
    """Number of epochs trained."""
    best_epoch: int | None
    """Best epoch on validation, counted from 1; None without validation."""
    select: Literal["best", "last"]
    """Checkpoint that was evaluated."""
    history: tuple[dict[str, float], ...]
    """One row per epoch, as in `metrics.csv`."""
    seconds: float
    """Duration of the call that finished the run."""


class RunRecord(Record):
    """All that is known about a run."""

    file_name: ClassVar[str] = "run.json"
    current: ClassVar[str] = "ferdata-run/2"
    error: ClassVar[type[RunError]] = RunError
    remedy: ClassVar[str] = "train again with another --out"

    format: str = "ferdata-run/2"
    options: TrainOptions
    build: RunBuild
    spec: ModelSpec
    """The model."""
    results: RunResults | None = None
    """None until the run is finished."""

    @classmethod
    def missing(cls, folder: Path) -> str:
        """Return why a folder is not a run."""
        if not folder.exists():
            return f"{folder}: no such folder; pass the --out of `ferdata train`"
        return (
            f"{folder}: not a training run (it has no {cls.file_name}); pass the --out of "
            "`ferdata train`"
        )

    @classmethod
    def upgraded(cls, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Upgrade `ferdata-run/1`, in which some fields had other names."""
        if values.get("format") != "ferdata-run/1":
            return values
        build = {key: values["build"].get(key) for key in RunBuild.model_fields}
        build["options"] = _renamed(build["options"] or {})
        results = values.get("results")
        if results is not None:
            results = {key: results.get(key) for key in RunResults.model_fields}
        return {
            "format": cls.current,
            "options": _renamed(values["options"]),
            "build": {key: each for key, each in build.items() if each is not None},
            "spec": values.get("spec") or values.get("facts"),
            "results": results,
        }


def _renamed(options: Mapping[str, Any]) -> dict[str, Any]:
    return {RENAMED.get(name, name): value for name, value in options.items()}
