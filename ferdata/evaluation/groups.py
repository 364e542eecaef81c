"""Scores by person, by attribute and by dataset, where these are known."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel

from ferdata.data import Build, SplitArrays
from ferdata.data.manifest_columns import read_manifest_columns
from ferdata.evaluation.metrics import score
from ferdata.evaluation.predictions import Answers

ATTRIBUTES = ("gender", "race", "age_group")
"""Columns of a build's manifest by which a split is divided."""


class GroupScore(BaseModel):
    """Scores on the images of one group.

    Attributes:
        name: The group: a person, a gender, a dataset.
        n: Its images in the split.
        accuracy: Share of right answers.
        accuracy_low: Lower end of the Wilson 95 % interval, which takes images for independent;
            those of one person are not, so their true interval is wider.
        accuracy_high: Upper end of it.
        macro_f1: Mean over the classes that the group has.
    """

    name: str
    n: int
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    macro_f1: float


class Grouping(BaseModel):
    """A split divided by one property of its images.

    Attributes:
        by: `subject`, `gender`, `race`, `age_group` or `dataset`.
        split: The split that all numbers are of.
        known: Images whose group is known; only these are in `groups`.
        unknown: The others.
        mean_accuracy: Mean of the groups' accuracies, each group counting alike.
        lowest: Name of the group with the lowest accuracy.
        groups: The groups, sorted by name; names that begin with a number by that.
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
    answers: Answers, columns: Mapping[str, Sequence[str]], split: str
) -> list[Grouping]:
    """Score every group of every column.

    Args:
        answers: The answers.
        columns: For each property the group of each answered image; empty text where unknown.
        split: Name of the split, for the record.

    Returns:
        One entry for each column in which something is known; none for a single dataset, which
        would only repeat the whole.
    """
    groupings = []
    for by, values in columns.items():
        rows = defaultdict[str, list[int]](list)  # in one pass: there may be thousands of people
        for row, value in enumerate(values):
            rows[value].append(row)
        names = sorted(rows.keys() - {""}, key=_order)
        if not names or (by == "dataset" and len(names) == 1):
            continue
        groups = [_score_group(answers, name, np.array(rows[name])) for name in names]
        counted = sum(group.n for group in groups)
        groupings.append(
            Grouping(
                by=by,
                split=split,
                known=counted,
                unknown=len(answers) - counted,
                mean_accuracy=sum(group.accuracy for group in groups) / len(groups),
                lowest=min(groups, key=lambda group: group.accuracy).name,
                groups=groups,
            )
        )
    return groupings


def _order(name: str) -> tuple[int, str]:
    """Return what to sort a name by, so that 4-19 comes before 20-39."""
    number = re.match(r"\d+", name)
    return int(number[0]) if number else -1, name


def _score_group(answers: Answers, name: str, rows: npt.NDArray[np.int64]) -> GroupScore:
    scores = score(answers.confusion(rows), answers.names)
    return GroupScore(
        name=name,
        n=scores.n,
        accuracy=scores.accuracy,
        accuracy_low=scores.accuracy_low,
        accuracy_high=scores.accuracy_high,
        macro_f1=scores.macro_f1,
    )


def read_columns(
    build: Build, arrays: SplitArrays, index: npt.NDArray[np.int64]
) -> dict[str, list[str]]:
    """Read what is known of images: person, attributes, dataset.

    Args:
        build: The build.
        arrays: A split of it.
        index: Rows of the split, shape (N,).

    Returns:
        `subject`, `gender`, `race`, `age_group`, `dataset`, each N long; empty text where unknown.
        Where there are several datasets, a subject has its dataset's name before it, since these
        number their people alike.

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
    """Look samples' attributes up in a manifest; all unknown where there is no manifest."""
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
