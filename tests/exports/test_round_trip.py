"""Build → export → `build --from`: the same images, labels and splits."""

import json
import shutil
from pathlib import Path

import datasets
import numpy as np
import pytest

import ferdata
from ferdata.core.errors import LabelError, LayoutError, OptionError, TermsError
from ferdata.data.arrays import SplitArrays
from ferdata.exports import export_build
from ferdata.shards.terms import require_redistribution

PLAIN = {"size": 32, "landmarks": "none", "formats": "hdf5", "report": False, "quiet": True}
"""Images as they are: the same size, not aligned."""


def images_of(build, split: str) -> list[tuple[str, bytes]]:
    """Return label and pixels of each image, sorted: a build shuffles its rows."""
    arrays = SplitArrays(build, split)
    batch = arrays.gather(range(len(arrays)), ("image", "label"))
    names = arrays.build.label_space.decode(batch["label"].tolist())
    return sorted((name, each.tobytes()) for name, each in zip(names, batch["image"], strict=True))


def assert_same_images(first, second) -> None:
    assert list(ferdata.Build(first).splits) == list(ferdata.Build(second).splits)
    for split in ferdata.Build(first).splits:
        assert images_of(first, split) == images_of(second, split)


def imported(source: str, out: Path, **options) -> Path:
    return ferdata.build(import_from=source, out=out, **PLAIN, **options).root


def test_fiftyone(build, tmp_path):
    export_build(build, "fiftyone", tmp_path / "fo")
    found = ferdata.build(import_from=f"fiftyone:{tmp_path}/fo", out=tmp_path / "out", **PLAIN)
    assert found.name == "spots"
    assert_same_images(build, found.root)
    again = ferdata.build(
        config=found.root / "config.yaml", data=tmp_path / "fo", out=tmp_path / "o"
    )
    assert again.plan_sha256 == found.plan_sha256


def test_fiftyone_classification_dataset(build, tmp_path):
    """What FiftyOne itself writes: classes in a file, images by the name without its ending."""
    export_build(build, "fiftyone", tmp_path / "fo", splits=("train",))
    samples = json.loads((tmp_path / "fo/samples.json").read_text())["samples"]
    (tmp_path / "set/data").mkdir(parents=True)
    classes = ["anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise"]
    labels = {}
    for sample in samples:
        file = Path(sample["filepath"])
        shutil.copy(tmp_path / "fo" / file, tmp_path / "set/data" / file.name)
        labels[file.stem] = classes.index(sample["ground_truth"]["label"])
    (tmp_path / "set/labels.json").write_text(json.dumps({"classes": classes, "labels": labels}))
    found = imported(f"fiftyone:{tmp_path}/set", tmp_path / "out", split="stratified:1:0:0")
    assert images_of(found, "train") == images_of(build, "train")


def test_class_folders(build, tmp_path):
    export_build(build, "imagefolder", tmp_path / "images")
    shutil.copytree(
        tmp_path / "images/train", tmp_path / "tree", ignore=lambda *_: ["metadata.parquet"]
    )
    found = imported(f"fiftyone:{tmp_path}/tree", tmp_path / "out", split="stratified:1:0:0")
    assert images_of(found, "train") == images_of(build, "train")


def test_parquet(build, tmp_path):
    export_build(build, "parquet", tmp_path / "parquet")
    assert_same_images(build, imported(f"hf:{tmp_path}/parquet", tmp_path / "out"))


def test_save_to_disk(build, tmp_path):
    """Arrow files, in several shards and a folder per split."""
    export_build(build, "parquet", tmp_path / "parquet")
    files = {
        split: f"{tmp_path}/parquet/{split}.parquet" for split in ("train", "validation", "test")
    }
    loaded = datasets.load_dataset("parquet", data_files=files, cache_dir=str(tmp_path / "cache"))
    loaded.save_to_disk(tmp_path / "arrow", num_shards={"train": 2, "validation": 1, "test": 1})
    assert_same_images(build, imported(f"hf:{tmp_path}/arrow", tmp_path / "out"))


