from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("torchvision")


def test_v2_transforms() -> None:
    """Augment with torchvision's transforms v2."""
    from torch.utils.data import DataLoader
    from torchvision.transforms import v2

    from ferdata.data import ShardDataset

    transform = v2.Compose(
        [
            v2.RandomResizedCrop(28, antialias=True),
            v2.RandomHorizontalFlip(),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize([0.5, 0.5, 0.5], [0.5, 0.5, 0.5]),
        ]
    )
    train = ShardDataset("out/rafdb", "train", transform=transform, as_tuple=True)
    x, y = next(iter(DataLoader(train, batch_size=16, shuffle=True)))

    assert x.shape == (16, 3, 28, 28)
    assert -1 <= x.min() < 0 < x.max() <= 1
    assert y.shape == (16,)


def test_classic_transforms() -> None:
    """Use the classic pipeline with `ToTensor`, which wants PIL images."""
    from torch.utils.data import DataLoader
    from torchvision import transforms

    from ferdata.data import ShardDataset

    transform = transforms.Compose(
        [
            transforms.Resize(40),
            transforms.CenterCrop(32),
            transforms.ToTensor(),
            transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
        ]
    )
    test = ShardDataset("out/rafdb", "test", transform=transform, as_tuple=True)
    x, _ = next(iter(DataLoader(test, batch_size=8)))

    assert x.shape == (8, 3, 32, 32)
    assert x.dtype == torch.float32


def test_transforms_of_pretrained_weights() -> None:
    """Use the preprocessing that belongs to a pretrained model."""
    from torch.utils.data import DataLoader
    from torchvision.models import ResNet18_Weights

    from ferdata.data import ShardDataset

    preprocess = ResNet18_Weights.DEFAULT.transforms()
    test = ShardDataset("out/rafdb", "test", transform=preprocess, as_tuple=True)
    x, _ = next(iter(DataLoader(test, batch_size=2)))

    assert x.shape == (2, 3, 224, 224)


def test_cutmix_and_mixup() -> None:
    """Mix images and labels of a batch in the collate function."""
    from torch.utils.data import DataLoader, default_collate
    from torchvision.transforms import v2

    from ferdata.data import ShardDataset

    train = ShardDataset("out/rafdb", as_tuple=True, dtype=torch.float32)
    mix = v2.RandomChoice([v2.CutMix(num_classes=7), v2.MixUp(num_classes=7)])
    loader = DataLoader(
        train, batch_size=16, shuffle=True, collate_fn=lambda batch: mix(*default_collate(batch))
    )
    x, y = next(iter(loader))

    assert x.shape == (16, 3, 32, 32)
    assert torch.allclose(y.sum(1), torch.ones(16))


def test_random_augmentation_in_workers() -> None:
    """Augment in worker processes."""
    from torch.utils.data import DataLoader
    from torchvision.transforms import v2

    from ferdata.data import ShardDataset

    train = ShardDataset("out/rafdb", transform=v2.TrivialAugmentWide(), as_tuple=True)
    loader = DataLoader(train, batch_size=32, num_workers=2)

    assert sum(len(y) for _, y in loader) == len(train)


def test_model_and_grid(tmp_path) -> None:
    """Feed a torchvision model, and show a grid of faces."""
    from torch.utils.data import DataLoader
    from torchvision.models import mobilenet_v3_small
    from torchvision.utils import save_image

    from ferdata.data import ShardDataset

    test = ShardDataset("out/rafdb", "test", as_tuple=True, dtype=torch.float32)
    x, _ = next(iter(DataLoader(test, batch_size=8)))
    logits = mobilenet_v3_small(num_classes=len(test.classes)).eval()(x)
    save_image(x, tmp_path / "faces.png", nrow=4)

    assert logits.shape == (8, 7)
    assert (tmp_path / "faces.png").stat().st_size > 1000
