"""LMFER: its size and shapes, and its layers against their formulas."""

from __future__ import annotations

import pytest
import timm
import torch
from support.models import count, draw, drawn_faces, overfit
from timm.models.metaformer import Pooling
from torch import Tensor, nn
from torch.nn import functional

from ferdata.core.errors import OptionError
from ferdata.models.layers.coordinate_attention import (
    CoordinateAttention,
    CoordinateChannelAttention,
)
from ferdata.models.layers.emotion_attention import EmotionAttention
from ferdata.models.layers.pool_mixer import PooledMobileVitBlock, PoolMixer
from ferdata.models.layers.swish import Swish
from ferdata.models.lmfer import Lmfer


@pytest.fixture(scope="module")
def model() -> Lmfer:
    torch.manual_seed(0)
    return Lmfer().eval()


# --- the whole ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "by_layout"),
    [
        ({"token_mixer": "attn"}, (1_935_577, 1_954_229, 1_966_333)),
        ({}, (1_378_201, 1_396_853, 1_408_957)),
        ({"mlp_ratio": 4}, (1_933_369, 1_952_021, 1_964_125)),
        ({"num_classes": 1000, "token_mixer": "attn"}, (2_317_882, 2_336_534, 2_348_638)),
        ({"num_classes": 1000}, (1_760_506, 1_779_158, 1_791_262)),
    ],
)
def test_the_number_of_parameters_is_exact(options, by_layout):
    layouts = ("none", "respective", "full")
    assert tuple(count(Lmfer(layout=layout, **options)) for layout in layouts) == by_layout


def test_the_default_layout_puts_one_attention_after_each_of_two_stages(model):
    _, after_1, after_2 = model.attentions
    assert count(after_1) == 1_112
    assert count(after_2) == 17_540


def test_every_stage_has_the_shape_of_mobilevit_xs(model):
    seen = {}
    for name in ("stem", "stages.0", "attentions.1", "stages.1", "attentions.2", "stages.2",
                 "stages.3", "stages.4", "final_conv"):  # fmt: skip
        part = model.get_submodule(name)
        part.register_forward_hook(lambda *a, name=name: seen.update({name: tuple(a[2].shape[1:])}))
    with torch.no_grad():
        embedding = model.embed(draw(1, 3, 256, 256))
    assert seen == {
        "stem": (16, 128, 128),
        "stages.0": (32, 128, 128),
        "attentions.1": (32, 128, 128),
        "stages.1": (48, 64, 64),
        "attentions.2": (48, 64, 64),
        "stages.2": (64, 32, 32),
        "stages.3": (80, 16, 16),
        "stages.4": (96, 8, 8),
        "final_conv": (384, 8, 8),
    }
    assert embedding.shape == (1, model.embedding_size) == (1, 384)
    assert model.classify(embedding).shape == (1, 7)


@pytest.mark.parametrize("mixer", ["pool", "attn"])
@pytest.mark.parametrize("size", [32, 48, 96, 100, 112])
def test_any_size_goes_in(size, mixer):
    model = Lmfer(token_mixer=mixer).eval()
    with torch.no_grad():
        assert model(draw(2, 3, size, size)).isfinite().all()
        assert model(draw(1, 3, size, size + 32)).shape == (1, 7)


def test_without_its_changes_it_is_timms_mobilevit():
    torch.manual_seed(0)
    base = timm.create_model("mobilevit_xs", num_classes=7).eval()
    torch.manual_seed(0)
    model = Lmfer(layout="none", token_mixer="attn").eval()  # noqa: S106 - no password
    images = draw(2, 3, 64, 96)
    with torch.no_grad():
        torch.testing.assert_close(model(images), base(images), rtol=1e-5, atol=1e-6)


def test_pretrained_weights_are_kept_where_they_fit(monkeypatch):
    torch.manual_seed(1)
    weights = timm.create_model("mobilevit_xs", num_classes=7)
    asked = []

    def downloaded(name: str, **options: object) -> nn.Module:
        asked.append((name, options["pretrained"]))
        return weights

    before = {name: tensor.clone() for name, tensor in weights.state_dict().items()}
    monkeypatch.setattr("timm.create_model", downloaded)
    model = Lmfer(pretrained=True)
    after = model.state_dict()
    assert asked == [("mobilevit_xs", True)]
    lost = {name for name in before if name.replace("head.fc", "classifier") not in after}
    assert lost
    assert all(".attn." in name for name in lost)
    for name in before.keys() - lost:
        assert torch.equal(before[name], after[name.replace("head.fc", "classifier")]), name


def test_weights_of_imagenet_take_values_in_0_to_1_as_they_are(model):
    assert (model.mean, model.std) == ((0.0,) * 3, (1.0,) * 3)


