"""Copies of images: across splits, altered, in the data at all, with two labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from ferdata.audits.columns import Mask
from ferdata.audits.copy_pairs import EQUAL, CopyPairs
from ferdata.audits.families import BY_PARENT, Families
from ferdata.audits.findings import MOST_EXAMPLES, Example, Finding
from ferdata.audits.rule import Need, NotApplicableError, rule
from ferdata.audits.subject import AuditSubject
from ferdata.core.schema import SPLITS

_BEFORE_SPLIT = 0.05
"""Share of held-out images with an altered copy in train from which no accident explains it."""

_OFFLINE = 0.005
"""Share of images that are altered copies of others from which the set counts as augmented."""


@rule(
    "leak-copy",
    severity="error",
    needs=(Need.SPLITS, Need.COPIES),
    wants=(Need.FACES,),
    finds="one image in two splits, equal in every pixel or altered",
    means="The model has seen the images that it is tested on, with their labels.",
    remedy="Remove the listed copies from train, or get the original set. `ferdata build` keeps "
    "equal images in one split by itself (test before validation before train), and nearly equal "
    "ones with --near-duplicates 12; flipped, rotated and cropped ones have to be removed.",
)
def leak_copy(subject: AuditSubject) -> Iterator[Finding]:
    """Find images of one split in another."""
    families = _searched(subject)
    for first, second in subject.pairs():
        here, there = subject.in_split(first), subject.in_split(second)
        met = there & np.isin(families.number, families.number[here])
        if not (count := int(met.sum())):
            continue
        pairs = _crossing(families.pairs, here, there)
        kinds = Counter(pairs.kinds.tolist())
        listed = ", ".join(f"{number:,} {kind}" for kind, number in kinds.most_common())
        total = int(there.sum())
        yield leak_copy.finding(
            subject=f"{first}/{second}",
            title=f"{count:,} of {total:,} {second} images ({count / total:.1%}) are also in "
            f"{first}{f' ({listed})' if listed else ''}.",
            count=count,
            of=total,
            measure=f"share of {second} images with a copy in {first}",
            value=count / total,
            threshold=0.0,
            examples=_pair_examples(subject, pairs),
            details={f"pairs: {kind}": number for kind, number in sorted(kinds.items())}
            | {
                f"{first} images": int(
                    (here & np.isin(families.number, families.number[met])).sum()
                )
            },
        )


@rule(
    "augmented-before-split",
    severity="error",
    needs=(Need.SPLITS, Need.COPIES),
    wants=(Need.FACES,),
    finds="altered copies of one image on both sides of a split, more than by accident",
    means="The set was augmented first and split afterwards: the test images are in train, flipped "
    "or brightened. Scores on it are worth nothing.",
    remedy="Split the originals, then augment train only: `ferdata build … --augment balance` does "
    "it in this order. Throw the copies away and start from the original images.",
)
def augmented_before_split(subject: AuditSubject) -> Iterator[Finding]:
    """Find families of altered copies that a split cuts."""
    families = subject.families
    for first, second in subject.pairs():
        here = subject.in_split(first, sources=False)
        there = subject.in_split(second, sources=False)
        met = there & np.isin(families.altered, families.altered[here])
        count, total = int(met.sum()), int(there.sum())
        if count < 2 or count / total < _BEFORE_SPLIT:
            continue
        family = np.unique(families.altered[met])
        rows = np.isin(families.altered, family)
        yield augmented_before_split.finding(
            subject=f"{first}/{second}",
            title=f"{count:,} of {total:,} {second} images ({count / total:.1%}) have altered "
            f"copies in {first}: {len(family):,} images, {rows.sum() / len(family):.1f} versions "
            "of each on average, lie on both sides of the split.",
            count=count,
            of=total,
            measure=f"share of {second} images with an altered copy in {first}",
            value=count / total,
            threshold=_BEFORE_SPLIT,
            examples=_pair_examples(subject, _crossing(families.pairs, here, there)),
            details={"images": len(family), "versions of each": float(rows.sum() / len(family))},
        )


@rule(
    "offline-copies",
    severity="warning",
    needs=(Need.COPIES,),
    wants=(Need.FACES,),
    finds="altered copies of images in the data, made before ferdata read them",
    means="Numbers of images and class shares are not those of the dataset, and copies of one "
    "image count several times, in the loss and, in test, in the score.",
    remedy="Use the original images and augment while training or with `ferdata build --augment`, "
    "which marks every copy.",
)
def offline_copies(subject: AuditSubject) -> Iterator[Finding]:
    """Find families of altered copies."""
    families = subject.families
    links = families.pairs.take(
        (families.pairs.kinds != EQUAL) & (families.pairs.kinds != BY_PARENT)
    )
    rows = np.unique(links.rows)
    copies = len(rows) - len(np.unique(families.altered[rows]))
    total = int(subject.sources.sum())
    if not copies:
        if not families.searched:
            raise NotApplicableError("the images were not compared, and no name tells a copy")
        return
    share = copies / total
    kinds = Counter(links.kinds.tolist())
    size = len(rows) / (len(rows) - copies)
    splits = pd.Series(subject.split[rows]).value_counts()
    where = ", ".join(
        f"{splits.get(number, 0):,} in {name}"
        for number, name in enumerate(SPLITS)
        if splits.get(number, 0)
    )
    yield offline_copies.finding(
        severity="warning" if share >= _OFFLINE else "note",
        subject="all",
        title=f"{copies:,} of {total:,} images ({share:.1%}) are altered copies of others: "
        f"{len(rows) - copies:,} images have {size:.1f} versions on average"
        f"{f' ({where})' if where else ''}.",
        count=copies,
        of=total,
        measure="share of images that are altered copies",
        value=share,
        threshold=_OFFLINE,
        examples=_pair_examples(subject, links),
        details={f"pairs: {kind}": number for kind, number in sorted(kinds.items())},
    )


@rule(
    "label-conflict",
    severity="warning",
    needs=(Need.COPIES,),
    wants=(Need.FACES,),
    finds="one image with two labels",
    means="At least one of the labels is wrong; a model can't learn both, and in test one of them "
    "is counted as an error whatever is predicted.",
    remedy="Look at the examples and decide; drop what can't be decided. FER2013 has some as "
    "published.",
)
def label_conflict(subject: AuditSubject) -> Iterator[Finding]:
    """Find families with several labels."""
    families = _searched(subject)
    number = np.where(subject.sources, families.number, -1)
    frame = pd.DataFrame({"family": number, "label": subject.label})[subject.sources]
    labels = frame.groupby("family")["label"].nunique()
    conflicting = labels.index[labels > 1].to_numpy()
    if not len(conflicting):
        return
    rows = np.isin(number, conflicting)
    count, total = int(rows.sum()), int(subject.sources.sum())
    examples = []
    for family in conflicting[:MOST_EXAMPLES]:
        members = np.flatnonzero(number == family)[:6].tolist()
        examples.append(subject.example(members))
    yield label_conflict.finding(
        subject="all",
        title=f"{len(conflicting):,} images occur with more than one label, in {count:,} rows.",
        unit="rows",
        count=count,
        of=total,
        measure="share of rows whose image has another label elsewhere",
        value=count / total,
        threshold=0.0,
        examples=tuple(examples),
        details={"images": len(conflicting)},
    )


def _searched(subject: AuditSubject) -> Families:
    if not subject.families.searched:
        raise NotApplicableError(
            "the images were not compared (--no-images, or a manifest without hashes; --data DIR "
            "names the folder of its images)"
        )
    return subject.families


def _crossing(pairs: CopyPairs, here: Mask, there: Mask) -> CopyPairs:
    """Return the pairs with one row here and one there, the first of each row there."""
    first, second = pairs.rows.T
    forward, backward = here[first] & there[second], here[second] & there[first]
    chosen = np.flatnonzero(forward | backward)
    held_out = np.where(forward[chosen], second[chosen], first[chosen])
    order = np.lexsort((pairs.order[chosen], held_out))
    _, once = np.unique(held_out[order], return_index=True)
    return pairs.take(chosen[order[once]])


def _pair_examples(subject: AuditSubject, pairs: CopyPairs) -> tuple[Example, ...]:
    """Return some pairs as examples, of every kind."""
    chosen: list[int] = []
    by_kind: dict[Any, list[int]] = {}
    for position, kind in enumerate(pairs.kinds.tolist()):
        by_kind.setdefault(kind, []).append(position)
    while len(chosen) < MOST_EXAMPLES and any(by_kind.values()):
        for positions in by_kind.values():
            if positions and len(chosen) < MOST_EXAMPLES:
                chosen.append(positions.pop(0))
    return tuple(
        subject.example(pairs.rows[each].tolist(), str(pairs.seen[each])) for each in chosen
    )
