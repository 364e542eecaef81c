from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
A = pytest.importorskip("albumentations")


def test_compose_with_to_tensor() -> None:
    """Augment with albumentations, ending in its `ToTensorV2`."""
    import albumentations as A
    from torch.utils.data import DataLoader

    from ferdata.data import ShardDataset

    transform = A.Compose(
        [
            A.HorizontalFlip(p=0.5),
            A.RandomBrightnessContrast(p=0.5),
            A.Normalize(),
            A.ToTensorV2(),
        ]
    )
    train = ShardDataset("out/rafdb", "train", transform=transform, as_tuple=True)
    x, y = next(iter(DataLoader(train, batch_size=16, shuffle=True)))

    assert x.shape == (16, 3, 32, 32)
    assert x.dtype == torch.float32
    assert y.shape == (16,)


def test_a_single_transform() -> None:
    """Apply one transform of albumentations, and keep uint8."""
    import albumentations as A
    import numpy as np

    from ferdata.data import ShardDataset

    plain = ShardDataset("out/rafdb", as_tuple=True)
    flipped = ShardDataset("out/rafdb", transform=A.HorizontalFlip(p=1), as_tuple=True)

    np.testing.assert_array_equal(flipped[5][0], plain[5][0].flip(-1))


def test_workers_draw_differently() -> None:
    """Augment in worker processes, each with random numbers of its own."""
    import albumentations as A
    from torch.utils.data import DataLoader

    from ferdata.data import ShardDataset

    train = ShardDataset(
        "out/rafdb", transform=A.Compose([A.GaussNoise(p=1), A.ToTensorV2()]), as_tuple=True
    )
    same = train.select([0] * 8)
    loader = DataLoader(same, batch_size=4, num_workers=2)
    noisy = [image.numpy().tobytes() for _ in range(2) for x, _ in loader for image in x]

    assert len(set(noisy)) == 16
