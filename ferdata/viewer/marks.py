"""Marks: images with another label or to leave out, saved as a label patch or as a list."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, model_validator

from ferdata.core.errors import OptionError, UnknownNameError
from ferdata.core.files import write_atomically
from ferdata.core.records import RecordPart, read_given
from ferdata.curation.label_patches import LabelChange, LabelPatch, save_patch
from ferdata.curation.split_files.table import PIXEL_BYTES
from ferdata.viewer.rows import Rows

_REASON = "marked by eye"


class MarkRequest(RecordPart):
    """A mark to set or to remove."""

    rows: tuple[int, ...] = Field(min_length=1, max_length=10_000)
    """Row numbers; a copy stands for its source image."""
    mark: Literal["label", "drop", "none"]
    """Another label, to be left out, or no mark."""
    label: str = ""
    """The right label."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.mark == "label") != bool(self.label):
            raise ValueError("a label belongs to the mark 'label', and only to it")
        return self


class Marks:
    """The marks of a session; those of the file, if it is there, come first.

    Args:
        path: The label patch to write.
        rows: The rows that are marked.
        title: What the patch corrects.

    Raises:
        OptionError: The file is there and is no label patch.
    """

    def __init__(self, path: Path, rows: Rows, title: str) -> None:
        self.path, self._rows, self._title = path, rows, title
        self._changes: dict[str, LabelChange] = {}
        self.unsaved = False
        if path.exists():
            kind = "label patch"
            patch = read_given(path, LabelPatch, kind=kind, writer="ferdata view", option="--out")
            self._changes = {each.sample_id: each for each in patch.changes}
            self._title = patch.title

    def __len__(self) -> int:
        return len(self._changes)

    @property
    def drop_path(self) -> Path:
        """The file of the drop list."""
        return self.path.with_name(f"{self.path.stem}.drop.txt")

    @property
    def dropped(self) -> list[str]:
        """The ids of images to leave out, sorted."""
        return sorted(name for name, each in self._changes.items() if each.new is None)

    def of(self, source_id: str) -> str | None:
        """Return the mark of a source image: another label, "" to leave it out, None without."""
        change = self._changes.get(source_id)
        return None if change is None else change.new or ""

    def mask(self) -> npt.NDArray[np.bool_]:
        """Return which rows have a mark, copies of marked images included; bool, shape (N,)."""
        wanted = pa.array(sorted(self._changes), pa.string())
        return np.asarray(pc.is_in(self._rows.source_id, wanted).to_numpy(), np.bool_)

    def set(self, request: MarkRequest) -> None:
        """Set or remove a mark; the label that an image has without the patch removes it.

        Raises:
            OptionError: A row does not exist.
            UnknownNameError: There is no such class.
        """
        if request.label and request.label not in self._rows.classes:
            raise UnknownNameError("class", request.label, self._rows.classes)
        if not 0 <= min(request.rows) <= max(request.rows) < len(self._rows):
            raise OptionError(f"there are {len(self._rows)} rows, from 0")
        columns = ("sample_id", "parent_id", "label", "pixel_sha256")
        for each in self._rows.take(request.rows, columns):
            name = each["parent_id"] or each["sample_id"]
            before = self._changes.pop(name, None)
            old = before.old if before else each["label"]  # a build may have the patch already
            if request.mark == "none" or request.label == old:
                continue
            self._changes[name] = LabelChange(
                sample_id=name,
                old=old,
                new=request.label or None,
                reason=_REASON,
                pixels=(each["pixel_sha256"] or "")[: 2 * PIXEL_BYTES],
            )
        self.unsaved = True

    def save(self) -> Path:
        """Write the label patch, which `ferdata build --labels` takes; sorted by id.

        Raises:
            BuildError: The file can't be written.
        """
        changes = tuple(self._changes[name] for name in sorted(self._changes))
        save_patch(LabelPatch(title=self._title, source="ferdata view", changes=changes), self.path)
        self.unsaved = False
        return self.path

    def save_drop_list(self) -> Path:
        """Write the ids of images to leave out, one a line; the patch has them as well.

        Raises:
            BuildError: The file can't be written.
        """
        with write_atomically(self.drop_path) as file:
            file.write(_lines(self.dropped).encode())
        return self.drop_path


def _lines(names: Iterable[str]) -> str:
    return "".join(f"{name}\n" for name in names)
