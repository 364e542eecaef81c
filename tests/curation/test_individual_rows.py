"""Rows drawn individually: exact fractions, and a leak that is declared in numbers."""

from __future__ import annotations

import numpy as np
import pytest

from ferdata.core.errors import ManifestError, OptionError
from ferdata.curation.leakage import check_splits, leak_texts, subjects_in_several_splits
from ferdata.curation.split import split
from ferdata.curation.stage import curate


@pytest.fixture
def sequences(make_manifest):
    """Return 20 subjects with two sequences of three frames each."""
    return make_manifest(
        {"subject": f"S{subject:02d}", "sequence": f"{sequence}", "frame": frame}
        for subject in range(20)
        for sequence in range(2)
        for frame in range(3)
    )


def test_rows_are_drawn_individually(sequences):
    done = split(sequences, "stratified:8:1:1", ignore_groups=True)
    assert {part: sum(n.values()) for part, n in done.counts().items()} == {
        "train": 96,
        "validation": 12,
        "test": 12,
    }
    assert subjects_in_several_splits(done)
    turned = sequences.take(np.arange(len(sequences))[::-1])
    again = split(turned, "stratified:8:1:1", ignore_groups=True)
    assert done.column("split") == again.column("split")[::-1]


def test_the_leak_is_declared_with_both_overlaps(sequences, caplog):
    done = curate(sequences, "stratified:8:1:1", ignore_groups=True)
    leak = done.provenance["leak"]
    frame = done.to_pandas()
    train = frame[frame.split == "train"]
    test = frame[frame.split == "test"]
    subjects = test.subject.isin(train.subject).sum()
    seen = set(zip(train.subject, train.sequence, strict=True))
    met = sum(pair in seen for pair in zip(test.subject, test.sequence, strict=True))
    assert leak["person"]["met_in_train"]["test"] == subjects > 0
    assert leak["sequence"]["met_in_train"]["test"] == met > 0
    assert leak["person"]["all"] == 20
    assert leak["sequence"]["all"] == 40
    (text,) = leak_texts(done.provenance)
    assert f"of 12 test images, {met} ({met / 12:.1%}) share a sequence with train" in text
    assert f"and {subjects} ({subjects / 12:.1%}) share a subject with train" in text
    assert "this build leaks: images of demo were assigned to splits individually" in caplog.text


def test_a_leak_that_is_not_declared_is_refused(sequences):
    done = split(sequences, "stratified:8:1:1", ignore_groups=True)
    with pytest.raises(ManifestError, match="subjects are in more than one split"):
        check_splits(done)


def test_individual_rows_without_groups_are_no_leak(official):
    done = curate(official, "stratified:8:1:1", ignore_groups=True)
    assert leak_texts(done.provenance) == []


@pytest.mark.parametrize("rule", ["subject:8:1:1", "subject-kfold:5:1"])
def test_a_subject_independent_rule_contradicts(sequences, rule):
    with pytest.raises(
        OptionError, match=r"groups can't be ignored with the split rule subject.*stratified"
    ):
        split(sequences, rule, ignore_groups=True)


def test_in_a_mix_only_stratified_datasets_ignore_groups(make_manifest):
    rows = [
        {
            "sample_id": f"{dataset}/{subject}_{frame}",
            "dataset": dataset,
            "subject": f"S{subject:02d}",
        }
        for dataset in ("a", "b")
        for subject in range(20)
        for frame in range(5)
    ]
    rules = "a=stratified:8:1:1,b=subject:8:1:1"
    done = curate(make_manifest(rows), rules, ignore_groups=True)
    assert done.provenance["leak"]["one_by_one"] == ["a"]
    frame = done.to_pandas()
    splits = frame.groupby(["dataset", "subject"]).split.nunique()
    assert splits["a"].max() > 1
    assert splits["b"].max() == 1


def test_duplicates_are_still_dropped(make_manifest):
    rows = [{"pixel_sha256": f"p{number // 2}"} for number in range(60)]
    manifest = make_manifest(rows)
    done = curate(manifest, "stratified:8:1:1", ignore_groups=True)
    assert len(done) < len(manifest)
    assert done.to_pandas().groupby("pixel_sha256").split.nunique().max() == 1