def test_gradients_reach_every_parameter_that_can_learn():
    torch.manual_seed(0)
    model = Lmfer(layout="full", landmark_prior=True).double()  # to tell a small one from none
    images, prior = draw(4, 3, 128, 128).double(), draw(4, 4, 16, 16).abs().double()
    labels = torch.arange(4)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    functional.cross_entropy(model(images, prior), labels).backward()
    optimizer.step()  # tells the maps of emotion attention apart
    optimizer.zero_grad()
    model.eval()  # with a batch's own statistics, a bias just before the norm can't matter
    functional.cross_entropy(model(images, prior), labels).backward()
    without = {name for name, p in model.named_parameters() if p.grad.abs().max() < 1e-15}
    # a constant shift of all tokens is what pooling minus itself takes away
    layers = {2: 2, 3: 4, 4: 3}
    assert without == {
        f"stages.{stage}.1.transformer.{layer}.norm1.bias"
        for stage, depth in layers.items()
        for layer in range(depth)
    }


@pytest.mark.slow
def test_it_learns_64_faces_by_heart():
    images, labels = drawn_faces(64)
    torch.manual_seed(0)
    accuracy = overfit(Lmfer(), images, labels, lr=2e-3, batch=16, steps=120, check_every=10)
    assert accuracy >= 0.95


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layout": "foo"}, "full, none, respective"),
        ({"token_mixer": "pools"}, "attn, pool"),
        ({"order": "both"}, "parallel, sequential"),
        ({"maps": 1}, "2 or more"),
        ({"mlp_ratio": 0}, "above 0"),
        ({"drop_rate": 1.0}, "below 1"),
        ({"landmark_prior": True, "layout": "none"}, "respective"),
    ],
)
def test_a_wrong_option_is_answered_with_what_is_accepted(options, message):
    with pytest.raises(OptionError, match=message):
        Lmfer(**options)


def test_dropout_works_on_features_not_on_logits():
    model = Lmfer(drop_rate=0.9).train()
    features = torch.ones(4, 384)
    torch.manual_seed(0)
    dropped = model.classify(features)
    assert not torch.allclose(dropped, model.classifier(features))
    assert (dropped != 0).all()


# --- Swish ----------------------------------------------------------------------------------------


def test_every_silu_became_a_swish_of_its_own(model):
    assert not any(isinstance(part, nn.SiLU) for part in model.modules())
    assert len(model.no_weight_decay()) == 34 + 1  # those of mobilevit_xs and emotion attention's
    slopes = {name: p for name, p in model.named_parameters() if name in model.no_weight_decay()}
    assert len({id(p) for p in slopes.values()}) == 35
    assert all(p.shape == () and p == 1 for p in slopes.values())


def test_swish_is_equation_1():
    swish, x = Swish(), draw(50)
    torch.testing.assert_close(swish(x), functional.silu(x))
    nn.init.constant_(swish.b, 2.5)
    torch.testing.assert_close(swish(x), x / (1 + torch.exp(-2.5 * x)))


# --- coordinate attention -------------------------------------------------------------------------


def one_by_one(conv: nn.Conv2d, x: Tensor) -> Tensor:
    """Apply a 1×1 convolution to (B, C, L) as the matrix that it is."""
    return torch.einsum("oc,bcl->bol", conv.weight.flatten(1), x) + conv.bias[:, None]


def equations_4_to_8(module: CoordinateAttention, x: Tensor) -> tuple[Tensor, Tensor]:
    """Coordinate attention as its paper writes it: f = δ(F1([z_h, z_w])), g = σ(F(f))."""
    height = x.shape[2]
    z_h, z_w = x.sum(3) / x.shape[3], x.sum(2) / height
    f = one_by_one(module.squeeze, torch.cat((z_h, z_w), dim=2))
    norm = module.norm
    f = (f - norm.running_mean[:, None]) / (norm.running_var[:, None] + norm.eps).sqrt()
    f = f * norm.weight[:, None] + norm.bias[:, None]
    f = f * (f + 3).clamp(0, 6) / 6
    f_h, f_w = f[..., :height], f[..., height:]
    return one_by_one(module.rows, f_h).sigmoid(), one_by_one(module.columns, f_w).sigmoid()


def shaken(module: nn.Module) -> nn.Module:
    """Give every parameter and statistic a value that a formula can't get right by chance."""
    torch.manual_seed(3)
    with torch.no_grad():
        for tensor in (*module.parameters(), *module.buffers()):
            if tensor.is_floating_point():
                tensor.uniform_(0.2, 0.9)
    return module.eval()


def channel_gate(module: CoordinateChannelAttention, x: Tensor) -> Tensor:
    """CBAM, equation 2: σ(MLP(mean) + MLP(max))."""
    first, second = (conv.weight.flatten(1) for conv in (module.channel.fc1, module.channel.fc2))
    mean, largest = x.mean((2, 3)), x.flatten(2).max(2).values
    return sum((v @ first.T).relu() @ second.T for v in (mean, largest)).sigmoid()


