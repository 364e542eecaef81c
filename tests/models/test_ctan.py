"""CTAN: its size, and its attentions against their formulas."""

from __future__ import annotations

from functools import partial

import pytest
import timm
import torch
from support.models import count, drawn_faces, overfit
from support.models import draw as draw_float32
from torch import Tensor, nn
from torch.nn import functional

from ferdata.core.errors import OptionError, UnknownNameError
from ferdata.models.ctan import Ctan
from ferdata.models.layers.basic_rfb import BasicRFB
from ferdata.models.layers.efficient_attention import (
    EfficientAttention,
    GlobalBranch,
    LiteralEfficientAttention,
    LocalBranch,
)
from ferdata.models.layers.shuffle_attention import ShuffleAttention

draw = partial(draw_float32, dtype=torch.float64)


def at_every_place(conv: nn.Module, x: Tensor) -> Tensor:
    """Apply a 1×1 convolution as the matrix that it is."""
    places = torch.einsum("oc,bchw->bohw", conv.weight.flatten(1), x)
    return places + conv.bias[:, None, None]


@pytest.fixture(scope="module")
def model() -> Ctan:
    torch.manual_seed(0)
    return Ctan().eval()


# --- the whole ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("classes", "options", "parameters"),
    [
        (7, {}, 30_513_547),
        (7, {"rfb": True}, 30_559_015),
        (8, {}, 30_513_547 + 769),
        (7, {"variant": "literal"}, 29_100_475),
    ],
)
def test_the_number_of_parameters_is_exact(classes, options, parameters):
    assert count(Ctan(classes, **options)) == parameters


def test_the_attentions_are_all_that_it_adds_to_convnext(model):
    assert count(timm.create_model("convnext_tiny", num_classes=7)) == 27_825_511
    assert count(model.attention) == 2_688_000
    assert count(model.shuffle) == 36
    assert count(model) == 27_825_511 + 2_688_000 + 36


def test_maps_have_the_sizes_of_table_1():
    model = Ctan(rfb=True).eval()
    shapes = []
    for module in (model.stem, model.rfb, *model.stages, model.attention, model.shuffle):
        module.register_forward_hook(lambda _m, _i, out: shapes.append(tuple(out.shape[1:])))
    with torch.no_grad():
        assert model(torch.zeros(1, 3, 224, 224)).shape == (1, 7)
    assert shapes == [
        (96, 56, 56),
        (96, 56, 56),
        (96, 56, 56),
        (192, 28, 28),
        (384, 14, 14),
        (768, 7, 7),
        (768, 7, 7),
        (768, 7, 7),
    ]


@pytest.mark.parametrize("variant", ["cloformer", "literal"])
def test_the_residual_goes_around_efficient_attention_alone(variant):
    torch.manual_seed(0)
    images = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        for residual in (True, False):
            model = Ctan(variant=variant, residual=residual).eval()
            x = model.stages(model.stem(images))
            before = x + model.attention(x) if residual else model.attention(x)
            torch.testing.assert_close(model.forward_features(images), model.shuffle(before))
            embedding = functional.layer_norm(model.shuffle(before).mean((2, 3)), (768,), eps=1e-6)
            torch.testing.assert_close(model.embed(images), embedding)


def test_stochastic_depth_rises_to_the_asked_rate_and_is_off_in_evaluation(model):
    rates = [m.drop_prob for m in model.stages.modules() if hasattr(m, "drop_prob")]
    assert rates == sorted(rates)
    assert rates[-1] == pytest.approx(0.3)
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(model(images), model(images))
    assert not [m for m in Ctan(drop_path_rate=0.0).modules() if hasattr(m, "drop_prob")]


def test_pretrained_weights_are_asked_for_and_the_last_norm_starts_afresh(pretrained):
    model = Ctan(pretrained=True)
    assert pretrained == [("convnext_tiny", True)]
    assert all((p == 0.5).all() for p in [*model.stem.parameters(), *model.stages.parameters()])
    assert (model.norm.weight == 1).all()
    assert (model.norm.bias == 0).all()


@pytest.mark.parametrize(
    ("options", "error", "accepted"),
    [
        ({"variant": "nextvit"}, UnknownNameError, "cloformer, literal"),
        ({"window": 0}, OptionError, "at least 1"),
        ({"kernel": 4}, OptionError, "odd side"),
        ({"kernel": 4, "variant": "literal"}, OptionError, "odd side"),
        ({"heads": 7}, OptionError, "one of 2, 3, 4, 6, 8"),
        ({"heads": 1}, OptionError, "one of 2, 3, 4, 6, 8"),
        ({"local_heads": 8}, OptionError, "1–7"),
        ({"local_heads": 0}, OptionError, "1–7"),
        ({"groups": 7}, OptionError, "one of 1, 2, 3, 4, 6, 8"),
        ({"groups": 0}, OptionError, "one of 1, 2, 3, 4, 6, 8"),
        ({"drop_path_rate": 1.0}, OptionError, "less than 1"),
    ],
)
def test_values_that_can_not_be_are_answered_with_those_that_can(options, error, accepted):
    with pytest.raises(error, match=accepted):
        Ctan(**options)


