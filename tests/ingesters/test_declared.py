"""Sets of one's own: what a declaration reads, what it refuses, and what a draft says."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from support.own_sets import CODES, SHAPES, Own, own_images, write
from typer.testing import CliRunner

from ferdata.cli.app import app
from ferdata.core.errors import (
    AnnotationError,
    FerdataError,
    ImageError,
    LabelError,
    LayoutError,
    ManifestError,
)
from ferdata.core.given_splits import split_of_word
from ferdata.core.images import read_image
from ferdata.core.manifest import Manifest
from ferdata.ingesters import ingest
from ferdata.ingesters.declared.draft import draft_declaration


@pytest.fixture(scope="module")
def images() -> list[Own]:
    return own_images()


@pytest.fixture(scope="module")
def sets(images: list[Own], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the set in every shape."""
    root = tmp_path_factory.mktemp("own")
    for name, shape in SHAPES.items():
        shape.write(root / name, images)
    return root


def read(folder: Path, text: str, tmp_path: Path) -> Manifest:
    (tmp_path / "my.yaml").write_text(text)
    return ingest(str(tmp_path / "my.yaml"), folder)


@pytest.mark.parametrize("name", SHAPES)
def test_labels_splits_and_pixels_are_those_on_the_disk(
    name: str, images: list[Own], sets: Path, tmp_path: Path
) -> None:
    manifest = read(sets / name, SHAPES[name].declaration("mine"), tmp_path)
    assert len(manifest) == len(images)
    assert manifest.rejects == ()
    assert manifest.label_space.name == "basic7"
    by_pixels = {each.pixels.tobytes(): each for each in images}
    for row in manifest.rows(["uri", "label", "split_native", "subject", "dataset"]):
        pixels = read_image(manifest.roots["mine"], row["uri"]).pixels
        own = by_pixels.pop(pixels[:, :, 0].tobytes())
        assert row["label"] == CODES[own.code]
        assert split_of_word(row["split_native"]) == own.split
        assert row["subject"] == (own.person if name == "table" else None)
    assert by_pixels == {}


@pytest.mark.parametrize("name", SHAPES)
def test_a_draft_reads_the_set(name: str, images: list[Own], sets: Path, tmp_path: Path) -> None:
    out = tmp_path / "draft.yaml"
    result = CliRunner().invoke(app, ["detect", str(sets / name), "--write", str(out)])
    assert result.exit_code == 0, result.output
    text = out.read_text()
    assert len(text.splitlines()) <= 25
    if SHAPES[name].labels:
        assert "# labels: {0: …" in text
        with pytest.raises(LabelError, match="under labels"):
            ingest(str(out), sets / name)
        text += "labels: fer2013\n"
    manifest = read(sets / name, text, tmp_path)
    expected = Counter((CODES[each.code], each.split) for each in images)
    rows = manifest.rows(["label", "split_native"])
    assert Counter((row["label"], split_of_word(row["split_native"])) for row in rows) == expected
    again = CliRunner().invoke(app, ["detect", str(sets / name), "--write", str(out)])
    assert again.exit_code != 0  # what the user has checked is not overwritten


