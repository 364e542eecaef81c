"""Duplicates, exact and near: found, named, and dropped if they would leak."""

from __future__ import annotations

import logging
import time

import pytest

from ferdata.core.errors import ManifestError, OptionError, UnknownNameError
from ferdata.curation.duplicates import drop_duplicates, find_duplicates
from ferdata.curation.groups import find_groups
from ferdata.curation.leakage import check_splits, subjects_in_several_splits
from ferdata.curation.split import split


def rows(*descriptions):
    """Rows from "name split pixels label" and, if there are several, "dataset"."""
    keys = ("sample_id", "official_split", "pixel_sha256", "label", "dataset")
    return [dict(zip(keys, text.split(), strict=False)) for text in descriptions]


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


def test_the_report_tells_leaks_from_harmless_duplicates(leaky):
    report = find_duplicates(leaky)
    assert [c.sample_ids for c in report.across_splits] == [
        ("e1", "t1", "t2"),
        ("e2", "v1"),
        ("t3", "v2"),
    ]
    within = [c.sample_ids for c in report.clusters if not c.crosses_splits]
    assert within == [("e3", "e4"), ("t4", "t5")]
    assert [c.pixels[0] for c in report.conflicting] == ["A", "E"]
    all_train = leaky.with_column("split", ["train"] * len(leaky))  # counts before the official one
    assert not find_duplicates(all_train).across_splits


def test_drop_keeps_test_before_validation_before_train(leaky, caplog):
    with caplog.at_level(logging.INFO, logger="ferdata"):
        done = drop_duplicates(leaky)
    assert done.column("sample_id") == ["e1", "e2", "v2", "t4", "t5", "e3", "e4", "t6"]
    assert [(r.sample_id, r.uri, r.stage, r.reason) for r in done.rejects] == [
        ("t1", "t1.png", "curate", "same pixels: as e1 (test)"),
        ("t2", "t2.png", "curate", "same pixels: as e1 (test); labeled fear here and anger there"),
        ("v1", "v1.png", "curate", "same pixels: as e2 (test)"),
        ("t3", "t3.png", "curate", "same pixels: as v2 (validation)"),
    ]
    assert done.provenance["duplicates"] == {
        "action": "drop",
        "clusters": 5,
        "clusters_across_splits": 3,
        "clusters_across_datasets": 0,
        "clusters_with_conflicting_labels": 2,
        "near_clusters": 0,
        "near_threshold": None,
        "dropped": 4,
    }
    assert "4 rows were dropped" in caplog.text
    assert "2 images occur more than once in one split" in caplog.text
    assert not find_duplicates(done).across_splits
    check_splits(split(done, validation=0.5))


def test_keep_drops_nothing_and_warns_of_the_leak(leaky, caplog):
    with caplog.at_level(logging.WARNING):
        done = drop_duplicates(leaky, "keep")
        check_splits(split(done, validation=0))
    assert done.table.equals(leaky.table)
    assert not done.rejects
    assert "leakage will inflate scores" in caplog.text
    assert "e1 (test, anger) = t1 (train, anger) = t2 (train, fear)" in caplog.text
    assert "this build leaks" in caplog.text


def test_duplicates_in_train_stay_together_when_validation_is_held_out(make_manifest):
    descriptions = [f"t{i} train P{i // 3} anger" for i in range(90)]
    done = split(drop_duplicates(make_manifest(rows(*descriptions))), validation=0.2)
    check_splits(done)
    assert done.counts()["validation"]["anger"] == 18


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
    with pytest.raises(ManifestError, match="3 images are in more than one split"):
        check_splits(split(leaky, validation=0))
    with pytest.raises(ManifestError, match="12 rows have no split"):
        check_splits(leaky)
    orphan = {"sample_id": "a+1", "parent_id": "a", "split": "train"}
    with pytest.raises(ManifestError, match="parent 'a' of augmented copy 'a\\+1' is missing"):
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


@pytest.fixture
def resaved(make_manifest, hash_of):
    """One image resaved along a chain A – B – C – D of 8 bits each; E is far from all."""
    bits = {"A": 0, "B": 8, "C": 16, "D": 24}
    described = rows(
        "e1 test A anger a",
        "t1 train A anger a",
        "t2 train B fear b",
        "t3 train C anger b",
        "v1 validation D anger b",
        "t4 train E anger a",
    )
    for row in described:
        pixels = row["pixel_sha256"]
        row["perceptual_hash"] = hash_of("x", bits[pixels]) if pixels in bits else hash_of("y")
    return make_manifest(described)


