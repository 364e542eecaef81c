from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from support.damage.base import edit
from support.rafdb_trees import BASIC, COMPOUND, write_image, write_list, write_official, write_text
from support.trees import rows

from ferdata.core.errors import AnnotationError, LabelError, LayoutError, UnknownNameError
from ferdata.core.labels import BASIC7, CANONICAL
from ferdata.core.manifest import Manifest
from ferdata.ingesters import dataset_info, detect, ingest

LIST = "EmoLabel/list_patition_label.txt"


def reasons(manifest: Manifest) -> dict[str, str]:
    """Map each reject's uri to its reason; every line of the list must be somewhere."""
    assert all(reject.stage == "ingest" for reject in manifest.rejects)
    return {reject.uri: reject.reason for reject in manifest.rejects}


# -- good copies -----------------------------------------------------------------------------


def test_aligned_images_are_taken_where_they_are(basic: Path) -> None:
    manifest = ingest("rafdb", basic)
    manifest.validate()
    assert manifest.label_space == BASIC7
    assert manifest.roots == {"rafdb": basic}
    assert manifest.column("sample_id") == [f"rafdb/{key}" for key, _ in BASIC]
    assert manifest.column("label") == [dataset_info("rafdb").codes[code] for _, code in BASIC]
    first = rows(manifest)["train_00005"]
    assert first["uri"] == "Image/aligned/train_00005_aligned.jpg"
    assert (first["framing"], first["layout"]) == ("crop", "official-aligned")
    assert (first["label"], first["label_native"]) == ("sadness", "5")
    assert (first["official_split"], first["split_native"]) == ("train", "train")
    assert (first["gender"], first["race"], first["age_group"]) == ("female", "Caucasian", "20-39")
    # The annotation's points are in pixels of the original image, so not of this one.
    for column in ("five_points", "landmarks", "landmark_scheme", "landmark_source", "box"):
        assert first[column] is None
    assert set(manifest.strings("official_split")) == {"train", "test"}
    assert set(manifest.strings("split")) == {None}


def test_original_images_come_with_points_and_box(basic: Path) -> None:
    manifest = ingest("rafdb", basic, source="original")
    first = rows(manifest)["train_00001"]
    assert first["uri"] == "Image/original/train_00001.jpg"
    assert (first["framing"], first["layout"]) == ("photograph", "official-original")
    np.testing.assert_allclose(
        np.reshape(first["five_points"], (5, 2))[[0, 4]], [[308.125, 318.5], [406, 442]]
    )
    landmarks = np.array([list(point) for point in first["landmarks"]])  # type: ignore[call-overload]
    assert landmarks.shape == (37, 2)
    np.testing.assert_allclose(landmarks[3], [3.5, 4.0])
    assert (first["landmark_scheme"], first["landmark_source"]) == ("facepp37", "dataset")
    np.testing.assert_allclose(first["box"], [260.237671, 187.152115, 479.177979, 516.473022])


def test_originals_are_read_where_nothing_else_is(tmp_path: Path) -> None:
    base = write_official(tmp_path / "basic", sources=["original"])
    assert set(ingest("rafdb", base).strings("layout")) == {"official-original"}


def test_sources_are_never_mixed(basic: Path) -> None:
    (basic / "Image/aligned/train_00003_aligned.jpg").unlink()
    manifest = ingest("rafdb", basic)
    assert len(manifest) == len(BASIC) - 1
    assert reasons(manifest) == {
        f"{LIST}#3": "missing image: no aligned image of train_00003 "
        "(the original one is there; sources are not mixed)"
    }
    assert manifest.rejects[0].sample_id == "rafdb/train_00003"


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("final", [True, False])
@pytest.mark.parametrize("name", ["list_patition_label.txt", "list_partition_label.txt"])
def test_list_spellings(basic: Path, newline: str, final: bool, name: str) -> None:
    expected = ingest("rafdb", basic).digest()
    path = write_list(basic, BASIC, newline=newline, end=newline if final else "")
    path.rename(path.with_name(name))
    manifest = ingest("rafdb", basic)
    assert not manifest.rejects
    assert manifest.digest() == expected


def test_zips_extracted_one_level_deeper(tmp_path: Path) -> None:
    base = write_official(tmp_path / "basic", nested=True)
    manifest = ingest("rafdb", base)
    assert not manifest.rejects
    assert manifest.column("uri")[0] == "Image/aligned/aligned/train_00001_aligned.jpg"


def test_both_parts_below_one_folder(basic: Path, compound: Path, tmp_path: Path) -> None:
    assert {each.dataset for each in detect(tmp_path)} == {"rafdb", "rafdb-compound"}
    assert len(ingest("rafdb", tmp_path)) == len(BASIC)
    assert len(ingest("rafdb-compound", tmp_path)) == len(COMPOUND)