def test_coordinate_attention_is_its_equations():
    module, x = shaken(CoordinateAttention(32)), draw(2, 32, 6, 10)
    assert count(module) == 856
    with torch.no_grad():
        g_h, g_w = equations_4_to_8(module, x)
        expected = torch.einsum("bcij,bci,bcj->bcij", x, g_h, g_w)
        torch.testing.assert_close(module(x), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("order", ["parallel", "sequential"])
def test_the_channel_branch_sees_the_input_or_what_the_coordinates_leave(order):
    module, x = shaken(CoordinateChannelAttention(32, order)), draw(2, 32, 6, 10)
    with torch.no_grad():
        g_h, g_w = equations_4_to_8(module.coordinate, x)
        gated = torch.einsum("bcij,bci,bcj->bcij", x, g_h, g_w)
        m_c = channel_gate(module, x if order == "parallel" else gated)
        torch.testing.assert_close(module(x), gated * m_c[:, :, None, None], rtol=1e-5, atol=1e-6)


# --- emotion attention ----------------------------------------------------------------------------


def test_emotion_attention_starts_as_the_identity():
    torch.manual_seed(0)
    module, x = EmotionAttention(48, 7).train(), draw(2, 48, 9, 11)
    torch.testing.assert_close(module(x), x, rtol=1e-5, atol=2e-6)


def test_the_maps_share_out_every_pixel():
    maps = shaken(EmotionAttention(16, 5)).maps(draw(2, 16, 8, 8))
    assert maps.shape == (2, 5, 8, 8)
    torch.testing.assert_close(maps.sum(1), torch.ones(2, 8, 8))
    assert (maps.amax(1) - maps.amin(1)).max() > 0.01


def test_emotion_attention_is_a_mixture_of_convolutions_at_each_pixel():
    module, x = shaken(EmotionAttention(16, 3)), draw(2, 16, 5, 7)
    with torch.no_grad():
        nn.init.normal_(module.fuse.weight)
        kernels = module.fuse.weight.reshape(16, 3, 16)
        expected = torch.einsum("bkij,okc,bcij->boij", module.maps(x), kernels, x)
        expected += module.fuse.bias[:, None, None]
        torch.testing.assert_close(module(x), expected, rtol=1e-4, atol=1e-4)


def test_a_prior_of_zeros_is_no_prior():
    torch.manual_seed(0)
    model, images = Lmfer(landmark_prior=True).eval(), draw(2, 3, 64, 64)
    assert model.takes_prior
    with torch.no_grad():
        assert torch.equal(model(images), model(images, torch.zeros(2, 4, 64, 64)))


def test_a_prior_of_any_size_moves_the_maps_and_nothing_else():
    module = shaken(EmotionAttention(16, 7, prior_channels=4))
    x, prior = draw(2, 16, 8, 8), draw(2, 4, 20, 12, seed=1).abs()
    resized = functional.interpolate(prior, (8, 8), mode="bilinear")
    with torch.no_grad():
        maps = module.maps(x, prior)
        assert not torch.allclose(maps, module.maps(x))
        torch.testing.assert_close(maps, module.subnet(torch.cat((x, resized), 1)).softmax(1))
        fused = module.fuse((maps[:, :, None] * x[:, None]).flatten(1, 2))
        torch.testing.assert_close(module(x, prior), fused)


def test_without_the_option_a_prior_is_ignored(model):
    images = draw(1, 3, 64, 64)
    assert not model.takes_prior
    with torch.no_grad():
        assert torch.equal(model(images), model(images, torch.ones(1, 4, 8, 8)))


# --- pooling --------------------------------------------------------------------------------------


def mobilevit_block() -> nn.Module:
    torch.manual_seed(0)
    return timm.create_model("mobilevit_xs").stages[2][1].eval()


def test_the_mixer_is_poolformers():
    x = draw(2, 5, 6, 8)
    expected = Pooling(3)(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
    torch.testing.assert_close(PoolMixer()(x, attn_mask=None, is_causal=False), expected)


def test_pooling_patches_is_a_mean_of_pixels_two_apart():
    block, x = PooledMobileVitBlock(mobilevit_block()), draw(2, 3, 12, 8)
    mixed = block._fold(PoolMixer()(block._unfold(x)), 12, 8)
    ones = torch.ones(3, 1, 3, 3)
    total = functional.conv2d(x, ones, padding=2, dilation=2, groups=3)
    number = functional.conv2d(torch.ones_like(x), ones, padding=2, dilation=2, groups=3)
    torch.testing.assert_close(mixed, total / number - x, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("size", [(8, 12), (7, 9)])
def test_the_pooled_block_differs_from_timms_by_its_mixer_only(size):
    class Nothing(nn.Module):
        def forward(self, x: Tensor, *_: object, **__: object) -> Tensor:
            return torch.zeros_like(x)

    timms, pooled = mobilevit_block(), PooledMobileVitBlock(mobilevit_block())
    x = draw(2, 64, *size)
    with torch.no_grad():
        assert not torch.allclose(pooled(x), timms(x), atol=1e-4)
        for layer in (*timms.transformer, *pooled.transformer):
            layer.attn = Nothing()
        torch.testing.assert_close(pooled(x), timms(x), rtol=1e-5, atol=1e-6)
