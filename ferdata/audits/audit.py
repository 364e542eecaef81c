"""An audit: read, look at the images, apply the rules, put the findings in order."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from ferdata.audits.findings import SEVERITIES, AuditedSet, AuditReport, Finding, RuleOutcome
from ferdata.audits.joining import join, side
from ferdata.audits.looking import Looker
from ferdata.audits.options import AuditOptions
from ferdata.audits.reading import open_path
from ferdata.audits.registry import chosen_rules
from ferdata.audits.rule import Need, NotApplicableError, Rule
from ferdata.audits.subject import AuditSubject


@dataclass(frozen=True)
class AuditSource:
    """Where to read what is audited.

    Attributes:
        path: A manifest, a build, a run, or a folder or table with images and labels.
        name: What it is: a dataset, or the YAML file of a declaration; None to find out.
        data: Folder of a manifest's images.
    """

    path: Path
    name: str | None = None
    data: Path | None = None


def run_audit(
    source: AuditSource,
    against: Path | None = None,
    options: AuditOptions | None = None,
    *,
    workers: int | None = None,
    quiet: bool = False,
) -> AuditReport:
    """Audit a set, or a train set against a test set.

    Args:
        source: What is audited.
        against: The test set, if `source` is only what is trained on.
        options: Rules, and what to look at.
        workers: Number of processes; None for one per core where that pays.
        quiet: Show no progress.

    Raises:
        UnknownNameError: There is no such rule.
        FerdataError: The data can't be read.
    """
    options = options or AuditOptions()
    rules = chosen_rules(options.rules)
    looker = Looker(options, tuple(rules), workers, quiet)
    with ExitStack() as stack:
        opened = stack.enter_context(open_path(source.path, name=source.name, data=source.data))
        subject = looker.look(opened)
        other = None
        if against is not None:
            other = looker.look(stack.enter_context(open_path(against)))
            subject, other = join(subject, other)
        findings, outcomes = apply_rules(looker.compare(subject), rules)
        return AuditReport(
            audited=_described(subject if other is None else side(subject, "train")),
            against=None if other is None else _described(replace(other, sides=None)),
            findings=tuple(findings),
            rules=tuple(outcomes),
        )


def audit_build(out: Path) -> AuditReport:
    """Audit a build by the rules that open no image; equal builds give equal reports.

    Raises:
        FerdataError: The build can't be read.
    """
    found = run_audit(AuditSource(out), options=AuditOptions(images=False), quiet=True)
    named = found.audited.model_copy(update={"path": "."})
    return found.model_copy(update={"audited": named})


def apply_rules(
    subject: AuditSubject, rules: Iterable[Rule]
) -> tuple[list[Finding], list[RuleOutcome]]:
    """Apply rules; return their findings, the worst first, and what became of each rule."""
    findings: list[Finding] = []
    outcomes = []
    for each in rules:
        try:
            _require(subject, each)
            found = list(each.check(subject))
        except NotApplicableError as error:
            outcomes.append(
                RuleOutcome(rule=each.name, outcome="not applicable", reason=error.reason)
            )
            continue
        findings += found
        outcomes.append(RuleOutcome(rule=each.name, outcome="findings" if found else "clean"))
    findings.sort(key=lambda finding: SEVERITIES.index(finding.severity))
    return findings, outcomes


def _require(subject: AuditSubject, which: Rule) -> None:
    """Check that there is what a rule looks at.

    Raises:
        NotApplicableError: There is not.
    """
    if Need.SPLITS in which.needs and len(subject.present()) < 2:
        there = f"only {subject.present()[0]}" if subject.present() else "no splits"
        raise NotApplicableError(
            f"this set has {there}; `ferdata build` draws leak-free splits, and --against TEST "
            "compares with another set"
        )
    if Need.FACES in which.needs and not subject.faces_known:
        raise NotApplicableError(
            "no faces were looked for (--no-images, --no-faces, no detector, or a manifest whose "
            "images are not at hand)"
        )
    if Need.RUN in which.needs and subject.run is None:
        raise NotApplicableError("not a training run")


def _described(subject: AuditSubject) -> AuditedSet:
    """Return what was audited, with its counts."""
    return subject.about.model_copy(
        update={
            "rows": len(subject),
            "copies": int((~subject.sources).sum()),
            "splits": subject.counts_by_split(sources=False),
        }
    )
