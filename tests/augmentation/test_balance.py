"""Balancing: exact counts, parents in turn, nothing outside train."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections import Counter

import numpy as np
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferdata.augmentation.balance import balance
from ferdata.augmentation.operations import Brightness, HorizontalFlip
from ferdata.augmentation.target import parse_target
from ferdata.core.errors import LabelError, ManifestError, OptionError, UnknownNameError
from ferdata.core.manifest import Manifest
from ferdata.curation.leakage import check_splits

TRAIN = {"anger": 5, "disgust": 1, "fear": 3, "happiness": 17, "neutral": 9}


def train_counts(manifest):
    return {label: rows for label, rows in manifest.counts()["train"].items() if rows}


def copies_of(manifest):
    return manifest.table.filter(pc.is_valid(manifest.table.column("parent_id")))


@pytest.mark.parametrize(
    ("to", "expected"),
    [
        ("max", dict.fromkeys(TRAIN, 17)),
        ("median", {"anger": 5, "disgust": 5, "fear": 5, "happiness": 17, "neutral": 9}),
        (7, {"anger": 7, "disgust": 7, "fear": 7, "happiness": 17, "neutral": 9}),
        (40, dict.fromkeys(TRAIN, 40)),
        ({"fear": 10, "anger": 2}, {**TRAIN, "fear": 10}),
        ({}, TRAIN),
    ],
)
def test_counts_are_exact(unbalanced, to, expected):
    done = balance(unbalanced, to=to)
    assert train_counts(done) == expected
    assert done.provenance["balance"]["after"] == {
        label: expected.get(label, 0) for label in done.label_space.names
    }
    assert done.counts()["validation"] == unbalanced.counts()["validation"]
    assert done.counts()["test"] == unbalanced.counts()["test"]
    assert set(copies_of(done).column("split").to_pylist()) <= {"train"}
    check_splits(done)


def test_originals_come_first_and_are_unchanged(unbalanced):
    done = balance(unbalanced)
    assert done.take(range(len(unbalanced))).digest() == unbalanced.digest()


def test_every_copy_has_its_own_row(unbalanced):
    done = balance(unbalanced)
    parents = {row["sample_id"]: row for row in unbalanced.rows()}
    own = {"sample_id", "parent_id", "copy_index", "operations"}
    copies = copies_of(done).to_pylist()
    for copy in copies:
        parent = parents[copy["parent_id"]]
        assert copy["sample_id"] == f"{copy['parent_id']}+{copy['copy_index']}"
        assert json.loads(copy["operations"])
        for column in parent.keys() - own - {"landmarks"}:
            assert copy[column] == parent[column]
        assert np.array_equal(
            np.array(copy["landmarks"]), np.array(parent["landmarks"]), equal_nan=True
        )
    drawn = Counter((copy["parent_id"], copy["operations"]) for copy in copies)
    assert max(drawn.values()) == 1


def test_parents_take_turns(unbalanced):
    copies = copies_of(balance(unbalanced)).to_pylist()
    for label in ("anger", "fear", "neutral"):
        numbers = Counter(copy["parent_id"] for copy in copies if copy["label"] == label)
        uses = [*numbers.values(), *([0] * (TRAIN[label] - len(numbers)))]
        assert max(uses) - min(uses) <= 1
        for parent, uses_of_parent in numbers.items():
            indices = [c["copy_index"] for c in copies if c["parent_id"] == parent]
            assert sorted(indices) == list(range(1, uses_of_parent + 1))


def test_the_order_of_rows_does_not_matter(unbalanced):
    shuffled = unbalanced.take(np.random.default_rng(1).permutation(len(unbalanced)))
    first, second = (copies_of(balance(m, to=12)) for m in (unbalanced, shuffled))
    columns = ["sample_id", "parent_id", "copy_index", "operations"]
    assert first.select(columns).equals(second.select(columns))


def test_the_seed_decides(unbalanced):
    first, again, other = (balance(unbalanced, seed=seed) for seed in (1, 1, 2))
    assert first.digest() == again.digest() != other.digest()
    assert train_counts(first) == train_counts(other)


def test_a_larger_target_keeps_the_copies_of_a_smaller_one(unbalanced):
    small, large = (copies_of(balance(unbalanced, to=to)).to_pylist() for to in (10, 20))
    drawn = {copy["sample_id"]: copy["operations"] for copy in large}
    assert all(drawn[copy["sample_id"]] == copy["operations"] for copy in small)


def test_max_copies_limits_and_says_how_much_is_missing(unbalanced, caplog):
    with caplog.at_level(logging.WARNING):
        done = balance(unbalanced, max_copies=2)
    assert train_counts(done) == {
        "anger": 15,
        "disgust": 3,
        "fear": 9,
        "happiness": 17,
        "neutral": 17,
    }
    assert done.provenance["balance"]["short"] == {"anger": 2, "disgust": 14, "fear": 8}
    assert (
        "disgust is 14 rows short of its target of 17: max_copies is 2, but 16 are" in caplog.text
    )
    assert max(copies_of(done).column("copy_index").to_pylist()) == 2


def test_classes_above_the_target_and_absent_ones_are_said(unbalanced, caplog):
    with caplog.at_level(logging.INFO):
        balance(unbalanced, to=8)
    assert "above the target and unchanged: happiness (17), neutral (9)" in caplog.text
    assert "train has no images of sadness, surprise" in caplog.text


def test_own_operations_are_used_and_recorded(unbalanced):
    operations = [HorizontalFlip(1.0), Brightness(1.0, change=(0.1, 0.1))]
    done = balance(unbalanced, operations=operations)
    factors = set()
    for text in copies_of(done).column("operations").to_pylist():
        flip, brightness = json.loads(text)
        assert flip == {"op": "horizontal_flip"}
        factors.add(brightness["factor"])
    assert factors == {0.9, 1.1}
    assert done.provenance["balance"]["operations"] == [
        {"op": "horizontal_flip", "probability": 1.0},
        {"op": "brightness", "probability": 1.0, "change": [0.1, 0.1]},
    ]


def test_it_survives_a_file(unbalanced, tmp_path):
    done = balance(unbalanced)
    done.save(tmp_path / "manifest.parquet")
    loaded = Manifest.load(tmp_path / "manifest.parquet")
    assert loaded.digest() == done.digest()
    assert loaded.provenance == done.provenance


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"to": "min"}, UnknownNameError, "expected one of max, median"),
        ({"to": 0}, OptionError, "at least 1; got"),
        ({"to": True}, OptionError, "at least 1; got"),
        ({"to": {"joy": 3}}, LabelError, "can't balance 'joy'; expected one of anger"),
        ({"to": {"fear": -3}}, OptionError, "the target of fear must be .*; got -3"),
        ({"to": {"sadness": 3}}, OptionError, "no images of it to copy"),
        ({"max_copies": 0}, OptionError, "at least 1"),
        ({"operations": []}, OptionError, "no operations"),
        ({"draws": "alone"}, UnknownNameError, "expected one of apart, independent"),
    ],
)
def test_bad_arguments_are_named(unbalanced, arguments, error, says):
    with pytest.raises(error, match=says):
        balance(unbalanced, **arguments)


def test_the_manifest_must_be_split_and_not_yet_balanced(unbalanced):
    with pytest.raises(ManifestError, match="run split before"):
        balance(unbalanced.with_column("split", [None] * len(unbalanced)))
    with pytest.raises(ManifestError, match="already has augmented copies"):
        balance(balance(unbalanced))
    with pytest.raises(ManifestError, match="train has no images"):
        balance(unbalanced.with_column("split", ["test"] * len(unbalanced)))


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("max", "max"),
        (" median ", "median"),
        ("4772", 4772),
        ("fear=1000,anger=800", {"fear": 1000, "anger": 800}),
        ("happily surprised = 5", {"happily surprised": 5}),
    ],
)
def test_targets_are_read(text, target):
    assert parse_target(text) == target


@pytest.mark.parametrize("text", ["", "maximum", "-3", "1.5", "fear=", "=3", "fear=1,", "fear=x"])
def test_bad_targets_are_named(text):
    with pytest.raises(OptionError, match="write max, median, a number"):
        parse_target(text)
    with pytest.raises(OptionError, match="twice"):
        parse_target("fear=1,fear=2")


def test_targets_are_parsed_without_heavy_imports():
    code = (
        "import sys; from ferdata.augmentation.target import parse_target; parse_target('max')\n"
        "sys.exit(bool({'numpy', 'pyarrow', 'cv2'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@settings(max_examples=30, deadline=None)
@given(
    to=st.integers(1, 60),
    max_copies=st.one_of(st.none(), st.integers(1, 6)),
    seed=st.integers(0, 9),
)
def test_counts_follow_from_target_and_limit(unbalanced, to, max_copies, seed):
    done = train_counts(balance(unbalanced, to=to, max_copies=max_copies, seed=seed))
    for label, rows in TRAIN.items():
        limit = rows * (1 + max_copies) if max_copies else to
        assert done[label] == max(rows, min(to, limit))
