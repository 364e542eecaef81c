"""Labels in another dataset's order: codes, class folders, lists."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pyarrow.compute as pc

from ferdata.audits.disk_splits import folder_column
from ferdata.audits.findings import MOST_EXAMPLES, Finding
from ferdata.audits.known_counts import LEAST_ROWS, doubts, fitting_orders, own_order, shares_fit
from ferdata.audits.rule import rule
from ferdata.audits.subject import AuditSubject
from ferdata.core.labels import find_name
from ferdata.ingesters.info import PUBLISHED
from ferdata.ingesters.lookup import dataset_info, dataset_names

_DISAGREE = 0.01
"""Share of images in a folder of another class from which it is no slip."""

_DECIDED = re.compile(r"read in the order (?P<order>[\w-]+)")


@rule(
    "label-order",
    severity="error",
    finds="codes that fit another dataset's order (multinomial test of the class shares), class "
    "folders that contradict the list",
    means="Wrong names for the classes train without an error and give plausible numbers: sadness "
    "is learned as neutral, and class weights go to the wrong classes.",
    remedy="Name the order: `--codes ORDER` of `ferdata build`, or `labels: ORDER` in the "
    "declaration. Check it on images of three classes.",
)
def label_order(subject: AuditSubject) -> Iterator[Finding]:
    """Judge the order of labels."""
    total = int(subject.sources.sum())
    yield from _refused(subject, total)
    yield from _fingerprints(subject, total)
    yield from _codes(subject, total)
    yield from _folders(subject)


def _refused(subject: AuditSubject, total: int) -> Iterator[Finding]:
    """Repeat what the reader said, where it decided by the shares or refused the order asked."""
    for each in subject.refusals:
        yield _order_finding(
            total,
            f"not readable as {each.dataset}: {each.text.splitlines()[0]}",
            severity="warning" if each.open else "error",
        )
    said = subject.manifest.provenance.get("ingest", {})
    for text in said.get("decisions", ()):
        match = _DECIDED.search(text)
        name = str(said.get("dataset", ""))
        if match is None or name not in dataset_names():
            continue
        if match["order"] != (own := own_order(dataset_info(name))):
            yield _order_finding(
                total,
                f"the codes are in the order {match['order']}, not in {own or name}'s: {text}",
                severity="warning",
            )


def _fingerprints(subject: AuditSubject, total: int) -> Iterator[Finding]:
    """Compare with exact counts: names permuted against a known dataset's."""
    for doubt in doubts(subject.about.name, subject.counts_by_split(), subject.root):
        if doubt.mixed:
            yield _order_finding(total, doubt.text)


def _codes(subject: AuditSubject, total: int) -> Iterator[Finding]:
    """Compare the shares of numeric codes with those of datasets, under every known order."""
    codes = _code_counts(subject)
    if total < LEAST_ROWS or not codes:
        return
    name = subject.about.name
    if name in dataset_names():
        info = dataset_info(name)
        counts = dict(zip(subject.classes, subject.counts(subject.sources).tolist(), strict=True))
        if info.counts_status != PUBLISHED or shares_fit(counts, info):
            return
        own = own_order(info)
        for fit in fitting_orders(codes, name):
            if fit.order != own:
                yield _order_finding(
                    total,
                    f"the class shares are not those of {name} as the codes were read, but they "
                    f"are in the order {fit.order}",
                    details={"order": fit.order, "dataset": fit.dataset},
                )
        return
    unnamed = all(each.startswith("code ") for each in subject.classes)
    fits = [fit for fit in fitting_orders(codes) if unnamed or not _as_read(subject, fit.order)]
    read = () if unnamed else [fit for fit in fitting_orders(codes) if _as_read(subject, fit.order)]
    if fits and not read:
        listed = " or ".join(f"{fit.dataset}'s in the order {fit.order}" for fit in fits[:3])
        yield _order_finding(
            total,
            f"the shares of the codes are {listed}"
            + ("; the set itself names no class" if unnamed else ", but they were read otherwise"),
            severity="warning" if unnamed else "error",
            details={"order": fits[0].order, "dataset": fits[0].dataset},
        )


def _as_read(subject: AuditSubject, order: str) -> bool:
    """Say whether an order gives the labels that were read."""
    from ferdata.ingesters.code_orders import code_order  # noqa: PLC0415 - with scipy

    plain, _, one_based = order.partition(" ")
    known = {str(code + bool(one_based)): label for code, label in code_order(plain).items()}
    numbers, words = subject.words("label_native")
    first = [int(np.flatnonzero(numbers == number)[0]) for number in range(len(words))]
    return all(
        known.get(word) == subject.classes[subject.label[row]]
        for word, row in zip(words, first, strict=True)
    )


def _code_counts(subject: AuditSubject) -> dict[int, int]:
    """Count the images of each numeric code; empty where labels are words."""
    numbers, words = subject.words("label_native")
    if not words or not all(word.isdigit() for word in words) or (numbers < 0).any():
        return {}
    counted = np.bincount(numbers[subject.sources], minlength=len(words))
    return {int(word): int(rows) for word, rows in zip(words, counted, strict=True) if rows}


def _folders(subject: AuditSubject) -> Iterator[Finding]:
    """Compare labels with the class folders that images lie in."""
    folders = pc.dictionary_encode(folder_column(subject.table.column("uri")).combine_chunks())
    paths = folders.dictionary.to_pylist()
    meant = [find_name(path.rpartition("/")[2]) for path in paths]
    codes = [subject.classes.index(each) if each in subject.classes else -1 for each in meant]
    folder = np.array([*codes, -1])[pc.fill_null(folders.indices, len(paths)).to_numpy()]
    known = (folder >= 0) & subject.sources
    if not known.any():
        return
    wrong = known & (folder != subject.label)
    count, total = int(wrong.sum()), int(known.sum())
    if not count:
        return
    pairs = np.unique(np.column_stack((folder, subject.label))[wrong], axis=0, return_counts=True)
    order = np.argsort(-pairs[1])[:MOST_EXAMPLES]
    names = {
        f"folder {subject.classes[pairs[0][k, 0]]}, label {subject.classes[pairs[0][k, 1]]}": int(
            pairs[1][k]
        )
        for k in order
    }
    yield label_order.finding(
        severity="error" if count / total >= _DISAGREE else "warning",
        subject="all",
        title=f"{count:,} of {total:,} images ({count / total:.1%}) lie in the folder of another "
        f"class than their label says; most often {next(iter(names))}.",
        count=count,
        of=total,
        measure="share of images whose folder and label disagree",
        value=count / total,
        threshold=_DISAGREE,
        remedy="Find out which of the two is the original annotation; the list is what ferdata "
        "reads.",
        examples=subject.examples(np.flatnonzero(wrong)),
        details=names,
    )


def _order_finding(
    total: int,
    text: str,
    *,
    severity: str = "error",
    details: dict[str, str] | None = None,
) -> Finding:
    return label_order.finding(
        severity=severity,
        subject="all",
        title=text[0].upper() + text[1:].rstrip(".") + ".",
        count=total,
        of=total,
        measure="class shares under the order that was read",
        details=details or {},
    )
