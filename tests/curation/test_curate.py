"""The stage as a whole: whatever is mixed and however it is split, nothing leaks."""

from __future__ import annotations

import logging
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferdata.core.errors import ManifestError, OptionError, UnknownNameError
from ferdata.core.perceptual import decode_hashes, distances
from ferdata.core.split_rules import parse_rules
from ferdata.curation.duplicates import find_duplicates
from ferdata.curation.leakage import images_in_several_splits, subjects_in_several_splits
from ferdata.curation.split import split
from ferdata.curation.stage import curate


def near_pairs_across_splits(manifest, near):
    """Compare every row with every other, without any shortcut."""
    words = decode_hashes(manifest.column("perceptual_hash"))
    parts = manifest.column("split")
    return [
        (a, b)
        for a, b in combinations(range(len(parts)), 2)
        if parts[a] != parts[b]
        and words[a].any()
        and words[b].any()
        and distances(words[a], words[b]) <= near
    ]


@pytest.fixture
def mixed(make_manifest, hash_of):
    """Two datasets with official splits that share images, and one without."""
    rows = [
        {"dataset": "a", "official_split": part, "pixel_sha256": f"a{n} {part}"}
        for part in ("train", "test")
        for n in range(30)
    ]
    rows[0]["pixel_sha256"] = rows[30]["pixel_sha256"] = "train and test of a"
    rows += [
        {"dataset": "b", "official_split": part, "pixel_sha256": f"b{n} {part}"}
        for part in ("train", "validation", "test")
        for n in range(10)
    ]
    rows[1]["pixel_sha256"] = rows[80]["pixel_sha256"] = "train of a, test of b"
    rows[2]["pixel_sha256"] = rows[60]["pixel_sha256"] = "train of both"
    for row, number in ((61, 0), (71, 2), (81, 4)):
        rows[row]["perceptual_hash"] = hash_of("all three of b", number)
    rows += [{"dataset": "c", "label": "fear", "subject": f"S{n}"} for n in range(10)]
    rows[90]["pixel_sha256"] = rows[31]["pixel_sha256"]  # test of a
    rows[91]["perceptual_hash"] = rows[80]["perceptual_hash"] = hash_of("b and c")
    for n, row in enumerate(rows):
        row["sample_id"] = f"{row['dataset']}/{n}"
        row.setdefault("perceptual_hash", hash_of(str(n)))
    return make_manifest(rows)


def test_every_image_is_in_one_split(mixed, caplog):
    with caplog.at_level(logging.INFO):
        done = curate(mixed, "auto", near=2)
    assert done.provenance["split"]["rule"] == "a=official,b=official,c=subject:8:1:1"
    assert {reject.sample_id: reject.reason for reject in done.rejects} == {
        "a/0": "same pixels: as a/30 (test)",
        "a/1": "same pixels: as b/80 (test)",
        "b/61": "near duplicate: of b/81 (test), 4 of 256 bits differ, "
        "linked by others between them",
        "b/71": "near duplicate: of b/81 (test), 2 of 256 bits differ",
    }
    parts = dict(zip(done.column("sample_id"), done.column("split"), strict=True))
    assert parts["c/90"] == parts["c/91"] == "test"
    assert parts["a/2"] == parts["b/60"] == "train"  # b has a validation split, so b/60 stays
    facts = done.provenance["duplicates"]
    assert facts == {
        "action": "drop",
        "clusters": 6 - 1,  # b/80 is the same image as a/1 and as c/91
        "clusters_across_splits": 3,
        "clusters_across_datasets": 3,
        "clusters_with_conflicting_labels": 2,
        "near_clusters": 2,
        "near_threshold": 2,
        "dropped": 4,
    }
    assert done.provenance["split"]["counts"] == done.counts()
    assert "3 images are in more than one split" in caplog.text
    assert "4 rows were dropped" in caplog.text
    assert not near_pairs_across_splits(done, 2)


def test_validation_is_held_out_of_the_train_images_that_stay(official):
    pixels = official.column("pixel_sha256")
    names = official.column("sample_id")
    for number in range(100):
        row = names.index(f"demo/train_happiness_{number}")
        pixels[row] = pixels[names.index(f"demo/test_happiness_{number}")]
    done = curate(official.with_column("pixel_sha256", pixels), "official", validation=0.1)
    counts = done.counts()
    assert counts["train"]["happiness"] + counts["validation"]["happiness"] == 377
    assert counts["validation"]["happiness"] == 38
    assert done.provenance["duplicates"]["dropped"] == 100


