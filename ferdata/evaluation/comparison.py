"""Runs side by side: scores, size, speed, and what the papers claim."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel

from ferdata.core.errors import BuildError, OptionError
from ferdata.core.files import sha256_file
from ferdata.data import Build
from ferdata.evaluation.complexity import (
    REPEATS,
    Complexity,
    Speed,
    measure_complexity,
    measure_speed,
)
from ferdata.evaluation.evaluate import evaluate, torch_device
from ferdata.evaluation.report import EvaluationReport, read_report
from ferdata.models.checkpoint import load_classifier
from ferdata.recipes import Claim, load_recipe, recipe_names
from ferdata.runs.folder import RunFolder, RunRecord


class ComparedRun(BaseModel):
    """One run of a comparison.

    Attributes:
        name: The run in tables: its folder's name, or its path where two folders have one name.
        run: Folder of the run.
        recipe: The recipe whose claims are quoted; None where the run follows no paper.
        report: Its scores.
        complexity: Its model's size and arithmetic.
        speed: Time by batch size; empty where it was not measured.
        claimed: What the paper says of this dataset, and of the model itself; not measured here.
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
        split: The split that all scores are of.
        runs: The runs, in the order asked for.
        notes: What a reader must know before comparing numbers.
    """

    split: str
    runs: list[ComparedRun]
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
    """Set runs side by side, each with the checkpoint that it selected.

    A report that a run has of this split, build and checkpoint is used; else the run is evaluated.

    Args:
        runs: Folders of runs.
        build: The build to score all of them on; default: each on the build it was trained on.
        split: Name of the split.
        latency: Measure speed, too.
        repeats: Forward passes to time for each batch size.
        device: `"auto"`, `"cpu"` or `"gpu"`.
        quiet: Show no progress.

    Raises:
        OptionError: No run is given, one is given twice or is no run, or the device is not there.
        BuildError: A build is missing, or is not the one that a run was trained on.
        FerdataError: As `evaluate` does.
    """
    names = _names(runs)
    compared = []
    for name, run in zip(names, runs, strict=True):
        folder = RunFolder(run)
        record = folder.read()
        report = _report(folder, record, build, split, device=device, quiet=quiet)
        classifier = load_classifier(folder.checkpoint(record.options.select))
        complexity = measure_complexity(classifier)
        speed = []
        if latency:
            image = record.build.get("image") or {}
            size = (image["height"], image["width"]) if image else None
            classifier.to(torch_device(device))
            speed = measure_speed(classifier, image_size=size, repeats=repeats, quiet=quiet)
        recipe = _recipe(record)
        compared.append(
            ComparedRun(
                name=name,
                run=str(run),
                recipe=recipe,
                report=report,
                complexity=complexity,
                speed=speed,
                claimed=claims(recipe, report.build) if recipe else [],
            )
        )
    return Comparison(split=split, runs=compared, notes=_notes(compared, split))


def claims(recipe: str, dataset: str) -> list[Claim]:
    """Return what a recipe's paper claims for a dataset, and for its model on any.

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
    """Name runs by their folders, or by their paths where that would be ambiguous."""
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
    build: Path | None,
    split: str,
    *,
    device: str,
    quiet: bool,
) -> EvaluationReport:
    """Return a run's scores: from an earlier evaluation where it is still true, or anew."""
    which = record.options.select
    name, plan = record.build["name"], record.build["plan_sha256"]
    if build is not None:
        data = Build.open(build)
        name, plan = data.name, data.plan_sha256
    known = read_report(folder.evaluation(name, plan, split, which))
    if (
        known is not None
        and (known.split, known.plan_sha256) == (split, plan)
        and known.checkpoint_sha256 == sha256_file(folder.checkpoint(which))
    ):
        return known
    return evaluate(
        folder.path, build or _own_build(folder, record), split, device=device, quiet=quiet
    )


def _own_build(folder: RunFolder, record: RunRecord) -> Path:
    """Return the build that a run was trained on, if it is still there."""
    path, plan = Path(record.build["path"]), record.build["plan_sha256"]
    if not path.exists():
        raise BuildError(
            f"{folder.path} was trained on {path}, which is not there; say where a build is with "
            "--build FOLDER."
        )
    found = Build.open(path).plan_sha256
    if found != plan:
        raise BuildError(
            f"{folder.path} was trained on {path} with plan {plan[:12]}…; the build there now has "
            f"plan {found[:12]}…, so its {record.build['name']} may hold images of that train "
            "split anywhere. Give --build FOLDER to score on it nevertheless."
        )
    return path


def _recipe(record: RunRecord) -> str | None:
    """Return the name of the paper's recipe that a run, or at least its model, is of."""
    named = (record.options.recipe, record.spec.model.removeprefix("fer_"))
    return next((name for name in named if name in recipe_names()), None)


def _notes(runs: Sequence[ComparedRun], split: str) -> list[str]:
    """Say in words where numbers are not of the same images, and what else to know."""
    tests: dict[tuple[str, str, int], list[str]] = defaultdict(list)
    for run in runs:
        tests[run.report.build, run.report.plan_sha256, run.report.scores.n].append(run.name)
    notes = []
    if len(tests) > 1:
        listed = "; ".join(
            f"{', '.join(names)}: {n} {split} images of {build} (plan {plan[:12]}…)"
            for (build, plan, n), names in tests.items()
        )
        notes.append(f"not comparable, since the scores are not of the same images: {listed}.")
    told: dict[str, list[str]] = defaultdict(list)
    for run in runs:
        for warning in run.report.warnings():
            told[warning].append(run.name)
    notes += [f"{', '.join(names)}: {warning}" for warning, names in told.items()]
    return notes
