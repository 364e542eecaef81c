"""The content of a model card, from what a run, its build and its evaluations recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ferdata.core.errors import BuildError, FerdataError, RunError
from ferdata.evaluation.report import EvaluationReport, read_report
from ferdata.formats.card_content import CardSource
from ferdata.runs.folder import RunFolder
from ferdata.runs.record import RunRecord, RunResults
from ferdata.shards.card import card_sources, is_drawn
from ferdata.shards.record import BuildRecord


@dataclass(frozen=True)
class ModelCard:
    """The content of a model card.

    Attributes:
        name: Name of the run's folder.
        run: The run's record.
        results: The results of its training.
        evaluations: Scores of the checkpoint that the run selected, the run's own build first.
        build: The record of the build; None if it is gone.
        sources: The datasets of the build; empty if it is gone.
    """

    name: str
    run: RunRecord
    results: RunResults
    evaluations: Sequence[EvaluationReport] = ()
    build: BuildRecord | None = None
    sources: Sequence[CardSource] = ()

    @property
    def title(self) -> str:
        """Model and build."""
        return f"{self.run.options.model} on {self.run.build.name}"

    @property
    def synthetic(self) -> bool:
        """Whether the model was trained on drawn faces."""
        return self.build is not None and is_drawn(self.build)

    @property
    def licenses(self) -> list[str]:
        """The licenses of the images that the model was trained on."""
        return [source.license for source in self.sources if not source.drawn]

    @property
    def split_digest(self) -> str:
        """The split's name, the same for equal splits; empty where unknown."""
        own = [each for each in self.evaluations if self.is_own(each) and each.split_digest]
        if self.build is not None:
            return self.build.split_digest
        return own[0].split_digest if own else ""

    def is_own(self, report: EvaluationReport) -> bool:
        """Say whether an evaluation is on the build that the model was trained on."""
        return report.plan_sha256 == self.run.build.plan_sha256


def read_model_card(folder: RunFolder) -> ModelCard:
    """Collect the content of a run's card.

    Raises:
        RunError: There is no run, or it is not finished.
    """
    record = folder.read()
    if record.results is None:
        raise RunError(
            f"{folder.path}: this run is not finished; complete it with `ferdata train --resume` "
            "before you describe it"
        )
    build = _build(folder)
    card = ModelCard(
        name=folder.path.resolve().name,
        run=record,
        results=record.results,
        build=build,
        sources=() if build is None else _sources(build),
    )
    found = [read_report(path.parent) for path in sorted(_reports(folder.path))]
    selected = [report for report in found if report and report.checkpoint == record.options.select]
    selected.sort(key=lambda report: (not card.is_own(report), report.split != "test"))
    return ModelCard(card.name, card.run, card.results, selected, card.build, card.sources)


def _reports(run: Path) -> list[Path]:
    return list((run / "evaluation").glob("*/report.json"))


def _build(folder: RunFolder) -> BuildRecord | None:
    """Return the record of the run's own build; None if another or none is in its place."""
    try:
        return folder.own_build().record
    except BuildError:
        return None


def _sources(build: BuildRecord) -> list[CardSource]:
    """Return the datasets of a build; none if a plugin that knows one is not installed."""
    try:
        return card_sources(build)
    except FerdataError:
        return []
