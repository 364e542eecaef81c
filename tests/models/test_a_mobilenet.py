"""A-MobileNet: its size, its places of attention, and the formulas of its parts."""

from __future__ import annotations

import pytest
import timm
import torch
from support.models import count, drawn_faces, overfit
from timm.layers.cbam import CbamModule
from torch import Tensor, nn
from torch.nn import functional

from ferdata.core.errors import OptionError, UnknownNameError
from ferdata.models.a_mobilenet import AMobileNet


def depthwise_blocks(model: nn.Module) -> list[nn.Module]:
    return [module for module in model.modules() if hasattr(module, "conv_dw")]


@pytest.fixture(scope="module")
def model() -> AMobileNet:
    torch.manual_seed(0)
    return AMobileNet().eval()


@pytest.mark.parametrize(
    ("classes", "options", "parameters"),
    [(7, {}, 3_419_351), (8, {}, 3_420_376), (7, {"reduction": 8}, 3_624_151)],
)
def test_the_number_of_parameters_is_exact(classes, options, parameters):
    assert count(AMobileNet(classes, **options)) == parameters


def test_the_four_attentions_are_all_that_it_adds_to_mobilenet(model):
    attentions = [count(m) for m in model.modules() if isinstance(m, CbamModule)]
    assert attentions == [8_292, 32_868, 32_868, 131_172]
    assert count(timm.create_model("mobilenetv1_100", num_classes=7)) == 3_214_151
    assert sum(attentions) == 205_200 == count(model) - 3_214_151


def test_maps_have_the_sizes_of_table_1(model):
    blocks: list[tuple[int, ...]] = []
    attentions: list[tuple[int, tuple[int, ...]]] = []
    hooks = [
        block.register_forward_hook(lambda _m, _i, out: blocks.append(tuple(out.shape[1:])))
        for block in depthwise_blocks(model)
    ] + [
        module.register_forward_hook(
            lambda _m, _i, out: attentions.append((len(blocks), tuple(out.shape[1:])))
        )
        for module in model.modules()
        if isinstance(module, CbamModule)
    ]
    with torch.no_grad():
        assert model.embed(torch.zeros(1, 3, 224, 224)).shape == (1, 1024)
    for hook in hooks:
        hook.remove()
    assert blocks == [
        (64, 112, 112),
        (128, 56, 56),
        (128, 56, 56),
        (256, 28, 28),
        (256, 28, 28),
        *[(512, 14, 14)] * 6,
        *[(1024, 7, 7)] * 2,
    ]
    assert attentions == [  # after DSC 4, 6, 11 and 13
        (4, (256, 28, 28)),
        (6, (512, 14, 14)),
        (11, (512, 14, 14)),
        (13, (1024, 7, 7)),
    ]


@pytest.mark.parametrize(
    ("linear_dw", "linear"), [("all", range(1, 14)), ("improved", (4, 6, 11, 13)), ("none", ())]
)
def test_what_the_pointwise_convolution_sees_is_linear_where_asked(linear_dw, linear):
    torch.manual_seed(0)
    model = AMobileNet(linear_dw=linear_dw).eval()
    blocks = depthwise_blocks(model)
    seen: list[tuple[Tensor, Tensor]] = []
    for block in blocks:
        block.conv_dw.register_forward_hook(
            lambda _m, _i, out, bn=block.bn1: seen.append((normalized(out, bn),))
        )
        block.conv_pw.register_forward_pre_hook(
            lambda _m, inputs: seen.append((*seen.pop(), inputs[0].clone()))
        )
    with torch.no_grad():
        model(torch.randn(1, 3, 96, 96))
    for number, (before, after) in enumerate(seen, start=1):
        assert before.min() < 0
        expected = before if number in linear else before.clamp(0, 6)
        torch.testing.assert_close(after, expected, rtol=1e-5, atol=1e-6)
    assert len(seen) == 13


def normalized(x: Tensor, bn: nn.Module) -> Tensor:
    """Return what batch norm alone makes of x in evaluation mode; a copy."""
    scale = bn.weight / torch.sqrt(bn.running_var + bn.eps)
    return (x - bn.running_mean[:, None, None]) * scale[:, None, None] + bn.bias[:, None, None]


def test_blocks_end_in_relu6(model):
    for block in depthwise_blocks(model):
        assert isinstance(block.bn2.act, nn.ReLU6)
    assert AMobileNet().backbone.bn1.act(torch.tensor([-1.0, 7.0])).tolist() == [0.0, 6.0]


def test_cbam_is_the_authors_formula_with_the_two_maps_the_other_way_round():
    """Equations 2 and 3 of Woo et al., ECCV 2018, whose code stacks the maximum before the mean."""
    torch.manual_seed(0)
    cbam = CbamModule(256, rd_channels=16).double().eval()
    bn = cbam.spatial.conv.bn
    with torch.no_grad():
        for values in (bn.weight, bn.bias, bn.running_mean):
            values.normal_()
        bn.running_var.uniform_(0.5, 2)
    x = torch.randn(2, 256, 9, 9, dtype=torch.float64)

    w0, w1 = cbam.channel.fc1.weight.flatten(1), cbam.channel.fc2.weight.flatten(1)
    mean, largest = x.mean((2, 3)), x.flatten(2).max(dim=2).values
    gate = torch.sigmoid((mean @ w0.T).relu() @ w1.T + (largest @ w0.T).relu() @ w1.T)
    scaled = x * gate[:, :, None, None]
    maps = torch.stack([scaled.max(dim=1).values, scaled.mean(dim=1)], dim=1)
    stacked = functional.conv2d(maps, cbam.spatial.conv.conv.weight.flip(1), padding=3)
    expected = scaled * torch.sigmoid(normalized(stacked, bn))

    torch.testing.assert_close(cbam(x), expected)
    assert cbam.channel.fc1.bias is None


def test_the_embedding_is_taken_before_dropout(model):
    model = AMobileNet().eval()
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        embedding = model.embed(images)
        logits = model.classify(embedding)
        torch.testing.assert_close(model(images), logits)
        model.train()
        for module in model.modules():  # with the statistics of evaluation
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        torch.testing.assert_close(model.embed(images), embedding)
        assert not torch.allclose(model.classify(embedding), logits)
        dropped = model.dropout(torch.ones(1000, 10)) == 0
    assert dropped.float().mean().item() == pytest.approx(0.5, abs=0.02)


def test_pretrained_weights_of_mobilenet_are_asked_for(pretrained):
    model = AMobileNet(pretrained=True)
    assert pretrained == [("mobilenetv1_100", True)]
    assert (model.backbone.conv_stem.weight == 0.5).all()
    assert model.mean == model.std == (0.5, 0.5, 0.5)  # of those weights


@pytest.mark.parametrize(
    ("options", "error", "accepted"),
    [
        ({"linear_dw": "some"}, UnknownNameError, "all, improved, none"),
        ({"reduction": 0}, OptionError, "1 to 256"),
        ({"reduction": 512}, OptionError, "1 to 256"),
        ({"drop_rate": 1.0}, OptionError, "below 1"),
        ({"drop_rate": -0.1}, OptionError, "at least 0"),
    ],
)
def test_values_that_can_not_be_are_answered_with_those_that_can(options, error, accepted):
    with pytest.raises(error, match=accepted):
        AMobileNet(**options)


def test_it_learns_64_faces_by_heart_with_dropout_on():
    torch.manual_seed(1)
    assert overfit(AMobileNet(), *drawn_faces(64), lr=1e-3, batch=16, check_every=10) >= 0.95