def test_gray_images_of_the_smallest_size_can_be_classified():
    assert Ctan(8, in_chans=1).eval()(torch.zeros(1, 1, 32, 32)).shape == (1, 8)


def test_it_learns_64_faces_of_32_px_by_heart_with_stochastic_depth_on():
    # The smallest size, for speed: its last map is one place, so attention over places is only in
    # the tests of the formulas below. At 64 px the model learns them too, in four times the time.
    torch.manual_seed(1)
    assert overfit(Ctan(), *drawn_faces(32), lr=2e-4, check_every=10) >= 0.95


# --- efficient attention --------------------------------------------------------------------------


def test_one_window_over_the_map_leaves_the_values_of_its_mean():
    """CTAN's equation 1: with window 7 on 7×7 the low-frequency branch is V(GAP(x)) everywhere."""
    branch = GlobalBranch(48, heads=4, head_width=6, window=7).double()
    x = draw(2, 48, 7, 7)
    value_weight, value_bias = branch.key_value.weight[24:, :, 0, 0], branch.key_value.bias[24:]
    values = x.mean((2, 3)) @ value_weight.T + value_bias
    torch.testing.assert_close(branch(x), values[:, :, None, None].expand(2, 24, 7, 7))


def test_one_window_leaves_590592_weights_without_a_gradient():
    torch.manual_seed(0)
    attention = EfficientAttention(768, window=7).double()
    assert count(attention) == 2_688_000
    (attention(draw(2, 768, 7, 7)) * draw(2, 768, 7, 7, seed=1)).sum().backward()
    idle = {name: int((p.grad == 0).sum()) for name, p in attention.named_parameters()}
    query, key = 768 * 384 + 384, 768 * 384 + 384
    assert sum(idle.values()) == query + key == 590_592
    assert idle["distant.query.weight"] == 768 * 384
    assert (attention.distant.key_value.weight.grad[:384] == 0).all()
    assert (attention.distant.key_value.weight.grad[384:] != 0).all()


def test_window_1_gives_every_weight_a_gradient():
    torch.manual_seed(0)
    attention = EfficientAttention(768, window=1).double()
    (attention(draw(2, 768, 7, 7)) * draw(2, 768, 7, 7, seed=1)).sum().backward()
    for name, parameter in attention.named_parameters():
        if name.endswith("weight"):
            assert (parameter.grad != 0).all(), name
    # A bias of all keys alike shifts all scores alike, which softmax does not see.
    biases = attention.distant.key_value.bias.grad
    assert biases[:384].abs().max() < 1e-12 < biases[384:].abs().min()


@pytest.mark.parametrize("window", [1, 2])
def test_the_global_branch_is_attention_to_the_windows_means(window):
    torch.manual_seed(0)
    branch = GlobalBranch(12, heads=3, head_width=4, window=window).double()
    x = draw(2, 12, 4, 6)
    means = x.unfold(2, window, window).unfold(3, window, window).mean((4, 5))
    query = at_every_place(branch.query, x).flatten(2)
    key, value = at_every_place(branch.key_value, means).flatten(2).split(12, dim=1)
    heads = []
    for head in range(3):
        channels = slice(4 * head, 4 * head + 4)
        scores = torch.einsum("bdq,bdk->bqk", query[:, channels], key[:, channels]) / 4**0.5
        attention = scores.exp() / scores.exp().sum(dim=2, keepdim=True)
        heads.append(torch.einsum("bqk,bdk->bdq", attention, value[:, channels]))
    torch.testing.assert_close(branch(x), torch.cat(heads, dim=1).reshape(2, 12, 4, 6))


@pytest.mark.parametrize(
    ("side", "window", "rows"),
    [
        (7, 4, [(0, 4), (4, 7)]),
        (8, 7, [(0, 4), (4, 8)]),
        (10, 4, [(0, 4), (4, 8), (8, 10)]),
        (2, 7, [(0, 2)]),
        (3, 1, [(0, 1), (1, 2), (2, 3)]),
    ],
)
def test_windows_are_even_and_fit_every_map(side, window, rows):
    x = draw(1, 4, side, side)
    means = [[x[:, :, a:b, c:d].mean((2, 3)) for c, d in rows] for a, b in rows]
    expected = torch.stack([torch.stack(row, dim=2) for row in means], dim=2)
    torch.testing.assert_close(GlobalBranch(4, 1, 4, window).pool(x), expected)


def test_the_local_branch_is_its_formula():
    torch.manual_seed(0)
    branch = LocalBranch(12, heads=2, head_width=4, kernel=3).double()
    x = draw(2, 12, 5, 6)
    mixed = at_every_place(branch.qkv, x)
    padded = functional.pad(mixed, (1, 1, 1, 1))
    kernel = branch.mix.weight[:, 0]
    mixed = branch.mix.bias[:, None, None] + sum(
        kernel[:, i, j, None, None] * padded[:, :, i : i + 5, j : j + 6]
        for i in range(3)
        for j in range(3)
    )
    query, key, value = mixed.split(8, dim=1)
    hidden = at_every_place(branch.weigh[0], query * key)
    weights = at_every_place(branch.weigh[2], hidden * torch.sigmoid(hidden))
    torch.testing.assert_close(branch(x), torch.tanh(weights / 4**0.5) * value)


