"""What `predict` writes into its folder: annotated images, and one table of all predictions."""

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
from ferdata.deployment.images import InputImage
from ferdata.deployment.results import Prediction

TABLE = "predictions.csv"


class OutputFolder:
    """A folder of predictions; use it as a context manager. The table is written at the end.

    The annotated image of `sub/a.jpg` in a folder is `sub/a-predicted.png`; if that is taken,
    `a-predicted-2.png`. No input image is ever overwritten.

    Args:
        path: The folder.
        images: All images that were given.
        labels: Class names, for the table's columns.

    Raises:
        OptionError: The path is a file, or the table would overwrite an image.
    """

    def __init__(self, path: Path, images: Iterable[InputImage], labels: Sequence[str]) -> None:
        if path.exists() and not path.is_dir():
            raise OptionError(f"--out {path} is a file; give a folder")
        self.path = path
        self._labels = tuple(labels)
        self._taken = {_key(image.path) for image in images if image.path is not None}
        if _key(path / TABLE) in self._taken:
            raise OptionError(
                f"{path / TABLE} is given as an image, and the table of --out {path} would "
                "overwrite it; give another folder."
            )
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            file = stack.enter_context(write_atomically(self.path / TABLE))
            text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
            stack.callback(text.detach)  # closing the file is not up to the wrapper
            self._table = csv.writer(text, lineterminator="\n")
            self._table.writerow(
                ["image", "label", "probability", *self._labels, "x1", "y1", "x2", "y2", "faces",
                 "rule", "problem", "annotated"]
            )  # fmt: skip
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: Any) -> None:
        self._stack.__exit__(*error)

    def add_row(self, prediction: Prediction) -> None:
        """Add one image to the table."""
        values = [
            prediction.name,
            prediction.label,
            prediction.probability,
            *(prediction.probabilities.get(label) for label in self._labels),
            *(prediction.box or (None,) * 4),
            prediction.faces,
            prediction.rule,
            prediction.problem,
            prediction.annotated,
        ]
        self._table.writerow(["" if value is None else value for value in values])

    def save(self, image: InputImage, pixels: npt.NDArray[np.uint8]) -> Path:
        """Write an annotated image.

        Args:
            image: What it shows.
            pixels: uint8 RGB, shape (H, W, 3).

        Returns:
            Its file.

        Raises:
            BuildError: It can't be written.
        """
        path = self._free_path(PurePosixPath(image.output_name))
        with finish_atomically(path) as partial:
            Image.fromarray(pixels).save(partial, format="PNG")
        return path

    def _free_path(self, name: PurePosixPath) -> Path:
        """Return a path that is neither an input image nor was returned before."""
        number = 1
        while True:
            counted = "" if number == 1 else f"-{number}"
            path = self.path / name.parent / f"{name.stem}-predicted{counted}.png"
            if (key := _key(path)) not in self._taken:
                self._taken.add(key)
                return path
            number += 1


def _key(path: Path) -> str:
    """Return what two paths have in common that are one file on macOS or Windows."""
    return str(path.resolve()).casefold()
