"""Split rules: parsed, written again, and resolved for the datasets of a manifest."""

from __future__ import annotations

import logging
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest

from ferdata.core.errors import ManifestError, OptionError, UnknownNameError
from ferdata.core.split_rules import (
    AutoRule,
    FileRule,
    NativeRule,
    OfficialRule,
    SplitRules,
    StratifiedRule,
    SubjectFoldRule,
    SubjectRule,
    parse_rule,
    parse_rules,
)
from ferdata.curation.split import resolve_rules, split

EIGHT_ONE_ONE = (Fraction(4, 5), Fraction(1, 10), Fraction(1, 10))


@pytest.mark.parametrize(
    ("text", "rule", "canonical"),
    [
        ("auto", AutoRule(), "auto"),
        (" official ", OfficialRule(), "official"),
        ("stratified:8:1:1", StratifiedRule(*EIGHT_ONE_ONE), "stratified:8:1:1"),
        ("subject:80:10:10", SubjectRule(*EIGHT_ONE_ONE), "subject:8:1:1"),
        (
            "stratified:0.7:0.3:0",
            StratifiedRule(Fraction(7, 10), Fraction(3, 10), Fraction(0)),
            "stratified:7:3:0",
        ),
        ("subject:1:0:0", SubjectRule(Fraction(1), Fraction(0), Fraction(0)), "subject:1:0:0"),
        ("native", NativeRule(), "native"),
        ("file:my.csv", FileRule(Path("my.csv")), "file:my.csv"),
        ("subject-kfold:10", SubjectFoldRule(10, 1), "subject-kfold:10:1"),
        ("subject-kfold:10:3", SubjectFoldRule(10, 3), "subject-kfold:10:3"),
    ],
)
def test_a_rule_is_parsed_and_written(text, rule, canonical):
    assert parse_rule(text) == rule
    assert rule.text == canonical
    assert parse_rule(canonical) == rule
    assert parse_rules(text) == SplitRules(common=rule)
    assert parse_rules(text).of("anything") == rule
    assert parse_rules(text).text == canonical


@pytest.mark.parametrize(
    ("text", "error", "says"),
    [
        ("oficial", UnknownNameError, "Did you mean 'official'"),
        ("subject-fold:10", UnknownNameError, "Did you mean 'subject-kfold:10'"),
        (
            "",
            UnknownNameError,
            "expected one of auto, file:my.csv, loso:SUBJECT, native, official, predefined",
        ),
        ("official:3", OptionError, "official takes no arguments"),
        ("auto:", None, ""),
        ("native:1", OptionError, "native takes no arguments"),
        ("file", OptionError, "name a file, for instance file:my.csv"),
        ("auto:1", OptionError, "auto takes no arguments"),
        ("stratified", OptionError, "three numbers"),
        ("stratified:8:1", OptionError, "three numbers.*stratified:8:1:1"),
        ("stratified:8:-1:1", OptionError, "three numbers"),
        ("stratified:0:1:1", OptionError, "train empty"),
        ("subject:8:1", OptionError, "three numbers.*subject:8:1:1"),
        ("subject-kfold", OptionError, "number of folds"),
        ("subject-kfold:x", OptionError, "number of folds"),
        ("subject-kfold:1", OptionError, "at least 2"),
        ("subject-kfold:10:0", OptionError, "from 1 to 10; got 0"),
        ("subject-kfold:10:11", OptionError, "from 1 to 10; got 11"),
        ("a=official,b", OptionError, "expected DATASET=RULE but got 'b'"),
        ("a=official,", OptionError, "expected DATASET=RULE but got ''"),
        ("=official", OptionError, "expected DATASET=RULE"),
        ("a=", OptionError, "expected DATASET=RULE but got 'a='"),
        ("a=official,a=auto", OptionError, "a has two rules"),
        ("a=oficial", UnknownNameError, "Did you mean 'official'"),
    ],
)
def test_bad_rules_are_named(text, error, says):
    if error is None:
        parse_rules(text)
        return
    with pytest.raises(error, match=says):
        parse_rules(text)


