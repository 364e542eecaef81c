"""A training run that is audited: its record and the reports of its evaluations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ferdata.core.errors import BuildError
from ferdata.core.files import read_json
from ferdata.data.build import Build
from ferdata.runs.folder import RunFolder
from ferdata.runs.record import RunRecord


@dataclass(frozen=True)
class Evaluation:
    """What a report of an evaluation says; only what is audited.

    Attributes:
        name: Its folder.
        split: The split that was scored; empty where the report names none.
        plan: The plan of the build that was scored.
        n: Number of images.
        accuracy: As reported.
        confusion: Rows are true classes, columns predicted ones.
    """

    name: str
    split: str
    plan: str
    n: int
    accuracy: float
    confusion: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class AuditedRun:
    """A run.

    Attributes:
        folder: Its folder.
        record: Its record.
        build: The build that it was trained on; None if that is gone or another one is there.
        evaluations: What its reports say.
    """

    folder: Path
    record: RunRecord
    build: Build | None
    evaluations: tuple[Evaluation, ...]

    @classmethod
    def open(cls, folder: Path) -> AuditedRun:
        """Read a run.

        Raises:
            RunError: There is no run, or its record is damaged.
        """
        run = RunFolder(folder)
        record = run.read()
        try:
            build: Build | None = run.own_build()
        except BuildError:
            build = None
        return cls(folder, record, build, tuple(_evaluations(folder / "evaluation")))


def _evaluations(folder: Path) -> Iterator[Evaluation]:
    """Read every report; one of another version is read as far as it goes."""
    for path in sorted(folder.glob("*/report.json")):
        try:
            values = read_json(path)
        except BuildError:
            continue
        scores = values.get("scores") if isinstance(values, dict) else None
        if not isinstance(scores, dict) or "accuracy" not in scores:
            continue
        yield Evaluation(
            name=path.parent.name,
            split=str(values.get("split") or ""),
            plan=str(values.get("plan_sha256") or ""),
            n=int(scores.get("n") or 0),
            accuracy=float(scores["accuracy"]),
            confusion=tuple(tuple(map(int, row)) for row in scores.get("confusion") or ()),
        )
