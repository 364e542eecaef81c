"""The protocol: validation, augmentation of held-out images, selection on test."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ferdata.audits.disk_splits import split_columns
from ferdata.audits.findings import Finding
from ferdata.audits.rule import Need, NotApplicableError, rule
from ferdata.audits.runs import AuditedRun
from ferdata.audits.subject import AuditSubject
from ferdata.core.schema import SPLITS


@rule(
    "protocol",
    severity="error",
    wants=(Need.RUN,),
    finds="validation missing, test used to select (from a run's record), augmentation on test, a "
    "score of train",
    means="A number that was chosen on the images it is measured on is too good, by an amount that "
    "nobody knows.",
    remedy="Hold validation out of train (the default of `ferdata build`), select on it, and look "
    "at test once.",
)
def protocol(subject: AuditSubject) -> Iterator[Finding]:
    """Judge how splits are used."""
    there = subject.present()
    if len(there) < 2 and subject.run is None:
        raise NotApplicableError("this set has no splits; `ferdata build` draws leak-free ones")
    yield from _validation(subject, there)
    yield from _augmented(subject, there)
    if subject.run is not None:
        yield from _selection(subject.run, there)
        yield from _evaluated(subject.run)


def _validation(subject: AuditSubject, there: list[str]) -> Iterator[Finding]:
    """Find a missing validation split, and one that is the authors' test split."""
    total = int(subject.sources.sum())
    if "validation" not in there and "test" in there and subject.sides is None:
        yield protocol.finding(
            severity="warning",
            subject="validation",
            title="There is no validation split: epochs, learning rates and models would be chosen "
            "on test.",
            count=int(subject.in_split("test").sum()),
            of=total,
            measure="images of validation",
            value=0.0,
            threshold=1.0,
        )
    official = split_columns(subject.table).official
    swapped = subject.in_split("validation") & (official == SPLITS.index("test"))
    validation = int(subject.in_split("validation").sum())
    if validation and swapped.sum() > validation / 2:
        drawn = subject.about.kind in ("build", "manifest", "run")
        yield protocol.finding(
            severity="error" if drawn else "warning",
            subject="validation",
            title="The validation split is the one that others report test scores on: "
            f"{int(swapped.sum()):,} of its {validation:,} images. What is selected on it can't be "
            "measured on it as well.",
            count=int(swapped.sum()),
            of=validation,
            measure="share of validation that is the official test split",
            remedy="Use it as test, and hold validation out of train (the default of `ferdata "
            "build`).",
            value=float(swapped.sum() / validation),
            threshold=0.5,
            examples=subject.examples(np.flatnonzero(swapped)),
        )


def _augmented(subject: AuditSubject, there: list[str]) -> Iterator[Finding]:
    """Find augmented copies in held-out splits."""
    for split in there:
        if split == "train":
            continue
        copies = subject.in_split(split, sources=False) & ~subject.sources
        altered = copies | (subject.in_split(split) & subject.families.named)
        if not (count := int(altered.sum())):
            continue
        total = int(subject.in_split(split, sources=False).sum())
        yield protocol.finding(
            subject=split,
            title=f"{count:,} of {total:,} {split} images ({count / total:.1%}) are augmented "
            "copies: some images count several times, and others' scores are on the originals.",
            count=count,
            of=total,
            measure=f"share of {split} that is augmented",
            value=count / total,
            threshold=0.0,
            remedy="Augment train only.",
            examples=subject.examples(np.flatnonzero(altered)),
        )


def _selection(run: AuditedRun, there: list[str]) -> Iterator[Finding]:
    """Find a checkpoint that was selected on something else than validation."""
    results, options = run.record.results, run.record.options
    history = results.history if results else ()
    seen = sorted({name for row in history for name in row if name.startswith("test")})
    best = results.best_epoch if results else None
    chosen_without = options.select == "best" and best is not None and "validation" not in there
    if seen or chosen_without:
        why = (
            f"test was scored in every epoch ({', '.join(seen)})"
            if seen
            else f"epoch {best} was selected, and the build has no validation split"
        )
        yield protocol.finding(
            subject="test",
            title=f"Test was used to select: {why}.",
            unit="epochs",
            count=len(history),
            of=len(history),
            measure="epochs in which test was looked at",
            value=float(len(history)),
            threshold=0.0,
        )
    if options.pretrained and (options.mean or options.std):
        yield protocol.finding(
            severity="warning",
            subject="input",
            title="Pretrained weights were used with another mean or standard deviation than their "
            "own (--mean, --std).",
            unit="runs",
            count=1,
            of=1,
            measure="mean and standard deviation of the input",
            means="The first layers see values that they were not trained on; part of what the "
            "weights know is lost.",
            remedy="Leave --mean and --std out: the default is the model's own.",
        )
    if run.build is not None and run.build.leaks:
        yield protocol.finding(
            subject="build",
            title=f"The run was trained on a build that leaks: {'; '.join(run.build.leaks)}.",
            unit="leaks",
            count=len(run.build.leaks),
            of=len(run.build.leaks),
            measure="declared leaks",
            remedy="Train on a leak-free build: --leak-free.",
        )


def _evaluated(run: AuditedRun) -> Iterator[Finding]:
    """Find scores of train, and scores without a split."""
    if run.record.results is None:
        yield protocol.finding(
            severity="note",
            subject="run",
            title="The run is not finished: it has no results to judge.",
            unit="runs",
            count=1,
            of=1,
            measure="finished runs",
            remedy="Continue it: `ferdata train … --resume`.",
        )
    for each in run.evaluations:
        if each.split and each.split != "train":
            continue
        what = "of train, which the model has learned" if each.split else "of no named split"
        yield protocol.finding(
            severity="warning" if each.split else "error",
            subject=each.split or each.name,
            title=f"{each.name} reports {each.accuracy:.2%} {what}; it is no test score.",
            count=each.n,
            of=each.n,
            measure="accuracy",
            value=each.accuracy,
            remedy="Print the split beside every number, and test scores only as results.",
        )
