"""CK+: sequences, frames, folds of subjects."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from support.trees import kinds, touch, write

from ferdata.core.errors import (
    AnnotationError,
    LabelError,
    LayoutError,
    OptionError,
    TooManyRejectsError,
)
from ferdata.core.images import read_image
from ferdata.core.labels import BASIC8
from ferdata.core.split_rules import SubjectFoldRule
from ferdata.curation.leakage import subjects_in_several_splits
from ferdata.curation.split import split
from ferdata.ingesters import detect, ingest
from ferdata.ingesters.ckplus.synthetic import FOLDS, SIZES, CkPlus
from ferdata.ingesters.demo import write_demo

ALL = {"anger": 45, "contempt": 18, "disgust": 59, "fear": 25, "happiness": 69, "sadness": 28}
ALL["surprise"] = 83


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the official trees at full size, images and landmarks left empty."""
    root = tmp_path_factory.mktemp("ckplus")
    codes = {name: code for code, name in enumerate(("neutral", *sorted(ALL)))}
    for frame in CkPlus().plan("official", 1.0, 0):
        place = f"{frame.subject}/{frame.sequence}"
        touch(root, f"cohn-kanade-images/{place}/{frame.stem}.png")
        if frame.number == frame.last:
            labels = root / f"Emotion_labels/Emotion/{place}"
            labels.mkdir(parents=True)  # also where the sequence has no label
            if frame.labeled:
                text = f"   {codes[frame.drawn]:.7e}"
                write(labels / f"{frame.stem}_emotion.txt", text)
    return root


@pytest.mark.parametrize(
    ("frames", "peaks", "neutral"),
    [("last3", 3, 0), ("peak", 1, 0), ("last3+neutral", 3, 327), ("peak+neutral", 1, 327)],
)
def test_frame_rules_at_full_size(full: Path, frames: str, peaks: int, neutral: int) -> None:
    manifest = ingest("ckplus", full, frames=frames)
    counts = Counter(manifest.column("label"))
    expected = {name: peaks * number for name, number in ALL.items()}
    assert counts == Counter(expected | ({"neutral": neutral} if neutral else {}))
    assert manifest.provenance["ingest"]["count_check"] == "as published"
    assert len(manifest.label_space) == (8 if neutral else 7)
    assert (manifest.label_space == BASIC8) == bool(neutral)
    assert not manifest.rejects
    assert len(set(manifest.column("subject"))) == 118
    assert (
        len(set(zip(manifest.column("subject"), manifest.column("sequence"), strict=True))) == 327
    )


def test_the_copy_has_593_sequences_of_123_subjects(full: Path) -> None:
    sequences = list((full / "cohn-kanade-images").glob("*/*"))
    assert len(sequences) == 593
    assert len({sequence.parent for sequence in sequences}) == 123


def test_the_ten_folds_of_subjects(full: Path) -> None:
    manifest = ingest("ckplus", full, frames="peak")
    folds = SubjectFoldRule(10).folds_of(manifest.column("subject"))
    assert tuple(Counter(folds)[fold] for fold in range(1, 11)) == FOLDS
    hashed = manifest.with_column("pixel_sha256", manifest.column("sample_id"))
    for fold in (1, 3, 10):
        done = split(hashed, f"subject-kfold:10:{fold}")
        assert Counter(done.column("split"))["test"] == FOLDS[fold - 1]
        assert subjects_in_several_splits(done) == []


def test_the_last_frames_in_order_of_their_numbers(full: Path) -> None:
    rows = list(
        ingest("ckplus", full, frames="last3+neutral").rows(
            ["subject", "sequence", "frame", "label"]
        )
    )
    sequence = [row for row in rows if (row["subject"], row["sequence"]) == ("S005", "001")]
    numbers = [row["frame"] for row in sequence]
    last = numbers[-1]
    assert numbers == [1, last - 2, last - 1, last]
    assert [row["label"] == "neutral" for row in sequence] == [True, False, False, False]


def test_landmarks_and_action_units(tmp_path: Path) -> None:
    root = write_demo("ckplus", tmp_path / "ck", scale=0.002, quiet=True).root
    rows = list(ingest("ckplus", root).rows())
    assert all(len(row["landmarks"]) == 68 for row in rows)
    assert {row["landmark_source"] for row in rows} == {"dataset"}
    peaks = [row for row in rows if row["action_units"]]
    assert len(peaks) == len(rows) // 3
    happy = next(row for row in peaks if row["label"] == "happiness")
    assert happy["action_units"] == ["AU6:3", "AU12:4"]
    angry = next(row for row in peaks if row["label"] == "anger")
    assert "AU7" in angry["action_units"]  # intensity 0 is "not given"
    sizes = set()
    for row in rows:
        height, width = read_image(root, row["uri"]).pixels.shape[:2]
        points = np.array(row["landmarks"])
        assert (points > 0).all()
        assert (points < (width, height)).all()
        sizes.add((width, height))
    assert sizes == set(SIZES)