def test_both_branches_are_joined_in_their_order():
    torch.manual_seed(0)
    attention = EfficientAttention(16, heads=4, local_heads=1, kernel=3, window=2).double()
    x = draw(2, 16, 4, 4)
    local, distant = attention.local(x), attention.distant(x)
    assert (local.shape[1], distant.shape[1]) == (4, 12)
    expected = at_every_place(attention.join, torch.cat([local, distant], dim=1))
    torch.testing.assert_close(attention(x), expected)


def test_the_literal_variant_is_equations_1_and_2():
    torch.manual_seed(0)
    attention = LiteralEfficientAttention(32, kernel=1).double()
    x = draw(2, 32, 4, 5)
    mean = x.mean((2, 3), keepdim=True)
    hidden = at_every_place(attention.distant.fc1, mean).relu()
    gate = torch.sigmoid(at_every_place(attention.distant.fc2, hidden))
    conv = attention.local[0]
    local = conv.weight[:, 0] * x + conv.bias[:, None, None]
    both = torch.cat([gate * x, local * torch.sigmoid(local)], dim=1)
    torch.testing.assert_close(attention(x), at_every_place(attention.join, both))


# --- shuffle attention ----------------------------------------------------------------------------


@pytest.mark.parametrize(("groups", "parameters"), [(64, 36), (8, 288)])
def test_shuffle_attention_has_few_parameters(groups, parameters):
    assert count(ShuffleAttention(768, groups)) == parameters


def test_shuffle_attention_is_its_formula_channel_by_channel():
    channels, groups, half = 24, 3, 4
    attention = ShuffleAttention(channels, groups).double()
    for number, parameter in enumerate(attention.parameters()):
        parameter.data = draw(*parameter.shape, seed=number)
    x = draw(2, channels, 5, 6, seed=9)
    gated = torch.empty_like(x)
    for group in range(groups):
        for i in range(half):
            first, second = 2 * half * group + i, 2 * half * group + half + i
            a, b = x[:, first], x[:, second]
            by_mean = (
                attention.channel_weight[0, i] * a.mean((1, 2), keepdim=True)
                + attention.channel_bias[0, i]
            )
            gated[:, first] = a * torch.sigmoid(by_mean)
            variance = b.var((1, 2), keepdim=True, correction=0)
            norm = (b - b.mean((1, 2), keepdim=True)) / torch.sqrt(variance + 1e-5)
            norm = attention.norm.weight[i] * norm + attention.norm.bias[i]
            by_place = attention.spatial_weight[0, i] * norm + attention.spatial_bias[0, i]
            gated[:, second] = b * torch.sigmoid(by_place)
    expected = torch.empty_like(x)
    expected[:, 0::2], expected[:, 1::2] = gated[:, : channels // 2], gated[:, channels // 2 :]
    torch.testing.assert_close(attention(x), expected)


def test_shuffle_attention_starts_as_a_shuffle_times_a_constant():
    x = draw(1, 768, 7, 7)
    shuffled = x[:, [half * 384 + i for i in range(384) for half in range(2)]]
    expected = 0.7310585786300049 * shuffled  # σ(1)
    torch.testing.assert_close(ShuffleAttention(768).double()(x), expected)


# --- receptive field block ------------------------------------------------------------------------


def test_the_receptive_field_block_keeps_the_shape_and_has_its_parameters():
    block = BasicRFB(96).eval()
    assert count(block) == 45_468
    with torch.no_grad():
        out = block(torch.randn(2, 96, 14, 15))
    assert out.shape == (2, 96, 14, 15)
    assert out.min() == 0


def test_its_branches_see_3_7_and_11_places():
    block = BasicRFB(16).eval()
    for parameter in block.parameters():
        nn.init.constant_(parameter, 0.1)  # no ReLU shuts
    for branch, places in ((block.branch1, 3), (block.branch2, 7), (block.branch3, 11)):
        x = torch.ones(1, 16, 17, 17, requires_grad=True)
        branch(x)[0, 0, 8, 8].backward()
        seen = x.grad[0, 0].nonzero()
        assert (seen.max(dim=0).values - seen.min(dim=0).values + 1).tolist() == [places, places]


def test_its_branches_are_scaled_beside_the_shortcut():
    torch.manual_seed(0)
    block = BasicRFB(16, scale=0.1).eval()
    x = torch.randn(1, 16, 8, 8)
    with torch.no_grad():
        branches = [block.branch1(x), block.branch2(x), block.branch3(x)]
        joined = block.join(torch.cat(branches, dim=1))
        torch.testing.assert_close(block(x), (block.shortcut(x) + 0.1 * joined).relu())
