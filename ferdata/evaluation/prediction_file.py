"""Reading `predictions.csv`, which an evaluation writes beside its report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ferdata.core.delimited import read_lines, real_number, split_line
from ferdata.core.errors import AnnotationError, ParseError, RunError

PREDICTIONS_FILE = "predictions.csv"
"""Name of the file in an evaluation's folder."""


@dataclass(frozen=True)
class Prediction:
    """What a model said about one image.

    Attributes:
        sample: Id of the image.
        label: Its class.
        predicted: The predicted class.
        confidence: The probability of the predicted class, 0–1.
    """

    sample: str
    label: str
    predicted: str
    confidence: float


def read_predictions(folder: Path, names: Sequence[str]) -> list[Prediction]:
    """Read the predictions of an evaluation.

    Args:
        folder: The evaluation's folder.
        names: The model's classes, in the order of the columns.

    Returns:
        One prediction for each image; none where there is no file.

    Raises:
        RunError: The file is damaged.
    """
    path = folder / PREDICTIONS_FILE
    if not path.is_file():
        return []
    try:
        return [_prediction(line, names) for line in read_lines(path)[1:]]
    except (AnnotationError, ParseError) as error:
        raise RunError(f"{path}: {error}; run `ferdata eval` again") from error


def _prediction(line: str, names: Sequence[str]) -> Prediction:
    """Parse a line: id, true class, predicted class, probability of each class.

    Raises:
        ParseError: It is no such line.
    """
    cells = split_line(line, ",")
    if len(cells) == 3 + len(names) and {*cells[1:3]} <= {*names}:
        confidence = real_number(cells[3 + names.index(cells[2])])
        if confidence is not None:
            sample, label, predicted = cells[:3]
            return Prediction(sample, label, predicted, confidence)
    raise ParseError(f"no prediction of the model's classes: {line[:80]!r}")
