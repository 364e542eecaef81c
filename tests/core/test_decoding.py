"""Images of all formats: turned, deep, transparent, broken; what is found and what is refused."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps

from ferdata.core.decoding import decode
from ferdata.core.errors import ImageError
from ferdata.core.orientation import exif_orientation, read_orientation, turn, turn_back

BLOCKS = np.random.default_rng(0).integers(0, 255, (4, 6, 3), np.uint8).repeat(16, 0).repeat(16, 1)
LOSSLESS = {"PNG": {}, "TIFF": {}, "WEBP": {"lossless": True}}


def opencv(ending: str, image: np.ndarray, *options: int) -> bytes:
    return cv2.imencode(ending, image, options)[1].tobytes()


def turned(form: str, orientation: int, **options) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    Image.fromarray(BLOCKS).save(file, form, exif=exif, **options)
    return file.getvalue()


# -- orientation ---------------------------------------------------------------------------------


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", LOSSLESS)
def test_stored_pixels_are_returned_and_the_turn_is_found(form: str, orientation: int) -> None:
    """OpenCV turns TIFF and nothing else; here no format is turned behind one's back."""
    data = turned(form, orientation, **LOSSLESS[form])
    image = decode(data)
    assert np.array_equal(image.pixels, BLOCKS)
    assert image.findings == (() if orientation == 1 else (f"turned:{orientation}",))
    assert read_orientation(data) == orientation


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", [*LOSSLESS, "JPEG", "AVIF"])
def test_every_format_is_turned_upright(form: str, orientation: int) -> None:
    data = turned(form, orientation, **LOSSLESS.get(form, {"quality": 95}))
    upright = turn(decode(data).pixels, read_orientation(data))
    expected = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))))
    assert upright.shape == expected.shape
    assert np.abs(upright.astype(int) - expected).mean() < 4


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turning_back_undoes_turning(orientation: int) -> None:
    assert np.array_equal(turn_back(turn(BLOCKS, orientation), orientation), BLOCKS)


@pytest.mark.parametrize(
    "exif",
    [b"", b"II*\x00", b"II*\x00\xff\xff\xff\xff", b"MM\x00*\x00\x00\x00\x08\x00\x09\x01\x12",
     b"II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x63\x00\x00\x00",
     b"II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x02\x00\x01\x00\x00\x00\x06\x00\x00\x00"],
    ids=["none", "no directory", "far away", "cut", "99", "text"],
)  # fmt: skip
def test_broken_exif_data_turn_nothing(exif: bytes) -> None:
    assert exif_orientation(exif) == 1


# -- depth ---------------------------------------------------------------------------------------


def ramp(highest: int) -> np.ndarray:
    return np.linspace(0, highest, 64 * 64).reshape(64, 64).round().astype(np.uint16)


@pytest.mark.parametrize("bits", [8, 10, 12, 16])
@pytest.mark.parametrize("ending", [".png", ".tiff", ".pgm"])
def test_data_of_few_bits_in_16_fill_the_range(ending: str, bits: int) -> None:
    image = decode(opencv(ending, ramp(2**bits - 1)))
    assert (image.pixels.min(), image.pixels.max()) == (0, 255)
    assert image.findings == (() if bits == 16 else (f"deep:{bits}",))


@pytest.mark.parametrize(("bits", "highest"), [(10, 300), (12, 700), (12, 4095)])
def test_the_declared_range_counts_before_the_data(bits: int, highest: int) -> None:
    pgm = b"P5\n# a camera\n64 64\n%d\n" % (2**bits - 1) + ramp(highest).astype(">u2").tobytes()
    image = decode(pgm)
    assert image.pixels.max() == highest >> (bits - 8)
    assert image.findings == (f"deep:{bits}",)


@pytest.mark.parametrize("bits", [10, 12])
def test_avif_says_how_deep_it_is(bits: int) -> None:
    dark = np.dstack([ramp(2 ** (bits - 1))] * 3)
    image = decode(
        opencv(".avif", dark, cv2.IMWRITE_AVIF_DEPTH, bits, cv2.IMWRITE_AVIF_QUALITY, 95)
    )
    assert 100 < image.pixels.max() < 150
    assert image.findings == (f"deep:{bits}",)


