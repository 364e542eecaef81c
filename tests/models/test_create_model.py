"""What all models of ferdata hold to, and how they are made by name, here and in timm."""

from __future__ import annotations

import importlib
import subprocess
import sys
import warnings
from importlib.metadata import EntryPoint

import pytest
import timm
import torch
from support.models import count, draw
from torch import Tensor

from ferdata.core import registry
from ferdata.core.errors import ModelFileError, OptionError, PluginError, UnknownNameError
from ferdata.models import (
    MODELS,
    ExpressionModel,
    create_model,
    model_options,
    takes_image_size,
    timm_entries,
)
from ferdata.models.registry import PAPER_MODELS

NAMES = tuple(sorted(PAPER_MODELS))
SMALL = {"efficientvit_m5": {"img_size": 64}}
"""Options that make a model take 64×64 images, which the others do as they are."""


def make(name: str, classes: int = 7, **options: object) -> ExpressionModel:
    torch.manual_seed(0)
    return create_model(name, classes, **SMALL.get(name, {}), **options).eval()


@pytest.mark.parametrize("name", NAMES)
def test_a_model_classifies_what_it_embeds(name):
    model, images = make(name), draw(2, 3, 64, 64)
    assert isinstance(model, MODELS.get(name))
    with torch.no_grad():
        embedding = model.embed(images)
        logits = model(images)
        assert embedding.shape == (2, model.embedding_size)
        assert logits.shape == (2, 7)
        assert logits.dtype == torch.float32
        assert torch.equal(model.classify(embedding), logits)
        assert not torch.allclose(logits[0], logits[1])


@pytest.mark.parametrize("name", NAMES)
def test_gray_images_and_other_numbers_of_classes_work(name):
    with torch.no_grad():
        assert make(name, 8, in_chans=1)(draw(2, 1, 64, 64)).shape == (2, 8)


@pytest.mark.parametrize("name", NAMES)
def test_one_seed_makes_one_model(name):
    first, second = make(name).state_dict(), make(name).state_dict()
    assert first.keys() == second.keys()
    assert all(torch.equal(first[key], second[key]) for key in first)
    torch.manual_seed(1)
    other = create_model(name, 7, **SMALL.get(name, {})).state_dict()
    assert not all(torch.equal(first[key], other[key]) for key in first)


@pytest.mark.parametrize("name", NAMES)
def test_an_image_is_judged_by_itself(name):
    model, images = make(name), draw(3, 3, 64, 64)
    with torch.no_grad():
        together, alone = model(images), torch.cat([model(image[None]) for image in images])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_not_decayed_exists(name):
    model = make(name)
    assert model.no_weight_decay() <= {key for key, _ in model.named_parameters()}


@pytest.mark.parametrize("name", NAMES)
def test_weights_go_into_a_state_dict_and_back(name):
    model, images = make(name), draw(1, 3, 64, 64)
    torch.manual_seed(9)
    other = create_model(name, 7, **SMALL.get(name, {})).eval()
    other.load_state_dict(model.state_dict())
    with torch.no_grad():
        assert torch.equal(model(images), other(images))


# --- options --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_an_option_that_does_not_exist_is_answered_with_those_that_do(name):
    with pytest.raises(OptionError, match=f"option of {name} 'foo'") as caught:
        create_model(name, 7, foo=1)
    assert all(option in str(caught.value) for option in model_options(name))
    assert model_options(name)
    assert "pretrained" not in model_options(name)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("lmfer", {"layout": "foo"}, "full, none, respective"),
        ("lmfer", {"layout": 3}, "layout=3: .*string"),
        ("lmfer", {"maps": "7"}, "maps='7': .*integer"),
        ("lmfer", {"mlp_ratio": "four"}, "mlp_ratio='four': .*number"),
        ("i_mobilenetv2", {"se": 1}, "se=1: .*boolean"),
        ("i_mobilenetv2", {"rfm": "product"}, "concat, none, sum, weighted"),
    ],
)
def test_a_wrong_value_is_answered_with_what_is_accepted(name, options, message):
    with pytest.raises(OptionError, match=message):
        create_model(name, 7, **options)


def test_whole_numbers_serve_as_fractions():
    assert count(create_model("lmfer", 7, mlp_ratio=4)) == 1_952_021


def test_an_option_that_timms_model_does_not_have_is_a_clear_error():
    with pytest.raises(OptionError, match=r"test_resnet.*fooo"):
        create_model("test_resnet", 7, fooo=1)


def test_only_one_of_the_models_is_made_for_one_size():
    assert [name for name in NAMES if takes_image_size(name)] == ["efficientvit_m5"]
    assert takes_image_size("vit_tiny_patch16_224")
    assert not takes_image_size("mobilenetv1_100")


# --- names ----------------------------------------------------------------------------------------


