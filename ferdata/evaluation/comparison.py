"""Runs side by side: scores, size, speed, and the papers' claims."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel

from ferdata.core.errors import FerdataError, OptionError
from ferdata.core.files import sha256_file
from ferdata.data import Build
from ferdata.evaluation.complexity import (
    REPEATS,
    Complexity,
    Speed,
    measure_complexity,
    measure_speed,
)
from ferdata.evaluation.report import EvaluationReport, read_report
from ferdata.evaluation.scoring import evaluate
from ferdata.models.checkpoint import load_classifier
from ferdata.models.device import torch_device
from ferdata.recipes import Claim, load_recipe, recipe_names
from ferdata.runs.folder import RunFolder
from ferdata.runs.record import RunRecord


class ComparedRun(BaseModel):
    """One run of a comparison.

    Attributes:
        name: The run in tables: its folder's name, or its path if two folders have the same name.
        run: Folder of the run.
        recipe: The recipe whose claims are quoted; None if the run follows no paper.
        report: Its scores.
        complexity: Its model's size and arithmetic.
        speed: Time by batch size; empty if it was not measured.
        claimed: The paper's claims for this dataset and for the model itself; not measured here.
    """

    name: str
    run: str
    recipe: str | None
    report: EvaluationReport
    complexity: Complexity
    speed: list[Speed]
    claimed: list[Claim]


class Comparison(BaseModel):
    """Runs side by side.

    Attributes:
        split: The split of all scores.
        runs: The runs, in the given order.
        skipped: Why a run can't be compared, and what to do about it, by the run's name.
        notes: What a reader must know before comparing numbers.
    """

    split: str
    runs: list[ComparedRun]
    skipped: dict[str, str]
    notes: list[str]


def compare(
    runs: Sequence[Path],
    build: Path | None = None,
    split: str = "test",
    *,
    latency: bool = True,
    repeats: int = REPEATS,
    device: str = "auto",
    quiet: bool = False,
) -> Comparison:
    """Compare runs, each with the checkpoint that it selected.

    An earlier evaluation of the same split, build and checkpoint is used; otherwise the run is
    evaluated. Runs that are unfinished or can't be evaluated are skipped and listed with the
    reason.

    Args:
        runs: Folders of runs.
        build: The build to score all of them on; default: each on the build it was trained on.
        split: Name of the split.
        latency: Measure speed, too.
        repeats: Forward passes to time for each batch size.
        device: `"auto"`, `"cpu"` or `"gpu"`.
        quiet: Show no progress.

    Raises:
        OptionError: No run is given, one is given twice, none can be compared, or the device is not
            available.
        BuildError: The given build can't be read.
    """
    data = None if build is None else Build.open(build)
    torch_device(device)  # an unavailable device is an error of the call, not of each run
    compared, skipped = [], {}
    for name, run in zip(_names(runs), runs, strict=True):
        try:
            compared.append(
                _compare_run(
                    name, run, data, split,
                    latency=latency, repeats=repeats, device=device, quiet=quiet,
                )
            )  # fmt: skip
        except FerdataError as error:
            skipped[name] = str(error)
    if not compared:
        reasons = "".join(f"\n  {name}: {reason}" for name, reason in skipped.items())
        raise OptionError(f"no run can be compared:{reasons}")
    return Comparison(split=split, runs=compared, skipped=skipped, notes=_notes(compared, split))


def _compare_run(
    name: str,
    run: Path,
    build: Build | None,
    split: str,
    *,
    latency: bool,
    repeats: int,
    device: str,
    quiet: bool,
) -> ComparedRun:
    """Score and measure one run."""
    folder = RunFolder(run)
    record = folder.read()
    if record.results is None:
        raise OptionError(
            f"{run} is not finished; finish it with: ferdata train {record.build.path} "
            f"--out {run} --resume"
        )
    report = _report(folder, record, build, split, device=device, quiet=quiet)
    classifier = load_classifier(folder.model_file(record.options.select))
    complexity, speed = measure_complexity(classifier), []
    if latency:
        size = (record.build.image.height, record.build.image.width)
        classifier.to(torch_device(device))
        speed = measure_speed(classifier, image_size=size, repeats=repeats, quiet=quiet)
    recipe = _recipe(record)
    return ComparedRun(
        name=name,
        run=str(run),
        recipe=recipe,
        report=report,
        complexity=complexity,
        speed=speed,
        claimed=claims(recipe, report.build) if recipe else [],
    )


def claims(recipe: str, dataset: str) -> list[Claim]:
    """Return a paper's claims for a dataset, and those for its model on any dataset.

    Raises:
        FerdataError: The recipe can't be read.
    """
    return [
        claim
        for claim in load_recipe(recipe).claims
        if claim.dataset in ("", dataset)
        and (claim.accuracy is not None or claim.parameters is not None)
    ]


def _names(runs: Sequence[Path]) -> list[str]:
    """Name runs by their folders, or by their paths if two folders have the same name."""
    if not runs:
        raise OptionError("no run to compare; give folders that `ferdata train` made.")
    resolved = [run.resolve() for run in runs]
    for run, times in Counter(resolved).items():
        if times > 1:
            raise OptionError(f"{run} is given {times} times; give each run once.")
    folders = [run.name for run in resolved]
    return [
        str(run) if folders.count(name) > 1 else name
        for run, name in zip(runs, folders, strict=True)
    ]


def _report(
    folder: RunFolder,
    record: RunRecord,
    build: Build | None,
    split: str,
    *,
    device: str,
    quiet: bool,
) -> EvaluationReport:
    """Return a run's scores, from an earlier evaluation if that is still valid."""
    which = record.options.select
    name, plan = record.build.name, record.build.plan_sha256
    if build is not None:
        name, plan = build.name, build.plan_sha256
    known = read_report(folder.evaluation(name, plan, split, which))
    if (
        known is not None
        and (known.split, known.plan_sha256) == (split, plan)
        and known.checkpoint_sha256 == sha256_file(folder.model_file(which))
    ):
        return known
    data = build or folder.own_build()
    return evaluate(folder.path, data.root, split, device=device, quiet=quiet)


def _recipe(record: RunRecord) -> str | None:
    """Return the recipe of a run, or else the one of its model; None if there is none."""
    named = (record.options.recipe, record.spec.model.removeprefix("fer_"))
    return next((name for name in named if name in recipe_names()), None)


def _notes(runs: Sequence[ComparedRun], split: str) -> list[str]:
    """Return what to know before comparing: other images, leaks, other classes."""
    tests: dict[tuple[str, str, int], list[str]] = defaultdict(list)
    for run in runs:
        tests[run.report.build, run.report.plan_sha256, run.report.scores.n].append(run.name)
    notes = []
    if len(tests) > 1:
        listed = "; ".join(
            f"{', '.join(names)}: {n} {split} images of {build} (plan {plan[:12]}…)"
            for (build, plan, n), names in tests.items()
        )
        notes.append(f"Not comparable, since the scores are for different images: {listed}.")
    warned: dict[str, list[str]] = defaultdict(list)
    for run in runs:
        for warning in run.report.warnings():
            warned[warning].append(run.name)
    notes += [f"{', '.join(names)}: {warning}" for warning, names in warned.items()]
    return notes
