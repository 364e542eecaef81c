"""A contact sheet of the most confident errors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from ferdata.data import SplitArrays
from ferdata.evaluation.figures import contact_sheet, save_png
from ferdata.evaluation.predictions import Predictions

MOST_MISTAKES = 24
"""Images on a sheet."""


def worst_mistakes(predictions: Predictions, most: int = MOST_MISTAKES) -> npt.NDArray[np.int64]:
    """Return positions of the errors with the highest confidence, highest first."""
    wrong = np.flatnonzero(~predictions.correct)
    order = np.argsort(-predictions.confidence[wrong], kind="stable")
    return wrong[order[:most]]


def write_mistakes(
    predictions: Predictions, arrays: SplitArrays, folder: Path, *, title: str
) -> None:
    """Write `mistakes.png`; if every prediction is correct there is no such file.

    Args:
        predictions: The predictions.
        arrays: The split that was classified.
        folder: Folder of the file.
        title: What was evaluated, with the name of the split.

    Raises:
        BuildError: A shard can't be read, or the file can't be written.
    """
    path = folder / "mistakes.png"
    worst = worst_mistakes(predictions)
    if not len(worst):
        path.unlink(missing_ok=True)  # of an earlier evaluation
        return
    images = arrays.gather(predictions.index[worst], fields=("image",))["image"]
    names = predictions.names
    captions = [
        f"{names[predictions.label[row]]}\n"
        f"→ {names[predictions.predicted[row]]} {predictions.confidence[row]:.0%}"
        for row in worst.tolist()
    ]
    wrong = int((~predictions.correct).sum())
    which = f"the {len(worst)} most confident of {wrong} errors"
    if len(worst) == wrong:
        which = f"all {wrong} errors, the most confident first"
    subtitle = f"{which}: true class → predicted class"
    save_png(contact_sheet(images, captions, title=title, subtitle=subtitle), path)
