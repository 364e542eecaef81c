"""Searching a build for label errors; nothing in the build is changed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ferdata.core.errors import MissingExtraError, OptionError
from ferdata.data.build import Build
from ferdata.label_errors.confident import Suspicions, find_suspicions
from ferdata.label_errors.examined import Examined
from ferdata.label_errors.held_out import cross_validated, read_predictions
from ferdata.label_errors.options import LabelErrorOptions
from ferdata.label_errors.record import LabelErrors, LabelIssue
from ferdata.label_errors.writing import write_label_errors


def search_label_errors(
    build: Build, options: LabelErrorOptions, out: Path, *, quiet: bool = False
) -> LabelErrors:
    """Search the labels of a build for errors, and write tables, sheets and a proposed patch.

    Args:
        build: The build; augmented copies are left out.
        options: What to examine, and how.
        out: Folder of the files: `issues.csv`, `noise.csv`, `label_errors.json`,
            `proposal.labels.json`, and a contact sheet for each class.
        quiet: Show no progress.

    Returns:
        What was found.

    Raises:
        MissingExtraError: cleanlab is not installed.
        OptionError: Predictions can't be read, or there are too few images or classes.
    """
    _require_cleanlab()
    examined = Examined.of(build, include_test=options.include_test)
    names = build.label_space.names
    occurring = np.unique(examined.codes)
    if len(occurring) < 2:
        raise OptionError(f"{build.root}: images of one class only; there is nothing to compare")
    probabilities = _probabilities(examined, options, quiet=quiet)[:, occurring]
    probabilities /= np.maximum(probabilities.sum(axis=1, keepdims=True), 1e-12)
    labels = np.searchsorted(occurring, examined.codes)  # confident learning needs no gaps
    found = find_suspicions(labels, probabilities)
    classes = [names[code] for code in occurring.tolist()]
    source = f"{options.folds}-fold discriminant analysis of gradients and landmarks"
    if options.predictions is not None:
        source = Path(options.predictions).name
    errors = _record(examined, labels, found, classes, probabilities, source)
    write_label_errors(errors, examined, out, sheet=options.sheet)
    return errors


def _probabilities(
    examined: Examined, options: LabelErrorOptions, *, quiet: bool
) -> npt.NDArray[np.float64]:
    """Return held-out probabilities over all classes of the build, shape (N, K)."""
    names = examined.build.label_space.names
    if options.predictions is not None:
        path = Path(options.predictions).expanduser()
        return read_predictions(path, examined.rows.column("sample_id"), names)
    return cross_validated(
        examined.features(quiet=quiet),
        examined.codes,
        examined.groups(),
        classes=len(names),
        folds=options.folds,
        seed=options.seed,
    )


def _record(
    examined: Examined,
    labels: npt.NDArray[np.int64],
    found: Suspicions,
    classes: Sequence[str],
    probabilities: npt.NDArray[np.float64],
    source: str,
) -> LabelErrors:
    ids, splits = examined.rows.column("sample_id"), examined.rows.column("split")
    issues = tuple(
        LabelIssue(
            sample_id=ids[row],
            split=splits[row],
            label=classes[labels[row]],
            suggested=classes[found.suggested[row]],
            confidence=round(float(found.confidence[row]), 6),
            probability=round(float(probabilities[row, found.suggested[row]]), 6),
        )
        for row in found.order.tolist()
    )
    counted = {
        label: (int((labels == code).sum()), sum(each.label == label for each in issues))
        for code, label in enumerate(classes)
    }
    noise = {
        true: dict(zip(classes, (round(float(share), 6) for share in shares), strict=True))
        for true, shares in zip(classes, found.noise, strict=True)
    }
    return LabelErrors(
        build=examined.build.name,
        split_digest=examined.build.record.split_digest,
        images=len(ids),
        splits=tuple(dict.fromkeys(splits)),
        issues=issues,
        by_class=counted,
        accuracy=round(float((found.suggested == labels).mean()), 6),
        noise=noise,
        predictions=source,
    )


def _require_cleanlab() -> None:
    try:
        import cleanlab  # noqa: F401, PLC0415 - an extra
        import matplotlib as mpl  # noqa: F401, PLC0415
    except ImportError as error:
        raise MissingExtraError("label-errors", "audit", error) from error
