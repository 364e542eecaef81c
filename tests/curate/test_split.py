"""Splitting: exact shares, whole groups, no dependence on the order of rows."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferdata.curate.groups import groups
from ferdata.curate.rules import OfficialRule, StratifiedRule, parse_rule
from ferdata.curate.split import quotas, split
from ferdata.curate.validate import check_splits
from ferdata.errors import ManifestError, OptionError, UnknownNameError


def split_of(manifest):
    return dict(zip(manifest.column("sample_id"), manifest.column("split"), strict=True))


def test_official_carves_exact_class_shares_out_of_train(official):
    done = split(official, "official", validation=0.1, seed=0)
    counts = done.counts()
    # 10 % of 477, 252, 28, 71 = 47.7, 25.2, 2.8, 7.1: 83 rows by largest remainder
    carved = {"happiness": 48, "neutral": 25, "fear": 3, "disgust": 7}
    assert {label: rows for label, rows in counts["validation"].items() if rows} == carved
    was_test = np.array(official.column("official_split")) == "test"
    assert ((np.array(done.column("split")) == "test") == was_test).all()
    assert done.table.column("sample_id").equals(official.table.column("sample_id"))
    assert done.provenance["split"]["counts"] == counts
    check_splits(done)


def test_official_without_validation_is_the_authors_split(official):
    done = split(official, validation=0)
    assert done.column("split") == official.column("official_split")


def test_a_validation_split_of_the_authors_is_kept(make_manifest):
    parts = ["train"] * 50 + ["validation"] * 5 + ["test"] * 5
    manifest = make_manifest({"official_split": part} for part in parts)
    assert split(manifest, validation=0.4).column("split") == parts


def test_validation_is_carved_only_where_a_dataset_has_none(make_manifest):
    rows = [{"dataset": "a", "official_split": p} for p in ["train"] * 30 + ["validation"] * 10]
    rows += [{"dataset": "b", "official_split": "train"} for _ in range(30)]
    done = split(make_manifest(rows), validation=0.1)
    carved = Counter(
        dataset
        for dataset, part in zip(done.column("dataset"), done.column("split"), strict=True)
        if part == "validation"
    )
    assert carved == {"a": 10, "b": 3}


def test_the_order_of_rows_is_of_no_importance(official):
    shuffled = official.take(np.random.default_rng(5).permutation(len(official)))
    for rule in ("official", "stratified:8:1:1"):
        assert split_of(split(official, rule)) == split_of(split(shuffled, rule))


def test_the_seed_decides_who_is_chosen_and_nothing_else(official):
    first, again, other = (split(official, seed=seed) for seed in (1, 1, 2))
    assert first.digest() == again.digest() != other.digest()
    assert first.counts() == other.counts()


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("official", OfficialRule()),
        ("stratified:8:1:1", StratifiedRule(Fraction(4, 5), Fraction(1, 10), Fraction(1, 10))),
        ("stratified:0.7:0.3:0", StratifiedRule(Fraction(7, 10), Fraction(3, 10), Fraction(0))),
    ],
)
def test_rules_are_read(rule, expected):
    assert parse_rule(rule) == expected


@pytest.mark.parametrize(
    ("rule", "error", "says"),
    [
        ("oficial", UnknownNameError, "Did you mean 'official'"),
        ("subject-kfold:10", UnknownNameError, "expected one of official, stratified:8:1:1"),
        ("official:3", OptionError, "takes no numbers"),
        ("stratified", OptionError, "three numbers"),
        ("stratified:8:1", OptionError, "three numbers"),
        ("stratified:8:-1:1", OptionError, "three numbers"),
        ("stratified:0:1:1", OptionError, "train empty"),
    ],
)
def test_bad_rules_are_named(official, rule, error, says):
    with pytest.raises(error, match=says):
        split(official, rule)


@pytest.mark.parametrize("validation", [-0.1, 1.0, float("nan")])
def test_validation_is_a_share(official, validation):
    with pytest.raises(OptionError, match="part of train"):
        split(official, validation=validation)


def test_rows_without_official_split_ask_for_another_rule(make_manifest):
    manifest = make_manifest([{"official_split": "train"}, {}])
    with pytest.raises(
        ManifestError, match=r"1 rows have no official split .*demo/00001.*stratified"
    ):
        split(manifest)


def test_copies_must_not_be_split(make_manifest):
    manifest = make_manifest([{"official_split": "train", "parent_id": "demo/x"}])
    with pytest.raises(ManifestError, match="split first"):
        split(manifest)


def test_stratified_ignores_the_official_split_and_is_exact(official):
    counts = split(official, "stratified:8:1:1", seed=3).counts()
    total = Counter(official.column("label"))
    for label, rows in total.items():
        assert abs(counts["test"][label] - rows / 10) < 1
        assert abs(counts["validation"][label] - rows / 10) < 1
    assert sum(counts["test"].values()) == round(len(official) / 10)


def test_a_group_is_a_connected_component(make_manifest):
    manifest = make_manifest(
        [
            {"sample_id": "d", "subject": "S1"},
            {"sample_id": "c", "subject": "S1", "pixel_sha256": "same"},
            {"sample_id": "b", "subject": "S2", "pixel_sha256": "same"},
            {"sample_id": "a", "subject": "S2"},
            {"sample_id": "e", "subject": "S1", "dataset": "other"},
            {"sample_id": "f", "sequence": "q"},
            {"sample_id": "g", "sequence": "q"},
            {"sample_id": "h", "subject": "S3", "sequence": "q"},
            {"sample_id": "i"},
        ]
    )
    assert list(groups(manifest)) == ["a", "a", "a", "a", "e", "f", "f", "h", "i"]


def test_one_group_that_is_too_large_stays_whole(make_manifest, caplog):
    manifest = make_manifest({"subject": "S1", "official_split": "train"} for _ in range(20))
    with caplog.at_level(logging.WARNING):
        done = split(manifest, validation=0.2)
    assert set(done.column("split")) == {"train"}
    assert "0 of the 4 rows" in caplog.text


def test_a_class_without_validation_rows_is_named(make_manifest, caplog):
    rows = [{"label": "anger", "official_split": "train"}] * 40
    rows += [{"label": "fear", "official_split": "train"}]
    with caplog.at_level(logging.WARNING):
        split(make_manifest(rows))
    assert "validation has no row of fear" in caplog.text


@settings(max_examples=60, deadline=None)
@given(
    counts=st.dictionaries(
        st.tuples(st.sampled_from("ab"), st.sampled_from("uvwxyz")), st.integers(1, 500), min_size=1
    ),
    share=st.fractions(0, 1, max_denominator=50),
)
def test_quotas_sum_to_the_share_and_are_within_one(counts, share):
    wanted = quotas(counts, share)
    for dataset in {key[0] for key in counts}:
        mine = [key for key in counts if key[0] == dataset]
        exact = sum(counts[key] for key in mine) * share
        assert abs(sum(wanted[key] for key in mine) - exact) <= Fraction(1, 2)
    for key, rows in counts.items():
        assert abs(wanted[key] - rows * share) < 1
        assert 0 <= wanted[key] <= rows


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from(["anger", "fear", "neutral"]),
            st.one_of(st.none(), st.integers(0, 8)),
            st.one_of(st.none(), st.integers(0, 8)),
            st.integers(0, 25),
        ),
        min_size=1,
        max_size=60,
    ),
    rule=st.sampled_from(["official", "stratified:8:1:1", "stratified:2:1:1"]),
    seed=st.integers(0, 3),
)
def test_no_group_is_taken_apart(make_manifest, rows, rule, seed):
    manifest = make_manifest(
        {
            "label": label,
            "subject": None if subject is None else f"S{subject}",
            "sequence": None if sequence is None else f"q{sequence}",
            "pixel_sha256": f"p{pixels}",
            "official_split": "train",
        }
        for label, subject, sequence, pixels in rows
    )
    done = split(manifest, rule, validation=0.2, seed=seed)
    parts = defaultdict(set)
    for group, part in zip(groups(done), done.column("split"), strict=True):
        parts[group].add(part)
    assert all(len(found) == 1 for found in parts.values())
    check_splits(done)
