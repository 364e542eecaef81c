"""Folds of people, for cross-validation that never tests on a person it has trained on."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from ferdata.core.errors import ManifestError, OptionError
from ferdata.core.manifest import Manifest


def subject_folds(manifest: Manifest, folds: int) -> npt.NDArray[np.int64]:
    """Deal the people of each dataset out to folds.

    The convention of CK+'s subject-independent ten folds: subjects sorted ascending by name, the
    fold is the index modulo the number of folds, plus 1. Over CK+'s 118 labeled subjects that
    gives 33, 39, 40, 35, 30, 37, 29, 29, 33 and 22 of its 327 labeled sequences (the folds that
    the Emotion-FAN repository publishes: Meng et al., "Frame attention networks for facial
    expression recognition in videos", ICIP 2019). People without any row are not counted, so a
    person who is left out altogether shifts those after them.

    Args:
        manifest: Rows with `subject`.
        folds: Number of folds.

    Returns:
        The fold of each row, int64, shape (N,), counted from 1.

    Raises:
        ManifestError: A row has no subject.
        OptionError: A dataset has fewer subjects than folds.
    """
    require_subjects(manifest)
    datasets, subjects = manifest.strings("dataset"), manifest.strings("subject")
    fold = np.zeros(len(manifest), np.int64)
    for dataset in sorted(set(datasets)):
        rows = np.flatnonzero(datasets == dataset)
        names, index = np.unique(subjects[rows].astype(str), return_inverse=True)
        if len(names) < folds:
            raise OptionError(
                f"{dataset} has {len(names)} subjects, too few for {folds} folds; "
                f"take at most {len(names)}: --split subject-kfold:{len(names)}"
            )
        fold[rows] = index % folds + 1
    return fold


def count_folds(manifest: Manifest, fold: npt.NDArray[np.int64], folds: int) -> dict[str, Any]:
    """Count the rows and the people of each fold, by dataset, for the provenance.

    Returns:
        `{dataset: {"rows": [...], "subjects": [...]}}`, one number for each fold.
    """
    datasets, subjects = manifest.strings("dataset"), manifest.strings("subject")
    facts: dict[str, Any] = {}
    for dataset in sorted(set(datasets)):
        mine = datasets == dataset
        by_fold = [mine & (fold == number) for number in range(1, folds + 1)]
        facts[dataset] = {
            "rows": [int(rows.sum()) for rows in by_fold],
            "subjects": [len(set(subjects[rows])) for rows in by_fold],
        }
    return facts


def require_subjects(manifest: Manifest) -> None:
    """Check that every row says who it shows.

    Raises:
        ManifestError: With the datasets and a row where nobody is named.
    """
    require_known(manifest, "subject", "no subject", ", so people can't be held apart")


def require_known(manifest: Manifest, column: str, lack: str, therefore: str = "") -> None:
    """Check that every row has what its split rule goes by.

    Args:
        manifest: Rows of datasets under the rule.
        column: What the rule goes by.
        lack: What rows without it have, for the message, such as `"no subject"`.
        therefore: What follows from that.

    Raises:
        ManifestError: With the datasets and a row where it is missing.
    """
    values = manifest.table.column(column)
    if not values.null_count:
        return
    missing = manifest.table.filter(pc.is_null(values))
    names = ", ".join(sorted(pc.unique(missing.column("dataset")).to_pylist()))
    raise ManifestError(
        f"{values.null_count} rows have {lack} ({names}; for instance "
        f"{missing.column('sample_id')[0].as_py()!r}){therefore}; "
        "use another rule: --split stratified:8:1:1"
    )
