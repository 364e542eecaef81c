"""What a rule is: a function from what is audited to findings, and what it needs for that.

    @rule("leak-subject", severity="error", needs=(Need.SPLITS,), finds=…, means=…, remedy=…)
    def leak_subject(subject: AuditSubject) -> Iterator[Finding]:
        yield leak_subject.finding(subject="train/test", title=…, count=…, of=…, measure=…)

A rule that can't be applied raises `NotApplicableError` with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from ferdata.audits.findings import Finding, Severity

if TYPE_CHECKING:
    from ferdata.audits.subject import AuditSubject

Check = Callable[["AuditSubject"], Iterable[Finding]]


class Need(StrEnum):
    """What a rule looks at beside the columns of the manifest."""

    SPLITS = "splits"
    """At least two splits."""
    IMAGES = "images"
    """The images: their hashes and measures."""
    FACES = "faces"
    """Landmarks, of the dataset or of a detector."""
    COPIES = "copies"
    """The pairs of images that are the same."""
    RUN = "run"
    """The record of a training run."""


_IMAGES = {Need.IMAGES, Need.FACES, Need.COPIES}


class NotApplicableError(Exception):
    """A rule does not apply to what is audited.

    Attributes:
        reason: Why, for the report.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Rule:
    """A rule.

    Attributes:
        name: Its id.
        severity: The worst that it says.
        finds: What it finds, one line.
        means: Why that matters.
        remedy: What to do about it.
        needs: What it looks at beside columns.
        check: The function.
        wants: What it looks at as well where that is there.
    """

    name: str
    severity: Severity
    finds: str
    means: str
    remedy: str
    needs: tuple[Need, ...]
    check: Check
    wants: tuple[Need, ...] = ()

    @property
    def is_cheap(self) -> bool:
        """Whether columns suffice, so that every build can run it."""
        return not _IMAGES & set(self.needs)

    @property
    def opens_images(self) -> bool:
        """Whether it opens images that are at hand."""
        return bool(_IMAGES & {*self.needs, *self.wants})

    def finding(self, **values: Any) -> Finding:
        """Return a finding of this rule.

        Args:
            **values: Fields of `Finding`; severity, meaning and remedy default to the rule's.
        """
        of = values["of"]
        filled = {
            "rule": self.name,
            "severity": self.severity,
            "share": values["count"] / of if of else 0.0,
            "means": self.means,
            "remedy": self.remedy,
        }
        return Finding(**filled | values)


def rule(
    name: str,
    *,
    severity: Severity,
    finds: str,
    means: str,
    remedy: str,
    needs: tuple[Need, ...] = (),
    wants: tuple[Need, ...] = (),
) -> Callable[[Check], Rule]:
    """Return a decorator that makes a rule of a function; arguments as in `Rule`."""

    def make(check: Check) -> Rule:
        return Rule(name, severity, finds, means, remedy, needs, check, wants)

    return make
