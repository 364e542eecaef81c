"""The README's code blocks."""

from __future__ import annotations

import re
from pathlib import Path

_TEXT = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """Return the text of every block in a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", _TEXT, re.MULTILINE | re.DOTALL)


def commands() -> list[list[str]]:
    """Return the ferdata commands of every shell block, in order; continued lines are joined."""
    lines = [block.replace("\\\n", " ").splitlines() for block in blocks("sh")]
    found = [[line for line in block if line.startswith("ferdata ")] for block in lines]
    return [block for block in found if block]
