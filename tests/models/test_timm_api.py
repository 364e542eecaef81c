"""The papers' models do what timm expects of a model."""

from __future__ import annotations

import copy
import subprocess
import sys
from functools import cache

import pytest
import timm
import torch
from support.models import count, draw
from timm.data import create_transform, resolve_data_config
from timm.models import group_parameters
from torch import nn

from ferdata.core.errors import ModelFileError, OptionError, UnknownNameError
from ferdata.models import create_model
from ferdata.models.registry import PAPER_MODELS
from ferdata.models.timm_model import TimmModel

NAMES = tuple(sorted(PAPER_MODELS))
SMALL = {"efficientvit_m5": {"img_size": 64}}
CHANNELS = {  # of the stages
    "lmfer": [32, 48, 64, 80, 96],
    "i_mobilenetv2": [16, 24, 24, 72, 320],
    "efficientvit_m5": [192, 288, 384],
    "ctan": [96, 192, 384, 768],
    "a_mobilenet": [64, 128, 256, 512, 1024],
}
REDUCTION = {"efficientvit_m5": [16, 32, 64], "ctan": [4, 8, 16, 32]}


def make(name: str, classes: int = 7, **options: object) -> TimmModel:
    torch.manual_seed(0)
    return create_model(name, classes, **SMALL.get(name, {}), **options).eval()


@cache
def known(name: str) -> TimmModel:
    """Return a model that no test changes."""
    return make(name)


@pytest.mark.parametrize("name", NAMES)
def test_features_and_head_are_the_model_in_two_steps(name):
    model, images = known(name), draw(2, 3, 64, 64)
    with torch.no_grad():
        features = model.forward_features(images)
        assert features.shape[:2] == (2, model.num_features)
        embedding = model.forward_head(features, pre_logits=True)
        assert embedding.shape == (2, model.head_hidden_size)
        assert torch.equal(embedding, model.embed(images))
        assert torch.equal(model.forward_head(features), model(images))
        assert torch.equal(model.get_classifier()(embedding), model(images))


