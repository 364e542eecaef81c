"""Options of a report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from ferdata.core.options import Options


class ReportOptions(Options):
    """What a report shows."""

    sections: ClassVar[Mapping[str, str]] = {"faces": "Content"}

    faces: bool = True
    """Show images. `--no-faces` leaves out images, mean faces, and the names of files, samples and
    subjects, for a report that may be shared. [default: shown]"""

    samples: int = Field(6, ge=1, le=24)
    """Images of each class from train; half as many from validation and test."""