def test_compound_has_its_own_labels(compound: Path) -> None:
    manifest = ingest("rafdb-compound", compound)
    manifest.validate()
    assert manifest.label_space.name == "rafdb-compound"
    assert len(manifest.label_space) == 11
    first = rows(manifest)["train_0001"]
    assert first["sample_id"] == "rafdb-compound/train_0001"
    assert (first["label"], first["label_native"]) == ("happily_surprised", "1")
    soft = dict(zip(CANONICAL, first["soft_label"], strict=True))  # type: ignore[call-overload]
    assert {name: share for name, share in soft.items() if share} == {
        "happiness": 0.5,
        "surprise": 0.5,
    }


def test_parts_are_told_apart_without_folder_names(compound: Path, basic: Path) -> None:
    compound.rename(compound.with_name("x"))
    basic.rename(basic.with_name("y"))
    assert detect(compound.with_name("x"))[0].dataset == "rafdb-compound"
    assert detect(basic.with_name("y"))[0].dataset == "rafdb"


# -- bad copies: every line is a row or a reject ---------------------------------------------


def test_bad_lines_become_rejects_and_nothing_is_lost(basic: Path) -> None:
    def damage(lines: list[str]) -> list[str]:
        lines[1] = "train_00002.jpg 9"
        lines[3] = ""
        lines[5] = "../../etc/passwd.jpg 3"
        lines[6] = "/etc/train_00007.jpg 3"
        lines[7] = "train_00008.jpg"
        lines[8] = "train_00001.jpg 1"
        lines[9] = "train_00001.jpg 4"
        return lines

    edit(LIST, damage)(basic)
    manifest = ingest("rafdb", basic)
    manifest.validate()
    found = {uri: why for uri, why in reasons(manifest).items() if uri.startswith(LIST)}
    assert len(manifest) + len(found) == len(BASIC)
    assert {uri.removeprefix(f"{LIST}#") for uri in found} == {"2", "4", "6", "7", "8", "9", "10"}
    assert found[f"{LIST}#2"] == (
        "label code 9: expected 1–7; the compound part has codes 1–11, "
        "use `ferdata build rafdb-compound`"
    )
    assert found[f"{LIST}#4"] == "blank line"
    assert found[f"{LIST}#6"].startswith("path leaves the data root")
    assert found[f"{LIST}#7"].startswith("path leaves the data root")
    assert found[f"{LIST}#8"].startswith("malformed line: 'train_00008.jpg'")
    assert found[f"{LIST}#9"] == "duplicate id: line 1"
    assert found[f"{LIST}#10"] == "duplicate id: line 1 says code 1, this one 4"


def test_a_trailing_newline_is_no_blank_line_but_two_are(basic: Path) -> None:
    write_list(basic, BASIC, end="\n")
    assert not ingest("rafdb", basic).rejects
    write_list(basic, BASIC, end="\n\n")
    assert [reject.reason for reject in ingest("rafdb", basic).rejects] == ["blank line"]


def test_many_foreign_codes_are_an_error_with_advice(basic: Path) -> None:
    write_list(basic, [(key, 9 if at % 4 == 0 else code) for at, (key, code) in enumerate(BASIC)])
    with pytest.raises(LabelError) as caught:
        ingest("rafdb", basic)
    message = str(caught.value)
    assert message.startswith("rafdb: label code 9 in ")
    assert "list_patition_label.txt line 1; expected one of 1–7" in message
    assert message.endswith("The compound part has codes 1–11, use `ferdata build rafdb-compound`.")


def test_a_file_that_is_no_list(basic: Path) -> None:
    (basic / LIST).write_text("these are\nnot the lines\nof a label list\n")
    with pytest.raises(AnnotationError, match="is not a label list of rafdb"):
        ingest("rafdb", basic)
    (basic / LIST).write_text("")
    with pytest.raises(AnnotationError, match="is empty"):
        ingest("rafdb", basic)


def test_two_lists_that_differ(basic: Path) -> None:
    other = basic / "EmoLabel/list_partition_label.txt"
    shutil.copy(basic / LIST, other)
    assert not ingest("rafdb", basic).rejects
    other.write_text(other.read_text().replace("train_00001.jpg 1", "train_00001.jpg 2"))
    with pytest.raises(AnnotationError, match="differs from"):
        ingest("rafdb", basic)


def test_two_copies_below_one_folder(tmp_path: Path) -> None:
    write_official(tmp_path / "a" / "basic")
    write_official(tmp_path / "b" / "basic")
    with pytest.raises(LayoutError, match="contains 2 copies of rafdb"):
        ingest("rafdb", tmp_path)


def test_images_in_no_list_are_rejects(basic: Path) -> None:
    for number in (90001, 90002):
        write_image(basic / f"Image/aligned/train_{number}_aligned.jpg")
    manifest = ingest("rafdb", basic)
    assert len(manifest) == len(BASIC)
    assert reasons(manifest) == {
        f"Image/aligned/train_{number}_aligned.jpg": "not in the list: no line names it"
        for number in (90001, 90002)
    }