@pytest.mark.parametrize("name", NAMES)
def test_the_stages_are_the_way_to_the_last_map(name):
    model, images = known(name), draw(2, 3, 64, 64)
    with torch.no_grad():
        last, stages = model.forward_intermediates(images)
        assert torch.equal(last, model.forward_features(images))
        chosen = model.forward_intermediates(images, indices=[0, -1], intermediates_only=True)
    assert [info["num_chs"] for info in model.feature_info] == CHANNELS[name]
    assert [stage.shape[1] for stage in stages] == CHANNELS[name]
    assert [-(-64 // info["reduction"]) for info in model.feature_info] == [
        stage.shape[2] for stage in stages
    ]
    assert all(torch.equal(a, b) for a, b in zip(chosen, (stages[0], stages[-1]), strict=True))
    assert len(stages) == type(model).levels


@pytest.mark.parametrize("name", NAMES)
def test_timm_makes_a_feature_extractor_of_it(name):
    torch.manual_seed(0)
    options = {"features_only": True, **SMALL.get(name, {})}
    extractor = timm.create_model(f"fer_{name}", out_indices=(0, 1), **options).eval()
    images = draw(1, 3, 64, 64)
    with torch.no_grad():
        maps = extractor(images)
        expected = known(name).forward_intermediates(images, indices=[0, 1])[1]
    assert all(torch.equal(a, b) for a, b in zip(maps, expected, strict=True))
    assert extractor.feature_info.channels() == CHANNELS[name][:2]
    assert extractor.feature_info.reduction() == REDUCTION.get(name, [2, 4])[:2]
    assert count(extractor) < count(known(name)) / 1.2  # what is not needed is gone


def test_all_stages_are_the_default_and_wrong_ones_are_named():
    assert create_model("ctan", 0, features_only=True).feature_info.channels() == CHANNELS["ctan"]
    with pytest.raises(OptionError, match=r"stages \[0, 5\]: the model has 5, 0 to 4"):
        create_model("i_mobilenetv2", 7, features_only=True, out_indices=(0, 5))


@pytest.mark.parametrize("name", NAMES)
def test_a_new_classifier_has_other_classes_or_none(name):
    model, images = copy.deepcopy(known(name)), draw(2, 3, 64, 64)
    kept = {key: value.clone() for key, value in model.state_dict().items()}
    model.reset_classifier(3)
    with torch.no_grad():
        assert model(images).shape == (2, 3)
        assert model.num_classes == model.get_classifier().out_features == 3
        spread = known(name).get_classifier().weight.std().item()
        assert model.classifier.weight.std().item() == pytest.approx(spread, rel=0.1)
        model.reset_classifier(0)
        assert torch.equal(model(images), model.embed(images))
        model.reset_classifier(0, "")
        assert torch.equal(model(images), model.forward_features(images))
    assert isinstance(model.get_classifier(), nn.Identity)
    for key, value in model.state_dict().items():
        assert torch.equal(value, kept[key])
    with pytest.raises(OptionError, match="needs a pooled map"):
        model.reset_classifier(2)


def test_the_last_map_is_pooled_as_asked():
    model, images = make("lmfer", global_pool="max"), draw(2, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(model.embed(images), model.forward_features(images).amax((2, 3)))
        mean = known("lmfer").embed(images)
        model.reset_classifier(7, "avgmax")
        most = model.forward_features(images).amax((2, 3))
        torch.testing.assert_close(model.embed(images), (mean + most) / 2)
    with pytest.raises(UnknownNameError, match="avgmax"):
        model.reset_classifier(7, "mean")


@pytest.mark.parametrize("name", NAMES)
def test_a_model_without_classes_returns_its_embedding(name):
    model = make(name, 0)
    assert count(model) == count(known(name)) - count(known(name).classifier)
    with torch.no_grad():
        assert model(draw(1, 3, 64, 64)).shape == (1, model.head_hidden_size)


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_is_in_a_group_from_input_to_output(name):
    model = known(name)
    for coarse, fewest in ((True, len(CHANNELS[name]) + 1), (False, 14)):
        groups = group_parameters(model, model.group_matcher(coarse=coarse))
        assert len(groups) >= fewest
        names = [key for number in sorted(groups) for key in groups[number]]
        assert sorted(names) == sorted(key for key, _ in model.named_parameters())
        assert any(key.startswith(model.first_conv) for key in groups[0])
        ends = {key.partition(".")[0] for key in groups[max(groups)]}
        assert ends <= {"classifier", "norm"}
        assert "classifier" in ends


@pytest.mark.parametrize("name", NAMES)
def test_recomputed_stages_have_the_same_gradients(name):
    model, images = copy.deepcopy(known(name)).train(), draw(4, 3, 64, 64)
    ran, gradients = [], []
    model.get_submodule(model.first_conv).register_forward_hook(lambda *_: ran.append(1))
    for enable in (False, True):
        torch.manual_seed(0)  # of dropout
        model.set_grad_checkpointing(enable)
        model.zero_grad()
        model(images).square().sum().backward()
        gradients.append({key: value.grad.clone() for key, value in model.named_parameters()})
    assert len(ran) == 3
    for key, expected in gradients[0].items():
        torch.testing.assert_close(gradients[1][key], expected)


@pytest.mark.parametrize("name", NAMES)
def test_dropout_is_an_option_of_all(name):
    model = make(name, drop_rate=0.9).train()
    assert model.drop_rate == 0.9
    embedding = torch.ones(64, model.embedding_size)
    assert model.classify(embedding).std(dim=0).max() > 0
    assert model.eval().classify(embedding).std(dim=0).max() < 1e-6
    with pytest.raises(OptionError, match="below 1"):
        make(name, drop_rate=1.0)


@pytest.mark.parametrize("name", NAMES)
def test_the_configuration_names_what_goes_in_and_the_ends(name):
    model = make(name, 8, in_chans=1)
    assert model.default_cfg is model.pretrained_cfg
    assert model.get_submodule(model.default_cfg["first_conv"]).in_channels == model.in_chans == 1
    assert model.get_submodule(model.default_cfg["classifier"]) is model.get_classifier()
    config = resolve_data_config(model=known(name))
    side = 64 if name in SMALL else type(model).usual_input
    assert config["input_size"] == (3, side, side)
    assert config["crop_pct"] == 1.0
    direct = PAPER_MODELS[name].rpartition(":")[2]
    assert type(model).__name__ == direct
    create_transform(**config)


def test_weights_of_a_file_are_taken_here_and_in_timm(tmp_path):
    model, images = known("i_mobilenetv2"), draw(2, 3, 48, 48)
    path = tmp_path / "model.pth"
    torch.save(model.state_dict(), path)
    here = create_model("i_mobilenetv2", 7, checkpoint_path=path).eval()
    there = timm.create_model("fer_i_mobilenetv2", checkpoint_path=str(path)).eval()
    overlay = {"file": str(path)}
    extractor = timm.create_model(
        "fer_i_mobilenetv2", True, features_only=True, pretrained_cfg_overlay=overlay
    ).eval()
    other = timm.create_model(
        "fer_i_mobilenetv2", True, num_classes=3, in_chans=1, pretrained_cfg_overlay=overlay
    )
    with torch.no_grad():
        assert torch.equal(here(images), model(images))
        assert torch.equal(there(images), model(images))
        last = model.forward_intermediates(images, indices=1, intermediates_only=True)[0]
        assert torch.equal(extractor(images)[-1], last)
    assert other.classifier.out_features == 3
    assert torch.equal(other.rows[2][0].layers.expand.weight, model.rows[2][0].layers.expand.weight)


def test_weights_that_do_not_fit_are_refused(tmp_path):
    path = tmp_path / "model.pth"
    torch.save(known("i_mobilenetv2").state_dict(), path)
    for file, options in ((path, {}), (tmp_path / "none.pth", {}), (path, {"width": 0.5})):
        with pytest.raises(ModelFileError, match=rf"checkpoint_path .*{file.name}: can't be"):
            create_model("i_mobilenetv2", 8, checkpoint_path=file, **options)


def test_numbers_that_can_not_be_are_refused():
    with pytest.raises(OptionError, match="num_classes=-1"):
        create_model("lmfer", -1)
    with pytest.raises(OptionError, match="in_chans=0"):
        create_model("lmfer", 7, in_chans=0)


def test_a_script_sees_the_models_in_timm(tmp_path):
    script = tmp_path / "mine.py"
    script.write_text("import sys, timm\nprint(sys.argv[1:], len(timm.list_models('fer_*')))\n")
    command = [sys.executable, "-m", "ferdata.models"]
    given = [*command, script, "--a", "b"]
    done = subprocess.run(given, check=True, capture_output=True, text=True)
    assert done.stdout == "['--a', 'b'] 5\n"
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode
    assert "usage: python -m ferdata.models SCRIPT.py" in done.stderr
