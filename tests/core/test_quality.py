"""How an image looks: found with its measure, and never a reason to refuse it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from ferdata.core.decoding import decode
from ferdata.core.findings import FINDINGS, count_findings, finding
from ferdata.core.images import require_content
from ferdata.core.labels import CANONICAL
from ferdata.core.quality import look
from ferdata.synth import draw_face


def face(seed: int = 0, side: int = 100) -> np.ndarray:
    return draw_face(CANONICAL[seed % 8], np.random.default_rng(seed), side).pixels


def measures(pixels: np.ndarray) -> dict[str, float]:
    return {name: float(text) for name, _, text in (each.partition(":") for each in look(pixels))}


@pytest.mark.parametrize("side", [48, 100, 224])
def test_nothing_is_unusual_about_faces(side: int) -> None:
    assert {seed: look(face(seed, side)) for seed in range(16) if look(face(seed, side))} == {}


def test_a_complete_jpeg_with_a_gray_lower_part_is_kept() -> None:
    """RAF-DB's train_07167: its photograph broke before it was aligned."""
    pixels = face()
    pixels[60:] = 128
    data = cv2.imencode(".jpg", pixels[..., ::-1])[1].tobytes()
    image = decode(data)
    require_content(image.pixels)
    assert image.findings == ()
    assert measures(image.pixels)["partly-uniform"] == pytest.approx(0.4, abs=0.05)


@pytest.mark.parametrize("color", [0, 128, 255])
@pytest.mark.parametrize(
    ("part", "share"),
    [((slice(0, 30), slice(None)), 0.3), ((slice(None), slice(80, None)), 0.2),
     ((slice(45, None), slice(None)), 0.55)],
    ids=["above", "right", "below"],
)  # fmt: skip
def test_bars_are_found_with_their_share(color: int, part: tuple, share: float) -> None:
    pixels = face()
    pixels[part] = color
    require_content(pixels)
    assert measures(pixels)["partly-uniform"] == pytest.approx(share, abs=0.02)


def test_letterboxes_on_both_sides_add_up() -> None:
    pixels = cv2.copyMakeBorder(face(), 20, 20, 0, 0, cv2.BORDER_CONSTANT)
    assert measures(pixels)["partly-uniform"] == pytest.approx(40 / 140, abs=0.01)


def test_a_smooth_background_is_no_bar() -> None:
    pixels = face()
    pixels[:8] = 20  # less than a tenth
    assert "partly-uniform" not in measures(pixels)


@pytest.mark.parametrize("seed", range(4))
def test_dark_and_bright_images_are_found(seed: int) -> None:
    dark, bright = face(seed) // 8, 255 - (255 - face(seed)) // 10
    assert measures(dark)["dark"] < 30
    assert measures(bright.astype(np.uint8))["bright"] > 225


@pytest.mark.parametrize("side", [100, 224, 640])
def test_blurred_images_are_found(side: int) -> None:
    blurred = [look(cv2.GaussianBlur(face(seed, side), (0, 0), 0.04 * side)) for seed in range(8)]
    assert all(found[0].startswith("blurred:") for found in blurred)
    enlarged = cv2.resize(face(1, 224), (16, 16), interpolation=cv2.INTER_AREA)
    assert "blurred" in measures(cv2.resize(enlarged, (side, side), interpolation=cv2.INTER_CUBIC))


@pytest.mark.parametrize("level", [0, 128, 255])
def test_blank_images_are_only_blank(level: int) -> None:
    pixels = np.full((48, 48, 3), level, np.uint8)
    pixels[::3, ::2] ^= 1
    assert measures(pixels) == {"blank": pytest.approx(level, abs=1)}


@pytest.mark.parametrize(("side", "found"), [(47, True), (20, True), (48, False), (100, False)])
def test_small_images_are_found(side: int, found: bool) -> None:
    pixels = cv2.resize(face(), (side, side + 10), interpolation=cv2.INTER_AREA)
    assert measures(pixels).get("small") == (side if found else None)


def test_rows_are_counted_once_for_each_finding() -> None:
    rows = [["dark:1", "damaged:a", "damaged:b"], None, [], ["dark:2", "of-a-plugin:x"]]
    assert count_findings(rows) == {"dark": 2, "damaged": 1, "of-a-plugin": 1}
    assert list(count_findings(rows)) == ["dark", "damaged", "of-a-plugin"]


def test_a_finding_is_declared_and_short() -> None:
    assert finding("dark", 12.3456) == "dark:12.3"
    assert finding("damaged", "a  b\nc" + "x" * 500).startswith("damaged:a b cxx")
    assert len(finding("damaged", "x" * 500)) < 120
    with pytest.raises(KeyError):
        finding("ugly", 1)
    assert all(";" in meaning for meaning in FINDINGS.values())
