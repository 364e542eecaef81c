"""Splits that are there already: those of copies, and those from a user's table."""

from __future__ import annotations

import logging
from collections import Counter

import pytest

from ferdata.core.errors import ManifestError, OptionError
from ferdata.core.given_splits import split_of_word
from ferdata.curation.split import resolve_rules, split
from ferdata.curation.stage import curate
from ferdata.shards.fallbacks import record_split_fallbacks


@pytest.mark.parametrize(
    ("word", "part"),
    [
        ("Train", "train"),
        ("training", "train"),
        ("valid", "validation"),
        ("PublicTest", "validation"),
        ("val_set", "validation"),
        ("PrivateTest", "test"),
        ("images", None),
    ],
)
def test_words_of_splits(word, part):
    assert split_of_word(word) == part


def copy_of(make_manifest, words, **columns):
    return make_manifest(
        {"split_native": word, **{name: of(k) for name, of in columns.items()}}
        for k, word in enumerate(words)
    )


def test_auto_keeps_the_split_of_a_copy_and_says_so(make_manifest, caplog):
    manifest = copy_of(make_manifest, ["train"] * 6 + ["valid"] * 2 + ["test"] * 2)
    with caplog.at_level(logging.WARNING):
        rules = resolve_rules(manifest, "auto")
    assert rules.text == "native"
    assert "demo has no official split: the one of this copy is kept" in caplog.text
    done = split(manifest, rules)
    assert Counter(done.column("split")) == {"train": 6, "validation": 2, "test": 2}
    (said,) = record_split_fallbacks(manifest, "auto", rules).provenance["fallbacks"]["split"]
    assert "the split of demo is that of this copy" in said


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        (["train", "test"], "native"),
        (["train", "val"], "native"),
        (["train", "train"], "stratified:8:1:1"),
        (["val", "test"], "stratified:8:1:1"),
        (["train", None], "stratified:8:1:1"),
        (["train", "photos"], "stratified:8:1:1"),
    ],
)
def test_auto_needs_a_whole_split(make_manifest, words, rule):
    assert resolve_rules(copy_of(make_manifest, words), "auto").text == rule


def test_auto_keeps_no_split_that_tears_subjects_apart(make_manifest, caplog):
    words = ["train", "test"] * 10
    torn = copy_of(make_manifest, words, subject=lambda k: f"S{k // 2}")
    apart = copy_of(make_manifest, words, subject=lambda k: f"S{k % 2}")
    assert resolve_rules(torn, "auto").text == "subject:8:1:1"
    assert "the split of this copy puts 10 subjects into several parts" in caplog.text
    assert resolve_rules(apart, "auto").text == "native"
    with pytest.raises(ManifestError, match="10 subjects are in more than one split"):
        curate(torn, "native")


def test_the_authors_split_comes_first(make_manifest):
    rows = [{"official_split": part, "split_native": "train"} for part in ("train", "test")]
    assert resolve_rules(make_manifest(rows), "auto").text == "official"


def test_duplicates_across_a_copys_split_are_dropped_from_train(make_manifest):
    words = ["train"] * 8 + ["test"] * 4
    manifest = copy_of(make_manifest, words, pixel_sha256=lambda k: f"p{k % 8}")
    done = curate(manifest, "native", validation=0)
    assert Counter(done.column("split")) == {"train": 4, "test": 4}
    assert len(done.rejects) == 4
    kept = curate(manifest, "native", validation=0, duplicates="keep")
    assert kept.provenance["duplicates"]["clusters_across_splits"] == 4


def test_native_needs_words_that_are_splits(make_manifest):
    with pytest.raises(ManifestError, match="1 rows of demo have no split native"):
        split(copy_of(make_manifest, ["train", None]), "native")
    with pytest.raises(
        OptionError, match="demo has splits named photos; expected words such as train, val, test"
    ):
        split(copy_of(make_manifest, ["train", "photos"]), "native")