def test_near_duplicates_are_one_cluster_from_link_to_link(resaved):
    assert [c.sample_ids for c in find_duplicates(resaved).clusters] == [("e1", "t1")]
    assert [c.sample_ids for c in find_duplicates(resaved, near=7).clusters] == [("e1", "t1")]
    (cluster,) = find_duplicates(resaved, near=8).clusters
    assert cluster.sample_ids == ("e1", "t1", "t2", "t3", "v1")
    assert (cluster.bits, cluster.is_near, cluster.crosses_datasets) == (8, True, True)
    assert set(find_groups(resaved, near=8)) == {"e1", "t4"}


def test_near_duplicates_of_another_split_are_dropped_with_their_distance(resaved):
    done = drop_duplicates(resaved, near=12)
    assert done.column("sample_id") == ["e1", "t4"]
    assert {r.sample_id: r.reason for r in done.rejects} == {
        "t1": "same pixels: as e1 (test)",
        "t2": "near duplicate: of e1 (test), 8 of 256 bits differ; "
        "labeled fear here and anger there",
        "t3": "near duplicate: of e1 (test), 16 of 256 bits differ, linked by others between them",
        "v1": "near duplicate: of e1 (test), 24 of 256 bits differ, linked by others between them",
    }
    assert done.provenance["duplicates"] == {
        "action": "drop",
        "clusters": 1,
        "clusters_across_splits": 1,
        "clusters_across_datasets": 1,
        "clusters_with_conflicting_labels": 1,
        "near_clusters": 1,
        "near_threshold": 12,
        "dropped": 4,
    }


def test_the_nearest_of_several_kept_rows_is_named(make_manifest, hash_of):
    rows = [
        {"sample_id": name, "official_split": part, "perceptual_hash": hash_of("x", bits)}
        for name, part, bits in (("e1", "test", 0), ("e2", "test", 6), ("t1", "train", 8))
    ]
    (reject,) = drop_duplicates(make_manifest(rows), near=8).rejects
    assert reject.reason == "near duplicate: of e2 (test), 2 of 256 bits differ"


def test_blank_images_have_no_near_duplicates(make_manifest):
    rows = [
        {"official_split": part, "perceptual_hash": "0" * 64, "pixel_sha256": pixels}
        for part, pixels in (("train", "P"), ("test", "P"), ("test", "Q"), ("train", "R"))
    ]
    (cluster,) = find_duplicates(make_manifest(rows), near=15).clusters
    assert cluster.pixels == ("P", "P") and not cluster.is_near


def test_near_needs_hashes_and_a_threshold_in_range(leaky, resaved, make_manifest):
    with pytest.raises(ManifestError, match=r"12 rows have no perceptual hash .*'t1'.*True"):
        drop_duplicates(leaky, near=8)
    with pytest.raises(OptionError, match="0 to 15 of 256 bits; got 16"):
        drop_duplicates(resaved, near=16)
    copies = [{"parent_id": "p", "sample_id": "p+1"}, {"sample_id": "p"}]
    with pytest.raises(ManifestError, match="1 rows have no perceptual hash"):
        find_duplicates(make_manifest(copies), near=8)


def test_a_threshold_that_links_everything_is_suspected(make_manifest, hash_of, caplog):
    rows = [{"perceptual_hash": hash_of("x", number)} for number in range(80)]
    with caplog.at_level(logging.WARNING):
        drop_duplicates(make_manifest(rows), near=1)
    assert "80 of 80 rows form one cluster" in caplog.text
    assert "a threshold of 1 bits is too large" in caplog.text
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        drop_duplicates(make_manifest(rows[:50]), near=1)  # few rows
        many = [{"perceptual_hash": hash_of(str(number))} for number in range(1600)]
        drop_duplicates(make_manifest(rows + many), near=1)  # a small fraction
    assert not caplog.text


def test_subjects_in_two_splits_are_named(make_manifest):
    rows = [{"subject": "S1", "split": part} for part in ("train", "test", "train")]
    rows += [{"subject": "S1", "split": "train", "dataset": "other"}, {"split": "test"}]
    manifest = make_manifest(rows)
    assert subjects_in_several_splits(manifest) == [("demo", "S1")]
    with pytest.raises(ManifestError, match=r"1 subjects .* S1 of demo \(test, train\).*subject:8"):
        check_splits(manifest)
    assert subjects_in_several_splits(manifest.take([0, 2, 3, 4])) == []
