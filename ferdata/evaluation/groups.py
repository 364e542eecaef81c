"""Scores by subject, attribute and dataset, where these are known."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel

from ferdata.data import Build, SplitArrays
from ferdata.data.manifest_columns import read_manifest_columns
from ferdata.evaluation.columns import Column
from ferdata.evaluation.metrics import score

if TYPE_CHECKING:  # a report is read without torch
    from ferdata.evaluation.predictions import Predictions

ATTRIBUTES = ("gender", "race", "age_group")
"""Columns of a build's manifest by which scores are grouped."""


class GroupScore(BaseModel):
    """Scores on the images of one group: fields of `Scores`.

    Attributes:
        name: The group: a subject, a gender, a dataset.
        n: Its images in the split.
        accuracy: Fraction of correct predictions.
        accuracy_low: Lower end of the Wilson 95 % interval, which assumes independent images;
            those of one subject are not, so their true interval is wider.
        accuracy_high: Upper end of it.
        macro_f1: Mean over the classes that the group has.
    """

    name: str
    n: Annotated[int, Column("images", "d")]
    accuracy: Annotated[float, Column("accuracy", ".1%", interval=".1%")]
    accuracy_low: float
    accuracy_high: float
    macro_f1: Annotated[float, Column("macro F1")]


class Grouping(BaseModel):
    """The scores of a split by one property of its images.

    Attributes:
        by: `subject`, `gender`, `race`, `age_group` or `dataset`.
        split: The split that was scored.
        known: Images whose group is known; only these are in `groups`.
        unknown: The others.
        mean_accuracy: Mean of the groups' accuracies, each group with the same weight.
        lowest: Name of the group with the lowest accuracy.
        groups: The groups, sorted by name, or by a number at the beginning of the name.
    """

    by: str
    split: str
    known: int
    unknown: int
    mean_accuracy: float
    lowest: str
    groups: list[GroupScore]

    def group(self, name: str) -> GroupScore:
        """Return a group by its name."""
        return next(group for group in self.groups if group.name == name)


def group_scores(
    predictions: Predictions, columns: Mapping[str, Sequence[str]], split: str
) -> list[Grouping]:
    """Score every group of every column.

    Args:
        predictions: The predictions.
        columns: For each property the group of each image; an empty string if it is unknown.
        split: Name of the split.

    Returns:
        One entry for each column with known values; none for a single dataset, which would repeat
        the scores of the split.
    """
    groupings = []
    for by, values in columns.items():
        rows = defaultdict[str, list[int]](list)  # one pass, for thousands of subjects
        for row, value in enumerate(values):
            rows[value].append(row)
        names = sorted(rows.keys() - {""}, key=group_order)
        if not names or (by == "dataset" and len(names) == 1):
            continue
        groups = [_score_group(predictions, name, np.array(rows[name])) for name in names]
        counted = sum(group.n for group in groups)
        groupings.append(
            Grouping(
                by=by,
                split=split,
                known=counted,
                unknown=len(predictions) - counted,
                mean_accuracy=sum(group.accuracy for group in groups) / len(groups),
                lowest=min(groups, key=lambda group: group.accuracy).name,
                groups=groups,
            )
        )
    return groupings


def group_order(name: str) -> tuple[int, str]:
    """Return the sort key of a name, so that 4-19 comes before 20-39."""
    number = re.match(r"\d+", name)
    return int(number[0]) if number else -1, name


def _score_group(predictions: Predictions, name: str, rows: npt.NDArray[np.int64]) -> GroupScore:
    scores = score(predictions.confusion(rows), predictions.names)
    return GroupScore.model_validate({**dict(scores), "name": name})


def read_columns(
    build: Build, arrays: SplitArrays, index: npt.NDArray[np.int64]
) -> dict[str, list[str]]:
    """Read subject, attributes and dataset of images.

    Args:
        build: The build.
        arrays: A split of it.
        index: Rows of the split, shape (N,).

    Returns:
        `subject`, `gender`, `race`, `age_group`, `dataset`, each N long; `""` where unknown.
        With several datasets, a subject is prefixed by its dataset, since datasets number their
        subjects alike.

    Raises:
        BuildError: A shard can't be read.
        ManifestError: The build's manifest can't be read.
    """
    dataset = arrays.column("dataset").take(index).tolist()
    subject = arrays.column("subject").take(index).tolist()
    if len(set(dataset)) > 1:
        subject = [f"{d}/{s}" if s else "" for d, s in zip(dataset, subject, strict=True)]
    attributes = _read_attributes(build.root, arrays.column("sample_id").take(index).tolist())
    return {"subject": subject, **attributes, "dataset": dataset}


def _read_attributes(root: Path, sample_ids: Sequence[str]) -> dict[str, list[str]]:
    """Look samples' attributes up in a manifest; all unknown if there is no manifest."""
    table = read_manifest_columns(root, ["sample_id", *ATTRIBUTES])
    if table is None:
        return {name: [""] * len(sample_ids) for name in ATTRIBUTES}
    row = {name: number for number, name in enumerate(table.column("sample_id").to_pylist())}
    rows = [row.get(name, -1) for name in sample_ids]
    found = {}
    for name in ATTRIBUTES:
        values = [*table.column(name).to_pylist(), None]  # the last one for samples not in it
        found[name] = [values[number] or "" for number in rows]
    return found
