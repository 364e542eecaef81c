"""What an export is: the record in its folder, and what `export` returns."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from ferdata.core.errors import BuildError
from ferdata.core.files import EXPORT_RECORD
from ferdata.core.records import Record
from ferdata.core.version import __version__


class ExportRecord(Record):
    """What an exported folder holds; without times and absolute paths."""

    file_name: ClassVar[str] = EXPORT_RECORD
    current: ClassVar[str] = "ferdata-export/1"
    error: ClassVar[type[BuildError]] = BuildError
    remedy: ClassVar[str] = "export the build again"

    format: str = "ferdata-export/1"
    to: str
    """The format of the folder."""
    name: str
    """The dataset or mix."""
    plan_sha256: str
    """Hash of the build's plan."""
    ferdata_version: str = __version__
    classes: tuple[str, ...]
    """The classes by index."""
    splits: dict[str, int]
    """Images by split."""
    copies: bool
    """Whether augmented copies are among them."""
    landmark_scheme: str | None = None
    terms: tuple[str, ...]
    """What the terms of its datasets say about passing the images on."""

    @classmethod
    def missing(cls, folder: Path) -> str:
        """Return why a folder is not an export."""
        return f"{folder}: not an export (it has no {cls.file_name})"


class BuildExportReport(BaseModel):
    """What was exported of a build.

    Attributes:
        folder: The folder.
        target: Its format, for instance `"webdataset"`.
        name: The dataset or mix.
        splits: Images by split.
        files: Number of files.
        bytes: Their size.
        terms: What the terms of the datasets say about passing the images on.
        example: Python code that opens the folder.
    """

    model_config = ConfigDict(frozen=True)

    folder: str
    target: str
    name: str
    splits: dict[str, int]
    files: int
    bytes: int
    terms: tuple[str, ...]
    example: str

    def summary(self) -> str:
        """Return a text with counts, size, terms and how to open the folder."""
        counts = ", ".join(f"{split} {rows:,}" for split, rows in self.splits.items())
        return "\n".join(
            [
                f"{self.name} as {self.target}: {counts} images",
                f"folder   {self.folder} ({self.files:,} files, {self.bytes / 1e6:.1f} MB)",
                *(f"terms    {each}" for each in self.terms),
                "",
                "Open it in Python:",
                *(f"  {line}" for line in self.example.splitlines()),
            ]
        )