def test_rules_are_parsed_without_heavy_imports():
    code = (
        "import sys; from ferdata.core.split_rules import parse_rules; parse_rules('auto')\n"
        "sys.exit(bool({'numpy', 'pyarrow', 'pandas'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_rules_by_dataset_are_written_in_one_order():
    rules = parse_rules("kdef=subject:80:10:10, fer2013 = official,ckplus=subject-kfold:10")
    assert rules.text == "ckplus=subject-kfold:10:1,fer2013=official,kdef=subject:8:1:1"
    assert parse_rules(rules.text) == rules
    assert rules.of("fer2013") == OfficialRule()
    with pytest.raises(UnknownNameError, match="'jaffe'; expected one of ckplus, fer2013, kdef"):
        rules.of("jaffe")


@pytest.fixture
def three(make_manifest):
    """A dataset with official splits, one with subjects, one with neither."""
    rows = [{"dataset": "a", "official_split": part} for part in ("train", "test") * 10]
    rows += [{"dataset": "b", "subject": f"S{number % 10}"} for number in range(20)]
    rows += [{"dataset": "c", "subject": "S1" if number else None} for number in range(20)]
    return make_manifest(rows)


def test_auto_suits_each_dataset(three, caplog):
    with caplog.at_level(logging.WARNING):
        rules = resolve_rules(three, "auto")
    assert rules.text == "a=official,b=subject:8:1:1,c=stratified:8:1:1"
    assert [record.getMessage()[:26] for record in caplog.records] == ["c has no official split, a"]
    assert "the split is not subject-independent" in caplog.text
    assert resolve_rules(three, rules) == rules
    done = split(three, "auto")
    assert done.provenance["split"]["rule"] == rules.text
    assert done.provenance["split"]["rules"] == {
        "a": "official",
        "b": "subject:8:1:1",
        "c": "stratified:8:1:1",
    }


@pytest.mark.parametrize(
    ("parts", "rule"),
    [
        (("train", "test"), "official"),
        (("train", "validation"), "official"),
        (("train", "validation", "test"), "official"),
        (("train",), "stratified:8:1:1"),
        (("validation", "test"), "stratified:8:1:1"),
        (("train", "test", None), "stratified:8:1:1"),
    ],
)
def test_an_official_split_counts_where_one_can_train_and_test_on_it(make_manifest, parts, rule):
    assert resolve_rules(make_manifest({"official_split": p} for p in parts), "auto").text == rule


def test_equal_rules_become_one(three):
    subset = three.take(range(20, 40))
    assert resolve_rules(subset, "b=auto").text == "subject:8:1:1"
    assert resolve_rules(three, "c=official,b=official,a=official").text == "official"
    assert resolve_rules(three.take([]), "auto").text == "auto"


def test_rules_name_each_dataset_and_no_other(three):
    with pytest.raises(
        OptionError, match=r"no rule for b, c and no dataset d; .* for each of a, b, c"
    ):
        resolve_rules(three, "a=official,d=official")
    with pytest.raises(OptionError, match="no rule for c"):
        split(three, "a=official,b=subject:8:1:1")
    # Resolved rules stay valid if no face was found in any image of a dataset.
    resolved = resolve_rules(three, "auto")
    assert split(three.take(range(40)), resolved).provenance["split"]["rule"] == (
        "a=official,b=subject:8:1:1"
    )


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("train", "test"), ("train", "test")),
        (("Training", "PublicTest", "PrivateTest"), ("train", "validation", "test")),
        (("train_set", "val_set"), ("train", "validation")),
        (("TRAIN", "dev", "testing"), ("train", "validation", "test")),
    ],
)
def test_native_keeps_the_split_of_the_copy(make_manifest, words, expected):
    rows = [{"split_native": words[index % len(words)], "label": "anger"} for index in range(30)]
    manifest = make_manifest(rows)
    assert resolve_rules(manifest, "auto").text == "native"
    done = split(manifest, "native", validation=0)
    assert done.column("split") == [expected[index % len(words)] for index in range(30)]


@pytest.mark.parametrize("word", ["fold1", "holdout", None])
def test_words_that_are_no_splits_are_not_kept(make_manifest, word):
    rows = [
        {"split_native": word if index % 2 else "train", "label": "anger"} for index in range(30)
    ]
    manifest = make_manifest(rows)
    assert resolve_rules(manifest, "auto").text == "stratified:8:1:1"
    with pytest.raises((OptionError, ManifestError)):
        split(manifest, "native")


def test_the_authors_split_comes_before_that_of_a_copy(make_manifest):
    rows = [
        {
            "official_split": "train" if index % 3 else "test",
            "split_native": "valid" if index % 2 else "train",
            "label": "anger",
        }
        for index in range(30)
    ]
    assert resolve_rules(make_manifest(rows), "auto").text == "official"
