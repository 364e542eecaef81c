"""AffectNet: what is annotated, what is no row, and codes of re-made copies."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from support.trees import kinds, touch
from support.trees import write as write_lines

from ferdata.core.errors import AnnotationError, LabelError, LayoutError
from ferdata.core.labels import BASIC7, BASIC8
from ferdata.ingesters import ingest
from ferdata.ingesters.affectnet.full import COLUMNS

POINTS = ";".join(str(number) for number in range(136))
CODES = ("neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger", "contempt")


def line(
    name: str, code: int, *, box: str = "1,2,30,40", points: str = POINTS, affect: str = "0.5,-0.25"
) -> str:
    return f"{name},{box},{points},{code},{affect}"


def write(root: Path, lines: list[str], *, header: bool = True, images: bool = True) -> None:
    head = [",".join(COLUMNS)] if header else []
    write_lines(root / "Manually_Annotated_file_lists/validation.csv", *head, *lines)
    if images:
        touch(root / "Manually_Annotated_Images", *(each.split(",")[0] for each in lines))


@pytest.mark.parametrize("header", [True, False])
def test_codes_and_what_is_no_row(tmp_path: Path, header: bool) -> None:
    write(tmp_path, [line(f"{code}/{code}a.jpg", code) for code in range(11)], header=header)
    manifest = ingest("affectnet", tmp_path)
    assert manifest.column("label") == list(CODES)
    assert manifest.label_space == BASIC8
    assert kinds(manifest) == ["None", "Uncertain", "No-Face"]
    assert set(manifest.column("official_split")) == {"test"}
    assert set(manifest.column("split_native")) == {"validation"}
    row = next(iter(manifest.rows()))
    assert row["box"] == [1, 2, 31, 42]
    assert (row["valence"], row["arousal"]) == (0.5, -0.25)
    assert row["landmarks"][1] == [2, 3]
    seven = ingest("affectnet", tmp_path, classes="7")
    assert seven.label_space == BASIC7
    assert kinds(seven).count("contempt") == 1
    assert len(seven) + len(seven.rejects) == 11


def test_what_is_not_annotated_is_null(tmp_path: Path) -> None:
    lines = [
        line("1/a.jpg", 0, affect="-2,-2"),
        line("1/b.JPG", 1, box="1,2,0,40"),
        line("1/c.png", 2, points="1;2;3"),
    ]
    write(tmp_path, lines)
    first, second, third = ingest("affectnet", tmp_path).rows()
    assert (first["valence"], first["arousal"]) == (None, None)
    assert second["box"] is None
    assert third["landmarks"] is None
    assert third["label"] == "sadness"


def test_lists_that_cannot_be_read(tmp_path: Path) -> None:
    write(tmp_path, [line("1/a.jpg", 0)], images=False)
    with pytest.raises(LayoutError, match="no folder Manually_Annotated_Images"):
        ingest("affectnet", tmp_path)
    write(tmp_path, [line("../a.jpg", 0), "1/b.jpg,1", line("1/c.jpg", 1)])
    manifest = ingest("affectnet", tmp_path)
    assert {"path leaves the data root", "malformed line"} <= set(kinds(manifest))
    path = tmp_path / "Manually_Annotated_file_lists/validation.csv"
    path.write_text(path.read_text().replace("arousal", "x"))
    with pytest.raises(AnnotationError, match="no column arousal"):
        ingest("affectnet", tmp_path)
    write(tmp_path, [line(f"1/{number}.jpg", 20) for number in range(9)])
    with pytest.raises(LabelError, match="9 of"):
        ingest("affectnet", tmp_path)


def test_npy_files_are_never_unpickled(tmp_path: Path) -> None:
    touch(tmp_path, *(f"train_set/images/{number}.jpg" for number in range(5)))
    (tmp_path / "train_set/annotations").mkdir()
    for number, value in enumerate((np.array("3"), np.array(6), np.array([2.0]))):
        np.save(tmp_path / f"train_set/annotations/{number}_exp.npy", value)
    evil = np.array([{"a": 1}], dtype=object)
    np.save(tmp_path / "train_set/annotations/3_exp.npy", evil, allow_pickle=True)
    (tmp_path / "train_set/annotations/4_exp.npy").write_bytes(pickle.dumps(3))
    manifest = ingest("affectnet", tmp_path)
    assert manifest.column("label") == ["surprise", "anger", "sadness"]
    assert [each.reason for each in manifest.rejects] == [
        "malformed label: 3_exp.npy",
        "malformed label: 4_exp.npy",
    ]


def test_folder_and_csv_of_kaggles_copy_disagree(tmp_path: Path) -> None:
    touch(tmp_path, "Train/anger/image1.jpg", "Test/Anger/image2.jpg")
    rows = ("0,anger/image1.jpg,surprise,0.75", "1,anger/image2.jpg,anger,0.5")
    write_lines(tmp_path / "labels.csv", ",pth,label,relFCs", *rows)
    manifest = ingest("affectnet", tmp_path)
    assert manifest.column("label") == ["surprise", "anger"]
    assert manifest.column("label_native") == ["surprise (folder anger)", "anger"]
    assert manifest.column("label_confidence") == [0.75, 0.5]
    assert manifest.column("split_native") == ["Train", "Test"]
    assert set(manifest.column("official_split")) == {None}
    assert ingest("affectnet", tmp_path, label_source="folder").column("label") == ["anger"] * 2


def test_yolo_ids_are_alphabetical(tmp_path: Path) -> None:
    write_lines(tmp_path / "data.yaml", "nc: 8")
    touch(tmp_path, *(f"valid/images/{code}.png" for code in range(8)))
    for code in range(8):
        write_lines(tmp_path / f"valid/labels/{code}.txt", f"{code} 0.5 0.5 1 1")
    assert ingest("affectnet", tmp_path).column("label") == sorted(CODES)