@pytest.mark.parametrize(
    ("name", "change", "error", "message"),
    [
        ("table", ("label: emotion", "label: emotoin"), AnnotationError, "mean 'emotion'"),
        ("table", ("labels.csv", "lables.csv"), LayoutError, "no table fits 'lables.csv'"),
        ("lists", ("label: 2", "label: 3"), AnnotationError, "2 columns, but column 3"),
        ("lists", ("labels: fer2013", "labels: {1: happy}"), LabelError, "'0', '2'"),
        ("parquet", ("image: image", "image: img"), AnnotationError, "mean 'image'"),
        ("arrays", ("_label", "_target"), AnnotationError, "PrivateTest_target is missing"),
        ("arrays", ("_pixel", "_pixels"), AnnotationError, "its arrays are PrivateTest_label"),
        ("code-folders", ("*.png", "*.bmp"), LayoutError, "no image fits"),
        ("code-folders", ("labels: fer2013", ""), LabelError, "fer2013, alphabetical, alpha"),
        ("code-folders", ("{label}", "{lable}"), ManifestError, "unknown place {lable}"),
        ("code-folders", ("{label}", "*"), ManifestError, "has no {label}"),
        ("code-folders", ("framing: crop", ""), ManifestError, "framing: Field required"),
        ("code-folders", ("framing:", "faming:"), ManifestError, "Did you mean 'framing'"),
        ("code-folders", ("images:", "image:"), ManifestError, "'images' or 'table'"),
        ("code-folders", ("name: mine", "name: rafdb"), ManifestError, "choose another name"),
        ("lists", ("fer2013", "fer2031"), ManifestError, "one of fer2013, alphabetical"),
        ("lists", ("name: mine", "name: a b"), ManifestError, "'a b': use letters"),
        ("table", ("path: file,", ""), ManifestError, "name either path"),
        ("table", ("label: emotion", "label: 2"), ManifestError, "all names or"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(
    name: str,
    change: tuple[str, str],
    error: type[FerdataError],
    message: str,
    sets: Path,
    tmp_path: Path,
) -> None:
    text = SHAPES[name].declaration("mine")
    assert change[0] in text
    with pytest.raises(error) as caught:
        read(sets / name, text.replace(*change), tmp_path)
    assert message in str(caught.value)


def test_every_row_and_file_is_accounted_for(images: list[Own], tmp_path: Path) -> None:
    root = tmp_path / "set"
    SHAPES["lists"].write(root, images)
    lines = (root / "train.txt").read_text().splitlines()
    lines += ["images/none.png 1", "images/0.png 1", "images/1.png", "../out.png 2"]
    (root / "train.txt").write_text("\n".join([*lines, "images/extra.png 9"]))
    for name in ("extra", "unlisted"):
        write(root / f"images/{name}.png", images[0].png)
    write(root / "README.md", b"words")
    manifest = read(root, SHAPES["lists"].declaration("mine"), tmp_path)
    assert len(manifest) == len(images)
    reasons = [reject.reason for reject in manifest.rejects]
    assert len(reasons) == 5
    for kind in ("file is missing", "duplicate row", "malformed line", "path leaves", "label 9"):
        assert sum(reason.startswith(kind) for reason in reasons) == 1, (kind, reasons)
    said = manifest.provenance["ingest"]
    assert said["read"] == 1  # of two; the other one's rows are among the rejects
    assert said["ignored"] == {
        ".md files": 1,
        "images that the table doesn't list": 1,
    }


def test_labels_can_be_dropped_and_need_not_be_expressions(
    images: list[Own], tmp_path: Path
) -> None:
    root = tmp_path / "set"
    for each in images[:20]:
        word = ("yawn", "happy", "other")[each.number % 3]
        write(root / f"{each.person}_{word}_{each.number}.PNG", each.png)
    text = (
        "name: mine\nimages: '{subject}_{label}_*.png'\n"
        "labels: {yawn: yawning, other: drop}\nframing: photograph\n"
    )
    manifest = read(root, text, tmp_path)
    assert manifest.label_space.names == ("happiness", "yawning")
    assert set(manifest.column("subject")) == {
        each.person for each in images[:20] if each.number % 3 < 2
    }
    assert set(manifest.column("framing")) == {"photograph"}
    (ignored,) = manifest.provenance["ingest"]["ignored"].values()
    assert len(manifest) + ignored == 20


def test_numbers_of_a_table(images: list[Own], tmp_path: Path) -> None:
    root = tmp_path / "set"
    for each in images[:3]:
        write(root / f"{each.number}.png", each.png)
    (root / "t.csv").write_text(
        "file,exp,val,x,y,r,b,aus\n0.png,3.0,-0.5,1,2,20,21,AU1;AU12:3\n1.png,3,,,,,,\n"
        "2.png,3,much,1,2,3,4,\n"
    )
    text = (
        "name: mine\nframing: crop\nlabels: affectnet\ntable: {file: t.csv, path: file, label: exp,"
        " valence: val, box: [x, y, r, b], action_units: aus}\n"
    )
    manifest = read(root, text, tmp_path)
    assert manifest.column("label") == ["surprise", "surprise"]
    assert manifest.column("valence") == [-0.5, None]
    assert manifest.column("box") == [[1, 2, 20, 21], None]
    assert manifest.column("action_units") == [["AU1", "AU12:3"], None]
    (reject,) = manifest.rejects
    assert reject.reason.startswith("malformed number")


@pytest.mark.parametrize("shape", [(24, 24), (24 * 24,), (24, 24, 1), (24, 24, 3)])
def test_npz_arrays_of_any_usual_shape(shape: tuple[int, ...], tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (14, *shape)).astype(np.float32)
    (tmp_path / "set").mkdir()
    np.savez(tmp_path / "set/x.npz", X=pixels, y=np.arange(14) % 7)
    text = "name: mine\ntable: {file: x.npz, image: X, label: y}\nlabels: alphabetical\n"
    manifest = read(tmp_path / "set", text + "framing: crop\n", tmp_path)
    assert manifest.column("label")[:3] == ["anger", "disgust", "fear"]
    first = read_image(manifest.roots["mine"], manifest.column("uri")[13])
    assert np.array_equal(
        first.pixels[:, :, 0].ravel(), pixels[13].reshape(24, 24, -1)[..., 0].ravel()
    )
    assert first.channels == (3 if shape[-1] == 3 else 1)
    with pytest.raises(ImageError, match="row is missing"):
        read_image(manifest.roots["mine"], "x.npz#X/14")
    with pytest.raises(ImageError, match="no column or array"):
        read_image(manifest.roots["mine"], "x.npz#Z/1")


def test_a_draft_marks_what_a_folder_does_not_tell(images: list[Own], tmp_path: Path) -> None:
    for each in images:
        write(
            tmp_path / f"set/{each.person}/{each.code % 2 * 'mouth'}x/{each.number}.png", each.png
        )
    draft = draft_declaration(tmp_path / "set")
    assert draft is not None
    assert "images: '*/{label}/*.png'" in draft.text
    assert "write {subject} there" in draft.text
    assert "# labels: {mouthx: …, x: …}" in draft.text


def test_a_draft_finds_columns_among_others(images: list[Own], tmp_path: Path) -> None:
    root = tmp_path / "set"
    rows = ["\t".join(("", "Image Name", "Expression", "Usage", "note"))]
    for each in images:
        write(root / f"aligned/{each.number}.png", each.png)
        rows.append(f"{each.number}\t{each.number}.png\t{each.code}.0\t{each.split}\t7")
    (root / "list.tsv").write_text("\n".join(rows), encoding="utf-16")
    draft = draft_declaration(root)
    assert draft is not None
    manifest = read(root, draft.text + "labels: fer2013\n", tmp_path)
    assert manifest.column("label") == [CODES[each.code] for each in images]
    assert manifest.column("split_native") == [each.split for each in images]


def test_a_folder_of_anything_else_has_no_draft(tmp_path: Path) -> None:
    write(tmp_path / "set/notes.csv", b"a,b\n1,2\n")
    assert draft_declaration(tmp_path / "set") is None
    out = tmp_path / "my.yaml"
    result = CliRunner().invoke(app, ["detect", str(tmp_path / "set"), "--write", str(out)])
    assert result.exit_code != 0
    assert not out.exists()
