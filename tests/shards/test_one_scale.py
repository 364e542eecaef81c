"""Faces at one scale: mixes, the fitted template, what builds say of it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest
import yaml

from ferdata.core.manifest import Manifest
from ferdata.faces.schemes import scheme
from ferdata.ingesters.demo import write_demo
from ferdata.shards import BuildOptions, Execution, build_shards
from ferdata.shards.record import BuildRecord
from ferdata.shards.summary import summary
from ferdata.shards.verify import verify

SERIAL = Execution(executor="serial", quiet=True)
SETS = {
    "rafdb": ("kaggle", 0.003, "official"),
    "fer2013": ("kaggle", 0.0012, "official"),
    "ckplus": ("ck48", 0.04, "stratified:8:1:1"),
    "jaffe": ("official", 0.2, "stratified:8:1:1"),
}


@pytest.fixture(scope="module")
def copies(detectable: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return synthetic copies of four sets; RAF-DB's crops as tight as the real ones."""
    folder = tmp_path_factory.mktemp("copies")
    roots = {
        name: write_demo(name, folder / name, layout=layout, scale=scale, quiet=True).root
        for name, (layout, scale, _) in SETS.items()
    }
    for path in roots["rafdb"].rglob("*.jpg"):
        zoom = cv2.getRotationMatrix2D((49.5, 49.5), 0, 0.48 / 0.34)
        tight = cv2.warpAffine(cv2.imread(str(path)), zoom, (100, 100), flags=cv2.INTER_CUBIC)
        cv2.imwrite(str(path), tight)
    return roots


