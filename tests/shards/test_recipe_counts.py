"""A recipe's counts to the image: all rows of the full-size datasets, without a pixel."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest

from ferdata.core.errors import OptionError
from ferdata.core.labels import BASIC7
from ferdata.core.manifest import Manifest
from ferdata.core.rejects import Reject
from ferdata.curation.leakage import leak_texts
from ferdata.curation.split import resolve_rules
from ferdata.ingesters import dataset_info
from ferdata.recipes import Recipe
from ferdata.shards.finish import notes, without_failed
from ferdata.shards.options import BuildOptions
from ferdata.shards.paper_counts import describe_comparison, recipe_record
from ferdata.shards.recipe_options import apply_recipe
from ferdata.shards.shard import ShardReport
from ferdata.shards.split_order import split_and_augment

# LMFER, Table 1: images after augmentation.
TABLE_1 = {
    "anger": 1350,
    "disgust": 1355,
    "fear": 1548,
    "happiness": 8204,
    "neutral": 4950,
    "sadness": 3801,
    "surprise": 2501,
}


@pytest.fixture(scope="module")
def rafdb() -> Manifest:
    """Return the rows of the full-size RAF-DB, each a picture of its own."""
    rows = [
        {"label": label, "official_split": part, "sample_id": f"rafdb/{part}_{label}_{number}"}
        for part, counts in dataset_info("rafdb").counts.items()
        for label, images in counts.items()
        for number in range(images)
    ]
    common = {"dataset": "rafdb", "layout": "official-aligned", "framing": "crop"}
    return Manifest.from_rows(
        [
            {**common, **row, "uri": row["sample_id"], "pixel_sha256": row["sample_id"]}
            for row in rows
        ],
        BASIC7,
    )


def build_rows(
    manifest: Manifest, **given: Any
) -> tuple[Manifest, Manifest, BuildOptions, Recipe | None]:
    options, recipe = apply_recipe(BuildOptions(**given), "rafdb")
    source, rows = split_and_augment(manifest, resolve_rules(manifest, options.split), options)
    return source, rows, options, recipe


@pytest.fixture(scope="module")
def paper(rafdb: Manifest) -> tuple[Manifest, Manifest, BuildOptions, Recipe | None]:
    return build_rows(rafdb, recipe="lmfer")


def by_class(manifest: Manifest) -> dict[str, int]:
    counts = manifest.counts()
    return {name: sum(rows[name] for rows in counts.values()) for name in BASIC7.names}


def test_lmfer_has_the_counts_of_table_1(paper: Any) -> None:
    source, rows, options, recipe = paper
    assert by_class(rows) == TABLE_1
    assert len(rows) == 23_709
    assert len(source) == 15_339
    assert {part: sum(n.values()) for part, n in rows.counts().items()} == {
        "train": 16_596,  # 70, 20 and 10 % of 23,709, half rounded up
        "validation": 4_742,
        "test": 2_371,
    }
    for part, share in (("validation", 0.2), ("test", 0.1)):
        for name, number in rows.counts()[part].items():
            assert abs(number - share * TABLE_1[name]) < 1
    found = recipe_record(recipe, "rafdb", source, rows, options).expected
    assert describe_comparison(found[0]) == f"matches {found[0].where} exactly"
    assert found[1].differences == {"total": {"all": {"built": 23_709, "paper": 20_699}}}
    assert "sum to 23,709" in describe_comparison(found[1])


def test_lmfer_leaks_and_says_how_much(paper: Any) -> None:
    source, rows, options, _ = paper
    splits = defaultdict(set)
    in_train = set()
    held = []
    names = zip(
        rows.column("sample_id"), rows.column("parent_id"), rows.column("split"), strict=True
    )
    for name, parent, part in names:
        splits[parent or name].add(part)
        if part == "train":
            in_train.add(parent or name)
        elif part == "test":
            held.append(parent or name)
    related = sum(name in in_train for name in held)
    leak = rows.provenance["leak"]
    assert leak["photograph"]["in_several_splits"] == sum(len(s) > 1 for s in splits.values()) > 0
    assert leak["photograph"]["met_in_train"]["test"] == related > 0
    (text,) = leak_texts(rows.provenance)
    assert f"of 2,371 test images, {related:,} ({related / 2371:.1%}) share an original" in text
    (note,) = notes(source, options.split)
    assert "of its 3,068 test images" in note


def test_sound_is_the_same_with_the_split_first(rafdb: Manifest, paper: Any) -> None:
    source, rows, options, recipe = build_rows(rafdb, recipe="lmfer", leak_free=True)
    assert leak_texts(rows.provenance) == []
    parts = dict(zip(source.column("sample_id"), source.column("split"), strict=True))
    copies = [
        (parent, part)
        for parent, part in zip(rows.column("parent_id"), rows.column("split"), strict=True)
        if parent
    ]
    assert copies
    assert all(parts[parent] == part == "train" for parent, part in copies)
    # As many images to train on as in the paper's split, class by class.
    assert rows.counts()["train"] == paper[1].counts()["train"]
    first, second = recipe_record(recipe, "rafdb", source, rows, options).expected
    assert describe_comparison(first).endswith("exactly (images before augmentation)")
    assert second.matches is None


def test_the_order_of_rows_is_of_no_importance_to_the_paper_order(rafdb: Manifest) -> None:
    few = rafdb.take(range(0, len(rafdb), 40))
    turned = few.take(range(len(few) - 1, -1, -1))
    splits = []
    for manifest in (few, turned):
        _, rows, _, _ = build_rows(manifest, recipe="lmfer", balance_to="max")
        splits.append(dict(zip(rows.column("sample_id"), rows.column("split"), strict=True)))
    assert splits[0] == splits[1]
    _, other, _, _ = build_rows(few, recipe="lmfer", balance_to="max", seed=1)
    assert dict(zip(other.column("sample_id"), other.column("split"), strict=True)) != splits[0]


def test_a_target_below_what_there_is_leaves_the_class_as_it_is(rafdb: Manifest) -> None:
    few = rafdb.take(range(0, len(rafdb), 40))
    _, rows, _, _ = build_rows(few, recipe="lmfer", balance_to="happiness=1")
    assert by_class(rows) == by_class(few)


@pytest.mark.parametrize("split", ["official", "subject:8:1:1"])
def test_copies_are_drawn_by_stratified_rules_only(rafdb: Manifest, split: str) -> None:
    few = rafdb.take(range(0, len(rafdb), 400))
    with pytest.raises(OptionError, match=r"the rule of rafdb must be stratified"):
        build_rows(few, recipe="lmfer", split=split, balance_to="max")


def recipe_with(*expected: dict[str, Any]) -> Recipe:
    return Recipe.model_validate(
        {
            "name": "mine",
            "title": "a test",
            "summary": "A test.",
            "paper": {"title": "None", "authors": "Nobody", "year": 2000},
            "datasets": {"rafdb": {"data": "RAF-DB", "expected": list(expected)}},
        }
    )


def test_counts_that_differ_are_named(rafdb: Manifest) -> None:
    options = BuildOptions(split="official", validation=0.1, augment="balance")
    source, rows = split_and_augment(rafdb, resolve_rules(rafdb, "official"), options)
    in_test = source.counts()["test"]
    recipe = recipe_with(
        {"where": "A", "counts": {"fear": 355, "anger": 4295 + 162, "disgust": 4295 + 160}},
        {"where": "B", "splits": {"train": 12_271, "test": 3_068}},
        {"where": "C", "splits": {"train": 12_271, "validation": 0}},
        {"where": "D", "split": "test", "original": in_test | {"anger": 163}},
        {"where": "E", "total": 15_539, "attainable": False, "why": "a slip"},
    )
    found = recipe_record(recipe, "rafdb", source, rows, options).expected
    a, b, c, d, e = map(describe_comparison, found)
    raised = by_class(rows)
    assert f"A: fear {raised['fear']:,}, paper 355; anger {raised['anger']:,}, paper 4,457" in a
    assert b == "matches B exactly"  # the paper tells of no validation
    assert c == "differs from C: train 11,044, paper 12,271; validation 1,227, paper 0"
    assert d == "differs from D: anger 162, paper 163 (before augmentation)"
    assert e == "differs from E: all 15,339, paper 15,539 (a slip)"


@pytest.mark.parametrize("kind", ["original", "counts"])
def test_a_class_that_the_paper_does_not_have_is_a_difference(rafdb: Manifest, kind: str) -> None:
    counts = by_class(rafdb.with_column("split", ["train"] * len(rafdb)))
    others = {name: number for name, number in counts.items() if name != "fear"}
    recipe = recipe_with({"where": "A", kind: others}, {"where": "B", kind: counts})
    copy = rafdb.with_column("split", ["train"] * len(rafdb))
    a, b = recipe_record(recipe, "rafdb", copy, copy, BuildOptions()).expected
    assert "differs from A: fear 355, not in the paper" in describe_comparison(a)
    assert b.matches


def test_authors_without_a_test_split_have_no_results_to_compare(rafdb: Manifest) -> None:
    none = rafdb.take(
        [row for row, name in enumerate(rafdb.column("official_split")) if name == "train"]
    )
    assert notes(none.with_column("split", ["train"] * len(none)), "stratified:8:1:1") == []


def test_an_image_and_its_copies_fail_one_by_one(paper: Any) -> None:
    source, rows, options, _ = paper
    parents = rows.column("parent_id")
    copy = next(row for row, parent in enumerate(parents) if parent)
    gone = [rows.column("sample_id")[copy], parents[copy]]
    for name, images in zip(gone, (len(source), len(source) - 1), strict=True):
        report = ShardReport("train", 0, {}, (Reject(name, "", "build", "file is missing"),))
        left, stored = without_failed(source, rows, options, [report])
        assert (len(left), len(stored)) == (images, len(rows) - 1)
        assert name not in stored.column("sample_id")
        held_out = stored.provenance["leak"]["held_out"]
        assert sum(held_out.values()) == sum(part != "train" for part in stored.column("split"))


def test_a_synthetic_copy_of_another_size_is_not_compared(rafdb: Manifest) -> None:
    recipe = recipe_with({"where": "A", "total": 15_339})
    for scale, matches in ((0.02, None), (1.0, True)):
        copy = rafdb.with_provenance("ingest", {"synthetic_scale": scale})
        copy = copy.with_column("split", copy.column("official_split"))
        (found,) = recipe_record(recipe, "rafdb", copy, copy, BuildOptions()).expected
        assert found.matches is matches
