"""A contact sheet of wrong answers: what a model is surest of and wrong about."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from ferdata.data import SplitArrays
from ferdata.evaluation.figures import contact_sheet, save_png
from ferdata.evaluation.predictions import Answers

MOST_MISTAKES = 24
"""Pictures on a sheet."""


def worst_mistakes(answers: Answers, most: int = MOST_MISTAKES) -> npt.NDArray[np.int64]:
    """Return positions of the wrong answers with the highest confidence, highest first."""
    wrong = np.flatnonzero(~answers.right)
    order = np.argsort(-answers.confidence[wrong], kind="stable")
    return wrong[order[:most]]


def write_mistakes(answers: Answers, arrays: SplitArrays, folder: Path, *, title: str) -> None:
    """Write `mistakes.png`; where no answer is wrong there is no such file.

    Args:
        answers: The answers.
        arrays: The split that they are of.
        folder: Where to write.
        title: What was evaluated, with the name of the split.

    Raises:
        BuildError: A shard can't be read, or the file can't be written.
    """
    path = folder / "mistakes.png"
    worst = worst_mistakes(answers)
    if not len(worst):
        path.unlink(missing_ok=True)  # of an earlier evaluation
        return
    images = arrays.gather(answers.index[worst], fields=("image",))["image"]
    captions = [
        f"{answers.names[answers.label[row]]}\n"
        f"→ {answers.names[answers.predicted[row]]} {answers.confidence[row]:.0%}"
        for row in worst.tolist()
    ]
    wrong = int((~answers.right).sum())
    which = f"the {len(worst)} surest of {wrong}" if len(worst) < wrong else f"all {wrong}"
    subtitle = f"{which} wrong answers, the surest first: true class → answer"
    save_png(contact_sheet(images, captions, title=title, subtitle=subtitle), path)
