"""CK+: films, frames, folds of people."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from ferdata.curate.folds import subject_folds
from ferdata.curate.split import split
from ferdata.curate.validate import subjects_in_two_splits
from ferdata.errors import LabelError, LayoutError, OptionError
from ferdata.ingest import ingest
from ferdata.labels import BASIC8
from ferdata.synth import write_demo
from ferdata.synth.copies.ckplus import FOLDS, CkPlus, Frame

ALL = {"anger": 45, "contempt": 18, "disgust": 59, "fear": 25, "happiness": 69, "sadness": 28}
ALL["surprise"] = 83


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the official trees at full size, images and landmarks left empty."""
    root = tmp_path_factory.mktemp("ckplus")
    codes = {name: code for code, name in enumerate(("neutral", *sorted(ALL)))}
    for frame in CkPlus().plan("official", 1.0, 0):
        assert isinstance(frame, Frame)
        folder = root / f"cohn-kanade-images/{frame.subject}/{frame.film}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{frame.stem}.png").touch()
        if frame.number == frame.last:
            label = root / f"Emotion_labels/Emotion/{frame.subject}/{frame.film}"
            label.mkdir(parents=True)  # also where the film has no label
            if frame.labelled:
                text = f"   {codes[frame.drawn]:.7e}\n"
                (label / f"{frame.stem}_emotion.txt").write_text(text)
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


def test_the_copy_has_593_films_of_123_people(full: Path) -> None:
    films = list((full / "cohn-kanade-images").glob("*/*"))
    assert len(films) == 593
    assert len({film.parent for film in films}) == 123


def test_the_ten_folds_of_people(full: Path) -> None:
    manifest = ingest("ckplus", full, frames="peak")
    folds = subject_folds(manifest, 10)
    assert tuple(Counter(folds.tolist())[fold] for fold in range(1, 11)) == FOLDS
    rows = [{"pixel_sha256": name} for name in manifest.column("sample_id")]
    hashed = manifest.with_column("pixel_sha256", [row["pixel_sha256"] for row in rows])
    for fold in (1, 3, 10):
        done = split(hashed, f"subject-kfold:10:{fold}")
        assert Counter(done.column("split"))["test"] == FOLDS[fold - 1]
        assert subjects_in_two_splits(done) == []


def test_the_last_frames_in_order_of_their_numbers(full: Path) -> None:
    rows = list(
        ingest("ckplus", full, frames="last3+neutral").rows(
            ["subject", "sequence", "frame", "label"]
        )
    )
    film = [row for row in rows if (row["subject"], row["sequence"]) == ("S005", "001")]
    numbers = [row["frame"] for row in film]
    last = numbers[-1]
    assert numbers == [1, last - 2, last - 1, last]
    assert [row["label"] == "neutral" for row in film] == [True, False, False, False]


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


def test_images_without_emotion_files(tmp_path: Path) -> None:
    folder = tmp_path / "cohn-kanade-images/S005/001"
    folder.mkdir(parents=True)
    (folder / "S005_001_00000001.png").touch()
    with pytest.raises(LayoutError, match=r"extract Emotion_labels\.zip"):
        ingest("ckplus", tmp_path)


def test_ck48_has_no_neutral_frames(tmp_path: Path) -> None:
    root = write_demo("ckplus", tmp_path / "ck", layout="ck48", scale=0.002, quiet=True).root
    manifest = ingest("ckplus", root)
    assert len(ingest("ckplus", root, frames="peak")) == len(manifest) // 3
    with pytest.raises(OptionError, match="CK\\+48 holds only the last three"):
        ingest("ckplus", root, frames="peak+neutral")
    assert all(manifest.column("subject"))


def test_ckextended_has_codes_of_its_own(tmp_path: Path) -> None:
    words = [f"{code},0 0,Training" for code in (0, 1, 2, 3, 4, 5, 6, 7)]
    path = tmp_path / "ckextended.csv"
    path.write_text("\n".join(["emotion,pixels,Usage", *words]) + "\n")
    manifest = ingest("ckplus", tmp_path, frames="peak+neutral")
    assert manifest.column("label") == [
        *("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral", "contempt"),
    ]
    assert manifest.column("subject") == [None] * 8
    assert len(ingest("ckplus", tmp_path)) == 7
    path.write_text("\n".join(["emotion,pixels,Usage", *(["9,0 0,Training"] * 9)]) + "\n")
    with pytest.raises(LabelError, match="9 of 9 rows"):
        ingest("ckplus", tmp_path)
