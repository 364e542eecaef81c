"""FER2013: both forms of the csv, Kaggle's folders, re-made class folders, and their traps."""

from __future__ import annotations

import logging
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.trees import touch, write

from ferdata.core.errors import (
    AnnotationError,
    LabelError,
    LayoutError,
    OptionError,
    WrongLabelsError,
)
from ferdata.core.rejects import Reject
from ferdata.ingesters import FileTree, Sample, dataset_info, detect, ingest
from ferdata.ingesters.catalog import ingester
from ferdata.ingesters.code_orders import known_order

USAGES = {"train": "Training", "validation": "PublicTest", "test": "PrivateTest"}
FOLDERS = {"anger": "angry", "happiness": "happy", "sadness": "sad"}

# Training, PublicTest and PrivateTest as published, in the order of the codes 0–6.
COUNTS = {
    "Training": (3995, 436, 4097, 7215, 4830, 3171, 4965),
    "PublicTest": (467, 56, 496, 895, 653, 415, 607),
    "PrivateTest": (491, 55, 528, 879, 594, 416, 626),
}
NAMES = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")


def whole(row: str) -> list[str]:
    """Return the rows of a whole copy, made from a pattern, with one pixel each."""
    return [
        row.format(code=code, usage=usage, pixels="0")
        for usage, counts in COUNTS.items()
        for code, count in enumerate(counts)
        for _ in range(count)
    ]


def read(root: str, *paths: str) -> tuple[str, list[Sample | Reject]]:
    """Read a tree that is only a list of names; return the layout's name and the rows."""
    reader = ingester("fer2013")
    layout = reader.detect(FileTree(Path(root), tuple(sorted(paths))))[0]
    return layout.name, list(reader.read(layout, reader.info.choose({})))


def crops(root: Path, *paths: str, side: int = 48, channels: int = 1) -> Path:
    """Write images of noise, by default of FER2013's size."""
    for index, path in enumerate(paths):
        shape = (side, side) if channels == 1 else (side, side, channels)
        pixels = np.random.default_rng(index).integers(0, 255, shape, np.uint8)
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(root / path), pixels)
    return root


@pytest.mark.parametrize(
    ("name", "header", "row"),
    [
        ("fer2013.csv", "emotion,pixels,Usage", "{code},{pixels},{usage}"),
        ("icml_face_data.csv", "emotion, Usage, pixels", "{code},{usage},{pixels}"),
    ],
)
def test_a_whole_csv_has_the_published_counts(
    tmp_path: Path, name: str, header: str, row: str
) -> None:
    manifest = ingest("fer2013", write(tmp_path / "fer" / name, header, *whole(row)))
    said = manifest.provenance["ingest"]
    assert said["layout"] == ("csv" if name == "fer2013.csv" else "icml")
    assert said["count_check"] == "as published"
    assert said["suspicions"] == []
    assert len(manifest) == 35887
    counts = Counter(zip(manifest.column("split_native"), manifest.column("label"), strict=True))
    for usage, expected in COUNTS.items():
        assert tuple(counts[usage, label] for label in NAMES) == expected
    assert manifest.column("sample_id")[17] == "fer2013/00017"
    assert manifest.column("uri")[35886] == f"{name}#35886"
    splits = set(
        zip(manifest.column("split_native"), manifest.column("official_split"), strict=True)
    )
    assert splits == {(usage, split) for split, usage in USAGES.items()}


def test_codes_in_the_order_of_the_folders_are_noticed(tmp_path: Path) -> None:
    """Neutral is 4 in alphabetical order: such a copy loads without an error."""
    moved = {4: 5, 5: 6, 6: 4}
    rows = [f"{moved.get(int(row[0]), row[0])}{row[1:]}" for row in whole("{code},0,{usage}")]
    root = write(tmp_path / "fer2013.csv", "emotion,pixels,Usage", *rows)
    with pytest.raises(WrongLabelsError, match="Read them with --codes alphabetical"):
        ingest("fer2013", root)
    manifest = ingest("fer2013", root, codes="alphabetical")
    said = manifest.provenance["ingest"]
    assert said["count_check"] == "as published"
    assert said["choices"] == {"codes": "alphabetical"}
    assert "in the order asked for: alphabetical (0 anger, 1 disgust" in said["decisions"][0]


