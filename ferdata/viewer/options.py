"""Options of the viewer, and what can be asked of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from ferdata.core.options import Options

MARKS_FILE = "marks.json"
"""Default name of the label patch, in the working directory."""


class ViewOptions(Options):
    """How the page is served."""

    sections: ClassVar[Mapping[str, str]] = {"port": "Page"}

    port: int = Field(0, ge=0, le=65535)
    """Port of 127.0.0.1. [default: a free one]"""

    open: bool = True
    """Open the page in the browser. [default: opened]"""


class RowQuery(Options):
    """Which rows are shown, in which order; an empty text is no condition."""

    split: str = ""
    """The split."""

    label: str = ""
    """The class."""

    dataset: str = ""
    """The source dataset."""

    finding: str = ""
    """What was found about an image, as listed in the page."""

    kind: Literal["", "sources", "copies"] = ""
    """`sources` are no augmented copies."""

    predicted: str = ""
    """The class that the run's model predicts."""

    outcome: Literal["", "right", "wrong"] = ""
    """Whether the model predicts the label."""

    least: float = Field(0, ge=0, le=1)
    """Lowest confidence; images without a prediction are shown only without limits."""

    most: float = Field(1, ge=0, le=1)
    """Highest confidence."""

    search: str = Field("", max_length=200)
    """A part of the sample id."""

    marked: bool = False
    """Only images with a mark."""

    sort: Literal["build", "id", "class", "confidence"] = "build"
    """`build` is the order in the shards."""

    descending: bool = False
    """The last first; unknown values are last in any case."""


class PageQuery(RowQuery):
    """A part of the rows of a query."""

    start: int = Field(0, ge=0)
    """Position of the first row."""

    count: int = Field(60, ge=1, le=500)
    """Number of rows."""

    landmarks: bool = False
    """Whether to send the landmarks as well."""

    def rows(self) -> RowQuery:
        """Return the query without the part."""
        return RowQuery(**self.model_dump(include=set(RowQuery.model_fields)))
