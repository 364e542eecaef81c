"""CK+'s file names, and which frames of a sequence are read."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ferdata.core.labels import CANONICAL, LabelSpace

FRAME = re.compile(
    r"(?P<key>(?P<subject>S\d{3})_(?P<sequence>\d{3})_(?P<frame>\d{8}))\.(?:png|jpe?g|tiff?|bmp|webp)",
    re.IGNORECASE,
)
"""`S010_004_00000017.png`: subject, sequence, frame."""

SPACE = LabelSpace("ckplus7", tuple(name for name in CANONICAL if name != "neutral"))
"""CK+'s seven labels: with contempt, without neutral."""


@dataclass(frozen=True)
class Frames:
    """The frames that are read of a labeled sequence.

    Attributes:
        peaks: Number of frames at its end that carry its label.
        neutral: Whether its first frame is read as neutral.
    """

    peaks: int
    neutral: bool


def frames_wanted(choice: str) -> Frames:
    """Return the frames that a value of `--frames` selects."""
    peak, _, neutral = choice.partition("+")
    return Frames({"peak": 1, "last3": 3}[peak], neutral == "neutral")
