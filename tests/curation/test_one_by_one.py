"""Rows drawn one by one: exact shares, and a leak that is declared in numbers."""

from __future__ import annotations

import numpy as np
import pytest

from ferdata.core.errors import ManifestError, OptionError
from ferdata.curation.leaks import leak_texts
from ferdata.curation.split import split
from ferdata.curation.stage import curate
from ferdata.curation.validate import check_splits, subjects_in_two_splits


@pytest.fixture
def films(make_manifest):
    """Return 20 people with two films of three frames each."""
    return make_manifest(
        {"subject": f"S{person:02d}", "sequence": f"{film}", "frame": frame}
        for person in range(20)
        for film in range(2)
        for frame in range(3)
    )


def test_rows_are_drawn_one_by_one(films):
    done = split(films, "stratified:8:1:1", one_by_one=True)
    assert {part: sum(n.values()) for part, n in done.counts().items()} == {
        "train": 96,
        "validation": 12,
        "test": 12,
    }
    assert subjects_in_two_splits(done)
    turned = films.take(np.arange(len(films))[::-1])
    again = split(turned, "stratified:8:1:1", one_by_one=True)
    assert done.column("split") == again.column("split")[::-1]


def test_the_leak_is_declared_with_both_overlaps(films, caplog):
    done = curate(films, "stratified:8:1:1", one_by_one=True)
    leak = done.provenance["leak"]
    frame = done.to_pandas()
    train = frame[frame.split == "train"]
    test = frame[frame.split == "test"]
    people = test.subject.isin(train.subject).sum()
    seen = set(zip(train.subject, train.sequence, strict=True))
    films_seen = sum(pair in seen for pair in zip(test.subject, test.sequence, strict=True))
    assert leak["person"]["met_in_train"]["test"] == people > 0
    assert leak["sequence"]["met_in_train"]["test"] == films_seen > 0
    assert leak["person"]["all"] == 20
    assert leak["sequence"]["all"] == 40
    (text,) = leak_texts(done.provenance)
    assert f"of 12 test images {films_seen} ({films_seen / 12:.1%}) share a sequence" in text
    assert f"and {people} ({people / 12:.1%}) share a person with train" in text
    assert "this build leaks: images of demo were split one by one" in caplog.text


def test_a_leak_that_is_not_declared_is_refused(films):
    done = split(films, "stratified:8:1:1", one_by_one=True)
    with pytest.raises(ManifestError, match="people are in more than one split"):
        check_splits(done)


def test_one_by_one_without_groups_is_no_leak(official):
    done = curate(official, "stratified:8:1:1", one_by_one=True)
    assert leak_texts(done.provenance) == []


@pytest.mark.parametrize("rule", ["subject:8:1:1", "subject-kfold:5:1"])
def test_a_rule_that_holds_people_apart_contradicts(films, rule):
    with pytest.raises(OptionError, match=r"can't be drawn one by one under subject.*stratified"):
        split(films, rule, one_by_one=True)


def test_in_a_mix_only_stratified_datasets_are_taken_apart(make_manifest):
    rows = [
        {
            "sample_id": f"{dataset}/{person}_{frame}",
            "dataset": dataset,
            "subject": f"S{person:02d}",
        }
        for dataset in ("a", "b")
        for person in range(20)
        for frame in range(5)
    ]
    rules = "a=stratified:8:1:1,b=subject:8:1:1"
    done = curate(make_manifest(rows), rules, one_by_one=True)
    assert done.provenance["leak"]["one_by_one"] == ["a"]
    frame = done.to_pandas()
    splits = frame.groupby(["dataset", "subject"]).split.nunique()
    assert splits["a"].max() > 1
    assert splits["b"].max() == 1


def test_a_picture_twice_is_still_left_behind(make_manifest):
    rows = [{"pixel_sha256": f"p{number // 2}"} for number in range(60)]
    manifest = make_manifest(rows)
    done = curate(manifest, "stratified:8:1:1", one_by_one=True)
    assert len(done) < len(manifest)
    assert done.to_pandas().groupby("pixel_sha256").split.nunique().max() == 1
