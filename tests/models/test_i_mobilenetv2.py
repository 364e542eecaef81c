"""I-MobileNetV2: its size and shapes, and reverse fusion against its formulas."""

from __future__ import annotations

import pytest
import torch
from support.models import count, draw, drawn_faces, overfit
from timm.layers import SqueezeExcite
from torch import Tensor, nn
from torch.nn import functional

from ferdata.core.errors import ModelFileError, OptionError
from ferdata.models.i_mobilenetv2 import START_SHIFT, IMobileNetV2, ReverseFusionBlock
from ferdata.models.layers.reverse_fusion import ReverseFusion


def blocks(model: nn.Module) -> list[ReverseFusionBlock]:
    return [part for part in model.modules() if isinstance(part, ReverseFusionBlock)]


def hidden_channels(model: IMobileNetV2) -> int:
    return sum(block.layers.depthwise.out_channels for block in blocks(model))


# --- the whole ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "parameters"),
    [
        ({}, 3_548_244),
        ({"se": False}, 3_458_391),
        ({"last": None}, 2_401_924),
        ({"last": None, "se": False}, 2_312_071),
        ({"width": 1.0, "se": False}, 4_056_151),
        ({"table": "sandler", "last": None, "se": False}, 1_047_351),
        ({"num_classes": 8}, 3_548_244 + 321),
        ({"rfm": "none"}, 3_548_244),
    ],
)
def test_the_number_of_parameters_is_exact(options, parameters):
    assert count(IMobileNetV2(**options)) == parameters


def test_weighted_fusion_adds_two_scales_for_each_hidden_channel():
    model = IMobileNetV2(rfm="weighted")
    assert count(model) == 3_548_244 + 2 * hidden_channels(model)


def test_concatenation_doubles_the_input_of_every_projection():
    plain, doubled = IMobileNetV2(se=False), IMobileNetV2(se=False, rfm="concat")
    more = sum(block.layers.project.weight.numel() for block in blocks(plain))
    assert count(doubled) == count(plain) + more


@pytest.mark.parametrize(
    ("table", "shapes"),
    [
        ("paper", [(16, 24), (24, 12), (24, 6), (48, 3), (72, 3), (120, 2), (320, 2)]),
        ("sandler", [(24, 24), (16, 24), (24, 12), (24, 6), (48, 3), (72, 3), (120, 2), (320, 2)]),
    ],
)
def test_every_row_has_the_size_that_table_1_prints(table, shapes):
    model = IMobileNetV2(table=table).eval()
    seen = []
    for part in (model.stem, *model.rows):
        part.register_forward_hook(lambda *a: seen.append((a[2].shape[1], *a[2].shape[2:])))
    with torch.no_grad():
        embedding = model.embed(draw(1, 3, 48, 48))
        assert model.classify(embedding).shape == (1, 7)
    assert seen == [(channels, side, side) for channels, side in shapes]
    assert embedding.shape == (1, model.embedding_size) == (1, 320)


def test_squeeze_and_excitation_is_in_all_blocks_of_rows_2_and_6():
    excited = [
        sum(isinstance(part, SqueezeExcite) for part in row.modules())
        for row in IMobileNetV2().rows
    ]
    assert excited == [2, 0, 0, 0, 2, 0]
    first = IMobileNetV2().rows[0][0].layers.se
    assert (first.fc1.in_channels, first.fc1.out_channels) == (32, 2)


def test_the_input_is_added_where_stride_and_channels_allow():
    model = IMobileNetV2()
    assert [[block.residual for block in row] for row in model.rows] == [
        [False, True],
        [False, True, True],
        [False, True, True],
        [False, True, True, True],
        [False, True],
        [False, True, True],
    ]
    block, x = model.rows[0][1].eval(), draw(2, 24, 6, 6)
    with torch.no_grad():
        torch.testing.assert_close(block(x), x + block.layers(x))


def test_a_block_is_its_layers_in_order():
    torch.manual_seed(0)
    block = ReverseFusionBlock(8, 12, expansion=4, stride=2, rfm="sum", se=True).eval()
    part, x = block.layers, draw(2, 8, 9, 9)
    with torch.no_grad():
        wide = functional.selu(part.expand_norm(part.expand(x)))
        z = part.depthwise_norm(part.depthwise(wide))
        fused = part.se(functional.selu(z) + functional.selu(-z))
        expected = part.project_norm(part.project(fused))
        torch.testing.assert_close(block(x), expected)
    assert expected.shape == (2, 12, 5, 5)


