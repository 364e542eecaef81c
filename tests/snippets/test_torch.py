from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")


def test_dataloader_of_tuples() -> None:
    """Train on `(image, label)` tuples, as with any torchvision dataset."""
    from torch.utils.data import DataLoader

    from ferdata.data import ShardDataset

    train = ShardDataset("out/rafdb", "train", as_tuple=True, dtype=torch.float32)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.LazyLinear(len(train.classes)))
    model(torch.zeros(1, 3, 32, 32))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    losses = []
    for _ in range(5):
        for x, y in DataLoader(train, batch_size=32, shuffle=True):
            loss = torch.nn.functional.cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())

    assert np.mean(losses[-5:]) < np.mean(losses[:5])


def test_dataloader_of_mappings() -> None:
    """Get several fields of each image by name."""
    from torch.utils.data import DataLoader

    from ferdata.data import ShardDataset

    train = ShardDataset("out/rafdb", fields=("image", "label", "landmarks", "sample_id"))
    for batch in DataLoader(train, batch_size=16):
        images, points, ids = batch["image"], batch["landmarks"], batch["sample_id"]
        assert images.shape[1:] == (32, 32, 3)
        assert points.shape[1:] == (37, 2)
        assert len(ids) == len(images)


def test_one_sample() -> None:
    """Look at one image, also from the end."""
    from ferdata.data import ShardDataset

    test = ShardDataset("out/rafdb", "test", as_tuple=True)
    image, label = test[-1]

    assert image.shape == (3, 32, 32)
    assert test.classes[label] in ("anger", "disgust", "fear", "happiness", "neutral", "sadness",
                                   "surprise")  # fmt: skip
    assert label == test.targets[len(test) - 1]


def test_worker_processes() -> None:
    """Read with worker processes that stay between epochs."""
    from torch.utils.data import DataLoader

    from ferdata.data import ShardDataset

    train = ShardDataset("out/rafdb", as_tuple=True)
    loader = DataLoader(train, batch_size=32, num_workers=2, persistent_workers=True)
    for _ in range(2):
        labels = torch.cat([y for _, y in loader])
        assert labels.tolist() == train.targets


def test_weighted_random_sampler() -> None:
    """Draw every class equally often."""
    from torch.utils.data import DataLoader, WeightedRandomSampler

    from ferdata.data import ShardDataset

    train = ShardDataset("out/rafdb", as_tuple=True)
    weights = train.class_weights()[train.targets]
    sampler = WeightedRandomSampler(weights, 1400, generator=torch.Generator().manual_seed(0))
    labels = torch.cat([y for _, y in DataLoader(train, batch_size=100, sampler=sampler)])

    counts = torch.bincount(labels, minlength=7)
    assert counts.min() > 140
    assert counts.max() < 260


def test_subset() -> None:
    """Train on some rows only."""
    from torch.utils.data import DataLoader, Subset

    from ferdata.data import ShardDataset

    train = ShardDataset("out/rafdb", as_tuple=True)
    happy = [i for i, y in enumerate(train.targets) if y == train.class_to_idx["happiness"]]
    for _, y in DataLoader(Subset(train, happy), batch_size=8):
        assert set(y.tolist()) == {train.class_to_idx["happiness"]}


def test_random_split() -> None:
    """Split off a part at random."""
    from torch.utils.data import DataLoader, random_split

    from ferdata.data import ShardDataset

    train = ShardDataset("out/rafdb", as_tuple=True)
    larger, smaller = random_split(train, [0.9, 0.1])

    sizes = [sum(len(y) for _, y in DataLoader(part, batch_size=16)) for part in (larger, smaller)]
    assert sizes == [len(larger), len(smaller)]
    assert sum(sizes) == len(train)


def test_concatenation_of_builds() -> None:
    """Train on two builds with the same classes as one dataset."""
    from torch.utils.data import ConcatDataset, DataLoader

    from ferdata.data import ShardDataset

    builds = [ShardDataset(f"out/{name}", as_tuple=True) for name in ("rafdb", "jaffe")]
    assert builds[0].classes == builds[1].classes
    both = ConcatDataset([each.select(range(20)) for each in builds])
    labels = torch.cat([y for _, y in DataLoader(both, batch_size=16)])
    assert labels.tolist() == builds[0].targets[:20] + builds[1].targets[:20]


def test_own_collate_function() -> None:
    """Give a `collate_fn` of one's own, which gets a list of samples."""
    from torch.utils.data import DataLoader

    from ferdata.data import ShardDataset

    def collate(samples):
        images, labels = zip(*samples, strict=True)
        return torch.stack(images).float().div(255), torch.nn.functional.one_hot(
            torch.tensor(labels), 7
        )

    test = ShardDataset("out/rafdb", "test", as_tuple=True)
    x, y = next(iter(DataLoader(test, batch_size=8, collate_fn=collate)))

    assert x.max() <= 1
    assert y.argmax(1).tolist() == test.targets[:8]


def test_slices() -> None:
    """Take the first hundred rows to try something out."""
    from torch.utils.data import DataLoader

    from ferdata.data import ShardDataset

    few = ShardDataset("out/rafdb", as_tuple=True)[:100]

    assert len(few) == len(few.targets) == 100
    assert sum(len(y) for _, y in DataLoader(few, batch_size=32)) == 100


def test_float_images_by_channel() -> None:
    """Get images as float tensors of 0–1 by channel, without a transform."""
    from ferdata.data import ShardDataset

    image = ShardDataset("out/rafdb", layout="chw", dtype=torch.float32)[0]["image"]

    assert image.shape == (3, 32, 32)
    assert image.dtype == torch.float32
    assert 0.2 < image.max() <= 1


def test_target_transform() -> None:
    """Turn seven classes into two."""
    from torch.utils.data import DataLoader

    from ferdata.data import ShardDataset

    positive = {3, 6}  # happiness, surprise
    train = ShardDataset(
        "out/rafdb", as_tuple=True, target_transform=lambda label: int(label in positive)
    )
    labels = torch.cat([y for _, y in DataLoader(train, batch_size=32)])

    assert labels.sum() == sum(y in positive for y in train.targets)


def test_weighted_loss() -> None:
    """Weight the loss by class frequency."""
    from ferdata.data import ShardDataset

    train = ShardDataset("out/rafdb")
    loss = torch.nn.CrossEntropyLoss(weight=train.class_weights())

    assert loss(torch.zeros(4, 7), torch.tensor(train.targets[:4])).isfinite()


def test_fast_loader() -> None:
    """Read batches as fast as memory allows, without worker processes."""
    import ferdata

    build = ferdata.open("out/rafdb")
    for images, labels in build.loader("train", batch_size=64, seed=0, as_tuple=True):
        assert images.shape[1:] == (3, 32, 32)
        assert labels.dtype == torch.int64
