"""The advanced EfficientViT-M5: its size, its head, its one input size."""

from __future__ import annotations

import pytest
import torch
from support.models import count, drawn_faces, overfit

from ferdata.core.errors import OptionError, UnknownNameError
from ferdata.models.efficientvit_m5 import EfficientVitM5


@pytest.mark.parametrize(
    ("classes", "head", "parameters"),
    [(7, "pooled", 12_090_692), (8, "pooled", 12_091_076), (7, "flatten", 12_131_012)],
)
def test_the_number_of_parameters_is_exact(classes, head, parameters):
    model = EfficientVitM5(classes, head=head)
    assert count(model) == parameters
    assert count(model.backbone) == 12_088_004


def test_maps_have_the_sizes_of_the_backbone_at_224():
    model = EfficientVitM5().eval()
    shapes = []
    for module in (model.backbone.patch_embed, *model.backbone.stages):
        module.register_forward_hook(lambda _m, _i, out: shapes.append(tuple(out.shape[1:])))
    with torch.no_grad():
        logits = model(torch.zeros(1, 3, 224, 224))
    assert shapes == [(192, 14, 14), (192, 14, 14), (288, 7, 7), (384, 4, 4)]
    assert logits.shape == (1, 7)


@pytest.mark.parametrize(("head", "length"), [("pooled", 384), ("flatten", 384 * 4 * 4)])
def test_the_head_is_one_matrix_on_the_pooled_or_the_whole_map(head, length):
    torch.manual_seed(0)
    model = EfficientVitM5(head=head).eval()
    images = torch.randn(2, 3, 224, 224)
    with torch.no_grad():
        last = model.backbone.forward_features(images)
        embedding = model.embed(images)
        expected = last.mean((2, 3)) if head == "pooled" else last.reshape(2, -1)
        torch.testing.assert_close(embedding, expected)
        torch.testing.assert_close(model(images), embedding @ model.classifier.weight.T)
    assert model.embedding_size == embedding.shape[1] == length


@pytest.mark.parametrize("std", [0.02, 1.0])
def test_the_matrix_starts_normal_with_the_asked_deviation(std):
    torch.manual_seed(0)
    weight = EfficientVitM5(head="flatten", head_init_std=std).classifier.weight
    assert weight.std().item() == pytest.approx(std, rel=0.02)
    assert weight.mean().item() == pytest.approx(0, abs=0.02 * std)


@pytest.mark.parametrize(
    ("size", "head", "length"),
    [(32, "flatten", 384), (96, "flatten", 4 * 384), (96, "pooled", 384)],
)
def test_it_can_be_made_for_other_sizes(size, head, length):
    model = EfficientVitM5(img_size=size, head=head).eval()
    with torch.no_grad():
        assert model.embed(torch.zeros(2, 3, size, size)).shape == (2, length)
        assert model(torch.zeros(2, 3, size, size)).shape == (2, 7)
    assert model.fixed_input == size


def test_attention_biases_are_not_decayed():
    # one table for each of the 1 + 3 + 4 blocks
    assert len(EfficientVitM5().no_weight_decay()) == 8


def test_pretrained_weights_of_the_backbone_are_asked_for(pretrained):
    model = EfficientVitM5(pretrained=True)
    assert pretrained == [("efficientvit_m5", True)]
    assert (model.backbone.patch_embed.conv1.conv.weight == 0.5).all()


@pytest.mark.parametrize(
    ("options", "error", "accepted"),
    [
        ({"head": "mlp"}, UnknownNameError, "flatten, pooled"),
        ({"head_init_std": 0.0}, OptionError, "more than 0"),
        ({"img_size": 100}, OptionError, "multiple of 16"),
        ({"img_size": 16}, OptionError, "from 32 on"),
    ],
)
def test_values_that_can_not_be_are_answered_with_those_that_can(options, error, accepted):
    with pytest.raises(error, match=accepted):
        EfficientVitM5(**options)


def test_it_learns_64_faces_of_64_px_by_heart():
    torch.manual_seed(1)
    model = EfficientVitM5(img_size=64)
    assert overfit(model, *drawn_faces(64), lr=1e-3, batch=16, check_every=10) >= 0.95