def test_an_unknown_name_is_answered_with_ours_and_timms():
    with pytest.raises(UnknownNameError, match="lmfer"):
        create_model("lmfr", 7)
    with pytest.raises(UnknownNameError, match="mobilenetv2_100") as caught:
        create_model("mobilenetv2_10", 7)
    assert len(str(caught.value)) < 400
    with pytest.raises(UnknownNameError, match="lmfer"):
        model_options("resnet18")


def test_timms_model_of_the_same_name_is_reached_by_its_tag():
    assert isinstance(create_model("efficientvit_m5", 7), MODELS.get("efficientvit_m5"))
    other = create_model("efficientvit_m5.r224_in1k", 7)
    assert not isinstance(other, ExpressionModel)
    assert count(other) == 12_091_467


def test_timm_lists_them():
    assert set(timm.list_models("fer_*")) == {f"fer_{name}" for name in NAMES}
    assert not timm.list_models("fer_*", pretrained=True)


@pytest.mark.parametrize("name", NAMES)
def test_timm_makes_the_same_model(name):
    torch.manual_seed(0)
    model = timm.create_model(f"fer_{name}", num_classes=7, **SMALL.get(name, {})).eval()
    images = draw(1, 3, 64, 64)
    assert isinstance(model, MODELS.get(name))
    with torch.no_grad():
        assert torch.equal(model(images), make(name)(images))


def test_timm_is_told_options_too():
    assert timm.create_model("fer_lmfer", in_chans=1, layout="full").stem.conv.in_channels == 1
    with pytest.raises(OptionError, match="respective"):
        timm.create_model("fer_lmfer", layout="foo")


@pytest.mark.parametrize(
    ("name", "side", "fixed"),
    [
        ("lmfer", 256, False),
        ("i_mobilenetv2", 48, False),
        ("efficientvit_m5", 224, True),
        ("ctan", 224, False),
        ("a_mobilenet", 224, False),
    ],
)
def test_timm_knows_what_goes_in(name, side, fixed):
    config = timm.get_pretrained_cfg(f"fer_{name}")
    assert config.input_size == (3, side, side)
    assert config.fixed_input_size is fixed
    assert (config.mean, config.std) == (MODELS.get(name).mean, MODELS.get(name).std)


def test_registering_twice_is_silent():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        importlib.reload(timm_entries)
    assert len(timm.list_models("fer_*")) == len(NAMES)
    assert isinstance(timm.create_model("fer_i_mobilenetv2"), MODELS.get("i_mobilenetv2"))


# --- plugins and start-up -------------------------------------------------------------------------


class Mine(ExpressionModel):
    """A model as a package of a user brings it."""

    embedding_size = 3

    def __init__(
        self,
        num_classes: int = 7,
        in_chans: int = 3,
        *,
        pretrained: bool = False,
        scale: float = 1.0,
    ) -> None:
        super().__init__()
        self.scale = scale
        self.classifier = torch.nn.Linear(in_chans, num_classes)

    def embed(self, images: Tensor, prior: Tensor | None = None) -> Tensor:
        return self.scale * images.mean(dim=(2, 3))

    def classify(self, embedding: Tensor) -> Tensor:
        return self.classifier(embedding)


@pytest.fixture
def plugin(monkeypatch):
    """Make entry points be there, as an installed package does."""
    entries = [
        EntryPoint("model.mine", f"{__name__}:Mine", registry.GROUP),
        EntryPoint("model.function", f"{__name__}:draw", registry.GROUP),
    ]
    monkeypatch.setattr(registry, "entry_points", lambda **_: entries)
    registry._plugins.cache_clear()
    yield
    registry._plugins.cache_clear()


def test_a_package_adds_a_model(plugin):
    model = create_model("mine", 4, scale=0.5)
    assert isinstance(model, Mine)
    assert model.scale == 0.5
    assert model_options("mine") == {"scale": float}
    assert not takes_image_size("mine")
    with pytest.raises(OptionError, match=r"scale='a': .*number"):
        create_model("mine", 4, scale="a")
    with pytest.raises(UnknownNameError, match="mine"):
        create_model("mime", 4)
    with pytest.raises(PluginError, match=r"model 'function' is .*a subclass of"):
        create_model("function", 4)


@pytest.mark.parametrize("module", ["models", "models.registry", "models.spec"])
def test_specs_and_names_load_neither_torch_nor_timm(module):
    code = f"import sys, ferdata.{module}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "timm", "lightning"} & set(done.stdout.split())


# --- weights --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*NAMES, "test_resnet"])
def test_pretrained_weights_without_a_network_are_a_clear_error(name, monkeypatch):
    def offline(*args: object, **kwargs: object) -> None:
        raise OSError("We couldn't connect to the hub")

    monkeypatch.setattr("timm.create_model", offline)
    with pytest.raises(ModelFileError, match="from scratch") as caught:
        create_model(name, 7, pretrained=True)
    assert "couldn't connect" in str(caught.value) or "no pretrained weights" in str(caught.value)


def test_pretrained_weights_that_do_not_exist_are_a_clear_error():
    with pytest.raises(ModelFileError, match="from scratch"):
        create_model("mobilenetv2_075", 7, pretrained=True)