def test_kaggles_test_folder_is_both_official_sets() -> None:
    paths = [
        f"{'train' if usage == 'Training' else 'test'}/{FOLDERS.get(label, label)}"
        f"/{usage}_{label}{number}.jpg"
        for usage, counts in COUNTS.items()
        for label, count in zip(NAMES, counts, strict=True)
        for number in range(count)
    ]
    numbered = [
        f"{path.rpartition('_')[0]}_{number}.jpg" for number, path in enumerate(sorted(paths))
    ]
    name, rows = read("/archive", *numbered)
    assert name == "kaggle"
    counts: Counter[tuple[str | None, str]] = Counter()
    for row in rows:
        assert isinstance(row, Sample)
        counts[row.official_split, row.label] += 1
    published = dataset_info("fer2013").counts
    assert {(split, label): number for (split, label), number in counts.items()} == {
        (split, label): number
        for split, by_class in published.items()
        for label, number in by_class.items()
    }
    merged = dataset_info("fer2013").fingerprints["the test folder of Kaggle's copy"]
    for label in NAMES:
        assert merged[label] == counts["validation", label] + counts["test", label]


def test_kaggle_rows(tmp_path: Path) -> None:
    root = touch(
        tmp_path,
        "train/angry/Training_3908.jpg",
        "train/fear/Training_3908.jpg",
        "test/sad/PrivateTest_10077120.jpg",
        "test/sad/PublicTest_99.jpg",
        "test/sad/copy of 99.jpg",
        "test/boredom/PublicTest_1.jpg",
    )
    manifest = ingest("fer2013", root)
    columns = ["sample_id", "label", "label_native", "official_split", "split_native"]
    assert [tuple(row.values()) for row in manifest.rows(columns)] == [
        ("fer2013/sadness/PrivateTest_10077120", "sadness", "sad", "test", "PrivateTest"),
        ("fer2013/sadness/PublicTest_99", "sadness", "sad", "validation", "PublicTest"),
        ("fer2013/anger/Training_3908", "anger", "angry", "train", "Training"),
        ("fer2013/fear/Training_3908", "fear", "fear", "train", "Training"),
    ]
    classes = ", ".join(sorted(NAMES))
    unnamed = "file name: not like Training_123.jpg, so its split is unknown"
    assert [(each.uri, each.reason) for each in manifest.rejects] == [
        ("test/boredom/PublicTest_1.jpg", f"label folder boredom: expected {classes}"),
        ("test/sad/copy of 99.jpg", unnamed),
    ]


def test_a_second_copy_beside_the_first_is_not_overlooked(tmp_path: Path) -> None:
    paths = ("train/angry/Training_1.jpg", "test/sad/PublicTest_1.jpg")
    root = touch(tmp_path, *(f"{copy}/{path}" for copy in "ab" for path in paths))
    manifest = ingest("fer2013", root)
    assert sorted(manifest.column("uri")) == [f"a/{path}" for path in sorted(paths)]
    assert [each.reason for each in manifest.rejects] == [
        f"duplicate id: also a/{path}" for path in sorted(paths)
    ]


def test_parts_in_folders_of_any_name_are_all_read(tmp_path: Path) -> None:
    root = crops(tmp_path, "one/angry/1.png", "two/angry/1.png", "two/more/sad/1.png")
    assert ingest("fer2013", root).column("sample_id") == [
        "fer2013/one/angry/1",
        "fer2013/two/angry/1",
        "fer2013/two/more/sad/1",
    ]


def shares(scale: float) -> dict[str, int]:
    """Return images by class of a part of Training."""
    counts = zip(NAMES, COUNTS["Training"], strict=True)
    return {label: round(count * scale) for label, count in counts}


