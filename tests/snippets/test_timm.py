from __future__ import annotations

from pathlib import Path

import pytest

timm = pytest.importorskip("timm")
torch = pytest.importorskip("torch")


@pytest.fixture(scope="module")
def run(workspace: Path) -> Path:
    """Return a finished run of I-MobileNetV2, runs/rafdb."""
    from support.runs import make_classifier, write_run

    return write_run(workspace / "runs/rafdb", make_classifier("i_mobilenetv2", size=32))


@pytest.fixture(scope="module")
def folders(workspace: Path) -> Path:
    """Return a folder of class folders, out/images/train/CLASS/N.png."""
    import numpy as np
    from PIL import Image

    from ferdata.core.labels import BASIC7
    from ferdata.synth import draw_face

    root = workspace / "out/images/train"
    for number in range(14):
        label = BASIC7.names[number % 7]
        (root / label).mkdir(parents=True, exist_ok=True)
        pixels = draw_face(label, np.random.default_rng(number), 32).pixels
        Image.fromarray(pixels).save(root / label / f"{number}.png")
    return root


def test_training_on_the_hugging_face_dataset_with_timms_loader() -> None:
    """Train a paper's model with timm's dataset, loader, loss and optimizer."""
    from timm.data import create_dataset, create_loader
    from timm.loss import LabelSmoothingCrossEntropy
    from timm.optim import create_optimizer_v2

    import ferdata.models.timm_entries  # noqa: F401

    model = timm.create_model("fer_i_mobilenetv2", num_classes=7, drop_rate=0.1)
    dataset = create_dataset("hfds/out/rafdb/hf", root=None, split="train")
    loader = create_loader(
        dataset, (3, 48, 48), batch_size=8, is_training=True, num_workers=0,
        use_prefetcher=False, device=torch.device("cpu"),
    )  # fmt: skip
    optimizer = create_optimizer_v2(model, opt="adamw", lr=1e-3)
    images, labels = next(iter(loader))
    loss = LabelSmoothingCrossEntropy()(model(images), labels)
    loss.backward()
    optimizer.step()

    assert images.shape == (8, 3, 48, 48)
    assert torch.isfinite(loss)
    assert dataset.reader.class_to_idx["happiness"] == 3


def test_the_class_folders_of_an_export_in_timms_reader(folders) -> None:
    """Read a folder of class folders with timm, and classify it."""
    from timm.data import create_dataset, create_transform, resolve_data_config

    import ferdata.models.timm_entries  # noqa: F401

    model = timm.create_model("fer_i_mobilenetv2", num_classes=7).eval()
    transform = create_transform(**resolve_data_config(model=model))
    dataset = create_dataset("", root="out/images", split="train", transform=transform)
    image, label = dataset[0]
    with torch.no_grad():
        logits = model(image[None])

    assert len(dataset) == 14
    assert dataset.reader.class_to_idx["anger"] == label == 0
    assert logits.shape == (1, 7)


def test_feature_maps_for_a_detector_or_a_segmenter() -> None:
    """Take the feature pyramid of a paper's model as a backbone."""
    import ferdata.models.timm_entries  # noqa: F401

    backbone = timm.create_model("fer_lmfer", features_only=True, out_indices=(1, 2, 4))
    maps = backbone(torch.zeros(1, 3, 64, 64))

    assert backbone.feature_info.channels() == [48, 64, 96]
    assert backbone.feature_info.reduction() == [4, 8, 32]
    assert [each.shape[-1] for each in maps] == [16, 8, 2]


def test_transfer_to_other_classes() -> None:
    """Put a new head on a model, and train the head alone."""
    import ferdata.models.timm_entries  # noqa: F401

    model = timm.create_model("fer_a_mobilenet", num_classes=7)
    model.reset_classifier(3)
    for parameter in model.parameters():
        parameter.requires_grad = False
    for parameter in model.get_classifier().parameters():
        parameter.requires_grad = True
    embedding = model.forward_head(
        model.forward_features(torch.zeros(2, 3, 64, 64)), pre_logits=True
    )

    assert model(torch.zeros(2, 3, 64, 64)).shape == (2, model.num_classes) == (2, 3)
    assert embedding.shape == (2, model.head_hidden_size)
    assert sum(p.numel() for p in model.parameters() if p.requires_grad) == 3 * 1024 + 3


def test_the_weights_of_a_run(run) -> None:
    """Start from a trained model: a file of weights as timm's checkpoint_path."""
    import ferdata
    import ferdata.models.timm_entries

    ferdata.export("runs/rafdb", to="safetensors", out="fer.safetensors")
    model = timm.create_model("fer_i_mobilenetv2", checkpoint_path="fer.safetensors").eval()
    trained = ferdata.open("runs/rafdb").load_model()
    images = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(model(images), trained.model(images), atol=1e-4, rtol=1e-4)


def test_the_transform_that_a_model_expects() -> None:
    """Prepare a photograph as a model's configuration says."""
    from PIL import Image
    from timm.data import create_transform, resolve_data_config

    import ferdata.models.timm_entries  # noqa: F401

    model = timm.create_model("fer_efficientvit_m5", img_size=64)
    transform = create_transform(**resolve_data_config(model=model))
    image = transform(Image.new("RGB", (100, 100)))

    assert image.shape == (3, 64, 64)
    assert image[0].unique() == pytest.approx(-0.485 / 0.229)


def test_a_smaller_rate_for_earlier_layers() -> None:
    """Fine-tune with layer decay, which asks the model for its groups of parameters."""
    from timm.optim import create_optimizer_v2

    import ferdata.models.timm_entries  # noqa: F401

    model = timm.create_model("fer_lmfer", num_classes=7)
    optimizer = create_optimizer_v2(
        model, opt="adamw", lr=1e-3, weight_decay=0.05, layer_decay=0.75
    )

    scales = [group["lr_scale"] for group in optimizer.param_groups]
    assert min(scales) == pytest.approx(0.75 ** (len(set(scales)) - 1))
    assert max(scales) == 1
    decayed = {group["weight_decay"] for group in optimizer.param_groups}
    assert decayed == {0.0, 0.05}
