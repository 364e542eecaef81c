"""The file of a model card, and whether a person has edited it."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ferdata.core.errors import RunError
from ferdata.core.files import write_atomically
from ferdata.evaluation.model_card import read_model_card
from ferdata.evaluation.model_card_text import model_card_text
from ferdata.runs.folder import RunFolder

_MARK = "<!-- written by `ferdata card`, sha256 of the text above: {} -->\n"


def write_model_card(folder: RunFolder, *, overwrite: bool = False) -> Path:
    """Write a run's model card, `README.md`; its last line tells later whether it was edited.

    Args:
        folder: The run.
        overwrite: Replace a file that somebody wrote or edited.

    Raises:
        RunError: There is no finished run, or the file was written or edited by hand.
    """
    text = model_card_text(read_model_card(folder))
    file = folder.card_file
    if file.exists() and not overwrite and not _untouched(file.read_bytes()):
        raise RunError(
            f"{file}: was written or changed by hand; keep your text elsewhere and replace the "
            "file with --overwrite"
        )
    with write_atomically(file) as written:
        written.write(_marked(text.encode()))
    return file


def _marked(text: bytes) -> bytes:
    return text + _MARK.format(hashlib.sha256(text).hexdigest()).encode()


def _untouched(content: bytes) -> bool:
    """Say whether a file is as `_marked` left it."""
    lines = content.splitlines(keepends=True)
    return bool(lines) and _marked(b"".join(lines[:-1])) == content