def write_sequences(root: Path, labels: dict[str, str | None], frames: int = 5) -> Path:
    """Write sequences of empty images with the texts of their emotion files, None for no file."""
    for sequence, text in labels.items():
        stem = sequence.replace("/", "_")
        images = f"cohn-kanade-images/{sequence}/{stem}"
        touch(root, *(f"{images}_{number:08d}.png" for number in range(1, frames + 1)))
        if text is not None:
            write(root / f"Emotion/{sequence}/{stem}_{frames:08d}_emotion.txt", text, end="")
    return root


GOOD = "   3.0000000e+00\n"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("   0.0000000e+00\n", "label code 0"),
        ("   8.0000000e+00\n", "label code 8"),
        *((text, "malformed label") for text in ("", "nan", "inf", "3.7", "3 4", "sad")),
    ],
)
def test_a_sequence_with_a_wrong_label_is_rejected_whole(
    tmp_path: Path, text: str, kind: str
) -> None:
    root = write_sequences(tmp_path, {"S005/001": GOOD, "S006/001": text, "S007/001": None})
    for frames, rejected in (("last3", (3, 4, 5)), ("peak+neutral", (1, 5))):
        manifest = ingest("ckplus", root, frames=frames)
        assert set(manifest.column("subject")) == {"S005"}
        assert [each.sample_id for each in manifest.rejects] == [
            f"ckplus/S006_001_{number:08d}" for number in rejected
        ]
        assert set(kinds(manifest)) == {kind}


def test_labels_of_another_dataset(tmp_path: Path) -> None:
    root = write_sequences(tmp_path, {f"S{number:03d}/001": "9\n" for number in range(10, 20)})
    with pytest.raises(LabelError, match=r"label code 9: .*10 of 10 labeled sequences"):
        ingest("ckplus", root)


def test_emotion_files_that_contradict_each_other(tmp_path: Path) -> None:
    root = write_sequences(tmp_path, {"S005/001": GOOD, "S006/001": GOOD})
    again = root / "labels again/S005_001_00000005_emotion.txt"
    write(again, "5")
    manifest = ingest("ckplus", root)
    assert set(manifest.column("subject")) == {"S006"}
    assert set(kinds(manifest)) == {"contradictory labels"}
    again.write_text(GOOD)
    assert len(ingest("ckplus", root)) == 6


def test_a_sequence_that_was_cut_short_has_lost_its_peak(tmp_path: Path) -> None:
    root = write_sequences(tmp_path, {"S005/001": GOOD})
    (root / "cohn-kanade-images/S005/001/S005_001_00000005.png").unlink()
    manifest = ingest("ckplus", root, frames="last3")
    assert manifest.column("frame") == [3, 4]
    (lost,) = manifest.rejects
    assert lost.sample_id == "ckplus/S005_001_00000005"
    assert lost.reason.startswith("missing image: ")
    with pytest.raises(TooManyRejectsError, match="1 × missing image: the last frame"):
        ingest("ckplus", root, frames="peak")


