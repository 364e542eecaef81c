"""The record of an audit, `audit.json`, as far as a report shows it.

To be replaced by `ferdata.audits.findings`, whose classes have the same names and fields: import
`AuditReport`, `AuditedSet`, `Example`, `Finding` and `RuleOutcome` from there and delete this file.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import ConfigDict

from ferdata.core.errors import FerdataError
from ferdata.core.records import Record, RecordPart

Severity = Literal["error", "warning", "note"]

SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


class AuditFileError(FerdataError):
    """An audit's file is missing, damaged or of another version."""


class _Lenient(RecordPart):
    model_config = ConfigDict(frozen=True, extra="ignore", protected_namespaces=())


class Example(_Lenient):
    """Rows that show a finding."""

    samples: tuple[str, ...] = ()
    uris: tuple[str, ...] = ()
    splits: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    text: str = ""


class Finding(_Lenient):
    """One thing that is wrong, or worth knowing."""

    rule: str
    severity: Severity
    subject: str
    title: str
    unit: str = "images"
    count: int
    of: int
    share: float
    measure: str
    value: float | None = None
    threshold: float | None = None
    means: str
    remedy: str
    examples: tuple[Example, ...] = ()
    details: dict[str, int | float | str | None] = {}


class RuleOutcome(_Lenient):
    """What became of one rule."""

    rule: str
    outcome: str
    reason: str = ""


class AuditedSet(_Lenient):
    """What was audited, or what it was audited against."""

    path: str
    kind: str
    name: str
    layout: str = ""
    rows: int
    copies: int = 0
    rejects: int = 0
    splits: dict[str, dict[str, int]] = {}
    notes: tuple[str, ...] = ()


class AuditReport(Record):
    """The result of an audit."""

    model_config = ConfigDict(frozen=True, extra="ignore", protected_namespaces=())

    file_name: ClassVar[str] = "audit.json"
    current: ClassVar[str] = "ferdata-audit/1"
    error: ClassVar[type[FerdataError]] = AuditFileError
    remedy: ClassVar[str] = "run `ferdata audit PATH --out FILE` again"

    format: str = "ferdata-audit/1"
    ferdata_version: str
    audited: AuditedSet
    against: AuditedSet | None = None
    findings: tuple[Finding, ...] = ()
    rules: tuple[RuleOutcome, ...] = ()

    @classmethod
    def missing(cls, folder: Path) -> str:
        """Return why a folder holds no audit."""
        return f"{folder}: no {cls.file_name}; run `ferdata audit PATH --out {folder}`"

    @property
    def counts(self) -> dict[Severity, int]:
        """Number of findings by severity."""
        return {name: sum(each.severity == name for each in self.findings) for name in SEVERITIES}
