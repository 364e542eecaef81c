"""What a build declares of its leaks is held against its rows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from ferdata.core.labels import BASIC7
from ferdata.core.manifest import Manifest
from ferdata.core.split_rules import parse_rules
from ferdata.curation.leakage import leak_texts
from ferdata.curation.stage import curate
from ferdata.faces.set_alignment import SetAlignment
from ferdata.shards.options import BuildOptions
from ferdata.shards.split_order import augment_then_split
from ferdata.shards.verify_report import FindingKind
from ferdata.shards.verify_rules import Rules

FILMS: dict[str, Any] = {
    "split": "stratified:8:1:1",
    "allow_group_leak": True,
    "duplicates": "drop",
}
COPIES: dict[str, Any] = {
    "split": "stratified:7:2:1",
    "augment": "balance",
    "augment_before_split": True,
    "duplicates": "keep",
}


def rows(**columns: Sequence[Any]) -> Manifest:
    """Return rows of one dataset, every one a picture of its own."""
    number = len(next(iter(columns.values())))
    common = {"dataset": "demo", "layout": "demo", "framing": "crop", "label": "fear"}
    return Manifest.from_rows(
        (
            common
            | {"sample_id": f"demo/{row}", "uri": f"{row}.png", "pixel_sha256": f"{row}"}
            | {name: values[row] for name, values in columns.items()}
            for row in range(number)
        ),
        BASIC7,
    )


@pytest.fixture(scope="module")
def films() -> Manifest:
    """Return films of three frames, the frames drawn one by one."""
    people = [f"S{row // 6}" for row in range(60)]
    sequences = [f"{row // 3 % 2}" for row in range(60)]
    manifest = rows(subject=people, sequence=sequences)
    return curate(manifest, FILMS["split"], ignore_groups=True)


@pytest.fixture(scope="module")
def copies() -> Manifest:
    """Return images of two classes, augmented before they were split."""
    manifest = rows(label=["fear"] * 40 + ["anger"] * 20)
    options = BuildOptions(**COPIES)
    return augment_then_split(manifest, parse_rules(options.split), options)[1]


def found(
    manifest: Manifest,
    options: Mapping[str, Any],
    *,
    leaks: Sequence[str] = (),
    failed: Sequence[str] = (),
) -> list[tuple[FindingKind, str]]:
    rules = Rules(manifest, BuildOptions(**options), leaks, frozenset(failed), SetAlignment())
    return [(finding.kind, finding.file) for finding in rules.findings()]


def altered(manifest: Manifest, change: Mapping[str, Any]) -> Manifest:
    leak = json.loads(json.dumps(manifest.provenance["leak"]))
    return manifest.with_provenance("leak", leak | change)


def test_leaks_that_are_declared_as_they_are_pass(films: Manifest, copies: Manifest) -> None:
    for manifest, options in ((films, FILMS), (copies, COPIES)):
        texts = leak_texts(manifest.provenance)
        assert found(manifest, options, leaks=texts) == []
        notes = list(Rules(manifest, BuildOptions(**options), texts, (), SetAlignment()).notes())
        assert notes == [f"this build leaks, as declared: {texts[0]}"]


@pytest.mark.parametrize("leaks", [[], ["fine"]])
def test_a_record_with_other_leaks_is_found(films: Manifest, leaks: list[str]) -> None:
    assert found(films, FILMS, leaks=leaks) == [(FindingKind.RECORD, "build.json")]


def test_the_numbers_of_a_leak_are_those_of_the_rows(films: Manifest) -> None:
    person = films.provenance["leak"]["person"]
    small = altered(films, {"person": person | {"in_several_splits": 1}})
    assert found(small, FILMS, leaks=leak_texts(small.provenance)) == [
        (FindingKind.RECORD, "manifest.parquet"),
        (FindingKind.RECORD, "build.json"),
    ]
    assert found(small, FILMS, leaks=leak_texts(films.provenance)) == [
        (FindingKind.RECORD, "manifest.parquet")
    ]


@pytest.mark.parametrize("leak", [None, [], 3, {}, {"one_by_one": 3}])
def test_a_leak_that_was_asked_for_and_is_not_declared_is_found(
    films: Manifest, leak: object
) -> None:
    unsaid = Manifest(
        # Nobody is known, so that only the films tell that it leaks.
        films.with_column("subject", [None] * len(films)).table,
        films.label_space,
        provenance={**films.provenance, "leak": leak},
    )
    assert (FindingKind.RECORD, "manifest.parquet") in found(unsaid, FILMS, leaks=[])


def test_a_leak_that_was_not_asked_for_is_no_excuse(copies: Manifest) -> None:
    leak_free = COPIES | {"augment_before_split": False, "duplicates": "drop"}
    kinds = found(copies, leak_free, leaks=leak_texts(copies.provenance))
    assert (FindingKind.RULE, "manifest.parquet") in kinds
    assert (FindingKind.RECORD, "manifest.parquet") in kinds
    assert found(copies, {}, leaks=leak_texts(copies.provenance))  # no rules to go by


def test_declared_copies_have_parents_all_the_same(copies: Manifest) -> None:
    parents = copies.column("parent_id")
    row = next(index for index, parent in enumerate(parents) if parent)
    orphan = copies.with_column("parent_id", [*parents[:row], "demo/none", *parents[row + 1 :]])
    texts = leak_texts(copies.provenance)
    assert found(orphan, COPIES, leaks=texts) == [(FindingKind.RULE, "manifest.parquet")]
    assert found(orphan, COPIES, leaks=texts, failed=["demo/none"]) == []


def test_copies_of_train_have_parents() -> None:
    orphan = rows(split=["train", "train"], parent_id=[None, "demo/none"])
    assert found(orphan, {}) == [(FindingKind.RULE, "manifest.parquet")]
    assert found(orphan, {}, failed=["demo/none"]) == []
