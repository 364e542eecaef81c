"""An audit: read, look at the images, apply the rules, put the findings in order."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from ferdata.audits.findings import SEVERITIES, AuditedSet, AuditReport, Finding, RuleOutcome
from ferdata.audits.image_measures import ImageMeasures
from ferdata.audits.image_pass import measure_build, measure_files
from ferdata.audits.options import AuditOptions
from ferdata.audits.reading import Opened, open_path
from ferdata.audits.registry import chosen_rules
from ferdata.audits.rule import Need, NotApplicableError, Rule
from ferdata.audits.subject import AuditSubject
from ferdata.audits.turned_over import find_upside_down
from ferdata.core.labels import CANONICAL, LabelSpace
from ferdata.core.manifest import Manifest
from ferdata.core.parallel import default_workers, open_executor
from ferdata.core.schema import SPLITS
from ferdata.faces.locate import locate_faces
from ferdata.faces.options import FaceOptions

logger = logging.getLogger(__name__)

_WORTH = 500  # images to detect in from which starting another process pays

Codes = np.ndarray[tuple[int], np.dtype[np.int64]]


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
    looker = _Looker(options, rules, workers, quiet)
    with ExitStack() as stack:
        opened = stack.enter_context(open_path(source.path, name=source.name, data=source.data))
        subject = looker.look(opened)
        other = None
        if against is not None:
            other = looker.look(stack.enter_context(open_path(against)))
            subject, other = _against(subject, other)
        findings, outcomes = apply_rules(subject, rules)
        return AuditReport(
            audited=_described(subject if other is None else _part(subject, "train")),
            against=None if other is None else _described(replace(other, sides=None)),
            findings=tuple(findings),
            rules=tuple(outcomes),
        )


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


@dataclass(frozen=True)
class _Looker:
    """Opens images as far as rules need it."""

    options: AuditOptions
    rules: list[Rule]
    workers: int | None
    quiet: bool

    def look(self, opened: Opened) -> AuditSubject:
        """Return the subject of an audit."""
        manifest, measures, notes = opened.manifest, None, list(opened.about.notes)
        images = self.options.images and any(not each.is_cheap for each in self.rules)
        if images and opened.build is not None:
            measures = measure_build(opened.build, manifest, workers=self.workers, quiet=self.quiet)
        elif images and manifest.roots:
            manifest = self._locate(manifest)
            measures = measure_files(manifest, workers=self.workers, quiet=self.quiet)
        elif images:
            notes.append("the images are not at hand (--data DIR names their folder)")
        faces_known = manifest.table.column("landmark_source").null_count < len(manifest)
        if images and manifest.roots and not self.options.faces:
            faces_known = False
        about = opened.about.model_copy(
            update={"notes": tuple(notes), "rejects": len(manifest.rejects)}
        )
        subject = AuditSubject(
            about=about,
            manifest=manifest,
            root=opened.root,
            options=self.options,
            build=opened.build,
            run=opened.run,
            measures=measures,
            faces_known=faces_known,
            refusals=opened.refusals,
        )
        if faces_known and manifest.roots and "vertical-flip" in {x.name for x in self.rules}:
            return replace(subject, upside_down=find_upside_down(manifest, quiet=self.quiet))
        return subject

    def _locate(self, manifest: Manifest) -> Manifest:
        """Read every image and look for its face."""
        wanted = {Need.FACES} & {need for each in self.rules for need in each.needs}
        detect = self.options.faces and bool(wanted or "vertical-flip" in self.options.rules)
        options = FaceOptions("auto" if detect else "dataset", keep_blank=True)
        workers = self.workers or max(1, min(default_workers(), len(manifest) // _WORTH))
        level = logging.getLogger("ferdata.faces").level
        logging.getLogger("ferdata.faces").setLevel(logging.ERROR)
        try:
            with open_executor("processes", workers) as executor:
                return locate_faces(
                    manifest, options, executor=executor, workers=workers, quiet=self.quiet
                )
        finally:
            logging.getLogger("ferdata.faces").setLevel(level)


def _described(subject: AuditSubject) -> AuditedSet:
    """Return what was audited, with its counts."""
    return subject.about.model_copy(
        update={
            "rows": len(subject),
            "copies": int((~subject.sources).sum()),
            "splits": subject.counts_by_split(sources=False),
        }
    )


def _part(subject: AuditSubject, split: str) -> AuditSubject:
    """Return the rows of one side."""
    rows = np.flatnonzero(subject.split == SPLITS.index(split))
    return replace(subject, manifest=subject.manifest.take(rows), sides=subject.split[rows])


def _against(train: AuditSubject, test: AuditSubject) -> tuple[AuditSubject, AuditSubject]:
    """Put what is trained on and what is tested on into one subject.

    Of a train set with splits the test rows are left out, of a test set all but the test rows.
    """
    first = _rows(train, [SPLITS.index(name) for name in ("train", "validation")])
    second = _rows(test, [SPLITS.index("test")])
    names = dict.fromkeys([*train.classes, *test.classes])
    ordered = [name for name in CANONICAL if name in names]
    space = LabelSpace(
        train.manifest.label_space.name, (*ordered, *(x for x in names if x not in CANONICAL))
    )
    left, right = train.manifest.take(first), test.manifest.take(second)
    manifest = replace(
        left,
        table=pa.concat_tables([left.table, right.table]),
        label_space=space,
        rejects=left.rejects + right.rejects,
        roots={**right.roots, **left.roots},
    )
    sides = np.repeat([SPLITS.index("train"), SPLITS.index("test")], [len(first), len(second)])
    measures = _joined(train.measures, first, test.measures, second)
    joined = replace(
        train,
        manifest=manifest,
        sides=sides,
        measures=measures,
        faces_known=train.faces_known and test.faces_known,
        upside_down=_joined_mask(train, first, test, second),
        refusals=train.refusals + test.refusals,
    )
    kept = replace(test, manifest=right, sides=np.full(len(second), SPLITS.index("test")))
    return joined, kept


def _rows(subject: AuditSubject, splits: list[int]) -> Codes:
    """Return the rows of some splits, all where the set has none of them or no several splits."""
    chosen = np.isin(subject.split, splits)
    if len(subject.present()) < 2 or not chosen.any():
        return np.arange(len(subject))
    return np.flatnonzero(chosen)


def _joined(
    one: ImageMeasures | None, first: Codes, other: ImageMeasures | None, second: Codes
) -> ImageMeasures | None:
    if one is None or other is None:
        return None
    return ImageMeasures(
        **{
            name: np.concatenate((values[first], vars(other)[name][second]))
            for name, values in vars(one).items()
        }
    )


def _joined_mask(
    one: AuditSubject, first: Codes, other: AuditSubject, second: Codes
) -> np.ndarray[tuple[int], np.dtype[np.bool_]] | None:
    if one.upside_down is None or other.upside_down is None:
        return None
    return np.concatenate((one.upside_down[first], other.upside_down[second]))
