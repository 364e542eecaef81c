"""What a verification reports: findings, each with its file, and the whole as text or JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any


class FindingKind(StrEnum):
    """Kind of a difference."""

    MISSING = "missing"
    CONTENT = "content differs"
    UNREADABLE = "unreadable"
    UNEXPECTED = "unexpected file"
    RECORD = "record differs"
    ROWS = "rows differ"
    RULE = "rule broken"


@dataclass(frozen=True)
class Finding:
    """One difference between what is on disk and what was recorded.

    Attributes:
        kind: What kind of difference.
        file: The file, posix path relative to the build directory.
        what: What differs, as a sentence.
    """

    kind: FindingKind
    file: str
    what: str


@dataclass(frozen=True)
class VerifyReport:
    """What a verification found.

    Attributes:
        build: The build directory.
        plan_sha256: Hash of the plan that the build names; empty where it could not be read.
        files: Number of files whose content was checked.
        rows: Rows of the manifest.
        bytes: Bytes that were hashed.
        findings: Everything that is not as recorded.
        notes: Caveats that are no error: declared leaks, fallbacks.
    """

    build: Path
    plan_sha256: str
    files: int
    rows: int
    bytes: int
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing differs."""
        return not self.findings

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain JSON values."""
        return {**asdict(self), "build": str(self.build), "ok": self.ok}


def describe(report: VerifyReport) -> Iterator[str]:
    """Yield the report as lines of text."""
    for finding in report.findings:
        yield f"{finding.file}: {finding.kind}: {finding.what}"
    for note in report.notes:
        yield f"note: {note}"
    if report.ok:
        yield (
            f"OK: {report.build}: {report.files} files ({report.bytes / 1e6:,.1f} MB) match their "
            f"hashes, {report.rows:,} rows match the manifest, plan {report.plan_sha256[:12]}…"
        )
    else:
        yield (
            f"NOT OK: {report.build}: {len(report.findings)} differences. Run the `ferdata build` "
            "command again to rebuild damaged shards."
        )
