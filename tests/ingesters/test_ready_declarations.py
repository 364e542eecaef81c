"""Sets that ship as ready declarations: their synthetic copies are recognized and read exactly."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest
from support.own_sets import own_images, write
from typer.testing import CliRunner

import ferdata
from ferdata.cli.app import app
from ferdata.core.errors import LayoutError, OptionError, UnknownNameError
from ferdata.core.given_splits import split_of_word
from ferdata.core.manifest import Manifest
from ferdata.ingesters import dataset_info, dataset_names, declared_names, detect, ingest
from ferdata.ingesters.declared.pattern import Pattern, expand_range
from ferdata.ingesters.declared.ready import ready_declaration
from ferdata.ingesters.demo import DemoCopy, find_writer, write_demo
from ferdata.ingesters.info import UNSPLIT

NAMES = ("expw", "ferg", "mmafedb", "oulu-casia", "rafd", "sfew")
SCALES = {"expw": 0.0005, "ferg": 0.0005, "mmafedb": 0.0002, "rafd": 0.002}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> dict[str, DemoCopy]:
    """Return a copy of each set; never write into them."""
    root = tmp_path_factory.mktemp("ready")
    return {
        name: write_demo(name, root / name, scale=SCALES.get(name, 0.01), quiet=True)
        for name in NAMES
    }


def counts_of(manifest: Manifest) -> Counter[tuple[str, str]]:
    rows = manifest.rows(["label", "split_native"])
    return Counter(
        (split_of_word(row["split_native"] or "") or UNSPLIT, row["label"]) for row in rows
    )


def test_all_are_found_by_name() -> None:
    assert declared_names() == NAMES
    assert not set(NAMES) & set(dataset_names())
    assert {each.name for each in ferdata.datasets()} >= set(NAMES)
    with pytest.raises(UnknownNameError, match=r"rafd"):
        dataset_info("raffd")


@pytest.mark.parametrize("name", NAMES)
def test_what_is_known_is_said(name: str) -> None:
    known = dataset_info(name)
    assert known.total > 1000
    for text in (known.license, known.citation.text, known.access.url, known.source):
        assert text != "not stated"
    said = ready_declaration(name)
    for by_class in said.counts.values():
        assert set(by_class) == set(said.classes)


@pytest.mark.parametrize("name", NAMES)
def test_a_copy_is_recognized_and_read_exactly(name: str, drawn: dict[str, DemoCopy]) -> None:
    copy = drawn[name]
    (found,) = detect(copy.root)
    assert found.dataset == name
    assert "files fit" in found.evidence[0]
    manifest = ingest(name, copy.root)
    assert manifest.rejects == ()
    assert manifest.roots[name] == found.root
    expected = Counter(
        {(split, label): n for split, labels in copy.counts.items() for label, n in labels.items()}
    )
    assert counts_of(manifest) == expected
    assert set(manifest.label_space.names) == set(dataset_info(name).codes.values())
    said = manifest.provenance["ingest"]
    assert said["suspicions"] == []
    assert said["declaration"]["name"] == name
    assert ingest(name, copy.root.parent).digest() == manifest.digest()  # from above, too


@pytest.mark.parametrize("name", NAMES)
def test_a_large_copy_has_a_path_for_each_image(name: str) -> None:
    writer = find_writer(name)
    (layout,) = writer.layouts
    images = writer.plan(layout, 0.3, 0)
    assert len({each.path for each in images}) == len(images)
    rows = sum(each.label is not None for each in images)
    assert rows == pytest.approx(0.3 * writer.info.total, rel=0.01)


def test_what_the_names_say_is_taken(drawn: dict[str, DemoCopy]) -> None:
    rafd = ingest("rafd", drawn["rafd"].root)
    row = next(row for row in rafd.rows(["uri", "pose", "subject", "gender", "race"]))
    assert row["uri"] == f"Rafd{row['pose']}_{row['subject']}_Caucasian_female_angry_frontal.jpg"
    assert row["gender"] == "female"
    assert row["race"] is None
    ferg = ingest("ferg", drawn["ferg"].root)
    assert {"aia", "bonnie"} <= set(ferg.column("subject"))
    sfew = ingest("sfew", drawn["sfew"].root)
    assert set(sfew.column("sequence")) == {"Movie_000000000"}
    assert set(sfew.column("split_native")) == {"Train", "Val"}
    boxes = ingest("expw", drawn["expw"].root).column("box")
    assert all(x2 > x1 >= 0 and y2 > y1 >= 0 for x1, y1, x2, y2 in boxes)


def test_only_the_last_frames_of_a_sequence_are_read(
    drawn: dict[str, DemoCopy], tmp_path: Path
) -> None:
    root = tmp_path / "OriginalImg"
    shutil.copytree(drawn["oulu-casia"].root / "OriginalImg", root)
    anger = root / "VL/Strong/P001/Anger"
    for other in ("NI/Strong/P001/Anger", "VL/Dark/P001/Anger"):
        shutil.copytree(anger, root / other)
    manifest = ingest("oulu-casia", tmp_path)
    assert manifest.rejects == ()
    frames = [
        row["frame"]
        for row in manifest.rows(["sequence", "frame"])
        if row["sequence"] == "VL/Strong/P001/Anger"
    ]
    assert sorted(frames) == [2, 3, 4]
    assert manifest.provenance["ingest"]["ignored"] == {
        "frames before the last 3 of a sequence": 12,
        "images that the declaration leaves out": 10,
    }


def test_faces_of_one_photograph_are_rows(drawn: dict[str, DemoCopy], tmp_path: Path) -> None:
    root = tmp_path / "expw"
    shutil.copytree(drawn["expw"].root, root)
    table = root / "label/label.lst"
    first = table.read_text().splitlines()[0]
    cells = first.split(" ")
    other = " ".join([cells[0], "1", "5", "4", "40", "60", "0", "6"])
    table.write_text(table.read_text() + f"{other}\n{other}\n")
    before = ingest("expw", drawn["expw"].root)
    manifest = ingest("expw", root)
    assert len(manifest) == len(before) + 1
    uri = f"image/origin/{cells[0]}"
    faces = [row for row in manifest.rows(["sample_id", "uri", "box"]) if row["uri"] == uri]
    assert [face["sample_id"] for face in faces] == [f"expw/{uri}#0", f"expw/{uri}#1"]
    assert faces[1]["box"] == [4, 5, 40, 60]
    (reject,) = manifest.rejects
    assert reject.reason.startswith("duplicate row")


def test_folders_with_names_of_expressions_are_nobodys(tmp_path: Path) -> None:
    for each in own_images():
        for split in ("Train", "Val", "test"):
            word = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")[each.code]
            write(tmp_path / f"set/{split}/{word}/img_{each.number:03d}.png", each.png)
            write(tmp_path / f"set/{split}/{word}/{each.number}.jpg", each.png)
    assert not {each.dataset for each in detect(tmp_path / "set")} & set(NAMES)


def test_a_folder_that_is_given_by_its_own_name(drawn: dict[str, DemoCopy]) -> None:
    root = drawn["mmafedb"].root / "MMAFEDB"
    assert detect(root)[0].dataset == "mmafedb"
    result = CliRunner().invoke(app, ["detect", str(root)])
    assert f"ferdata build mmafedb --data {root}" in result.output


def test_all_are_told_apart_in_one_folder(drawn: dict[str, DemoCopy]) -> None:
    above = drawn["rafd"].root.parent
    found = {each.dataset: each.root for each in detect(above)}
    assert found == {name: ingest(name, copy.root).roots[name] for name, copy in drawn.items()}


def test_the_command_line_lists_and_draws_them(tmp_path: Path) -> None:
    listed = CliRunner().invoke(app, ["datasets"]).output
    assert "declared" in listed
    assert all(name in listed for name in NAMES)
    shown = CliRunner().invoke(app, ["datasets", "sfew"]).output
    assert "958" in shown
    assert " 0\n" not in shown  # only totals are known
    out = tmp_path / "copy"
    result = CliRunner().invoke(app, ["demo", "mmafedb", "--out", str(out), "--scale", "0.0001"])
    assert f"ferdata build mmafedb --data {out}" in result.output


def test_a_build_of_a_synthetic_copy(tmp_path: Path) -> None:
    build = ferdata.build(
        "oulu-casia",
        out=tmp_path / "out",
        demo=True,
        demo_scale=0.01,
        landmarks="none",
        split="subject:1:0:1",
        size=32,
        formats=("hdf5",),
        workers=1,
        quiet=True,
    )
    assert build.record.rows == 18
    assert "Oulu-CASIA" in next(iter(build.record.datasets.values()))
    manifest = Manifest.load(tmp_path / "out/manifest.parquet")
    assert set(manifest.column("subject")) == {"P001"}


def test_one_in_a_mix(tmp_path: Path) -> None:
    (tmp_path / "mix.yaml").write_text(
        "name: both\ntitle: Both\nlabel_space: basic7\nsources:\n"
        "  jaffe: {split: 'stratified:1:0:1'}\n  mmafedb: {split: native}\n"
        "build: {align: none, landmarks: none, size: 32}\n"
    )
    build = ferdata.build(
        str(tmp_path / "mix.yaml"),
        out=tmp_path / "out",
        demo=True,
        demo_scale=0.0002,
        formats=("hdf5",),
        workers=1,
        quiet=True,
        allow_group_leak=True,
    )
    by_dataset = build.record.summary.by_dataset
    assert set(by_dataset) == {"jaffe", "mmafedb"}
    assert set(by_dataset["mmafedb"]) == {"train", "validation", "test"}


OWN = {
    "folders": "images: '{split}/{label}/{subject}_*.png'\nlabels: fer2013\n",
    "table": "table: {file: 'lists/{split}.csv', folder: faces, path: file, label: emotion, "
    "subject: who, box: [x, y, r, b], valence: v}\nlabels: {yay: happiness, meh: neutral}\n",
    "codes": "table: {file: list.txt, path: 1, label: 3}\nlabels: alphabetical\n",
}  # fmt: skip


@pytest.mark.parametrize("kind", OWN)
def test_a_copy_of_any_declaration_is_what_it_reads(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "my.yaml"
    path.write_text(f"name: mine\nframing: crop\nimage_size: [32, 32]\n{OWN[kind]}")
    copy = write_demo(str(path), tmp_path / "copy", scale=0.05, quiet=True)
    manifest = ingest(str(path), copy.root)
    assert manifest.rejects == ()
    expected = Counter(
        {(split, label): n for split, labels in copy.counts.items() for label, n in labels.items()}
    )
    assert counts_of(manifest) == expected
    again = write_demo(str(path), tmp_path / "again", scale=0.05, workers=2, quiet=True)
    files = [each for each in copy.root.rglob("*") if each.is_file()]
    assert len(files) >= len(manifest)
    for each in files:
        assert each.read_bytes() == (again.root / each.relative_to(copy.root)).read_bytes()


def test_images_that_need_a_plugin_are_named(tmp_path: Path) -> None:
    write(tmp_path / "set/Rafd090_01_Caucasian_male_sad_left.heic", b"\0")
    with pytest.raises(LayoutError, match=r"heic\. HEIC can't be decoded here; pip install"):
        ingest("rafd", tmp_path / "set")


def test_a_build_of_a_copy_of_a_set_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "my.yaml"
    path.write_text(f"name: mine\nframing: crop\nimage_size: [32, 32]\n{OWN['folders']}")
    options = {"landmarks": "none", "size": 32, "formats": ("hdf5",), "workers": 1, "quiet": True}
    build = ferdata.build(str(path), out=tmp_path / "out", demo=True, demo_scale=0.05, **options)
    assert build.record.rows == 28
    assert build.record.synthetic_scale == 0.05


def test_a_copy_of_rows_inside_a_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "my.yaml"
    path.write_text("name: mine\nframing: crop\ntable: {file: x.npz, image: X, label: y}\n")
    with pytest.raises(OptionError, match=r"x\.npz"):
        write_demo(str(path), tmp_path / "copy", quiet=True)


def test_patterns() -> None:
    words = {"kind": ("a", "bc"), "who": ("x1", "*")}
    text = "**/{who}/{who}_{kind}_##-{frame}*.png"
    pattern = Pattern.of(text, allowed=("who", "kind", "frame"), words=words)
    assert pattern.match("up/x9/x9_bc_07-12z.PNG") == {"who": "x9", "kind": "bc", "frame": "12"}
    assert pattern.folder_above("up/x9/x9_bc_07-12z.PNG") == "up"
    for wrong in (
        "x9/x8_bc_07-12.png",
        "x9/x9_c_07-12.png",
        "x9/x9_a_7-12.png",
        "x9/x9_a_07-z.png",
    ):
        assert pattern.match(wrong) is None
    example = pattern.example({"who": "x1", "kind": "a", "frame": "003"}, 123)
    assert example == "x1/x1_a_23-003123.png"
    assert pattern.match(example) is not None
    assert expand_range(["P08..P11", "*"]) == ("P08", "P09", "P10", "P11", "*")
