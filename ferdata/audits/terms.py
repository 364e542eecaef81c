"""What the terms of a dataset allow, read from its license as text.

The sentences of the dataset's info name what is not allowed; the licenses of sets of one's own are
recognized where they are common ones. Nothing here is legal advice: the agreement decides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ferdata.ingesters.declared.declaration import NOT_STATED
from ferdata.ingesters.info import Redistribution

_COMMERCIAL = re.compile(r"non-?commercial|not.*commercial|research only|\bnc\b|\bcc-by-nc", re.I)
_PASSING = re.compile(
    r"no redistribution|passing (the )?images|not be (re)?distributed|no sharing", re.I
)
_CHANGING = re.compile(r"no derivative|no-derivative|\bnd\b|-nd\b", re.I)


@dataclass(frozen=True)
class Terms:
    """What the terms of one dataset forbid.

    Attributes:
        text: The terms, in a line.
        known: Whether they are stated at all.
        commercial: Whether commercial use is forbidden.
        publish: Whether passing images on is forbidden.
        change: Whether changed versions are forbidden.
    """

    text: str
    known: bool
    commercial: bool
    publish: bool
    change: bool

    @classmethod
    def read(
        cls, license_text: str, usage: str, redistribution: Redistribution = "not stated"
    ) -> Terms:
        """Read the terms of a license and of a line about what is allowed.

        Args:
            license_text: The license.
            usage: What it allows, and behind `Not allowed:` what it does not.
            redistribution: Whether images may be passed on; the text says it where this does not.
        """
        _, _, denied = usage.partition("Not allowed:")
        closed = bool(_PASSING.search(license_text) or _PASSING.search(denied))
        known = license_text not in ("", NOT_STATED)
        return cls(
            text=license_text,
            known=known,
            commercial=bool(_COMMERCIAL.search(license_text) or "commercial" in denied),
            publish=closed if redistribution == "not stated" else redistribution == "forbidden",
            change=bool(_CHANGING.search(license_text)),
        )

    def forbids(self, purpose: str) -> bool:
        """Say whether a purpose is forbidden: `research`, `publish` or `commercial`."""
        return {"publish": self.publish, "commercial": self.commercial}.get(purpose, False)
