"""What the face stage did, counted while it works."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class LocateReport:
    """How the work was done; unlike the manifest it depends on what the cache held.

    Attributes:
        images: Rows that were read.
        detected: Images that the detector ran on.
        cached: Images whose detection was in the cache.
        sources: Rows that were kept, by `landmark_source`.
        unreadable: Rows rejected because the image can't be used.
        faceless: Rows rejected because a face was required.
        fallbacks: What the stage did instead of what it should, one text each.
    """

    images: int = 0
    detected: int = 0
    cached: int = 0
    sources: Counter[str] = field(default_factory=Counter)
    unreadable: int = 0
    faceless: int = 0
    fallbacks: list[str] = field(default_factory=list)

    def summary(self) -> str:
        """Return one line for the log."""
        counts = {
            "images": self.images,
            "with a detector run": self.detected,
            "from the detection cache": self.cached,
            **{
                "without landmarks" if source == "none" else f"with landmarks from {source}": rows
                for source, rows in sorted(self.sources.items())
            },
            "unreadable": self.unreadable,
            "rejected for having no face": self.faceless,
        }
        return "faces: " + ", ".join(
            f"{count:,} {what}" for what, count in counts.items() if count or what == "images"
        )