@pytest.mark.parametrize("size", [32, 40, 44, 100])
def test_any_size_goes_in(size):
    with torch.no_grad():
        assert IMobileNetV2().eval()(draw(1, 3, size, size)).isfinite().all()


def test_there_are_no_pretrained_weights():
    with pytest.raises(ModelFileError, match="from scratch"):
        IMobileNetV2(pretrained=True)


@pytest.mark.parametrize("rfm", ["sum", "weighted", "concat", "none"])
def test_gradients_reach_every_parameter(rfm):
    torch.manual_seed(0)
    model = IMobileNetV2(rfm=rfm)
    functional.cross_entropy(model(draw(8, 3, 48, 48)), torch.arange(8) % 7).backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in model.parameters())


@pytest.mark.parametrize("rfm", ["sum", "weighted"])
def test_an_even_fusion_starts_on_one_side_of_zero(rfm):
    for block in blocks(IMobileNetV2(rfm=rfm)):
        assert (block.layers.depthwise_norm.bias == START_SHIFT).all()


@pytest.mark.slow
def test_it_learns_64_faces_by_heart():
    images, labels = drawn_faces(48)
    torch.manual_seed(0)
    accuracy = overfit(IMobileNetV2(), images, labels, lr=2e-3, batch=16, steps=120)
    assert accuracy >= 0.95


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"table": "foo"}, "paper, sandler"),
        ({"rfm": "product"}, "concat, none, sum, weighted"),
        ({"width": 0.0}, "above 0"),
        ({"last": 0}, "1 or more"),
    ],
)
def test_a_wrong_option_is_answered_with_what_is_accepted(options, message):
    with pytest.raises(OptionError, match=message):
        IMobileNetV2(**options)


# --- reverse fusion -------------------------------------------------------------------------------


def selu(z: Tensor) -> Tensor:
    """SELU with the constants of Klambauer et al., which the paper rounds to 1.05 and 1.67."""
    negative = 1.6732632423543772 * (torch.exp(z.clamp(max=0)) - 1)
    return 1.0507009873554805 * torch.where(z > 0, z, negative)


def test_fusion_by_sum_is_even_and_dips_at_a_half():
    fuse, z = ReverseFusion(5, "sum"), 3 * draw(2, 5, 4, 4)
    torch.testing.assert_close(fuse(z), selu(z) + selu(-z))
    assert torch.equal(fuse(z), fuse(-z))
    assert count(fuse) == 0
    line = torch.linspace(-2, 2, 4001).reshape(1, 1, 1, -1)
    values = fuse(line).flatten()
    assert abs(float(values.min()) + 0.17) < 0.005
    assert abs(abs(float(line.flatten()[values.argmin()])) - 0.51) < 0.01


def test_weighted_fusion_contains_the_sum_and_can_keep_the_sign():
    fuse, z = ReverseFusion(5, "weighted"), draw(2, 5, 4, 4)
    torch.testing.assert_close(fuse(z), ReverseFusion(5, "sum")(z))
    with torch.no_grad():
        fuse.forward_scale.copy_(torch.arange(5))
        fuse.reverse_scale.fill_(0.5)
    p = torch.arange(5.0)[:, None, None]
    torch.testing.assert_close(fuse(z), p * selu(z) + 0.5 * selu(-z))
    assert not torch.allclose(fuse(z), fuse(-z))


def test_concatenation_puts_both_side_by_side():
    fuse, z = ReverseFusion(5, "concat"), draw(2, 5, 4, 4)
    assert fuse.out_channels == 10
    torch.testing.assert_close(fuse(z), torch.cat((selu(z), selu(-z)), dim=1))


def test_without_fusion_only_selu_is_left():
    z = draw(2, 5, 4, 4)
    torch.testing.assert_close(ReverseFusion(5, "none")(z), selu(z))


@pytest.mark.parametrize(("rfm", "blind"), [("sum", True), ("none", False)])
def test_with_the_sum_a_net_is_blind_to_the_sign_of_what_it_finds(rfm, blind):
    torch.manual_seed(0)
    model, images = IMobileNetV2(rfm=rfm).eval(), draw(2, 3, 48, 48)
    with torch.no_grad():
        before = model(images)
        for block in blocks(model):
            block.layers.depthwise_norm.weight.neg_()
            block.layers.depthwise_norm.bias.neg_()
        assert torch.allclose(model(images), before, atol=1e-6) is blind
