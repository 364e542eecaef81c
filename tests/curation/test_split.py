"""Splitting: exact fractions, whole groups, no dependence on the order of rows."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferdata.core.errors import ManifestError, OptionError
from ferdata.core.split_rules import SubjectFoldRule
from ferdata.curation.group_selection import quotas
from ferdata.curation.groups import find_groups
from ferdata.curation.leakage import check_splits
from ferdata.curation.split import split


def test_official_holds_out_an_exact_fraction_of_each_class(official):
    done = split(official, "official", validation=0.1, seed=0)
    counts = done.counts()
    # 10 % of 477, 252, 28, 71 = 47.7, 25.2, 2.8, 7.1: 83 rows by largest remainder
    held_out = {"happiness": 48, "neutral": 25, "fear": 3, "disgust": 7}
    assert {label: rows for label, rows in counts["validation"].items() if rows} == held_out
    was_test = np.array(official.column("official_split")) == "test"
    assert ((np.array(done.column("split")) == "test") == was_test).all()
    assert done.table.column("sample_id").equals(official.table.column("sample_id"))
    assert done.provenance["split"]["counts"] == counts
    check_splits(done)


def test_an_official_split_is_kept_where_no_validation_is_held_out(make_manifest, official):
    assert split(official, validation=0).column("split") == official.column("official_split")
    parts = ["train"] * 50 + ["validation"] * 5 + ["test"] * 5
    manifest = make_manifest({"official_split": part} for part in parts)
    assert split(manifest, validation=0.4).column("split") == parts


def test_validation_is_held_out_only_where_a_dataset_has_none(make_manifest):
    rows = [{"dataset": "a", "official_split": p} for p in ["train"] * 30 + ["validation"] * 10]
    rows += [{"dataset": "b", "official_split": "train"} for _ in range(30)]
    done = split(make_manifest(rows), validation=0.1)
    held_out = Counter(
        dataset
        for dataset, part in zip(done.column("dataset"), done.column("split"), strict=True)
        if part == "validation"
    )
    assert held_out == {"a": 10, "b": 3}


def test_the_seed_decides_which_rows_are_drawn_and_nothing_else(official):
    first, again, other = (split(official, seed=seed) for seed in (1, 1, 2))
    assert first.digest() == again.digest() != other.digest()
    assert first.counts() == other.counts()


@pytest.mark.parametrize("validation", [-0.1, 1.0, float("nan")])
def test_validation_is_a_fraction(official, validation):
    with pytest.raises(OptionError, match="fraction of train"):
        split(official, validation=validation)


def test_copies_must_not_be_split(make_manifest):
    manifest = make_manifest([{"official_split": "train", "parent_id": "demo/x"}])
    with pytest.raises(ManifestError, match="split before augmenting"):
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
    assert list(find_groups(manifest)) == ["a", "a", "a", "a", "e", "f", "f", "h", "i"]


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
    assert "validation has no images of fear" in caplog.text


@settings(max_examples=60, deadline=None)
@given(
    counts=st.dictionaries(
        st.tuples(st.sampled_from("ab"), st.sampled_from("uvwxyz")), st.integers(1, 500), min_size=1
    ),
    fraction=st.fractions(0, 1, max_denominator=50),
)
def test_quotas_sum_to_the_fraction_and_are_within_one(counts, fraction):
    wanted = quotas(counts, fraction)
    for dataset in {key[0] for key in counts}:
        mine = [key for key in counts if key[0] == dataset]
        exact = sum(counts[key] for key in mine) * fraction
        assert abs(sum(wanted[key] for key in mine) - exact) <= Fraction(1, 2)
    for key, rows in counts.items():
        assert abs(wanted[key] - rows * fraction) < 1
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
def test_groups_stay_whole(make_manifest, rows, rule, seed):
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
    for group, part in zip(find_groups(done), done.column("split"), strict=True):
        parts[group].add(part)
    assert all(len(found) == 1 for found in parts.values())
    check_splits(done)


EXPRESSIONS = ("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")


def subjects_in(manifest):
    """Return the subjects of each split, over all datasets."""
    subjects = defaultdict(set)
    for part, name in zip(manifest.column("split"), manifest.column("subject"), strict=True):
        subjects[part].add(name)
    return subjects


@pytest.fixture
def jaffe(make_manifest):
    """JAFFE in shape: ten subjects with two to four images of each expression."""
    draws = np.random.default_rng(0)
    return make_manifest(
        {"sample_id": f"jaffe/{name}.{label}{n}", "subject": name, "label": label}
        for name in (f"P{subject}" for subject in range(10))
        for label in EXPRESSIONS
        for n in range(draws.choice([2, 3, 3, 3, 3, 3, 4]))
    )


@pytest.fixture
def ckplus(make_manifest):
    """CK+ in shape: 327 sequences of 118 subjects, some of whom have many, and a rare class."""
    draws = np.random.default_rng(1)
    counts = (45, 18, 59, 25, 69, 28, 83)  # its own; the second is contempt's
    zeal = draws.gamma(1.5, 1, 118)
    rows = []
    for label, number in zip(EXPRESSIONS, counts, strict=True):
        for subject in draws.choice(118, number, replace=False, p=zeal / zeal.sum()):
            rows.append({"label": label, "subject": f"S{subject:03}", "sequence": label})
    return make_manifest(rows)


@pytest.mark.parametrize("seed", range(5))
def test_subject_divides_subjects(jaffe, ckplus, seed):
    done = split(jaffe, "subject:8:1:1", seed=seed)
    assert {part: len(names) for part, names in subjects_in(done).items()} == {
        "train": 8,
        "validation": 1,
        "test": 1,
    }
    check_splits(done)
    done = split(ckplus, "subject:8:1:1", seed=seed)
    check_splits(done)
    for part, wanted in (("train", 0.8), ("validation", 0.1), ("test", 0.1)):
        counts = done.counts()[part]
        assert all(counts.values()), f"{part} lacks a class"
        assert abs(sum(counts.values()) - wanted * len(ckplus)) < 0.02 * len(ckplus)


def test_the_last_subjects_of_a_class_stay_in_train(make_manifest):
    rows = [{"subject": f"S{n % 20}", "label": "anger"} for n in range(100)]
    rows += [{"subject": "S20", "label": "fear"} for _ in range(10)]
    rows += [{"subject": f"S{21 + n // 10}", "label": "disgust"} for n in range(20)]
    for seed in range(5):
        counts = split(make_manifest(rows), "subject:6:2:2", seed=seed).counts()
        assert counts["train"]["fear"] == 10
        assert counts["train"]["disgust"] == 10
        assert counts["test"]["disgust"] == 10


@pytest.mark.parametrize(
    ("rule", "needs"),
    [("official", "official split"), ("subject:8:1:1", "subject"), ("subject-kfold:2", "subject")],
)
def test_rows_without_what_their_rule_needs_ask_for_another_rule(make_manifest, rule, needs):
    rows = [{"subject": f"S{k}", "official_split": "train"} for k in range(3)]
    manifest = make_manifest([*rows, {"dataset": "web"}])
    with pytest.raises(
        ManifestError, match=rf"1 rows of web have no {needs} \(.*00003.*stratified:8:1:1"
    ):
        split(manifest, rule)


def test_folds_go_round_the_sorted_subjects(make_manifest):
    subjects = ["S010", "S005", "S011", "S005", "S999", "S012"]
    assert SubjectFoldRule(3).folds_of(subjects) == [2, 1, 3, 1, 2, 1]
    rows = [{"subject": name} for name in subjects]
    rows += [{"dataset": "other", "subject": name} for name in ("S011", "S999", "S000")]
    done = split(make_manifest(rows), "subject-kfold:3:2", validation=0)
    tested = [row for row, part in enumerate(done.column("split")) if part == "test"]
    assert tested == [0, 4, 6]  # of each dataset by itself
    with pytest.raises(OptionError, match=r"other has 3 subjects, too few for 4 folds.*kfold:3"):
        split(make_manifest(rows), "subject-kfold:4")


def test_every_fold_is_test_once(ckplus):
    tested = []
    for fold in range(1, 11):
        done = split(ckplus, f"subject-kfold:10:{fold}", seed=fold)
        check_splits(done)
        tested += subjects_in(done)["test"]
        facts = done.provenance["split"]["folds"]["demo"]
        counts = {part: sum(by_label.values()) for part, by_label in done.counts().items()}
        assert counts["test"] == facts["rows"][fold - 1]
        assert abs(counts["validation"] - 0.1 * (len(ckplus) - counts["test"])) < 5
        assert len(subjects_in(done)["test"]) == facts["subjects"][fold - 1]
    assert sorted(tested) == sorted(set(ckplus.column("subject")))
    assert sum(facts["rows"]) == len(ckplus)
    assert split(ckplus, "subject-kfold:10", validation=0).counts()["validation"]["anger"] == 0


def test_each_dataset_goes_by_its_own_rule(official, jaffe, make_manifest):
    def renamed(manifest, dataset):
        for column in ("sample_id", "pixel_sha256"):
            names = [f"{dataset} {value}" for value in manifest.column(column)]
            manifest = manifest.with_column(column, names)
        return manifest.with_column("dataset", [dataset] * len(manifest)).table

    mixed = make_manifest([])
    for manifest, dataset in ((official, "web"), (jaffe, "lab"), (jaffe, "posed")):
        mixed = mixed.append(renamed(manifest, dataset))
    rules = {"web": "official", "lab": "subject:8:1:1", "posed": "subject-kfold:5:2"}
    done = split(mixed, ",".join(f"{name}={rule}" for name, rule in rules.items()), seed=4)
    parts = np.array(done.column("split"))
    for dataset, rule in rules.items():
        mine = mixed.strings("dataset") == dataset
        alone = split(mixed.take(np.flatnonzero(mine)), rule, seed=4)
        assert alone.column("split") == parts[mine].tolist()
    assert list(done.provenance["split"]["folds"]) == ["posed"]


def test_drawn_rows_follow_an_image_whose_split_is_fixed(make_manifest):
    given = {"test": "T", "validation": "V", "train": "R"}
    rows = [
        {"dataset": "a", "official_split": part, "pixel_sha256": p} for part, p in given.items()
    ]
    rows += [{"dataset": "b", "subject": f"S{p}", "pixel_sha256": p} for p in "TVR"]
    rows += [{"dataset": "b", "subject": f"S{p}"} for p in "TVR"]
    rows += [{"dataset": "b", "subject": f"other {n}"} for n in range(20)]
    done = split(make_manifest(rows), "a=official,b=subject:8:1:1")
    assert done.column("split")[3:9] == ["test", "validation", "train"] * 2
    assert Counter(done.column("split")[3:])["test"] == 3  # those two count
    check_splits(done)


def test_validation_is_held_out_in_whole_groups_across_datasets(make_manifest):
    rows = [{"dataset": "a", "official_split": "train", "pixel_sha256": f"P{n}"} for n in range(40)]
    rows += [{"dataset": "b", "subject": f"S{n}", "pixel_sha256": f"P{n}"} for n in range(40)]
    done = split(make_manifest(rows), "a=official,b=subject:5:3:2", validation=0.25)
    assert done.column("split")[:40] == done.column("split")[40:]
    assert set(done.column("split")) == {"train", "validation"}  # a has no test
    check_splits(done)


def test_near_duplicates_stay_together(make_manifest, hash_of):
    manifest = make_manifest({"perceptual_hash": hash_of(f"{n // 4}", n % 4)} for n in range(80))
    parts = np.array(split(manifest, "stratified:2:1:1", near=1).column("split")).reshape(20, 4)
    assert (parts == parts[:, :1]).all()
    apart = np.array(split(manifest, "stratified:2:1:1").column("split")).reshape(20, 4)
    assert not (apart == apart[:, :1]).all()