# -- alpha ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", [".png", ".webp", ".tiff"])
def test_what_lies_under_alpha_0_becomes_white(ending: str) -> None:
    alpha = np.full(BLOCKS.shape[:2], 255, np.uint8)
    alpha[:32] = 0
    options = [cv2.IMWRITE_WEBP_QUALITY, 101] if ending == ".webp" else []
    image = decode(opencv(ending, np.dstack([BLOCKS[..., ::-1], alpha]), *options))
    assert np.all(image.pixels[:32] == 255)
    assert np.array_equal(image.pixels[32:], BLOCKS[32:])
    assert (image.channels, image.findings) == (4, ("transparent:0.5",))


def test_half_transparent_pixels_are_mixed_with_white() -> None:
    alpha = np.full(BLOCKS.shape[:2], 255, np.uint8)
    alpha[0] = 51  # a fifth
    pixels = decode(opencv(".png", np.dstack([BLOCKS[..., ::-1], alpha]))).pixels
    expected = BLOCKS[0] * 0.2 + 255 * 0.8
    assert np.abs(pixels[0] - expected).max() <= 0.5


@pytest.mark.parametrize("level", [0, 9, 255])
def test_alpha_that_is_the_same_everywhere_separates_nothing(level: int) -> None:
    alpha = np.full(BLOCKS.shape[:2], level, np.uint8)
    image = decode(opencv(".png", np.dstack([BLOCKS[..., ::-1], alpha])))
    assert np.array_equal(image.pixels, BLOCKS)
    assert image.findings == ()


def test_gray_and_palette_images_with_alpha() -> None:
    for mode in ("LA", "P"):
        picture = Image.fromarray(BLOCKS).convert("L").convert(mode)
        file = io.BytesIO()
        if mode == "LA":
            picture.putalpha(Image.fromarray(np.eye(64, 96, dtype=np.uint8) * 255))
        picture.save(file, "PNG", **({"transparency": 0} if mode == "P" else {}))
        assert decode(file.getvalue()).pixels.shape == BLOCKS.shape


# -- broken files of other formats ---------------------------------------------------------------

NOISE = cv2.resize(
    np.random.default_rng(3).integers(30, 220, (20, 20, 3), np.uint8), (120, 120),
    interpolation=cv2.INTER_CUBIC,
)  # fmt: skip


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
@pytest.mark.parametrize(
    "ending", [".bmp", ".ppm", ".webp", ".jp2", ".ras", ".png", ".tiff", ".gif", ".avif"]
)
def test_a_file_that_ends_in_zeros_is_refused_or_found(
    ending: str, share: float, capfd: pytest.CaptureFixture[str]
) -> None:
    whole = opencv(ending, NOISE)
    assert decode(whole).findings == ()
    kept = int(len(whole) * share)
    try:
        findings = decode(whole[:kept] + bytes(len(whole) - kept)).findings
        assert [each.partition(":")[0] for each in findings] == ["zero-tail"]
        assert float(findings[0].partition(":")[2]) == pytest.approx(1 - share, abs=0.02)
    except ImageError as error:
        assert error.reason.startswith("not an image")
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("ending", [".png", ".webp", ".gif"])
def test_zeros_behind_the_end_of_a_file_do_not_matter(ending: str) -> None:
    data = opencv(ending, NOISE)
    padded = decode(data + bytes(4096))
    assert padded.findings == ()
    assert np.array_equal(padded.pixels, decode(data).pixels)


def test_a_broken_png_says_what_libpng_says(capfd: pytest.CaptureFixture[str]) -> None:
    data = bytearray(opencv(".png", NOISE))
    data[len(data) // 2] ^= 0xFF
    with pytest.raises(ImageError, match="broken beyond decoding: libpng error"):
        decode(bytes(data))
    assert capfd.readouterr().err == ""
