"""What is trained on and what is tested on, put into one subject (`--against`)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa

from ferdata.audits.columns import Codes, Mask
from ferdata.audits.image_measures import ImageMeasures
from ferdata.audits.subject import AuditSubject
from ferdata.core.labels import CANONICAL, LabelSpace
from ferdata.core.schema import SPLITS

_TRAIN, _VALIDATION, _TEST = (SPLITS.index(name) for name in ("train", "validation", "test"))


def join(train: AuditSubject, test: AuditSubject) -> tuple[AuditSubject, AuditSubject]:
    """Put a train set and a test set into one subject.

    Of a train set with splits the test rows are left out, of a test set with splits all others.

    Returns:
        The subject with both, and the rows of the test set alone.
    """
    first, second = _rows(train, [_TRAIN, _VALIDATION]), _rows(test, [_TEST])
    left, right = train.manifest.take(first), test.manifest.take(second)
    manifest = replace(
        left,
        table=pa.concat_tables([left.table, right.table]),
        label_space=_space(train, test),
        rejects=left.rejects + right.rejects,
    )
    joined = replace(
        train,
        manifest=manifest,
        sides=np.repeat([_TRAIN, _TEST], [len(first), len(second)]),
        build=None,
        places=None
        if train.places is None or test.places is None
        else train.places.take(first).join(test.places.take(second)),
        measures=_measures(train.measures, first, test.measures, second),
        faces_known=train.faces_known and test.faces_known,
        upside_down=_mask(train.upside_down, first, test.upside_down, second),
        refusals=train.refusals + test.refusals,
    )
    return joined, replace(test, manifest=right, sides=np.full(len(second), _TEST))


def side(subject: AuditSubject, split: str) -> AuditSubject:
    """Return the rows of one side of a joined subject."""
    rows = np.flatnonzero(subject.split == SPLITS.index(split))
    return replace(subject, manifest=subject.manifest.take(rows), sides=subject.split[rows])


def _space(train: AuditSubject, test: AuditSubject) -> LabelSpace:
    """Return the classes of both, expressions first."""
    names = dict.fromkeys([*train.classes, *test.classes])
    ordered = [name for name in CANONICAL if name in names]
    others = [name for name in names if name not in CANONICAL]
    return LabelSpace(train.manifest.label_space.name, (*ordered, *others))


def _rows(subject: AuditSubject, splits: list[int]) -> Codes:
    """Return the rows of some splits; all where the set has no several splits, or none of them."""
    chosen = np.isin(subject.split, splits)
    if len(subject.present()) < 2 or not chosen.any():
        return np.arange(len(subject))
    return np.flatnonzero(chosen)


def _measures(
    one: ImageMeasures | None, first: Codes, other: ImageMeasures | None, second: Codes
) -> ImageMeasures | None:
    if one is None or other is None:
        return None
    both = {
        name: np.concatenate((values[first], vars(other)[name][second]))
        for name, values in vars(one).items()
    }
    return ImageMeasures(**both)


def _mask(one: Mask | None, first: Codes, other: Mask | None, second: Codes) -> Mask | None:
    return None if one is None or other is None else np.concatenate((one[first], other[second]))
