"""Official test images that are used to train or to select."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ferdata.audits.findings import Finding
from ferdata.audits.published_names import official_test_names
from ferdata.audits.rule import Need, NotApplicableError, rule
from ferdata.audits.subject import AuditSubject
from ferdata.core.schema import SPLITS


@rule(
    "leak-official-test",
    severity="error",
    needs=(Need.SPLITS,),
    finds="images of the authors' test split in train or validation",
    means="Everybody's scores are on these images: a model that has seen them can't be compared "
    "with any other.",
    remedy="Keep the authors' split: `ferdata build … --split official`.",
)
def leak_official_test(subject: AuditSubject) -> Iterator[Finding]:
    """Find official test images outside of test, by their split or by their names."""
    official = subject.official == SPLITS.index("test")
    named = official_test_names(subject.table.column("uri")) & subject.sources & ~official
    if not (official | named).any():
        raise NotApplicableError("no image is known to be of an official test split")
    total = int(((official | named) & subject.sources).sum())
    for split in ("train", "validation"):
        found = subject.in_split(split) & (official | named)
        if not (count := int(found.sum())):
            continue
        if split == "validation" and 2 * count > subject.in_split(split).sum():
            continue  # it is that split, which the rule protocol says
        by_name = int((found & named).sum())
        also = f", {by_name:,} of them by name only (copies that somebody made)" if by_name else ""
        used = "trained on" if split == "train" else "used to select"
        yield leak_official_test.finding(
            severity="error" if split == "train" else "warning",
            subject=split,
            title=f"{count:,} of {total:,} official test images ({count / total:.1%}) are in "
            f"{split}{also}: they are {used}.",
            count=count,
            of=total,
            measure=f"share of the official test images that are in {split}",
            value=count / total,
            threshold=0.0,
            examples=subject.examples(np.flatnonzero(found)),
            details={
                "known by name only": by_name,
                f"{split} images": int(subject.in_split(split).sum()),
            },
        )