def test_a_fold_yields_to_a_test_image_of_another_dataset(make_manifest):
    rows = [{"dataset": "a", "official_split": part} for part in ("train", "test") * 10]
    rows += [{"dataset": "b", "subject": f"S{n}"} for n in range(10)]
    rows[1]["pixel_sha256"] = rows[25]["pixel_sha256"] = "test of a, train of b"
    rows[2]["pixel_sha256"] = rows[20]["pixel_sha256"] = "train of a, test of b"
    done = curate(make_manifest(rows), "a=official,b=subject-kfold:10", seed=1)
    reasons = {reject.sample_id: reject.reason for reject in done.rejects}
    assert reasons == {
        "demo/00002": "same pixels: as demo/00020 (test)",
        "demo/00025": "same pixels: as demo/00001 (test)",
    }
    assert done.provenance["duplicates"]["clusters_across_splits"] == 2
    assert done.provenance["duplicates"]["dropped"] == 2
    assert done.provenance["split"]["counts"] == done.counts()


def test_a_dropped_row_still_links_the_rows_on_either_side(make_manifest, hash_of):
    rows = [
        {"dataset": "a", "official_split": part, "perceptual_hash": hash_of("x", bits)}
        for part, bits in (("test", 0), ("train", 8))
    ]
    rows += [{"dataset": "b", "perceptual_hash": hash_of("x", 16)}]
    rows += [{"dataset": "b", "perceptual_hash": hash_of(f"y{n}")} for n in range(5)]
    done = curate(make_manifest(rows), "a=official,b=stratified:1:0:0", near=8)
    assert [reject.sample_id for reject in done.rejects] == ["demo/00001"]
    assert done.column("split") == ["test", "test", *["train"] * 5]


def test_keep_drops_nothing_and_warns(mixed, caplog):
    with caplog.at_level(logging.WARNING):
        done = curate(mixed, "auto", duplicates="keep", near=2, validation=0)
    assert not done.rejects and len(done) == len(mixed)
    assert done.provenance["duplicates"]["action"] == "keep"
    assert done.provenance["duplicates"]["clusters_across_splits"] == 3
    assert done.provenance["duplicates"]["dropped"] == 0
    assert "ALL ARE KEPT" in caplog.text
    assert "this build leaks" in caplog.text
    assert images_in_several_splits(done)


def test_one_dataset_by_the_official_rule_equals_its_single_steps(official):
    done = curate(official, parse_rules("official"), seed=3)
    assert done.digest() == split(official, "official", seed=3).digest()


def test_wrong_calls_are_refused(mixed, make_manifest):
    with pytest.raises(UnknownNameError, match="drop, keep"):
        curate(mixed, "auto", duplicates="dorp")
    with pytest.raises(OptionError, match="no rule for b, c"):
        curate(mixed, "a=official")
    with pytest.raises(ManifestError, match="no perceptual hash"):
        curate(make_manifest([{}]), "stratified:8:1:1", near=8)
    subjects = [{"official_split": part, "subject": "S1"} for part in ("train", "test")]
    with pytest.raises(ManifestError, match="S1 of demo"):
        curate(make_manifest(subjects), "official")


@settings(max_examples=120, deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from("abc"),
            st.sampled_from(["anger", "fear"]),
            st.integers(0, 7),  # subject
            st.sampled_from(["train", "train", "validation", "test"]),
            st.integers(0, 30),  # image
            st.integers(0, 6),  # bits that a copy of it differs in
        ),
        max_size=60,
    ),
    rules=st.tuples(
        *[st.sampled_from(["official", "stratified:2:1:1", "subject:2:1:1", "subject-kfold:2:2"])]
        * 3
    ),
    near=st.sampled_from([None, 0, 1, 3]),
    seed=st.integers(0, 3),
)
def test_nothing_is_ever_in_two_splits(make_manifest, hash_of, rows, rules, near, seed):
    rule = dict(zip("abc", rules, strict=True))
    subjects = {name: {row[2] for row in rows if row[0] == name} for name in "abc"}
    for name, found in subjects.items():
        if len(found) < 2 and "kfold" in rule[name]:
            rule[name] = "official"
    manifest = make_manifest(
        {
            "dataset": dataset,
            "label": label,
            "subject": None if rule[dataset] == "official" else f"S{subject}",
            "official_split": part,
            "pixel_sha256": f"{image} {bits}",
            "perceptual_hash": hash_of(str(image), bits),
        }
        for dataset, label, subject, part, image, bits in rows
    )
    present = sorted(set(manifest.column("dataset")))
    text = ",".join(f"{name}={rule[name]}" for name in present) or "official"
    done = curate(manifest, text, near=near, validation=0.3, seed=seed)
    assert len(done) + len(done.rejects) == len(manifest)
    assert not images_in_several_splits(done)
    assert not subjects_in_several_splits(done)
    assert near is None or not near_pairs_across_splits(done, near)
    assert not find_duplicates(done, near=near).across_splits
    assert done.provenance["duplicates"]["dropped"] == len(done.rejects)
    shuffled = manifest.take(np.random.default_rng(seed).permutation(len(manifest)))
    again = curate(shuffled, text, near=near, validation=0.3, seed=seed)
    assert sorted(zip(again.column("sample_id"), again.column("split"), strict=True)) == sorted(
        zip(done.column("sample_id"), done.column("split"), strict=True)
    )
    assert set(again.rejects) == set(done.rejects)