def test_a_sequence_of_two_frames(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    root = write_sequences(tmp_path, {"S005/001": GOOD}, frames=2)
    manifest = ingest("ckplus", root, frames="last3+neutral")
    assert manifest.column("label") == ["neutral", "disgust"]
    assert "too few frames for --frames last3+neutral" in caplog.text


def test_images_that_are_no_frames_or_frames_again(tmp_path: Path) -> None:
    root = write_sequences(tmp_path, {"S005/001": GOOD})
    touch(root, "cohn-kanade-images/S005/001/holiday.png", "copy/S005/001/S005_001_00000005.png")
    manifest = ingest("ckplus", root)
    assert manifest.column("frame") == [3, 4, 5]
    assert sorted(kinds(manifest)) == ["duplicate id", "file name"]


def test_trees_that_are_not_there_or_malformed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = write_sequences(tmp_path, {"S005/001": GOOD})
    ingest("ckplus", root)
    assert "3 frames have no landmark file (is Landmarks.zip extracted?)" in caplog.text
    assert "1 peak frames have no FACS file" in caplog.text
    caplog.clear()
    for number, text in ((3, "1 2\n" * 67), (4, "nan 2\n" * 68), (5, "   1.5e+02   2.5\n" * 68)):
        (root / f"S005_001_{number:08d}_landmarks.txt").write_text(text)
    (root / "S005_001_00000005_facs.txt").write_text("nan 3\n")
    rows = list(ingest("ckplus", root).rows())
    assert [row["landmarks"] is None for row in rows] == [True, True, False]
    assert np.allclose(rows[2]["landmarks"], [(150.0, 2.5)] * 68)
    assert rows[2]["landmark_scheme"] == "ibug68"
    assert rows[2]["action_units"] is None
    assert "2 landmark files are malformed" in caplog.text
    assert "1 FACS files are malformed" in caplog.text


def test_the_authors_trees_come_before_remade_copies(tmp_path: Path) -> None:
    root = write_sequences(tmp_path, {"S005/001": GOOD})
    touch(root, "CK+48/disgust/S005_001_00000005.png")
    write(root / "ckextended.csv", "emotion,pixels,Usage", "0,0 0,Training")
    assert [each.name for each in detect(root)][:3] == ["official", "ck48", "ckextended"]
    manifest = ingest("ckplus", root)
    assert set(manifest.column("layout")) == {"official"}
    assert not manifest.rejects
    ignored = manifest.provenance["ingest"]["ignored"]
    assert ignored["images outside the tree of the sequences"] == 1


def test_images_without_emotion_files(tmp_path: Path) -> None:
    touch(tmp_path, "cohn-kanade-images/S005/001/S005_001_00000001.png")
    with pytest.raises(LayoutError, match=r"extract Emotion_labels\.zip"):
        ingest("ckplus", tmp_path)


def test_ck48_has_no_neutral_frames(tmp_path: Path) -> None:
    root = write_demo("ckplus", tmp_path / "ck", layout="ck48", scale=0.002, quiet=True).root
    manifest = ingest("ckplus", root)
    assert len(ingest("ckplus", root, frames="peak")) == len(manifest) // 3
    with pytest.raises(OptionError, match="CK\\+48 contains only the last three"):
        ingest("ckplus", root, frames="peak+neutral")
    assert all(manifest.column("subject"))


def test_ck48_that_someone_has_split(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    images = ("test/anger/S010_004_00000017.png", "train/anger/S011_001_00000009.png")
    touch(tmp_path / "CK+48", *images)
    manifest = ingest("ckplus", tmp_path)
    assert manifest.column("split_native") == ["test", "train"]
    assert manifest.column("official_split") == [None, None]
    assert manifest.column("sequence") == ["004", "001"]
    assert "2 sequences have too few frames for --frames last3" in caplog.text


def test_ckextended_has_codes_of_its_own(tmp_path: Path) -> None:
    path, header = tmp_path / "ckextended.csv", "emotion,pixels,Usage"
    write(path, header, *(f"{code},0 0,Training" for code in range(8)))
    manifest = ingest("ckplus", tmp_path, frames="peak+neutral")
    assert manifest.column("label") == [
        *("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral", "contempt"),
    ]
    assert manifest.column("subject") == [None] * 8
    assert manifest.column("split_native") == ["Training"] * 8
    assert manifest.column("official_split") == [None] * 8
    assert len(ingest("ckplus", tmp_path)) == 7
    write(path, header, *(["9,0 0,Training"] * 9))
    with pytest.raises(LabelError, match="9 of 9 rows"):
        ingest("ckplus", tmp_path)
    write(path, header)
    with pytest.raises(AnnotationError, match="no rows"):
        ingest("ckplus", tmp_path)


@pytest.mark.parametrize(("frames", "rows"), [("last3", 327), ("peak+neutral", 920)])
def test_ckextended_at_full_size(tmp_path: Path, frames: str, rows: int) -> None:
    codes = Counter(sample.code for sample in CkPlus().plan("ckextended", 1.0, 0))
    assert codes == {0: 45, 1: 59, 2: 25, 3: 69, 4: 28, 5: 83, 6: 593, 7: 18}
    text = "".join(f"{code},0,Training\n" * number for code, number in codes.items())
    (tmp_path / "ckextended.csv").write_text(f"emotion,pixels,Usage\n{text}")
    manifest = ingest("ckplus", tmp_path, frames=frames)
    assert len(manifest) == rows
    assert not manifest.rejects
    assert manifest.provenance["ingest"]["count_check"] == "as published"
    assert not manifest.provenance["ingest"]["suspicions"]


@pytest.mark.parametrize("ending", ["png", "webp", "JPG", "tiff"])
def test_frames_in_other_formats(tmp_path: Path, ending: str) -> None:
    touch(tmp_path, *(f"happy/S010_004_0000001{number}.{ending}" for number in range(3)))
    manifest = ingest("ckplus", tmp_path)
    assert manifest.column("frame") == [10, 11, 12]
    assert not manifest.rejects