def test_re_made_class_folders_have_no_official_split(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = touch(
        tmp_path,
        *(
            f"images/{split}/{FOLDERS.get(label, label)}/{number}.jpg"
            for split, scale in (("train", 0.02), ("validation", 0.005))
            for label, count in shares(scale).items()
            for number in range(count)
        ),
    )
    (found,) = detect(root)
    assert (found.name, found.confidence) == ("class-folders", 0.68)
    assert found.evidence[-1] == "the class shares of 717 images are fer2013's"
    with caplog.at_level(logging.WARNING):
        manifest = ingest("fer2013", root)
    assert set(manifest.column("official_split")) == {None}
    assert Counter(manifest.column("split_native")) == {"train": 574, "validation": 143}
    assert manifest.column("sample_id")[0] == "fer2013/train/angry/0"
    assert "717 images have lost their place in the official split" in caplog.text
    assert manifest.provenance["ingest"]["count_check"] == "no counts are published"


def test_gray_crops_of_48_pixels_are_read_if_fer2013_is_asked_for(tmp_path: Path) -> None:
    root = crops(tmp_path, *(f"train/{FOLDERS.get(name, name)}/1.png" for name in NAMES))
    assert detect(root) == []
    (decision,) = ingest("fer2013", root).provenance["ingest"]["decisions"]
    assert decision.startswith("read as fer2013 because you say so: 7 images in class folders")


def test_numbered_folders_are_codes_in_the_order_that_is_named(tmp_path: Path) -> None:
    root = crops(tmp_path, *(f"train/{code}/{code}.png" for code in range(7)))
    assert ingest("fer2013", root, codes="fer2013").column("label") == list(NAMES)
    manifest = ingest("fer2013", root, codes="alphabetical")
    assert manifest.column("label") == sorted(NAMES)
    assert "in the order asked for: alphabetical (" in manifest.provenance["ingest"]["decisions"][1]


@pytest.mark.parametrize("side", [48, 64])
def test_folders_with_names_of_expressions_are_no_proof(tmp_path: Path, side: int) -> None:
    """Color crops or other sizes: a set of one's own."""
    names = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")
    crops(tmp_path, *(f"train/{name}/1.png" for name in names), side=side, channels=3)
    assert detect(tmp_path) == []
    with pytest.raises(LayoutError, match="contains no fer2013"):
        ingest("fer2013", tmp_path)


def test_seven_folders_with_emotion_names_prove_nothing(tmp_path: Path) -> None:
    root = touch(tmp_path, *(f"{FOLDERS.get(name, name)}/{n}.jpg" for name in NAMES for n in "123"))
    assert detect(root) == []
    with pytest.raises(LayoutError, match="What speaks for it is not enough: 21 images in class"):
        ingest("fer2013", root)


@pytest.mark.parametrize("order", ["fer2013", "alphabetical", "affectnet", "rafdb-0"])
def test_the_shares_tell_the_order_of_code_folders(tmp_path: Path, order: str) -> None:
    info = dataset_info("fer2013")
    code_of = {label: code for code, label in known_order(order, info, range(7)).labels}
    paths = [
        f"{code_of[label]}/{number}.png"
        for label, count in shares(0.1).items()
        for number in range(count)
    ]
    manifest = ingest("fer2013", touch(tmp_path, *paths))
    assert Counter(manifest.column("label")) == shares(0.1)
    assert f"in the order {order} (" in manifest.provenance["ingest"]["decisions"][0]
    wrong = "alphabetical" if order == "fer2013" else "fer2013"
    with pytest.raises(WrongLabelsError, match=f"Read them with --codes {order}") as caught:
        ingest("fer2013", tmp_path, codes=wrong)
    assert caught.value.exit_code == 1
    assert len(ingest("fer2013", tmp_path, codes=order)) == len(paths)


def test_where_the_shares_tell_nothing_the_order_is_asked(tmp_path: Path) -> None:
    root = touch(tmp_path, *(f"train/{code}/Training_{code}{n}.jpg" for code in range(7)
                             for n in range(9)))  # fmt: skip
    with pytest.raises(OptionError, match=r"can be in 5 orders") as caught:
        ingest("fer2013", root)
    assert caught.value.exit_code == 2
    assert "--codes fer2013       (0 anger, 1 disgust" in str(caught.value)
    assert "--codes alphabetical  (0 anger, 1 disgust" in str(caught.value)
    own = "0=happy,1=sad,2=fear,3=anger,4=neutral,5=disgust,6=surprise"
    manifest = ingest("fer2013", root, codes=own)
    assert dict(zip(manifest.column("label_native"), manifest.column("label"), strict=True)) == {
        "0": "happiness", "1": "sadness", "2": "fear", "3": "anger", "4": "neutral",
        "5": "disgust", "6": "surprise",
    }  # fmt: skip
    assert set(manifest.column("official_split")) == {"train"}


@pytest.mark.parametrize(
    ("codes", "problem"),
    [
        ("fer2014", "unknown order of label codes .*Did you mean 'fer2013'"),
        ("0=anger,0=fear", "expected CODE=CLASS"),
        ("0=boredom", "'boredom' is no class"),
        ("zero=anger", "expected CODE=CLASS"),
    ],
)
def test_orders_that_are_none(tmp_path: Path, codes: str, problem: str) -> None:
    root = touch(tmp_path, *(f"{code}/Training_{code}.jpg" for code in range(7)))
    with pytest.raises(OptionError, match=problem):
        ingest("fer2013", root, codes=codes)


def test_the_contests_table_of_training_alone(tmp_path: Path) -> None:
    rows = [row for row in whole("{code},{pixels}|{usage}") if row.endswith("|Training")]
    root = write(tmp_path / "train.csv", "emotion,pixels", *(r.partition("|")[0] for r in rows))
    write(tmp_path / "test.csv", "pixels", "0")
    (found,) = detect(root)
    assert found.name == "train"
    manifest = ingest("fer2013", root)
    assert len(manifest) == 28709
    assert set(manifest.column("official_split")) == {"train"}
    assert manifest.provenance["ingest"]["count_check"] == "as published"


def test_numbers_that_are_no_codes_of_it() -> None:
    assert ingester("fer2013").detect(FileTree(Path("/a"), ("1/a.jpg", "7/b.jpg"))) == []
    assert ingester("fer2013").detect(FileTree(Path("/a"), ("0/a.jpg", "7/b.jpg"))) == []


def test_rows_that_are_no_rows(tmp_path: Path) -> None:
    rows = [f"{code},0 0,Training" for code in range(7)] * 10
    bad = ["3,0 0", "x,0 0,Training", "7,0 0,Training", "3,0 0,Holdout", ",0 0,Training"]
    root = write(tmp_path / "fer2013.csv", "emotion,pixels,Usage", *bad[:2], *rows, *bad[2:])
    manifest = ingest("fer2013", root)
    assert len(manifest) == 70
    assert [(each.sample_id, each.uri) for each in manifest.rejects] == [
        (f"fer2013/{row:05d}", f"fer2013.csv#{row}") for row in (0, 1, 72, 73, 74)
    ]
    advice = "expected 0–6; ckextended.csv has codes 0–7 and 920 rows, use `ferdata build ckplus`"
    assert [each.reason for each in manifest.rejects] == [
        "malformed row: no cell for each of emotion, pixels, usage",
        f"label code x: {advice}",
        f"label code 7: {advice}",
        "usage Holdout: expected Training, PublicTest or PrivateTest",
        f"label code : {advice}",
    ]


def test_windows_line_ends_quotes_and_a_byte_order_mark(tmp_path: Path) -> None:
    root = write(
        tmp_path / "fer2013.csv",
        '\ufeff"emotion","pixels","Usage"',
        '"6","0 0","Training"',
        '"3","0 0","PrivateTest"',
        "",
        end="\r\n",
    )
    manifest = ingest("fer2013", root)
    assert manifest.column("label") == ["neutral", "happiness"]
    assert manifest.column("official_split") == ["train", "test"]
    assert manifest.rejects == ()


def test_codes_of_another_dataset(tmp_path: Path) -> None:
    rows = [f"{code},0,Training" for code in range(8)] * 5
    root = write(tmp_path / "fer2013.csv", "emotion,pixels,Usage", *rows)
    with pytest.raises(LabelError, match=r"5 of 40 rows of .*ckextended\.csv"):
        ingest("fer2013", root)


@pytest.mark.parametrize(
    ("name", "header", "missing"),
    [
        ("fer2013.csv", "emotion,pixels", "usage"),
        ("fer2013.csv", "label,pixels,Usage", "emotion"),
        ("icml_face_data.csv", "emotion, Usage", "pixels"),
        ("mine.csv", "emotion,pixels", "usage"),
    ],
)
def test_a_missing_column_is_named(tmp_path: Path, name: str, header: str, missing: str) -> None:
    root = write(tmp_path / name, header, "3,0,Training")
    with pytest.raises(AnnotationError, match=f"{name} line 1: has no column {missing}; its col"):
        ingest("fer2013", root)


def test_an_empty_csv(tmp_path: Path) -> None:
    (tmp_path / "fer2013.csv").touch()
    with pytest.raises(AnnotationError, match="is empty; a table was expected"):
        ingest("fer2013", tmp_path)


def test_the_contest_hands_out_its_rows_twice(tmp_path: Path) -> None:
    write(tmp_path / "icml_face_data.csv", "emotion, Usage, pixels", "3,Training,0")
    write(tmp_path / "train.csv", "emotion,pixels", "3,0")
    write(tmp_path / "test.csv", "pixels", "0")
    assert ingest("fer2013", tmp_path).column("uri") == ["icml_face_data.csv#0"]
    write(tmp_path / "fer2013/fer2013.csv", "emotion,pixels,Usage", "3,0,Training")
    assert ingest("fer2013", tmp_path).column("uri") == ["fer2013.csv#0"]
    assert [found.name for found in detect(tmp_path)][:2] == ["csv", "icml"]
    write(tmp_path / "copy/fer2013.csv", "emotion,pixels,Usage", "3,0,Training")
    with pytest.raises(LayoutError, match="contains 2 copies of fer2013"):
        ingest("fer2013", tmp_path)


def test_csvs_of_others_are_left_alone(tmp_path: Path) -> None:
    write(tmp_path / "ckextended.csv", "emotion,pixels,Usage", "3,0,Training")
    write(tmp_path / "labels.csv", "emotion,path", "3,a.jpg")
    assert not [found for found in detect(tmp_path) if found.dataset == "fer2013"]
