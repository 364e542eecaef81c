from __future__ import annotations

from pathlib import Path

import pytest
from support.damage.base import edit, header
from support.rafdb_trees import BASIC, COMPOUND, write_folders, write_image
from support.trees import kinds

from ferdata.core.errors import AnnotationError, LabelError, LayoutError, OptionError
from ferdata.ingesters import dataset_info, detect, ingest
from ferdata.ingesters.contract import OF_REJECTS


def test_kaggle_copy(kaggle: Path) -> None:
    best = detect(kaggle)[0]
    assert (best.dataset, best.name) == ("rafdb", "kaggle")
    manifest = ingest("rafdb", kaggle)
    manifest.validate()
    assert not manifest.rejects
    assert manifest.roots == {"rafdb": kaggle}
    assert sorted(manifest.column("sample_id")) == sorted(f"rafdb/{key}" for key, _ in BASIC)
    assert manifest.column("uri")[0] == "DATASET/train/1/train_00001_aligned.jpg"
    assert manifest.column("label")[0] == "surprise"
    assert manifest.column("split_native") == ["train"] * 28 + ["test"] * 14
    assert manifest.column("official_split") == ["train"] * 28 + ["test"] * 14
    assert set(manifest.strings("framing")) == {"crop"}


def test_lists_inside_the_folder(tmp_path: Path) -> None:
    write_folders(tmp_path / "DATASET", lists=tmp_path / "DATASET")
    manifest = ingest("rafdb", tmp_path)
    assert manifest.roots == {"rafdb": tmp_path / "DATASET"}
    assert len(manifest) == len(BASIC)


@pytest.mark.parametrize("word", ["valid", "val", "test"])
def test_valid_is_the_official_test_set(tmp_path: Path, word: str) -> None:
    base = write_folders(tmp_path / "raf-db", test_folder=word)
    manifest = ingest("rafdb", tmp_path)
    assert manifest.roots == {"rafdb": base}
    assert set(manifest.strings("layout")) == {"imagefolder"}
    assert manifest.column("official_split") == ["train"] * 28 + ["test"] * 14
    assert manifest.column("split_native") == ["train"] * 28 + [word] * 14


def test_folder_and_list_disagree(kaggle: Path) -> None:
    def damage(lines: list[str]) -> list[str]:
        lines[1] = "train_00001_aligned.jpg,4"  # folder says 1
        del lines[2]  # train_00002 is on disk, and not in the list
        return [*lines, "train_90000_aligned.jpg,3", "train_00005_aligned.jpg,5"]

    edit("train_labels.csv", damage)(kaggle)
    manifest = ingest("rafdb", kaggle)
    assert {reject.sample_id: reject.reason for reject in manifest.rejects} == {
        "rafdb/train_00001": "folder and csv disagree: folder 1, train_labels.csv#2 4",
        "rafdb/train_00002": "not in the csv list: train_00002_aligned.jpg",
        "rafdb/train_90000": "missing image: no image of train_90000 in any class folder",
        "rafdb/train_00005": "duplicate id: line 5",
    }
    # Two rows more than images: the missing one and the repeated line.
    assert len(manifest) + len(manifest.rejects) == len(BASIC) + 2


def test_bad_lines_of_a_csv(kaggle: Path) -> None:
    def damage(lines: list[str]) -> list[str]:
        lines[2] = "train_00002_aligned.jpg,9"
        return [*lines, "", "../train_00003.jpg,3"]

    edit("train_labels.csv", damage)(kaggle)
    manifest = ingest("rafdb", kaggle)
    assert sorted(kinds(manifest)) == [
        "blank line",
        "label code 9",
        "path leaves the data root",
    ]
    assert manifest.provenance["ingest"]["ignored"][OF_REJECTS] == 1
    assert len(manifest) == len(BASIC) - 1


def test_csv_with_another_header(kaggle: Path) -> None:
    edit("test_labels.csv", header("name;emotion"))(kaggle)
    with pytest.raises(AnnotationError, match="expected the columns image,label"):
        ingest("rafdb", kaggle)


def test_csv_with_columns_in_another_order(kaggle: Path) -> None:
    path = kaggle / "test_labels.csv"
    lines = [line.split(",") for line in path.read_text().split()]
    reordered = [f"{number},{label},{image}" for number, (image, label) in enumerate(lines)]
    path.write_text("\ufeff" + "\r\n".join([",label,image", *reordered[1:]]))
    assert not ingest("rafdb", kaggle).rejects


