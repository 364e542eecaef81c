"""What all layouts of AffectNet share: codes, splits, and which labels become rows."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import numpy.typing as npt

from ferdata.core.delimited import real_number
from ferdata.core.errors import LabelError
from ferdata.core.rejects import Reject
from ferdata.ingesters.code_orders import asked_codes
from ferdata.ingesters.contract import Choices, Layout
from ferdata.ingesters.label_list import is_other_dataset
from ferdata.ingesters.lookup import dataset_info
from ferdata.ingesters.sample import Sample

NAME = "affectnet"

WITHOUT_EXPRESSION = {8: "None", 9: "Uncertain", 10: "No-Face"}
"""The other codes: no expression, one that the annotator could not name, and no face."""

POINTS = 68

_IMAGE_ENDINGS = (".jpg", ".png", ".jpeg")


class Rows:
    """Turns labels into samples or rejects, and counts codes that are not AffectNet's.

    Args:
        layout: What is read.
        choices: The dataset's choices.
    """

    def __init__(self, layout: Layout, choices: Choices) -> None:
        self.layout = layout
        self.codes = asked_codes(layout, dataset_info(NAME), choices)
        self._seven = choices["classes"] == "7"
        self._wrong: list[str] = []
        self._rows = 0

    def row(
        self, key: str, uri: str, code: int | None, split: str | None, native: str, **values: Any
    ) -> Sample | Reject:
        """Return the row of a label code.

        Args:
            key: The sample's name.
            uri: The image.
            code: The official code, None for a word that is not a code.
            split: `train` or `test`; None if the copy's split is not the authors'.
            native: The copy's word for the split.
            **values: Further fields of the sample.
        """
        if code in self.codes:
            label = self.codes[code]
            return self.labeled(key, uri, label, str(code), split, native, **values)
        self._rows += 1
        if code in WITHOUT_EXPRESSION:
            return self.layout.reject(key, uri, f"{WITHOUT_EXPRESSION[code]}: label code {code}")
        return self.wrong_code(key, uri, str(code), "0–10")

    def wrong_code(self, key: str, uri: str, code: str, expected: str) -> Reject:
        """Return the reject of a code that is not AffectNet's, and count it."""
        self._wrong.append(uri)
        return self.layout.reject(key, uri, f"label code {code}: expected {expected}")

    def labeled(
        self,
        key: str,
        uri: str,
        label: str,
        word: str,
        split: str | None,
        native: str | None,
        **values: Any,
    ) -> Sample | Reject:
        """Return the row of an expression."""
        self._rows += 1
        if self._seven and label == "contempt":
            return self.layout.reject(key, uri, "contempt: excluded by --classes 7")
        return Sample(key, uri, label, word, official_split=split, split_native=native, **values)

    def finish(self) -> None:
        """Refuse a copy whose codes are another dataset's.

        Raises:
            LabelError: Too many rows have other codes.
        """
        if is_other_dataset(len(self._wrong), self._rows):
            raise LabelError(
                f"affectnet: {len(self._wrong)} of {self._rows} rows in {self.layout.root} have "
                f"other label codes, {self._wrong[0]} first; this is another dataset, or a copy "
                "with its own codes."
            )


def find_image(files: Collection[str], folder: str, stem: str) -> str | None:
    """Return the path of an image in a folder, whatever its ending; None if it is missing."""
    paths = (f"{folder}/{stem}{ending}" for ending in _IMAGE_ENDINGS)
    return next((path for path in paths if path in files), None)


def annotated(word: str) -> float | None:
    """Return valence or arousal, None if it is not annotated or no number."""
    value = real_number(word)
    return value if value is not None and -1.0 <= value <= 1.0 else None


def points(values: npt.NDArray[np.float32]) -> dict[str, Any]:
    """Return the landmark fields of a sample.

    Args:
        values: 136 numbers, x and y in turn.

    Returns:
        Empty if they are not 68 finite points.
    """
    if values.size != 2 * POINTS or not np.isfinite(values).all():
        return {}
    return {
        "landmarks": values.reshape(POINTS, 2),
        "landmark_scheme": "ibug68",
        "landmark_source": "dataset",
    }