def test_hugging_face_image_folder(build, tmp_path):
    export_build(build, "imagefolder", tmp_path / "images")
    assert_same_images(build, imported(f"hf:{tmp_path}/images", tmp_path / "out"))


def test_card_and_name(build, tmp_path):
    """Title and license are those of the card, the name is the folder's or the given one."""
    export_build(build, "parquet", tmp_path / "my faces")
    (tmp_path / "my faces/ferdata-export.json").unlink()  # a folder of somebody else
    card = "---\npretty_name: Faces of mine\nlicense: cc0-1.0\n---\n"
    (tmp_path / "my faces/README.md").write_text(card)
    found = ferdata.build(import_from=f"hf:{tmp_path}/my faces", out=tmp_path / "out", **PLAIN)
    assert found.name == "my-faces"
    assert found.record.datasets == {"my-faces": "Faces of mine"}
    declared = found.record.summary.provenance["ingest"]["declaration"]
    assert declared["license"] == "cc0-1.0"
    named = ferdata.build(
        "mine", import_from=f"hf:{tmp_path}/my faces", out=tmp_path / "o", **PLAIN
    )
    assert named.name == "mine"


@pytest.mark.parametrize(
    ("source", "error", "message"),
    [
        ("kaggle:x", OptionError, "expected hf:PATH or fiftyone:PATH"),
        ("hf:some/faces", OptionError, "hf download some/faces --repo-type dataset"),
        ("fiftyone:{tmp}/none", OptionError, "there is no folder"),
        ("hf:{tmp}/empty", LayoutError, "no images with labels were found"),
        ("fiftyone:{tmp}/pets", LabelError, "ferdata detect '{tmp}/pets' --write my.yaml"),
    ],
)
def test_what_can_not_be_imported(build, tmp_path, source, error, message):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty/notes.txt").write_text("nothing")
    export_build(build, "imagefolder", tmp_path / "images")
    for number, animal in enumerate(("cat", "dog")):
        folder = tmp_path / "pets" / animal
        folder.mkdir(parents=True)
        for file in sorted((tmp_path / "images/test").rglob("*.png"))[number::2]:
            shutil.copy(file, folder)
    with pytest.raises(error) as raised:
        imported(source.format(tmp=tmp_path), tmp_path / "out")
    assert message.format(tmp=tmp_path) in str(raised.value)


def test_terms_of_an_export_still_apply(build, tmp_path):
    report = export_build(build, "parquet", tmp_path / "faces")
    found = ferdata.build(import_from=f"hf:{tmp_path}/faces", out=tmp_path / "out", **PLAIN)
    assert found.name == "spots"
    declared = found.record.summary.provenance["ingest"]["declaration"]
    assert declared["license"] == ". ".join(report.terms)
    with pytest.raises(TermsError, match="don't pass the images on"):
        require_redistribution(found.record)


def test_classes_that_are_no_expressions(tmp_path):
    """The features name them, so only the build finds out; it says where to name them."""
    features = datasets.Features(
        {"image": datasets.Image(), "label": datasets.ClassLabel(names=["cat", "dog"])}
    )
    images = [np.full((32, 32, 3), 9 * k, np.uint8) for k in range(6)]
    rows = {"image": images, "label": [0, 1] * 3}
    datasets.Dataset.from_dict(rows, features).to_parquet(tmp_path / "train.parquet")
    with pytest.raises(LabelError, match=r"ferdata detect '.*' --write my\.yaml"):
        imported(f"hf:{tmp_path}", tmp_path / "out")


def test_from_in_a_file_of_options(build, tmp_path):
    export_build(build, "parquet", tmp_path / "faces")
    (tmp_path / "build.yaml").write_text(f"import_from: 'hf:{tmp_path}/faces'\nname: mine\n")
    found = ferdata.build(config=tmp_path / "build.yaml", out=tmp_path / "out", **PLAIN)
    assert found.name == "mine"


def test_from_contradicts_data(tmp_path):
    with pytest.raises(OptionError, match="leave out --data"):
        ferdata.build(import_from="hf:x", data=tmp_path, out=tmp_path / "out")
