"""Exact duplicates: found, named, and left out of train where they would leak."""

from __future__ import annotations

import logging
import time

import pytest

from ferdata.curate.duplicates import drop_duplicates, find_duplicates
from ferdata.curate.split import split
from ferdata.curate.validate import check_splits
from ferdata.errors import ManifestError, UnknownNameError


def rows(*descriptions):
    """Rows from "name split pixels label"."""
    keys = ("sample_id", "official_split", "pixel_sha256", "label")
    return [dict(zip(keys, text.split(), strict=True)) for text in descriptions]


@pytest.fixture
def leaky(make_manifest):
    return make_manifest(
        rows(
            "t1 train A anger",
            "t2 train A fear",
            "e1 test A anger",
            "v1 validation B anger",
            "e2 test B anger",
            "t3 train C fear",
            "v2 validation C fear",
            "t4 train D anger",
            "t5 train D anger",
            "e3 test E anger",
            "e4 test E fear",
            "t6 train F anger",
        )
    )


def test_the_report_tells_leaks_from_harmless_twins(leaky):
    report = find_duplicates(leaky)
    assert [c.sample_ids for c in report.across_splits] == [
        ("e1", "t1", "t2"),
        ("e2", "v1"),
        ("t3", "v2"),
    ]
    assert [c.sample_ids for c in report.within_splits] == [("e3", "e4"), ("t4", "t5")]
    assert [c.pixel_sha256 for c in report.conflicting] == ["A", "E"]


def test_drop_keeps_test_before_validation_before_train(leaky, caplog):
    with caplog.at_level(logging.INFO):
        done = drop_duplicates(leaky)
    assert done.column("sample_id") == ["e1", "e2", "v2", "t4", "t5", "e3", "e4", "t6"]
    assert [(r.sample_id, r.uri, r.stage, r.reason) for r in done.rejects] == [
        ("t1", "t1.png", "curate", "same pixels as e1 (test)"),
        ("t2", "t2.png", "curate", "same pixels as e1 (test); labelled fear here and anger there"),
        ("v1", "v1.png", "curate", "same pixels as e2 (test)"),
        ("t3", "t3.png", "curate", "same pixels as v2 (validation)"),
    ]
    assert done.provenance["duplicates"] == {
        "action": "drop",
        "clusters": 5,
        "clusters_across_splits": 3,
        "clusters_with_conflicting_labels": 2,
        "dropped": 4,
    }
    assert "4 rows left behind" in caplog.text
    assert "2 pictures occur more than once inside one split" in caplog.text
    assert not find_duplicates(done).across_splits
    check_splits(split(done, validation=0.5))


def test_keep_drops_nothing_and_says_that_it_leaks(leaky, caplog):
    with caplog.at_level(logging.WARNING):
        done = drop_duplicates(leaky, "keep")
        check_splits(split(done, validation=0))
    assert done.table.equals(leaky.table)
    assert not done.rejects
    assert "inflated by leakage" in caplog.text
    assert "e1 (test, anger) = t1 (train, anger) = t2 (train, fear)" in caplog.text
    assert "this build leaks" in caplog.text


def test_twins_inside_train_go_to_one_side_of_the_carved_validation(make_manifest):
    descriptions = [f"t{i} train P{i // 3} anger" for i in range(90)]
    done = split(drop_duplicates(make_manifest(rows(*descriptions))), validation=0.2)
    check_splits(done)
    assert done.counts()["validation"]["anger"] == 18


def test_a_split_that_is_filled_counts_before_the_official_one(leaky):
    all_train = leaky.with_column("split", ["train"] * len(leaky))
    assert not find_duplicates(all_train).across_splits


def test_rows_without_any_split_leak_nowhere(make_manifest):
    manifest = make_manifest([{"pixel_sha256": "A"}, {"pixel_sha256": "A"}])
    done = drop_duplicates(manifest)
    assert len(done) == 2
    assert done.provenance["duplicates"]["clusters"] == 1


def test_missing_hashes_say_what_to_run(make_manifest):
    manifest = make_manifest([{}, {"pixel_sha256": None}])
    with pytest.raises(
        ManifestError, match=r"1 rows have no pixel hash .*demo/00001.*locate_faces"
    ):
        drop_duplicates(manifest)


def test_an_unknown_action_is_named(leaky):
    with pytest.raises(UnknownNameError, match="expected one of drop, keep"):
        drop_duplicates(leaky, "dorp")


def test_check_splits_refuses_leaks_and_lost_copies(leaky, make_manifest):
    with pytest.raises(ManifestError, match="3 pictures are in more than one split"):
        check_splits(split(leaky, validation=0))
    with pytest.raises(ManifestError, match="in no split"):
        check_splits(leaky)
    orphan = {"sample_id": "a+1", "parent_id": "a", "split": "train"}
    with pytest.raises(ManifestError, match="has no parent 'a'"):
        check_splits(make_manifest([orphan]))
    with pytest.raises(ManifestError, match="another split than its parent"):
        check_splits(make_manifest([orphan, {"sample_id": "a", "split": "test"}]))


def test_thirty_five_thousand_rows_are_quick(make_manifest):
    manifest = make_manifest(
        {"official_split": "test" if i % 5 == 0 else "train", "pixel_sha256": f"p{i % 34_900}"}
        for i in range(35_000)
    )
    start = time.process_time()
    done = drop_duplicates(manifest)
    spent = time.process_time() - start
    assert len(done.rejects) + len(done) == 35_000
    assert spent < 2  # about 0.2 s on an idle core
