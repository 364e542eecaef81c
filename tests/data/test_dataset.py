from __future__ import annotations

import pickle

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch.utils.data import ConcatDataset, DataLoader, Subset  # noqa: E402

from ferdata.core.errors import OptionError, UnknownNameError  # noqa: E402
from ferdata.data import Batch, ShardDataset  # noqa: E402

FIELDS = ("image", "label", "index")
SWAP = [2, 1, 0].__getitem__


def check_batch(batch, arrays):
    rows = batch["index"].numpy()
    np.testing.assert_array_equal(batch["image"].numpy(), arrays["image"][rows])
    np.testing.assert_array_equal(batch["label"].numpy(), arrays["label"][rows])
    return rows.tolist()


def test_one_sample(mini):
    dataset = ShardDataset(mini.root, "train", fields=("sample_id", "landmarks", *FIELDS))
    assert len(dataset) == 100
    sample = dataset[37]
    assert sample["image"].dtype == torch.uint8
    np.testing.assert_array_equal(sample["image"].numpy(), mini.arrays["train"]["image"][37])
    assert sample["label"].item() == mini.arrays["train"]["label"][37]
    assert sample["sample_id"] == "mini/größe_0_0037"
    assert sample["index"].item() == 37
    assert dataset[-1]["index"].item() == 99
    with pytest.raises(IndexError):
        dataset[100]


def test_a_batch_is_one_gather_without_another_copy(mini, monkeypatch):
    dataset = ShardDataset(mini.root, "train", fields=FIELDS)
    read = []
    monkeypatch.setattr(
        dataset, "_read", lambda rows, real=dataset._read: read.append(real(rows)) or read[0]
    )
    batch = torch.utils.data.default_collate(dataset.__getitems__([5, 80, 2]))
    assert len(read) == 1
    assert batch["image"].data_ptr() == read[0]["image"].data_ptr()


def test_plain_dataloader_gives_rows_in_the_samplers_order(mini):
    dataset = ShardDataset(mini.root, "train", fields=FIELDS)
    order = torch.randperm(100, generator=torch.Generator().manual_seed(0)).tolist()
    rows = []
    for batch in DataLoader(dataset, batch_size=8, sampler=order):
        assert isinstance(batch, Batch)
        rows += check_batch(batch, mini.arrays["train"])
    assert rows == order


def test_shuffled_dataloader_is_complete(mini):
    loader = DataLoader(
        ShardDataset(mini.root, "train", fields=FIELDS), batch_size=64, shuffle=True
    )
    rows = [row for batch in loader for row in check_batch(batch, mini.arrays["train"])]
    assert sorted(rows) == list(range(100))
    assert rows != list(range(100))


def test_sequential_dataloader(mini):
    loader = DataLoader(ShardDataset(mini.root, "test", fields=FIELDS), batch_size=5)
    assert [row for batch in loader for row in batch["index"].tolist()] == list(range(17))


@pytest.mark.parametrize("encoding", ["raw", "png"])
@pytest.mark.parametrize("start", ["fork", "forkserver", "spawn"])
def test_worker_processes(make_build, encoding, start):
    mini = make_build({"train": [9, 8]}, encoding=encoding)
    dataset = ShardDataset(mini.root, "train", fields=("sample_id", *FIELDS))
    dataset.__getitems__(range(17))  # what this process has open must not disturb the workers
    loader = DataLoader(
        dataset,
        batch_size=4,
        shuffle=True,
        num_workers=1,
        multiprocessing_context=start,
        persistent_workers=True,
    )
    for _ in range(2):
        rows = []
        for batch in loader:
            assert isinstance(batch, Batch)
            assert len(batch["sample_id"]) == len(batch["index"])
            rows += check_batch(batch, mini.arrays["train"])
        assert sorted(rows) == list(range(17))


def test_batches_that_are_kept_stay_as_they_are(mini):
    dataset = ShardDataset(mini.root, "train", fields=FIELDS)
    kept = list(DataLoader(dataset, batch_size=4))
    for batch in kept:
        check_batch(batch, mini.arrays["train"])


def test_subset_and_concatenation(mini):
    train, test = (ShardDataset(mini.root, name, fields=FIELDS) for name in ("train", "test"))
    subset = next(iter(DataLoader(Subset(train, [9, 70, 3]), batch_size=3)))
    assert subset["index"].tolist() == [9, 70, 3]
    both = list(DataLoader(ConcatDataset([train, test]), batch_size=30))
    assert sum(len(batch["image"]) for batch in both) == 117
    joined = torch.utils.data.default_collate([train[1], test[2]])
    assert isinstance(joined, Batch)
    assert joined["index"].tolist() == [1, 2]


def test_fields(mini):
    dataset = ShardDataset(mini.root, fields=("soft_label", "subject", "arousal"))
    assert set(dataset[3]) == {"soft_label", "subject", "arousal"}
    with pytest.raises(UnknownNameError, match="landmarks"):
        ShardDataset(mini.root, fields=("image", "landmark"))
    with pytest.raises(OptionError, match="is a string"):
        ShardDataset(mini.root, fields="image")


def test_what_the_dataset_knows(mini):
    dataset = ShardDataset(mini.root, "train")
    labels = mini.arrays["train"]["label"]
    assert dataset.fields == ("image", "label")
    assert dataset.label_space.names == ("anger", "fear", "neutral")
    assert dataset.classes == ["anger", "fear", "neutral"]
    assert dataset.class_to_idx == {"anger": 0, "fear": 1, "neutral": 2}
    assert dataset.targets == labels.tolist()
    assert dataset.class_weights().dtype == torch.float32
    np.testing.assert_allclose(dataset.class_weights(), 100 / np.bincount(labels), rtol=1e-6)
    assert dataset.groups.tolist() == mini.arrays["train"]["subject"]
    np.testing.assert_array_equal(dataset.labels, labels)


def test_it_describes_itself_as_torchvision_does(mini):
    dataset = ShardDataset(mini.root, "train", as_tuple=True, target_transform=SWAP)
    assert repr(dataset[10:20]).splitlines() == [
        "Dataset ShardDataset",
        "    Number of datapoints: 10 (selected)",
        f"    Root location: {mini.root}",
        "    Build: mini, split train",
        "    Classes: 3 (anger, fear, neutral)",
        "    Images: 20×20×3, given as chw uint8",
        "    Sample: tuple of image, label",
        f"    Target transform: {SWAP!r}",
    ]


def test_batch_moves_and_pickles(mini):
    dataset = ShardDataset(mini.root, fields=("image", "sample_id"))
    batch = torch.utils.data.default_collate(dataset.__getitems__([3, 4]))
    moved = batch.to("cpu")
    assert isinstance(moved, Batch)
    assert moved["sample_id"] == batch["sample_id"]
    again = pickle.loads(pickle.dumps(batch))  # noqa: S301 - pickled here
    torch.testing.assert_close(again["image"], batch["image"])
