from __future__ import annotations

import numpy as np
import pytest

import ferdata


def test_load_dataset() -> None:
    """Load a build's Hugging Face dataset by its folder, without ferdata."""
    from datasets import ClassLabel, Image, load_dataset

    data = load_dataset("out/rafdb/hf")

    assert list(data) == ["train", "validation", "test"]
    assert isinstance(data["train"].features["image"], Image)
    assert isinstance(data["train"].features["label"], ClassLabel)
    assert data["train"].features["label"].int2str(3) == "happiness"
    assert data["train"][0]["image"].size == (32, 32)


def test_torch_format_in_a_dataloader() -> None:
    """Use it in a DataLoader, with the default collate function and all columns."""
    torch = pytest.importorskip("torch")
    from datasets import load_dataset
    from torch.utils.data import DataLoader

    train = load_dataset("out/rafdb/hf", split="train").with_format("torch")
    for batch in DataLoader(train, batch_size=32, shuffle=True):
        assert batch["image"].shape[1:] == (3, 32, 32)
        assert batch["image"].dtype == torch.uint8
        assert batch["landmarks"].shape[1:] == (37, 2)
        assert batch["label"].dtype == torch.int64
        assert len(batch["parent_id"]) == len(batch["label"])


def test_streaming() -> None:
    """Stream it instead of loading it."""
    pytest.importorskip("torch")
    from datasets import load_dataset
    from torch.utils.data import DataLoader

    stream = load_dataset("out/rafdb/hf", split="train", streaming=True)
    shuffled = stream.shuffle(seed=0, buffer_size=50).with_format("torch")
    labels = [y for batch in DataLoader(shuffled, batch_size=16) for y in batch["label"].tolist()]

    assert sorted(labels) == sorted(ferdata.open("out/rafdb")["train"].targets)


def test_set_transform_with_torchvision() -> None:
    """Augment with torchvision when rows are read."""
    torch = pytest.importorskip("torch")
    from datasets import load_dataset
    from torch.utils.data import DataLoader
    from torchvision.transforms import v2

    augment = v2.Compose(
        [v2.ToImage(), v2.RandomHorizontalFlip(), v2.ToDtype(torch.float32, scale=True)]
    )

    def transform(rows):
        images = [augment(image.convert("RGB")) for image in rows["image"]]
        return {"pixels": images, "label": rows["label"]}

    train = load_dataset("out/rafdb/hf", split="train")
    train.set_transform(transform)
    batch = next(iter(DataLoader(train, batch_size=8)))

    assert batch["pixels"].shape == (8, 3, 32, 32)
    assert batch["pixels"].max() <= 1


def test_landmarks_as_an_array() -> None:
    """Get landmarks as one array, NaN where unknown."""
    from datasets import Array2D, load_dataset

    train = load_dataset("out/rafdb/hf", split="train")
    points = train.with_format("numpy")["landmarks"][:]

    assert train.features["landmarks"] == Array2D(shape=(37, 2), dtype="float32")
    assert points.shape == (len(train), 37, 2)
    assert 0 < np.nanmean(points) < 32


def test_filter_and_map() -> None:
    """Keep the images that are no augmented copies, and add a column."""
    from datasets import load_dataset

    train = load_dataset("out/rafdb/hf", split="train")
    sources = train.filter(lambda parent: parent == "", input_columns="parent_id")
    bright = sources.map(lambda row: {"brightness": float(np.mean(row["image"]))})

    assert 0 < len(sources) < len(train)
    assert 0 < np.mean(bright["brightness"]) < 255


def test_stratified_split_and_cast() -> None:
    """Split it by class, and decode images to gray on the fly."""
    from datasets import Image, load_dataset

    train = load_dataset("out/rafdb/hf", split="train")
    parts = train.train_test_split(test_size=0.2, stratify_by_column="label", seed=0)
    gray = parts["test"].cast_column("image", Image(mode="L"))

    assert set(parts["test"]["label"]) == set(range(7))
    assert gray[0]["image"].mode == "L"


def test_from_the_build() -> None:
    """Get it from an open build."""
    build = ferdata.open("out/rafdb")
    data = build.to_hf()

    assert {name: len(rows) for name, rows in data.items()} == {
        name: split.rows for name, split in build.splits.items()
    }


def test_push_to_hub(monkeypatch) -> None:
    """Upload a dataset of one's own to the Hub; licensed images are refused."""
    import huggingface_hub

    uploaded = {}

    class FakeApi:
        def __init__(self, **_):
            pass

        def create_repo(self, repo, **options):
            uploaded[repo] = options["private"]
            return f"hub/{repo}"

        def create_commit(self, repo, operations, **_):
            assert "README.md" in [each.path_in_repo for each in operations]

    monkeypatch.setattr(huggingface_hub, "HfApi", FakeApi)
    assert ferdata.open("out/rafdb").push_to_hub("me/drawn-faces", private=True) == (
        "hub/me/drawn-faces"
    )
    assert uploaded == {"me/drawn-faces": True}
