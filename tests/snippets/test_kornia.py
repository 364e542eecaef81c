from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("kornia")


def test_augmentation_of_batches() -> None:
    """Augment whole batches with kornia, on the device of the model."""
    import kornia.augmentation as K
    from torch.utils.data import DataLoader

    from ferdata.data import ShardDataset

    train = ShardDataset("out/rafdb", as_tuple=True, dtype=torch.float32)
    augment = K.AugmentationSequential(
        K.RandomHorizontalFlip(), K.ColorJiggle(0.1, 0.1, 0.1, 0.1), data_keys=["input"]
    )
    for x, _ in DataLoader(train, batch_size=64):
        assert augment(x).shape == x.shape


def test_augmentation_as_transform() -> None:
    """Augment image by image with kornia in the dataset."""
    import kornia.augmentation as K
    from torch.utils.data import DataLoader

    from ferdata.data import ShardDataset

    train = ShardDataset(
        "out/rafdb", as_tuple=True, dtype=torch.float32, transform=K.RandomHorizontalFlip(p=1.0)
    )
    x, _ = next(iter(DataLoader(train, batch_size=4)))
    plain, _ = ShardDataset("out/rafdb", as_tuple=True, dtype=torch.float32)[0]

    assert x.shape == (4, 3, 32, 32)
    torch.testing.assert_close(x[0], plain.flip(-1))
