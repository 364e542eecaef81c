"""What a report says about a training run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePath

from ferdata.core.config import CONFIG_FILE
from ferdata.core.errors import BuildError, RunError
from ferdata.data.build import Build
from ferdata.evaluation.groups import Grouping
from ferdata.evaluation.prediction_file import read_predictions
from ferdata.evaluation.report import EvaluationReport, read_report
from ferdata.reports.options import ReportOptions
from ferdata.reports.stored import StoredImages
from ferdata.reports.views import (
    EvaluationView,
    GroupAccuracies,
    GroupAccuracy,
    Mistake,
    RunView,
    Thumbnail,
)
from ferdata.runs.folder import RunFolder
from ferdata.runs.record import RunRecord

MISTAKES = 24
"""Mistakes of one evaluation shown."""

MOST_GROUPS = 40
"""Groups of one property listed at most."""


def describe_run(run: RunFolder, builds: Iterable[Build], options: ReportOptions) -> RunView:
    """Return what a report says about a run.

    Args:
        run: The run.
        builds: Builds at hand, for the images of mistakes; that of the run is looked for as well.
        options: What is shown.

    Raises:
        RunError: The run's record is damaged.
        BuildError: A shard can't be read.
    """
    record = run.read()
    found = _builds(run, builds) if options.faces else {}
    folders = sorted((run.path / "evaluation").glob("*/report.json"))
    reports = [(path.parent, read_report(path.parent)) for path in folders]
    results, recipe = record.results, record.options.recipe
    if recipe and not options.faces:
        recipe = PurePath(recipe).name  # it may be the path of a file
    return RunView(
        model=record.options.model,
        build=record.build.name,
        plan_sha256=record.build.plan_sha256,
        build_version=record.build.ferdata_version,
        recipe=recipe or "",
        finished=results is not None,
        parameters=results.parameters if results else None,
        epochs=results.epochs if results else None,
        best_epoch=results.best_epoch if results else None,
        select=results.select if results else None,
        seconds=results.seconds if results else None,
        seed=record.options.seed,
        history=results.history if results else (),
        options=record.options.model_dump(mode="json") | {"recipe": recipe},
        command=f"ferdata train BUILD --config {CONFIG_FILE} --out RUN",
        evaluations=tuple(
            _Evaluation(folder, report, record, found.get(report.plan_sha256), options).view()
            for folder, report in reports
            if report is not None
        ),
    )


def _builds(run: RunFolder, given: Iterable[Build]) -> dict[str, Build]:
    """Return the builds at hand by the hash of their plan."""
    found = {each.plan_sha256: each for each in given}
    try:
        own = run.own_build()
    except (BuildError, RunError):  # it moved: mistakes are listed without images
        return found
    return {own.plan_sha256: own, **found}


@dataclass(frozen=True)
class _Evaluation:
    """One evaluation of a run, to be described."""

    folder: Path
    report: EvaluationReport
    record: RunRecord
    build: Build | None
    options: ReportOptions

    def view(self) -> EvaluationView:
        """Return what a report says about it."""
        report, scores = self.report, self.report.scores
        names = tuple(each.label for each in scores.per_class)
        correct = sum(scores.confusion[k][k] for k in range(len(names)))
        return EvaluationView(
            build=report.build,
            plan_sha256=report.plan_sha256,
            split=report.split,
            split_digest=report.split_digest,
            checkpoint=report.checkpoint,
            checkpoint_sha256=report.checkpoint_sha256,
            own=report.plan_sha256 == self.record.build.plan_sha256,
            warnings=tuple(report.warnings()),
            classes=names,
            scores=scores,
            calibration=report.calibration,
            groups=tuple(self._group(each) for each in report.groups),
            wrong=scores.n - correct,
            mistakes=self._mistakes(),
        )

    def _group(self, grouping: Grouping) -> GroupAccuracies:
        """Return the scores by group; subjects are only counted."""
        personal = grouping.by == "subject"
        listed = [] if personal else grouping.groups[:MOST_GROUPS]
        return GroupAccuracies(
            by=grouping.by.replace("_", " "),
            unknown=grouping.unknown,
            mean=grouping.mean_accuracy,
            lowest="" if personal and not self.options.faces else grouping.lowest,
            lowest_accuracy=grouping.group(grouping.lowest).accuracy,
            number=len(grouping.groups),
            groups=tuple(
                GroupAccuracy(
                    name=each.name,
                    n=each.n,
                    accuracy=each.accuracy,
                    low=each.accuracy_low,
                    high=each.accuracy_high,
                )
                for each in listed
            ),
        )

    def _mistakes(self) -> tuple[Mistake, ...]:
        """Return the most confident wrong predictions."""
        names = [each.label for each in self.report.scores.per_class]
        found = read_predictions(self.folder, names)
        wrong = [Mistake(**asdict(each)) for each in found if each.label != each.predicted]
        worst = sorted(wrong, key=lambda each: (-each.confidence, each.sample))[:MISTAKES]
        if not self.options.faces:
            return tuple(each.model_copy(update={"sample": ""}) for each in worst)
        there = self._images(each.sample for each in worst)
        return tuple(each.model_copy(update={"image": there.get(each.sample)}) for each in worst)

    def _images(self, samples: Iterable[str]) -> Mapping[str, Thumbnail]:
        images = StoredImages(self.build) if self.build is not None else None
        return {} if images is None or images.missing else images.find(samples)