@pytest.fixture(scope="module")
def mix(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("mix") / "four.yaml"
    sources = {name: {"split": split} for name, (_, _, split) in SETS.items()}
    content = {"name": "four", "title": "four sets", "label_space": "basic8", "sources": sources}
    path.write_text(yaml.safe_dump(content))
    return str(path)


@pytest.fixture(scope="module")
def built(copies: dict[str, Path], mix: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("built") / "out"
    options = BuildOptions(size=64, allow_group_leak=True, formats=("hdf5", "hf"))
    build_shards(mix, copies, out, options, SERIAL)
    return out


def eye_distances(out: Path) -> dict[str, float]:
    """Return the median distance of the eyes by dataset, measured in the shards."""
    found: dict[str, list[float]] = {}
    for path in (out / "hdf5").glob("*.h5"):
        with h5py.File(path) as file:
            five = scheme(file.attrs["landmark_scheme"]).to_five(file["landmarks"][:])
            eyes = np.linalg.norm(five[:, 1] - five[:, 0], axis=1) / file["image"].shape[1]
            for name, share in zip(file["dataset"].asstr()[:], eyes, strict=True):
                found.setdefault(name, []).append(float(share))
    return {name: float(np.nanmedian(shares)) for name, shares in found.items()}


def test_a_mix_has_one_scale_and_invents_little(built: Path) -> None:
    record = BuildRecord.open(built)
    eyes = eye_distances(built)
    assert set(eyes) == set(SETS)
    middle = np.mean(list(eyes.values()))
    assert all(abs(share - middle) <= 0.1 * middle for share in eyes.values()), eyes
    for name, scale in record.summary.scales.items():
        assert scale.eyes == pytest.approx(eyes[name], abs=0.002)
        assert scale.outside <= 0.05
    manifest = Manifest.load(built / "manifest.parquet")
    outside, dataset = manifest.table["outside_share"].to_numpy(), manifest.strings("dataset")
    for name, scale in record.summary.scales.items():
        assert outside[dataset == name].mean() == pytest.approx(scale.outside, abs=1e-4)
    assert verify(built, quiet=True).ok


def test_a_build_prints_scale_and_faces_found(built: Path) -> None:
    record = BuildRecord.open(built)
    text = summary(record, built)
    assert f"alignment five (margin {record.alignment.margin:g}" in text
    for name, scale in record.summary.scales.items():
        assert any(line.split()[:2] == [name, f"{scale.eyes:.2f}"] for line in text.splitlines())
    assert re.search(r"\nclass +images +with a face found +share\n", text)
    counts = record.summary.faces_by_class
    assert sum(sum(each.values()) for each in counts.values()) >= record.rows
    card = (built / "hf" / "README.md").read_text(encoding="utf-8")
    assert "of an average image lies outside its source" in card


def test_the_plan_and_every_shard_hold_the_alignment(built: Path) -> None:
    record = BuildRecord.open(built)
    wanted = record.alignment.model_dump(mode="json")
    assert wanted["margin"] < -0.1
    assert {(p["dataset"], p["framing"]) for p in wanted["places"]} == {
        *((name, "crop") for name in ("rafdb", "fer2013", "ckplus")),
        ("jaffe", "photograph"),
    }
    assert json.loads((built / "plan.json").read_text())["alignment"] == wanted
    with h5py.File(next((built / "hdf5").glob("*.h5"))) as file:
        assert json.loads(file.attrs["alignment"]) == wanted


def test_sets_that_are_not_brought_to_one_scale_are_told(
    copies: dict[str, Path], mix: str, tmp_path: Path
) -> None:
    options = BuildOptions(align="auto", size=48, allow_group_leak=True, formats=("hdf5",))
    record = build_shards(mix, copies, tmp_path, options, SERIAL).record
    (note,) = [note for note in record.notes if "differ in scale" in note]
    assert "rafdb 0.48" in note
    assert "--align five" in note


def test_a_margin_that_is_asked_for_is_taken_and_what_it_invents_is_told(
    copies: dict[str, Path], tmp_path: Path
) -> None:
    options = BuildOptions(align="five", margin=0, border="mean", size=48, formats=("hdf5",))
    record = build_shards("rafdb", copies["rafdb"], tmp_path, options, SERIAL).record
    assert record.alignment.margin == 0
    (note,) = record.notes
    assert note.endswith("of rafdb lies outside its source and is filled (mean)")
    assert 0.4 < record.summary.scales["rafdb"].outside < 0.65


def test_crops_of_one_set_are_still_only_resized(copies: dict[str, Path], tmp_path: Path) -> None:
    options = BuildOptions(size=64, formats=("hdf5",))
    record = build_shards("rafdb", copies["rafdb"], tmp_path, options, SERIAL).record
    assert record.alignment.places == ()
    uris = {}
    for row in Manifest.load(tmp_path / "manifest.parquet").rows(["sample_id", "uri"]):
        uris[row["sample_id"]] = copies["rafdb"] / row["uri"]
    with h5py.File(tmp_path / record.splits["train"].shards[0]) as file:
        for name, image in zip(file["sample_id"].asstr()[:5], file["image"][:5], strict=True):
            source = cv2.imread(str(uris[name]))[..., ::-1]
            resized = cv2.resize(source, (64, 64), interpolation=cv2.INTER_AREA)
            np.testing.assert_array_equal(image, resized)


def test_images_without_a_face_are_told_by_class(copies: dict[str, Path], tmp_path: Path) -> None:
    data = write_demo("fer2013", tmp_path / "data", layout="kaggle", scale=0.0012).root
    for path in sorted(data.rglob("happy/*.jpg"))[:3]:
        noise = np.random.default_rng(len(path.name)).integers(60, 90, (48, 48))
        cv2.imwrite(str(path), noise.astype(np.uint8))
    options = BuildOptions(align="five", size=48, formats=("hdf5",), duplicates="keep")
    record = build_shards("fer2013", data, tmp_path / "out", options, SERIAL).record
    assert record.summary.faces_by_class["happiness"]["missing"] == 3
    text = "\n".join(record.notes)
    assert "--require-face would change class shares by more than a tenth: " in text
    assert "3 of " in text
    assert "crops of fer2013 have no usable landmarks and are placed by the median" in text
