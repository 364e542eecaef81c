"""Options of the search for label errors; importing them loads nothing heavy."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ferdata.core.options import Metavar, Options


class LabelErrorOptions(Options):
    """Options of `label-errors`."""

    predictions: Annotated[str | None, Metavar("CSV")] = None
    """Use these predictions (sample_id, then a probability for each class) instead of a model that
    is trained here; each must come from a model that did not see the image."""

    folds: int = Field(5, ge=2, le=50)
    """Folds of the cross-validation; subjects, sequences and duplicates stay in one fold."""

    include_test: bool = False
    """Examine the test split too. By default nothing looks at it."""

    sheet: int = Field(24, ge=1, le=240)
    """Images on each class's contact sheet."""

    seed: int = Field(0, ge=0, lt=2**32)
    """Random seed of the folds."""