def test_image_in_two_folders(tmp_path: Path) -> None:
    base = write_folders(tmp_path / "raf-db")
    write_image(base / "train/6/train_00001_aligned.jpg")
    write_image(base / "test/1/train_00008_aligned.jpg")
    manifest = ingest("rafdb", base)
    assert [(reject.uri, reject.reason) for reject in manifest.rejects] == [
        (
            "train/6/train_00001_aligned.jpg",
            "duplicate id: also train/1/train_00001_aligned.jpg, with label 1, not 6",
        ),
        (
            "test/1/train_00008_aligned.jpg",
            "duplicate id: also train/1/train_00008_aligned.jpg",
        ),
    ]


def test_split_carved_out_of_train_is_still_train(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    base = write_folders(tmp_path / "raf-db")
    write_image(base / "val/3/train_90003_aligned.jpg")
    manifest = ingest("rafdb", base)
    row = next(each for each in manifest.rows() if "90003" in each["sample_id"])
    assert (row["official_split"], row["split_native"]) == ("train", "val")
    assert "1 images lie in the folder of another split" in caplog.text


def test_one_foreign_folder_is_a_reject_and_many_are_an_error(tmp_path: Path) -> None:
    base = write_folders(tmp_path / "raf-db")
    write_image(base / "train/9/train_90000_aligned.jpg")
    manifest = ingest("rafdb", base)
    assert kinds(manifest) == ["label folder 9"]
    other = write_folders(tmp_path / "raf-compound", COMPOUND)
    with pytest.raises(LabelError, match=r"ferdata build rafdb-compound`\."):
        ingest("rafdb", other)


def test_there_are_no_originals(kaggle: Path) -> None:
    with pytest.raises(LayoutError, match="no original images of rafdb; found: kaggle"):
        ingest("rafdb", kaggle, source="original")


def test_class_folders_of_other_datasets_are_not_taken(tmp_path: Path) -> None:
    for code in range(1, 8):
        write_image(tmp_path / f"train/{code}/Training_{code}.jpg")
    assert not [each for each in detect(tmp_path) if each.dataset == "rafdb"]


def test_folders_named_after_classes(tmp_path: Path) -> None:
    words = ("Surprise", "fear", "disgusted", "happy", "Sad", "angry", "neutral")
    for number, word in enumerate(words, start=1):
        write_image(tmp_path / f"train/{word}/train_{number:05d}_aligned.jpg")
        write_image(tmp_path / f"val/{word}/test_{number:04d}_aligned.jpg")
    best = detect(tmp_path)[0]
    assert (best.dataset, best.confidence) == ("rafdb", 0.92)
    manifest = ingest("rafdb", tmp_path)
    classes = [dataset_info("rafdb").codes[code] for code in range(1, 8)]
    assert manifest.column("label") == classes * 2
    assert manifest.column("official_split") == ["train"] * 7 + ["test"] * 7
    assert not manifest.rejects


def test_folders_numbered_from_zero_need_an_order(tmp_path: Path) -> None:
    for code in range(7):
        write_image(tmp_path / f"train/{code}/train_{code:05d}_aligned.jpg")
        write_image(tmp_path / f"test/{code}/test_{code:04d}_aligned.jpg")
    with pytest.raises(OptionError, match=r"--codes rafdb-0 .*\n.*--codes fer2013"):
        ingest("rafdb", tmp_path)
    manifest = ingest("rafdb", tmp_path, codes="rafdb-0")
    classes = [dataset_info("rafdb").codes[code] for code in range(1, 8)]
    assert manifest.column("label") == classes * 2


def test_altered_copies_are_rejects_that_say_what_leaks(tmp_path: Path) -> None:
    for code in range(1, 8):
        write_image(tmp_path / f"train/{code}/train_{code:05d}_aligned.jpg")
        write_image(tmp_path / f"test/{code}/test_{code:04d}_aligned.jpg")
        write_image(tmp_path / f"train/{code}/train_{code:05d}_aligned_aug0.jpg")
        write_image(tmp_path / f"train/{code}/aug_flip_test_{code:04d}_aligned.jpg")
    manifest = ingest("rafdb", tmp_path)
    assert len(manifest) == len(manifest.rejects) == 14
    leaking = [each for each in manifest.rejects if "in train it would leak" in each.reason]
    assert len(leaking) == 7
    assert all("is made of test_" in each.reason for each in leaking)
