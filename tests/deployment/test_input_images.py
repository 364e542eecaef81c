"""Images as users give them: files, folders, arrays and PIL images, brought upright."""

from __future__ import annotations

import warnings
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps

from ferdata.core.errors import ImageError, OptionError
from ferdata.deployment.images import ImageFile, ImagePixels, collect_images, read_upright
from ferdata.deployment.output import OutputFolder

BLOCKS = np.random.default_rng(0).integers(0, 255, (4, 6, 3), np.uint8).repeat(16, 0).repeat(16, 1)


def test_a_folder_is_searched_by_name_and_not_left(tmp_path, caplog):
    inside, outside = tmp_path / "in", tmp_path / "out"
    for name in ("in/b/2.JPG", "in/a.png", "in/.hidden/x.png", "in/.b.png", "in/notes.txt",
                 "in/predictions/a-predicted.png", "out/secret.png"):  # fmt: skip
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (inside / "link.png").symlink_to(outside / "secret.png")
    (inside / "folder").symlink_to(outside)
    (inside / "again.png").symlink_to(inside / "a.png")
    found = collect_images([inside, inside / "a.png"], skip=inside / "predictions")
    assert [image.output_name for image in found] == ["a.png", "b/2.JPG"]
    assert "ignored 1 links to images outside of it" in caplog.text


def test_paths_are_text_or_paths_and_begin_with_a_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    path = tmp_path / "a.png"
    path.touch()
    for given in (path, str(path), "~/a.png", Path("~/a.png"), [str(path), path], iter([path])):
        assert collect_images(given) == [ImageFile(path, "a.png")]


def test_arrays_and_pil_images_are_named_by_position(tmp_path):
    (tmp_path / "a.png").touch()
    given = [BLOCKS, tmp_path / "a.png", Image.fromarray(BLOCKS), BLOCKS[..., 0], BLOCKS[..., :1]]
    found = collect_images(given)
    assert [image.name for image in found] == [
        "image-0001", str(tmp_path / "a.png"), "image-0003", "image-0004", "image-0005",
    ]  # fmt: skip
    assert [image.path for image in found] == [None, tmp_path / "a.png", None, None, None]
    bgr = np.ascontiguousarray(BLOCKS[..., ::-1])  # as from OpenCV
    for image in (found[0], found[2], *collect_images(BLOCKS), *collect_images(bgr[..., ::-1])):
        assert np.array_equal(image.read(), BLOCKS)
    for image in found[3:]:
        assert np.array_equal(image.read(), BLOCKS[..., :1].repeat(3, axis=2))


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "RGBA", "LA", "I;16"])
def test_a_pil_image_has_the_pixels_of_its_file(mode, tmp_path):
    if mode == "I;16":
        image = Image.fromarray(BLOCKS[..., 0].astype(np.uint16) * 257)
    else:
        image = Image.fromarray(BLOCKS).convert(mode)
    image.save(tmp_path / "a.png")
    assert np.array_equal(ImagePixels(image, "x").read(), read_upright(tmp_path / "a.png"))


def test_images_that_can_not_be_decoded_are_named(tmp_path, caplog):
    for name in ("a.png", "b.HEIC", "c.heic", "d.nef", "notes.txt", "e.WEBP"):
        (tmp_path / name).touch()
    assert [image.output_name for image in collect_images(tmp_path)] == ["a.png", "e.WEBP"]
    assert "ignored 2 images: HEIC can't be decoded here; pip install pillow-heif" in caplog.text
    assert "ignored 1 images: raw photograph can't be decoded here" in caplog.text
    assert "notes" not in caplog.text


@pytest.mark.parametrize("suffix", [".png", ".tiff", ".webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_photographs_of_all_formats_are_rotated(orientation, suffix, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"turned{suffix}"
    Image.fromarray(BLOCKS).save(path, exif=exif, lossless=True)
    expected = np.asarray(ImageOps.exif_transpose(Image.open(path)))
    assert np.array_equal(read_upright(path), expected)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparent_parts_are_white_from_a_file_or_in_memory(mode, tmp_path):
    image = Image.fromarray(BLOCKS).convert("RGBA")
    image.putalpha(Image.fromarray(np.eye(64, 96, dtype=np.uint8) * 255))
    image = image.convert(mode)
    image.save(tmp_path / "a.png")
    pixels = ImagePixels(image, "x").read()
    assert np.all(pixels[0, 1:] == 255)
    assert np.array_equal(pixels, read_upright(tmp_path / "a.png"))


def test_what_is_not_an_image_is_refused(tmp_path):
    with pytest.raises(OptionError, match="no such file or folder"):
        collect_images(tmp_path / "missing.jpg")
    (tmp_path / "notes.txt").touch()
    with pytest.raises(OptionError, match=r"no image in this folder.*\.jpeg"):
        collect_images(tmp_path)
    with pytest.raises(OptionError, match="no image given"):
        collect_images([])
    with pytest.raises(OptionError, match="image 2 is of type bytes; expected a path"):
        collect_images([BLOCKS, b"png"])
    with pytest.raises(OptionError, match="image 1 is of type NoneType"):
        collect_images(None)
    for array in (BLOCKS[None], BLOCKS / 255, BLOCKS[..., :2]):
        with pytest.raises(OptionError, match=r"image 1 is an array of .* expected uint8"):
            collect_images(array)
    with pytest.raises(OptionError, match="is a file; give a folder"):
        OutputFolder(tmp_path / "notes.txt", [], ())


def test_images_that_show_nothing_are_errors(tmp_path):
    black = np.zeros((64, 64, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "black.png"), black)
    for image in collect_images([tmp_path / "black.png", black, Image.fromarray(black)]):
        with pytest.raises(ImageError, match="blank image"):
            image.read()
    with pytest.raises(ImageError, match="6×4 pixels; at least 16"):
        ImagePixels(BLOCKS[::16, ::16], "small").read()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photograph_is_rotated_as_its_camera_says(orientation, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "turned.png"
    Image.fromarray(BLOCKS).save(path, exif=exif)
    expected = np.asarray(ImageOps.exif_transpose(Image.open(path)))
    assert np.array_equal(read_upright(path), expected)
    assert np.array_equal(ImagePixels(Image.open(path), "x").read(), expected)


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
@pytest.mark.parametrize("length", [10, 12, 16, 24, None])
def test_a_photograph_with_broken_exif_data_is_used_as_stored(suffix, length, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    broken = b"Exif\0\0no Exif data" if length is None else exif.tobytes()[:length]
    path = tmp_path / f"broken{suffix}"
    Image.fromarray(BLOCKS[:24, :32]).save(path, exif=broken)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # nothing is printed either
        assert read_upright(path).shape == (24, 32, 3)


def test_names_that_are_not_text_can_be_shown():
    assert ImageFile(Path("caf\udce9.png"), "caf\udce9.png").name == "caf\ufffd.png"
