"""Label patches: differences between two labelings, applied with a check."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from ferdata.core.errors import OptionError
from ferdata.core.labels import BASIC8
from ferdata.core.rejects import Reject
from ferdata.curation.label_patches import (
    LabelChange,
    LabelPatch,
    apply_patch,
    diff_labels,
    load_patch,
    patch_notes,
    save_patch,
)


def labeled(make_manifest, labels, dataset="demo", **columns):
    return make_manifest(
        {
            "dataset": dataset,
            "sample_id": f"{dataset}/{k:05d}",
            "label": label,
            "pixel_sha256": f"{k + 1:064x}"[::-1],
            **{name: of(k) for name, of in columns.items()},
        }
        for k, label in enumerate(labels)
    )


def patch_file(tmp_path, *changes):
    file = tmp_path / "p.labels.json"
    save_patch(LabelPatch(source="two experts", changes=changes), file)
    return file


def test_a_patch_gives_one_manifest_the_labels_of_another(make_manifest, tmp_path):
    one = labeled(make_manifest, ["anger", "fear", "sadness", "fear"])
    other = labeled(make_manifest, ["anger", "surprise", "sadness"], dataset="better")
    rejects = (Reject("better/00003", "3.png", "ingest", "not a face: ten votes"),)
    other = replace(other, rejects=rejects)
    patch = diff_labels(one, other, source="better")
    assert [(each.sample_id, each.old, each.new, each.reason) for each in patch.changes] == [
        ("demo/00001", "fear", "surprise", ""),
        ("demo/00003", "fear", None, "not a face: ten votes"),
    ]
    save_patch(patch, tmp_path / "p.json")
    done = apply_patch(one, tmp_path / "p.json")
    assert done.column("label") == other.column("label")
    assert [each.reason for each in done.rejects] == ["label patch: not a face: ten votes"]
    said = done.provenance["labels"]
    assert (said["changed"], said["dropped"], said["missing"]) == (1, 1, 0)
    assert patch_notes(said) == [
        "labels are corrected by p.json (better): 1 changed, 1 images left out"
    ]
    assert diff_labels(done, other).changes == ()


def test_the_old_label_is_checked(make_manifest, tmp_path):
    file = patch_file(
        tmp_path,
        LabelChange(sample_id="demo/00000", old="anger", new="fear"),
        LabelChange(sample_id="demo/00001", old="anger", new="fear"),
        LabelChange(sample_id="demo/00009", old="anger", new="fear"),
    )
    done = apply_patch(labeled(make_manifest, ["anger", "sadness"]), file)
    assert done.column("label") == ["fear", "sadness"]
    said = done.provenance["labels"]
    assert (said["other_label"], said["missing"]) == (1, 1)
    assert said["other_label_first"] == ["demo/00001"]
    with pytest.raises(OptionError, match="none of its 3 changes is of an image here"):
        apply_patch(labeled(make_manifest, ["sadness"]), file)


def test_images_are_found_by_their_pixels_under_another_name(make_manifest, tmp_path):
    one = labeled(make_manifest, ["anger", "fear"])
    (change,) = diff_labels(one, labeled(make_manifest, ["anger", "disgust"])).changes
    file = patch_file(tmp_path, change)
    renamed = labeled(make_manifest, ["anger", "fear"], sample_id=lambda k: f"demo/other{k}",
                      uri=lambda k: f"o{k}.png")  # fmt: skip
    assert apply_patch(renamed, file).column("label") == ["anger", "disgust"]


def test_soft_labels_that_would_contradict_are_dropped(make_manifest, tmp_path):
    soft = [0.5, 0.5, 0, 0, 0, 0, 0, 0]
    manifest = labeled(make_manifest, ["anger", "fear"], soft_label=lambda _: soft)
    file = patch_file(tmp_path, LabelChange(sample_id="demo/00000", old="anger", new="fear"))
    assert apply_patch(manifest, file).column("soft_label") == [None, soft]


def test_a_new_expression_joins_the_label_space(make_manifest, tmp_path):
    file = patch_file(tmp_path, LabelChange(sample_id="demo/00000", old="anger", new="contempt"))
    done = apply_patch(labeled(make_manifest, ["anger", "fear"]), file)
    assert done.label_space == BASIC8
    done.validate()
    file = patch_file(tmp_path, LabelChange(sample_id="demo/00000", old="anger", new="boredom"))
    with pytest.raises(OptionError, match="'boredom' is no class here"):
        apply_patch(labeled(make_manifest, ["anger"]), file)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "not JSON"),
        ("[]", "is no label patch"),
        (json.dumps({"changes": [{"sample_id": "a", "old": "b"}]}), r"changes\.0\.new"),
        (
            json.dumps({"changes": [{"sample_id": "a", "old": "b", "new": None}] * 2}),
            "a is changed",
        ),
        (None, "can't be read"),
    ],
)
def test_what_is_no_patch_is_refused(tmp_path, text, problem):
    if text is not None:
        (tmp_path / "p.json").write_text(text)
    with pytest.raises(OptionError, match=problem):
        load_patch(tmp_path / "p.json")
