"""Which files are images: one list, for reading datasets and for new images."""

from __future__ import annotations

import io
import sys
import types

import cv2
import numpy as np
import pytest
from PIL import Image, ImageFile

from ferdata.core import image_formats
from ferdata.core.decoding import decode
from ferdata.core.errors import ImageError
from ferdata.core.image_formats import FORMATS, file_ending, image_endings, is_image, undecodable

PICTURE = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)
HEIC = b"\x00\x00\x00\x18ftypheic" + bytes(200)


@pytest.mark.parametrize("name", ["a.JPG", "b/c.Jfif", "x.y.WebP", "é.TIFF", "a.avif", "z.PgM"])
def test_endings_of_images_in_any_case(name: str) -> None:
    assert is_image(name)
    assert undecodable(name) is None


@pytest.mark.parametrize(
    "name", ["jpg", ".jpg/readme", "a.txt", "a.jpg.txt", "a.", "", "Thumbs.db"]
)
def test_other_files_are_no_images(name: str) -> None:
    assert not is_image(name)
    assert undecodable(name) is None


@pytest.mark.parametrize(
    ("name", "remedy"),
    [("a.HEIC", "pip install pillow-heif"), ("a.jxl", "pip install"), ("a.NEF", "convert it"),
     ("a.svg", "export it")],
)  # fmt: skip
def test_images_that_can_not_be_decoded_are_named_with_what_to_do(name: str, remedy: str) -> None:
    assert not is_image(name)
    assert remedy in undecodable(name)


def test_every_ending_that_is_listed_can_be_decoded() -> None:
    """The registry is a promise about the decoder."""
    other = {".jfif": ".jpg", ".jif": ".jpg", ".pbm": ".ppm", ".pgm": ".ppm"}
    for ending in sorted(image_endings() - {".j2k"}):
        data = np.asarray(cv2.imencode(other.get(ending, ending), PICTURE)[1]).tobytes()
        assert decode(data).pixels.shape == PICTURE.shape, ending
    file = io.BytesIO()
    Image.fromarray(PICTURE).save(file, "JPEG2000", no_jp2=True)
    assert decode(file.getvalue()).pixels.shape == PICTURE.shape


def test_no_ending_belongs_to_two_formats() -> None:
    endings = [ending for each in FORMATS for ending in each.endings]
    assert len(endings) == len(set(endings))
    assert all(file_ending(f"a{ending}") == ending for ending in endings)


def test_a_heic_image_names_its_plugin() -> None:
    with pytest.raises(ImageError, match="HEIC can't be decoded here; pip install pillow-heif"):
        decode(HEIC)


class _Opened(ImageFile.ImageFile):
    format = "HEIF"

    def _open(self) -> None:
        self._mode, self._size = "RGB", (64, 48)

    def load(self):
        self.im = Image.fromarray(PICTURE).im
        return Image.Image.load(self)


def test_a_heic_image_is_decoded_by_its_plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    def register_heif_opener() -> None:
        Image.register_open("HEIF", _Opened, lambda start: start[4:12] == b"ftypheic")

    plugin = types.ModuleType("pillow_heif")
    plugin.register_heif_opener = register_heif_opener
    monkeypatch.setitem(sys.modules, "pillow_heif", plugin)
    monkeypatch.setattr(image_formats, "find_spec", lambda _: plugin)
    try:
        assert np.array_equal(decode(HEIC).pixels, PICTURE)
    finally:
        Image.OPEN.pop("HEIF", None)
        if "HEIF" in Image.ID:
            Image.ID.remove("HEIF")
