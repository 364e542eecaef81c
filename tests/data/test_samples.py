"""`ShardDataset` in torchvision's manner: tuples, forms of images, transforms, selections."""

from __future__ import annotations

import functools
import pickle

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch.utils.data import (  # noqa: E402
    ConcatDataset,
    DataLoader,
    StackDataset,
    Subset,
    WeightedRandomSampler,
    default_collate,
    random_split,
)

from ferdata.core.errors import OptionError, UnknownNameError  # noqa: E402
from ferdata.data import Batch, ShardDataset, ShardLoader  # noqa: E402


def test_a_tuple_is_as_torchvision_gives_it(mini):
    dataset = ShardDataset(mini.root, as_tuple=True)
    image, label = dataset[7]
    assert isinstance(label, int)
    assert label == mini.arrays["train"]["label"][7]
    np.testing.assert_array_equal(image.permute(1, 2, 0), mini.arrays["train"]["image"][7])
    assert image.dtype == torch.uint8


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("layout", ["hwc", "chw"])
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32, torch.bfloat16])
def test_one_by_one_and_in_batches_images_have_the_same_form(make_build, channels, layout, dtype):
    mini = make_build({"train": [9, 8]}, channels=channels)
    form = {"as_tuple": True, "layout": layout, "dtype": dtype}
    dataset = ShardDataset(mini.root, **form)
    expected = torch.from_numpy(mini.arrays["train"]["image"])
    expected = expected.permute(0, 3, 1, 2) if layout == "chw" else expected
    expected = expected.to(dtype) / 255 if dtype.is_floating_point else expected
    batches = list(DataLoader(dataset, batch_size=5))
    loaded = list(ShardLoader(mini.root, batch_size=5, shuffle=False, **form))
    for parts in ([images for images, _ in batches], [images for images, _ in loaded]):
        assert torch.equal(torch.cat(parts), expected)
        assert all(images.is_contiguous() and images.dtype == dtype for images in parts)
    assert torch.equal(torch.stack([image for image, _ in dataset[:17]]), expected)
    assert torch.equal(torch.cat([labels for _, labels in batches]), torch.tensor(dataset.targets))


def test_your_own_collate_function_gets_the_samples(mini):
    seen = []

    def collate(samples):
        seen.append([len(samples), samples[-1], samples[1:3], list(samples), samples[0]])
        return torch.stack([image for image, _ in samples]), [label for _, label in samples]

    dataset = ShardDataset(mini.root, "test", as_tuple=True)
    batches = list(DataLoader(dataset, batch_size=10, collate_fn=collate))
    assert [len(images) for images, _ in batches] == [10, 7]
    assert [label for _, labels in batches for label in labels] == dataset.targets
    size, last, some, everything, first = seen[0]
    assert size == len(everything) == 10
    assert everything[0] is first
    assert everything[9] is last
    assert [id(each) for each in some] == [id(each) for each in everything[1:3]]
    mappings = DataLoader(
        ShardDataset(mini.root, "test"), 10, collate_fn=lambda samples: samples[3]["label"]
    )
    assert next(iter(mappings)) == dataset.targets[3]


def test_samples_that_a_collate_function_changed_are_collated_as_they_are(mini):
    def collate(samples):
        for position, sample in enumerate(samples):
            sample["position"] = position
        return default_collate(samples)

    batch = next(iter(DataLoader(ShardDataset(mini.root), 4, collate_fn=collate)))
    assert isinstance(batch, Batch)
    assert batch["position"].tolist() == [0, 1, 2, 3]
    assert default_collate(ShardDataset(mini.root).__getitems__([6]))["image"].shape[0] == 1


def test_slices_and_selections_are_datasets(mini):
    labels = mini.arrays["train"]["label"]
    dataset = ShardDataset(mini.root, fields=("image", "label", "index"))
    part = dataset[10:40:3]
    assert len(part) == 10
    assert part.targets == labels[10:40:3].tolist()
    assert part.groups.tolist() == mini.arrays["train"]["subject"][10:40:3]
    assert part[-1]["index"] == 37
    assert part[::-1].select(np.array([0, -1]))[1]["index"] == 10
    assert part.class_weights().tolist() == [2, 2, 0]
    rows = [row for batch in DataLoader(part, 4) for row in batch["index"].tolist()]
    assert rows == list(range(10, 40, 3))
    assert len(dataset) == 100
    assert len(dataset[:0]) == 0
    assert [each["index"].item() for each in dataset[98:]] == [98, 99]
    assert pickle.loads(pickle.dumps(part))[2]["index"] == 16  # noqa: S301 - pickled here
    for rows in ([10], [-11]):
        with pytest.raises(IndexError, match="10 rows"):
            part.select(rows)
    with pytest.raises(IndexError, match="flatnonzero"):
        part.select(np.ones(10, bool))
    for index in ("image", [1, 2]):
        with pytest.raises(TypeError, match=r"select\(\)"):
            part[index]


