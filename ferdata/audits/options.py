"""Options of an audit."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from ferdata.core.options import Listed, Metavar, Options, Words


class AuditOptions(Options):
    """What an audit looks at, and what it is told."""

    sections: ClassVar[Mapping[str, str]] = {"rules": "Rules", "claim": "What others say"}

    rules: Annotated[Words, Metavar("NAME,…"), Listed("ferdata.audits.registry:RULES")] = ()
    """Rules to run. [default: all; `--list-rules` lists them]"""

    images: bool = True
    """Open the images. Without them only labels, splits and names are judged, within seconds."""

    faces: bool = True
    """Detect faces where the data come without landmarks, about 6 ms an image."""

    purpose: Literal["research", "publish", "commercial"] = "research"
    """What the data are for: terms that forbid it are an error."""

    claim: Annotated[str | None, Metavar("NUMBER,…")] = None
    """Printed results to check: an accuracy in percent such as `98.99`, which must be k of n; a
    model's size such as `5.2M` or `21MB`."""

    table: Annotated[Path | None, Metavar("FILE.csv")] = None
    """Printed counts to check: a csv file with a column of classes and a column per split, and
    perhaps a row and a column named total."""

    @property
    def claims(self) -> tuple[str, ...]:
        """The printed results, as they were written: 98.10 is not 98.1."""
        return tuple(each.strip() for each in (self.claim or "").split(",") if each.strip())
