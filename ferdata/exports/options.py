"""Options of the export of a build; importing them loads nothing heavy."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from ferdata.core.options import Metavar, Options, Words, parsed_by
from ferdata.exports.registry import EXPORTS
from ferdata.shards.options import parse_bytes


class BuildExportOptions(Options):
    """Options of `export` for a build."""

    to: Annotated[str, parsed_by(EXPORTS.require), Metavar("FORMAT")]
    """Format of the folder."""

    splits: Annotated[Words | None, Metavar("SPLIT,…")] = None
    """Splits to export. [default: all]"""

    copies: bool = True
    """Export augmented copies, too."""

    shard_bytes: Annotated[int, BeforeValidator(parse_bytes), Metavar("SIZE")] = Field(
        256 * 10**6, ge=1
    )
    """Image bytes per file of formats that put many images into one. [default: 256MB]"""

    force: bool = False
    """Replace an earlier export in the folder."""