def flip(image):
    assert image.shape == (3, 20, 20)
    return image.flip(-1)


def inverted(image):
    return 1 - image.float() / 255


@pytest.mark.parametrize("as_tuple", [True, False])
def test_transforms_are_called_with_each_image_and_label(mini, as_tuple):
    dataset = ShardDataset(
        mini.root, transform=flip, target_transform=[2, 1, 0].__getitem__, as_tuple=as_tuple
    )
    batch = next(iter(DataLoader(dataset, batch_size=6)))
    images, labels = batch if as_tuple else (batch["image"], batch["label"])
    expected = mini.arrays["train"]["image"][:6, :, ::-1].transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(images, expected)
    assert labels.tolist() == (2 - mini.arrays["train"]["label"][:6]).tolist()
    assert dataset.targets == mini.arrays["train"]["label"].tolist()


def test_pil_images(make_build):
    from PIL import Image

    for channels, mode in ((3, "RGB"), (1, "L")):
        mini = make_build({"train": [5]}, channels=channels, folder=mode)
        image, _ = ShardDataset(mini.root, as_tuple=True, layout="pil")[2]
        assert isinstance(image, Image.Image)
        assert image.mode == mode
        pixels = np.asarray(image).reshape(20, 20, channels)
        np.testing.assert_array_equal(pixels, mini.arrays["train"]["image"][2])
        (sample,) = ShardDataset(mini.root, layout="pil").__getitems__([1])
        assert isinstance(sample["image"], Image.Image)


def test_arguments_that_can_not_be(mini):
    with pytest.raises(UnknownNameError, match="bchw"):
        ShardDataset(mini.root, layout="bchw")
    with pytest.raises(OptionError, match=r"torch\.float32"):
        ShardDataset(mini.root, dtype=torch.int64)
    with pytest.raises(OptionError, match=r"torch\.float32"):
        ShardDataset(mini.root, dtype="float32")
    with pytest.raises(OptionError, match="8 bits"):
        ShardDataset(mini.root, layout="pil", dtype=torch.float32)
    with pytest.raises(OptionError, match="call with an image"):
        ShardDataset(mini.root, transform="flip")
    with pytest.raises(OptionError, match="transform of 'image'"):
        ShardDataset(mini.root, fields=("label",), transform=flip)
    with pytest.raises(OptionError, match="single images"):
        ShardLoader(mini.root, layout="pil")


@pytest.mark.slow
def test_persistent_workers_call_transforms(mini):
    dataset = ShardDataset(mini.root, "test", transform=inverted, as_tuple=True)
    loader = DataLoader(
        dataset,
        batch_size=4,
        num_workers=1,
        multiprocessing_context="spawn",
        persistent_workers=True,
    )
    expected = 1 - mini.arrays["test"]["image"].transpose(0, 3, 1, 2) / np.float32(255)
    for _ in range(2):
        images, labels = (torch.cat(parts) for parts in zip(*loader, strict=True))
        np.testing.assert_allclose(images, expected, atol=1e-6)
        assert labels.tolist() == dataset.targets


def test_torchs_own_ways_of_choosing_rows(mini):
    train, test = (ShardDataset(mini.root, name, as_tuple=True) for name in ("train", "test"))
    of_two = WeightedRandomSampler([float(label == 2) for label in train.targets], 30)
    assert {int(y) for _, labels in DataLoader(train, 8, sampler=of_two) for y in labels} == {2}
    kept, rest = random_split(train, [0.8, 0.2], torch.Generator().manual_seed(0))
    for part, size in ((kept, 80), (rest, 20), (Subset(train, range(50)), 50)):
        labels = torch.cat([labels for _, labels in DataLoader(part, 16)])
        assert labels.tolist() == [train.targets[row] for row in part.indices]
        assert len(labels) == size
    both = torch.cat([labels for _, labels in DataLoader(ConcatDataset([train, test]), 16)])
    assert both.tolist() == train.targets + test.targets
    pairs = next(iter(DataLoader(StackDataset(train, train), 5)))
    assert pairs[0][1].tolist() == pairs[1][1].tolist() == train.targets[:5]


def test_transforms_that_are_partial_functions_pickle(mini):
    crop = functools.partial(torch.narrow, dim=1, start=0, length=8)
    dataset = pickle.loads(pickle.dumps(ShardDataset(mini.root, transform=crop)))  # noqa: S301
    assert dataset[0]["image"].shape == (3, 8, 20)
