"""Decoding one image: what is read, and what is refused with which reason."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from ferdata.core import decoding
from ferdata.core.decoding import pixel_sha256
from ferdata.core.errors import ImageError
from ferdata.core.images import read_image, require_content, resolve


@pytest.fixture
def picture() -> np.ndarray:
    """Return a color picture with structure everywhere, RGB (60, 50, 3)."""
    y, x = np.mgrid[0:60, 0:50]
    return np.stack([x * 5, y * 4, (x * y) % 256], axis=-1).astype(np.uint8)


def encode(picture: np.ndarray, suffix: str) -> bytes:
    data = picture if picture.ndim == 2 else picture[..., ::-1]
    return cv2.imencode(suffix, data)[1].tobytes()


def decode(data: bytes) -> tuple[np.ndarray, int]:
    image = decoding.decode(data)
    return image.pixels, image.channels


def test_png_keeps_every_pixel_in_rgb_order(picture: np.ndarray) -> None:
    pixels, channels = decode(encode(picture, ".png"))
    assert channels == 3
    np.testing.assert_array_equal(pixels, picture)


def test_16_bit_png_becomes_its_high_byte(picture: np.ndarray) -> None:
    deep = picture.astype(np.uint16) * 256 + 77
    pixels, _ = decode(cv2.imencode(".png", deep[..., ::-1])[1].tobytes())
    np.testing.assert_array_equal(pixels, picture)


def test_gray_jpeg_becomes_three_equal_channels(picture: np.ndarray) -> None:
    pixels, channels = decode(encode(picture[..., 0], ".jpg"))
    assert channels == 1
    assert pixels.shape == (60, 50, 3)
    np.testing.assert_array_equal(pixels[..., 0], pixels[..., 2])


def test_alpha_is_cut(picture: np.ndarray) -> None:
    alpha = np.dstack([picture[..., ::-1], np.full((60, 50), 9, np.uint8)])
    pixels, channels = decode(cv2.imencode(".png", alpha)[1].tobytes())
    assert channels == 4
    np.testing.assert_array_equal(pixels, picture)


def test_exif_orientation_is_ignored(picture: np.ndarray) -> None:
    """Landmarks and boxes are given in stored pixels, so the picture must not be turned."""
    plain = encode(picture, ".jpg")
    exif = bytes.fromhex("4578696600004d4d002a00000008000101120003000000010006000000000000")
    turned = plain[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + plain[2:]
    np.testing.assert_array_equal(decode(turned)[0], decode(plain)[0])


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_cut_off_file_is_refused(picture: np.ndarray, suffix: str, share: float) -> None:
    data = encode(picture, suffix)
    with pytest.raises(ImageError):
        decode(data[: int(len(data) * share)])


def test_half_written_jpeg_with_end_marker_is_refused() -> None:
    """OpenCV decodes such a file to a picture with a gray lower half and says nothing."""
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    data = encode(noise, ".jpg")
    half = data[: len(data) // 2] + b"\xff\xd9"
    lenient = cv2.imdecode(np.frombuffer(half, np.uint8), cv2.IMREAD_COLOR)
    assert lenient is not None and np.all(lenient[-8:] == 128)
    with pytest.raises(ImageError, match="half-written"):
        decode(half)


def test_jpeg_padded_with_zeros_is_refused(picture: np.ndarray) -> None:
    data = encode(picture, ".jpg")
    with pytest.raises(ImageError):
        decode(data[: len(data) // 2] + bytes(len(data) // 2))


def test_thumbnail_does_not_hide_a_cut(picture: np.ndarray) -> None:
    thumbnail = encode(picture[:20, :20], ".jpg")
    segment = b"\xff\xe1" + (len(thumbnail) + 2).to_bytes(2, "big") + thumbnail
    data = encode(picture, ".jpg")
    whole = data[:2] + segment + data[2:]
    decode(whole)
    with pytest.raises(ImageError):
        decode(whole[:-20])


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"", "empty"), (b"this is text, not an image\n" * 20, "not an image")],
)
def test_no_image_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(ImageError, match=reason):
        decode(data)


def test_tiny_image_is_refused() -> None:
    with pytest.raises(ImageError, match="1×1 pixels; at least 16"):
        decode(encode(np.zeros((1, 1, 3), np.uint8), ".png"))


def test_pixel_hash_does_not_depend_on_the_file_format(picture: np.ndarray) -> None:
    png, bmp = decode(encode(picture, ".png"))[0], decode(encode(picture, ".bmp"))[0]
    assert pixel_sha256(png) == pixel_sha256(bmp)
    assert pixel_sha256(png) != pixel_sha256(np.ascontiguousarray(png.transpose(1, 0, 2)))


@pytest.mark.parametrize("uri", ["../secret.jpg", "a/../../b.jpg", "/etc/passwd", "", "C:/a.jpg"])
def test_path_out_of_the_root_is_refused(tmp_path: Path, uri: str) -> None:
    with pytest.raises(ImageError, match="leaves the data root"):
        resolve(tmp_path, uri)


def test_missing_file_and_folder_are_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.jpg").mkdir()
    with pytest.raises(ImageError, match="missing"):
        read_image(tmp_path, "none.jpg")
    with pytest.raises(ImageError, match="can't be read"):
        read_image(tmp_path, "folder.jpg")


def test_path_with_spaces_and_letters(tmp_path: Path, picture: np.ndarray) -> None:
    folder = tmp_path / "données réelles 表情"
    folder.mkdir()
    (folder / "a b.png").write_bytes(encode(picture, ".png"))
    image = read_image(tmp_path, "données réelles 表情/a b.png")
    np.testing.assert_array_equal(image.pixels, picture)


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_picture_of_one_gray_level_is_blank(level: int) -> None:
    noise = np.random.default_rng(0).integers(-1, 2, (64, 48, 3))
    blank = np.clip(level + noise, 0, 255).astype(np.uint8)
    with pytest.raises(ImageError, match="blank image: gray level"):
        require_content(blank)


def test_a_dark_picture_of_a_face_is_not_blank(drawn_face: np.ndarray) -> None:
    require_content(drawn_face)
    require_content((drawn_face // 12).astype(np.uint8))


@pytest.fixture
def drawn_face() -> np.ndarray:
    from ferdata.core.draws import generator
    from ferdata.synth import CLOSE, draw_expression, draw_face

    draws = generator(0, "dark", purpose="test")
    return draw_face(draw_expression("fear", draws), draws, (96, 96), framing=CLOSE).pixels
