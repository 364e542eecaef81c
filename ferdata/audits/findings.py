"""What an audit finds: typed records, written to `audit.json` and read by reports.

The format is `ferdata-audit/1`. Texts are for people; programs read `rule`, `severity`, `subject`,
`count`, `share`, `value` and `details`.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from ferdata.core.errors import AuditError
from ferdata.core.records import Record, RecordPart
from ferdata.core.version import __version__
from ferdata.formats.names import AUDIT_FILE

Severity = Literal["error", "warning", "note"]

SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
"""The worst first: an error makes numbers wrong, a warning may, a note is worth knowing."""

Number = int | float

MOST_EXAMPLES = 100
"""Examples of one finding, at most; who shows them shows fewer."""


class Example(RecordPart):
    """Rows that show a finding: one image, or several that belong together."""

    samples: tuple[str, ...] = ()
    """Sample ids."""
    uris: tuple[str, ...] = ()
    """Where the images are, relative to the audited folder; as many as `samples`."""
    splits: tuple[str, ...] = ()
    """Their splits; empty text where a row has none. As many as `samples`, or none."""
    labels: tuple[str, ...] = ()
    """Their labels. As many as `samples`, or none."""
    text: str = ""
    """What is seen on them, for instance `mirrored, 4 of 256 bits differ`."""


class Finding(RecordPart):
    """One thing that is wrong, or worth knowing."""

    rule: str
    """The rule's id, see `docs/audit.md`."""
    severity: Severity
    subject: str
    """What it is about: a split, two splits as `train/test`, a class, an attribute, `all`."""
    title: str
    """What was found, one sentence with its numbers."""
    unit: str = "images"
    """What `count` and `of` count."""
    count: int = Field(ge=0)
    """How many are concerned."""
    of: int = Field(ge=0)
    """Of how many."""
    share: float
    """`count` as a fraction of `of`; 0 of none."""
    measure: str
    """What `value` measures."""
    value: float | None = None
    threshold: float | None = None
    """The value from which this is a finding; None where any is one."""
    means: str
    """Why it matters."""
    remedy: str
    """What to do about it."""
    examples: tuple[Example, ...] = Field((), max_length=MOST_EXAMPLES)
    details: dict[str, Number | str | None] = {}
    """Further numbers by name, for instance `test in train`."""


class RuleOutcome(RecordPart):
    """What became of one rule."""

    rule: str
    outcome: Literal["findings", "clean", "not applicable"]
    reason: str = ""
    """Why it does not apply."""


class AuditedSet(RecordPart):
    """What was audited, or what it was audited against."""

    path: str
    kind: Literal["manifest", "build", "run", "dataset", "set", "huggingface"]
    """A dataset is one that ferdata knows; a set is anything else with images and labels."""
    name: str
    layout: str = ""
    rows: int
    """Images that were judged, augmented copies included."""
    copies: int = 0
    """Augmented copies among them that ferdata made and marked."""
    rejects: int = 0
    """Rows that can't be read as images with labels."""
    splits: dict[str, dict[str, int]] = {}
    """Images by split and class, `""` for those without a split."""
    notes: tuple[str, ...] = ()
    """How it was read, where that was not obvious."""


class AuditReport(Record):
    """The result of an audit, `audit.json`."""

    file_name: ClassVar[str] = AUDIT_FILE
    current: ClassVar[str] = "ferdata-audit/1"
    error: ClassVar[type[AuditError]] = AuditError
    remedy: ClassVar[str] = "run `ferdata audit PATH --out FILE` again"

    format: str = "ferdata-audit/1"
    ferdata_version: str = __version__
    audited: AuditedSet
    against: AuditedSet | None = None
    """The test set, with `--against`."""
    findings: tuple[Finding, ...] = ()
    """Errors first, then warnings, then notes."""
    rules: tuple[RuleOutcome, ...] = ()
    """Every rule that was asked for."""

    @classmethod
    def missing(cls, folder: Path) -> str:
        """Return why a folder holds no audit."""
        return f"{folder}: no {cls.file_name}; run `ferdata audit PATH --out {folder}`"

    @property
    def counts(self) -> dict[Severity, int]:
        """Number of findings by severity."""
        return {name: sum(each.severity == name for each in self.findings) for name in SEVERITIES}

    def by_rule(self, rule: str) -> tuple[Finding, ...]:
        """Return the findings of one rule."""
        return tuple(each for each in self.findings if each.rule == rule)

    def reaches(self, severity: str) -> bool:
        """Say whether there is a finding of a severity or worse; never for `never`."""
        if severity not in SEVERITIES:
            return False
        worst = SEVERITIES[: SEVERITIES.index(severity) + 1]
        return any(each.severity in worst for each in self.findings)
