from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from ferdata.core.errors import ImageError, UnknownNameError
from ferdata.formats.encoding import decode, encode

PIXELS = st.tuples(st.integers(1, 20), st.integers(1, 20), st.sampled_from([1, 3])).flatmap(
    lambda shape: arrays(np.uint8, shape)
)


@given(pixels=PIXELS)
def test_png_loses_nothing(pixels):
    data = encode(pixels, "png")
    assert encode(pixels, "png") == data
    np.testing.assert_array_equal(decode(data, pixels.shape[2]), pixels)
    other = np.asarray(Image.open(io.BytesIO(data))).reshape(pixels.shape)
    np.testing.assert_array_equal(other, pixels)


@pytest.mark.parametrize("channels", [1, 3])
def test_jpeg_is_near(channels):
    ramp = np.linspace(0, 255, 64, dtype=np.float32)
    pixels = np.stack([np.add.outer(ramp, ramp * k) / 2 for k in range(channels)], axis=2)
    pixels = pixels.clip(0, 255).astype(np.uint8)
    back = decode(encode(pixels, "jpeg"), channels)
    assert back.shape == pixels.shape
    assert np.abs(back.astype(int) - pixels).mean() < 2


def test_jpeg_keeps_the_color_of_small_things():
    pixels = np.full((16, 16, 3), 128, np.uint8)
    pixels[8, 8] = (220, 30, 40)  # one red pixel: 4:2:0 would spread its color over four
    back = decode(encode(pixels, "jpeg"), 3).astype(int)
    assert back[8, 8, 0] - back[8, 8, 1] > 120
    assert abs(back[8, 10] - 128).max() < 40


def test_colors_keep_their_order():
    pixels = np.zeros((16, 16, 3), np.uint8)
    pixels[..., 0] = 250
    for encoding in ("png", "jpeg"):
        assert np.asarray(Image.open(io.BytesIO(encode(pixels, encoding))))[4, 4, 0] > 200


def test_errors():
    with pytest.raises(UnknownNameError, match="jpeg, png"):
        encode(np.zeros((4, 4, 3), np.uint8), "webp")
    for data in (b"", b"text", encode(np.zeros((4, 4, 3), np.uint8), "png")[:20]):
        with pytest.raises(ImageError, match="verify"):
            decode(data, 3)
