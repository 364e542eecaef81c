"""The authors' words for the parts of FER2013."""

from __future__ import annotations

USAGES = {"training": "train", "publictest": "validation", "privatetest": "test"}
"""Official split by the authors' word for it, in lower case."""


def wrong_usage(usage: str) -> str:
    """Return the reason for rejecting a row whose Usage is not one of the authors' three."""
    return f"usage {usage}: expected Training, PublicTest or PrivateTest"
