"""The code blocks of the README and of the documentation's pages."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"


def pages() -> list[Path]:
    """Return the pages that are written by hand, sorted; generated ones show nothing else."""
    found = (path for path in (ROOT / "docs").rglob("*.md") if "generated" not in path.parts)
    return sorted(path for path in found if path.stem not in ("changelog", "contributing"))


def blocks(path: Path, language: str) -> list[str]:
    """Return the text of every block in a language, in order."""
    text = path.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def commands(path: Path) -> list[list[str]]:
    """Return the ferdata commands of every shell block, in order; continued lines are joined."""
    lines = [block.replace("\\\n", " ").splitlines() for block in blocks(path, "sh")]
    found = [[line for line in block if line.startswith("ferdata ")] for block in lines]
    return [block for block in found if block]
