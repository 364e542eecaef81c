"""What `predict` leaves in its folder: annotated pictures, and one table of all answers."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path, PurePosixPath
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from PIL import Image

from ferdata.core.errors import OptionError
from ferdata.core.files import finish_atomically, write_atomically
from ferdata.deployment.image_files import Picture

TABLE = "predictions.csv"
ENDING = "-predicted.png"


class OutputFolder:
    """A folder of answers; use it as a context manager. The table appears when all is done.

    A picture `sub/a.jpg` of a folder becomes `sub/a-predicted.png`; where two have one name, the
    second becomes `a-predicted-2.png`. No picture that was given is ever written over.

    Args:
        path: The folder.
        pictures: All pictures that were given.
        labels: Class names, for the table's columns.

    Raises:
        OptionError: The path is a file, or the table would be one of the pictures' files.
    """

    def __init__(self, path: Path, pictures: Iterable[Picture], labels: Sequence[str]) -> None:
        if path.exists() and not path.is_dir():
            raise OptionError(f"--out {path} is a file; give a folder")
        self.path = path
        self._labels = tuple(labels)
        self._taken = {str(picture.path.resolve()) for picture in pictures}
        if str((path / TABLE).resolve()) in self._taken:
            raise OptionError(
                f"{path / TABLE} is given as a picture, and the table of --out {path} would take "
                "its place; give another folder."
            )
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            file = stack.enter_context(write_atomically(self.path / TABLE))
            text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
            stack.callback(text.detach)  # the file is not the wrapper's to close
            self._table = csv.writer(text, lineterminator="\n")
            self._table.writerow(
                ["image", "label", "probability", *self._labels, "x1", "y1", "x2", "y2", "faces",
                 "rule", "problem", "annotated"]
            )  # fmt: skip
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: Any) -> None:
        self._stack.__exit__(*error)

    def add_row(self, prediction: dict[str, Any]) -> None:
        """Add one picture to the table.

        Args:
            prediction: A `Prediction` as plain types.
        """
        shares = prediction["probabilities"]
        box = prediction["box"] or ("", "", "", "")
        values = [
            prediction["image"],
            prediction["label"],
            prediction["probability"],
            *(shares.get(label) for label in self._labels),
            *box,
            *(prediction[name] for name in ("faces", "rule", "problem", "annotated")),
        ]
        self._table.writerow(["" if value is None else value for value in values])

    def save(self, picture: Picture, pixels: npt.NDArray[np.uint8]) -> Path:
        """Write an annotated picture.

        Args:
            picture: What it is of.
            pixels: uint8 RGB, shape (H, W, 3).

        Returns:
            Its file.

        Raises:
            BuildError: It can't be written.
        """
        path = self._free(picture)
        with finish_atomically(path) as partial:
            Image.fromarray(pixels).save(partial, format="PNG")
        return path

    def _free(self, picture: Picture) -> Path:
        """Return a file name that is no picture's, and of no earlier one of this run."""
        name = PurePosixPath(picture.name)
        base = self.path.joinpath(*name.parent.parts)
        stem, number = ENDING.rpartition(".")[0], 1
        while True:
            counted = "" if number == 1 else f"-{number}"
            path = base / f"{name.stem}{stem}{counted}.png"
            key = str(path.resolve())
            if key not in self._taken:
                self._taken.add(key)
                return path
            number += 1