def test_an_image_that_occurs_twice(basic: Path) -> None:
    write_image(basic / "Image/aligned/aligned/train_00001_aligned.jpg", 5)
    manifest = ingest("rafdb", basic)
    assert manifest.column("uri")[0] == "Image/aligned/train_00001_aligned.jpg"
    assert reasons(manifest) == {
        "Image/aligned/aligned/train_00001_aligned.jpg": (
            "duplicate id: also Image/aligned/train_00001_aligned.jpg"
        )
    }


@pytest.mark.parametrize("layout", ["nothing", "images of the other source"])
def test_archives_that_were_not_extracted(tmp_path: Path, layout: str) -> None:
    sources = [] if layout == "nothing" else ["original"]
    base = write_official(tmp_path / "basic", sources=sources)
    write_text(base / "Image/aligned.zip", "PK")
    source = None if layout == "nothing" else "aligned"
    with pytest.raises(LayoutError, match=r"aligned"):
        ingest("rafdb", base, source=source)
    if layout == "nothing":
        best = detect(base)[0]
        assert best.confidence <= 0.5
        assert "extract Image/aligned.zip" in best.missing
        with pytest.raises(LayoutError, match=r"extract Image/aligned\.zip"):
            ingest("rafdb", base)


def test_annotation_archive_that_was_not_extracted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    base = write_official(tmp_path / "basic", annotation=False)
    write_text(base / "Annotation/manual.zip", "PK")
    manifest = ingest("rafdb", base)
    assert set(manifest.strings("gender")) == {None}
    assert "annotation archives are not extracted: Annotation/manual.zip" in caplog.text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1 2 3",
        "x\ty\r\n" * 5 + "0 0 0",
        "1\t2\r\n" * 5 + "0\r\n0\r\n9\r\n",
        "nan 1 " * 5 + "0 0 0",
    ],
)
def test_malformed_manual_annotation_keeps_the_row(
    basic: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    write_text(basic / "Annotation/manual/train_00002_manu_attri.txt", text)
    manifest = ingest("rafdb", basic, source="original")
    assert not manifest.rejects
    damaged = rows(manifest)["train_00002"]
    assert damaged["gender"] is None
    assert damaged["five_points"] is None
    assert damaged["landmarks"] is not None
    assert "1 annotation files are malformed" in caplog.text
    assert "train_00002_manu_attri.txt" in caplog.text


def test_malformed_auto_annotation_and_box(basic: Path) -> None:
    write_text(basic / "Annotation/auto/train_00002_auto_attri.txt", AUTO_36)
    write_text(basic / "Annotation/boundingbox/train_00002_boundingbox.txt", "9 9 1 1 ")
    damaged = rows(ingest("rafdb", basic, source="original"))["train_00002"]
    assert damaged["five_points"] is not None
    assert damaged["landmarks"] is damaged["landmark_scheme"] is damaged["box"] is None


AUTO_36 = "1.0\t2.0\r\n" * 36


def test_missing_annotation_is_counted(basic: Path, caplog: pytest.LogCaptureFixture) -> None:
    (basic / "Annotation/manual/train_00004_manu_attri.txt").unlink()
    manifest = ingest("rafdb", basic)
    assert rows(manifest)["train_00004"]["gender"] is None
    assert "1 images have no manual annotation: train_00004" in caplog.text


def test_unknown_source(basic: Path) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'original'"):
        ingest("rafdb", basic, source="orignal")


def test_counts_are_compared(basic: Path, caplog: pytest.LogCaptureFixture) -> None:
    said = ingest("rafdb", basic).provenance["ingest"]
    assert said["count_check"] == "differs from the published counts"
    assert {"split": "train", "label": "fear", "found": 4, "published": 281} in said[
        "count_differences"
    ]
    assert "14 counts differ" in caplog.text
    assert str(basic) not in str(said)


# -- unreadable folders ----------------------------------------------------------------------


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that an unprivileged user can reach, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def unprivileged() -> Iterator[None]:
    """Be nobody for a while: to root, nothing is unreadable."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    yield
    os.seteuid(0)


@pytest.mark.parametrize("folder", ["Image/aligned", "Annotation", "EmoLabel", ""])
def test_unreadable_folder_is_named(
    open_folder: Path, folder: str, request: pytest.FixtureRequest
) -> None:
    base = write_official(open_folder / "basic")
    closed = base / folder
    closed.chmod(0)
    request.getfixturevalue("unprivileged")
    try:
        with pytest.raises(LayoutError, match="Permission denied") as caught:
            ingest("rafdb", base)
        assert (folder or str(base)) in str(caught.value)
    finally:
        if open_folder.stat().st_uid == os.geteuid():
            closed.chmod(stat.S_IRWXU)
