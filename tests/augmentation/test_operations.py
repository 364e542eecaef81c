"""Operations: drawn within their ranges, kept in JSON, rendered the same from there."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferdata.augmentation.copies import apply_operations, parse_operations
from ferdata.augmentation.drawing import draw_independently
from ferdata.augmentation.operations import (
    Brightness,
    Contrast,
    GaussianBlur,
    GaussianNoise,
    HorizontalFlip,
)
from ferdata.core.errors import ManifestError, OptionError, UnknownNameError
from ferdata.faces.schemes import scheme, scheme_names

OPERATIONS = (
    HorizontalFlip(),
    Brightness(change=(0.05, 0.30)),
    GaussianBlur(),
    GaussianNoise(),
)
"""Operations as builds had them before copies were drawn apart, and recipes still do."""

FLIP = '[{"op":"horizontal_flip"}]'

PINNED = (
    '[{"op":"brightness","factor":0.7774},{"op":"gaussian_noise","sigma":8.4945,"seed":2064807192}]'
)

coordinates = st.floats(-200, 1200, width=32).filter(lambda x: x == 0 or abs(x) >= 2**-20)


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**63 - 1), name=st.text(max_size=20), copy=st.integers(1, 50))
def test_draws_are_within_the_declared_ranges(seed, name, copy):
    text = draw_independently(OPERATIONS, seed, name, copy)
    drawn = {entry["op"]: entry for entry in parse_operations(text)}
    assert drawn
    order = [operation.name for operation in OPERATIONS]
    assert list(drawn) == [name for name in order if name in drawn]
    assert set(drawn) != {"horizontal_flip"}
    if "brightness" in drawn:
        assert 0.05 <= round(abs(drawn["brightness"]["factor"] - 1), 4) <= 0.30
    if "gaussian_blur" in drawn:
        assert 0.5 <= drawn["gaussian_blur"]["sigma"] <= 1.2
    if "gaussian_noise" in drawn:
        assert 2 <= drawn["gaussian_noise"]["sigma"] <= 10
        assert 0 <= drawn["gaussian_noise"]["seed"] < 2**32
    assert json.dumps(json.loads(text), separators=(",", ":")) == text


def test_draws_come_as_often_as_their_probability():
    drawn = [
        {e["op"] for e in parse_operations(draw_independently(OPERATIONS, 0, str(i), 1))}
        for i in range(4000)
    ]
    for operation in OPERATIONS:
        fraction = sum(operation.name in names for names in drawn) / len(drawn)
        # an operation added to a copy without any raises the fraction by less than 0.03
        assert operation.probability - 0.03 < fraction < operation.probability + 0.06


def test_the_draws_of_a_copy_never_change():
    """Pinned: a change here changes every build that was ever made."""
    assert draw_independently(OPERATIONS, 0, "rafdb/train_00001", 1) == PINNED


def test_operations_drawn_independently_draw_and_render_as_ever():
    """Pinned before the kinds were more than four: recipes keep their bytes."""
    y, x = np.mgrid[:40, :48]
    small = np.stack([x * 5, y * 6, (x + y) * 2], axis=-1).astype(np.uint8)
    draws, pixels = hashlib.sha256(), hashlib.sha256()
    for name in ("rafdb/train_00001", "fer2013/00017", "kdef/AF01ANS"):
        for copy in range(1, 9):
            text = draw_independently(OPERATIONS, 3, name, copy)
            draws.update(text.encode() + b"\n")
            pixels.update(apply_operations(small, text).pixels.tobytes())
    assert draws.hexdigest() == "db610970adaf716861857dad2c82c9c1555b328ebf078f32dd7efdd90ec9e2f0"
    assert pixels.hexdigest() == "20fdaec790940e049d1c22d271f7ffc934c3ec1d0d0b7e8544209866ef897e70"


def test_an_operation_alone_is_always_drawn():
    for operation in (HorizontalFlip(0.0), Brightness(0.0)):
        text = draw_independently([operation], 0, "a", 1)
        assert [entry["op"] for entry in json.loads(text)] == [operation.name]
    with pytest.raises(OptionError, match="no operation"):
        draw_independently([], 0, "a", 1)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_a_copy_rendered_again_is_the_same_and_its_parent_untouched(image, seed):
    text = draw_independently(OPERATIONS, seed, "a", 1)
    before = image.copy()
    first = apply_operations(image, text)
    again = apply_operations(image.copy(order="F"), json.dumps(json.loads(text), indent=1))
    assert np.array_equal(first.pixels, again.pixels)
    assert first.pixels.dtype == np.uint8
    assert first.pixels.flags.c_contiguous
    assert np.array_equal(image, before)
    assert not np.array_equal(first.pixels, image)


def test_threads_of_opencv_change_nothing(image):
    text = '[{"op":"gaussian_blur","sigma":1.1},{"op":"gaussian_noise","sigma":9.0,"seed":7}]'
    large = np.tile(image, (6, 6, 1))
    threads = cv2.getNumThreads()
    rendered = []
    for number in (0, 1, 4):
        cv2.setNumThreads(number)
        rendered.append(apply_operations(large, text).pixels)
    cv2.setNumThreads(threads)
    assert all(np.array_equal(rendered[0], other) for other in rendered)


def test_another_process_renders_the_same_bytes(image, tmp_path):
    text = draw_independently([Brightness(1.0), GaussianBlur(1.0), GaussianNoise(1.0)], 0, "a", 1)
    np.save(tmp_path / "image.npy", image)
    code = (
        "import sys, numpy as np\n"
        "from ferdata.augmentation.copies import apply_operations\n"
        "out = apply_operations(np.load(sys.argv[1]), sys.argv[2]).pixels\n"
        "assert 'torch' not in sys.modules\n"
        "np.save(sys.argv[3], out)"
    )
    paths = [str(tmp_path / "image.npy"), text, str(tmp_path / "out.npy")]
    subprocess.run([sys.executable, "-c", code, *paths], check=True)
    assert np.array_equal(np.load(tmp_path / "out.npy"), apply_operations(image, text).pixels)


def test_importing_the_operations_loads_no_albumentations():
    code = (
        "import sys, ferdata.augmentation.balance\n"
        "bad = {'albumentations', 'torch', 'mediapipe', 'datasets'} & set(sys.modules)\n"
        "sys.exit(str(bad) if bad else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_brightness_multiplies_and_rounds(image):
    out = apply_operations(image, '[{"op":"brightness","factor":1.2773}]').pixels
    assert np.array_equal(out, np.clip(np.rint(image * 1.2773), 0, 255))


def test_noise_has_the_drawn_strength_and_no_bias():
    gray = np.full((200, 200, 3), 128, np.uint8)
    out = apply_operations(gray, '[{"op":"gaussian_noise","sigma":6.0,"seed":1}]').pixels
    difference = out.astype(np.float64) - 128
    assert abs(difference.mean()) < 0.06
    assert difference.std() == pytest.approx(6.0, rel=0.02)
    channels = difference.reshape(-1, 3)
    assert abs(np.corrcoef(channels.T)[0, 1]) < 0.03


def test_blur_has_the_drawn_width():
    dot = np.zeros((31, 31, 3), np.uint8)
    dot[15, 15] = 255
    row = apply_operations(dot, '[{"op":"gaussian_blur","sigma":1.2}]').pixels[:, :, 0].sum(axis=0)
    x = np.arange(31) - 15
    assert np.sqrt((row * x**2).sum() / row.sum()) == pytest.approx(1.2, rel=0.1)
    assert np.array_equal(row, row[::-1])


@settings(max_examples=25, deadline=None)
@given(data=st.data(), width=st.integers(16, 1024))
@pytest.mark.parametrize("name", scheme_names())
def test_flipping_twice_changes_nothing(name, data, width):
    size = scheme(name).size
    chosen = data.draw(st.lists(coordinates, min_size=8, max_size=40))
    landmarks = np.resize(np.array(chosen, np.float32), (size, 2))
    landmarks[0] = np.nan
    five = np.resize(landmarks[1:], (5, 2))
    box = np.array([1.25, 2.5, 10.125, 12.0], np.float32)
    pixels = np.random.default_rng(width).integers(0, 256, (16, width, 3), np.uint8)
    known = {"landmarks": landmarks, "scheme": name, "five_points": five, "box": box}
    once = apply_operations(pixels, FLIP, **known)
    twice = apply_operations(
        once.pixels,
        FLIP,
        landmarks=once.landmarks,
        scheme=name,
        five_points=once.five_points,
        box=once.box,
    )
    assert np.array_equal(once.pixels, pixels[:, ::-1])
    assert np.array_equal(twice.pixels, pixels)
    assert np.array_equal(twice.landmarks.astype(np.float32), landmarks, equal_nan=True)
    assert np.array_equal(twice.five_points.astype(np.float32), five)
    assert np.array_equal(twice.box.astype(np.float32), box)
    assert once.box[0] < once.box[2]


def test_a_flip_keeps_points_on_their_features_and_exchanges_sides():
    pixels = np.zeros((40, 60, 3), np.uint8)
    five = np.array([[20, 15], [41, 14], [30, 22], [23, 30], [38, 31]], np.float32)
    for value, (x, y) in enumerate(five.astype(int), start=1):
        pixels[y, x] = value
    out = apply_operations(pixels, FLIP, landmarks=five, scheme="five", five_points=five)
    found = [int(out.pixels[int(y), int(x), 0]) for x, y in out.landmarks]
    assert found == [2, 1, 3, 5, 4]
    assert out.landmarks[0, 0] < out.landmarks[1, 0]  # the first eye is still the left one
    assert np.array_equal(out.landmarks, out.five_points)


def test_photometric_operations_leave_points_alone(image):
    box = np.array([1, 2, 3, np.nan])
    out = apply_operations(image, '[{"op":"brightness","factor":0.9}]', box=box)
    assert np.array_equal(out.box, box, equal_nan=True)
    assert out.landmarks.shape == (0, 2)
    assert np.isnan(out.five_points).all()


def test_no_operations_change_nothing(image):
    for text in (None, ""):
        assert np.array_equal(apply_operations(image, text).pixels, image)


@pytest.mark.parametrize(
    ("text", "error", "says"),
    [
        ("{", ManifestError, "not JSON"),
        ("{}", ManifestError, "not a list"),
        ('["brightness"]', ManifestError, "needs a name"),
        ('[{"factor":1.1}]', ManifestError, "needs a name"),
        ('[{"op":"brightnes","factor":1.1}]', UnknownNameError, "Did you mean 'brightness'"),
        ('[{"op":"brightness"}]', ManifestError, "brightness takes levels.*or factor"),
        ('[{"op":"brightness","factor":"1"}]', ManifestError, "brightness takes levels.*or factor"),
        (
            '[{"op":"brightness","factor":true}]',
            ManifestError,
            "brightness takes levels.*or factor",
        ),
        ('[{"op":"brightness","factor":NaN}]', ManifestError, "brightness takes levels.*or factor"),
        (
            '[{"op":"brightness","factor":1.1,"x":1}]',
            ManifestError,
            "brightness takes levels.*or factor",
        ),
        ('[{"op":"brightness","levels":61}]', ManifestError, "a number within ±60"),
        (
            '[{"op":"brightness","levels":20,"factor":1.1}]',
            ManifestError,
            "brightness takes levels",
        ),
        ('[{"op":"gaussian_noise","sigma":2,"seed":1,"color":1}]', ManifestError, "gaussian_noise"),
        ('[{"op":"gaussian_blur","sigma":0}]', ManifestError, "positive"),
        ('[{"op":"gaussian_noise","sigma":2,"seed":1.5}]', ManifestError, "integers for a seed"),
        ('[{"op":"horizontal_flip","p":1}]', ManifestError, "takes no values"),
    ],
)
def test_bad_operations_are_named(image, text, error, says):
    with pytest.raises(error, match=says):
        apply_operations(image, text)


def test_landmarks_must_be_of_their_scheme(image):
    points = np.zeros((68, 2), np.float32)
    with pytest.raises(ManifestError, match="68 landmarks are not of the scheme 'five'"):
        apply_operations(image, FLIP, landmarks=points, scheme="five")
    with pytest.raises(ManifestError, match="without a scheme"):
        apply_operations(image, FLIP, landmarks=points)
    with pytest.raises(UnknownNameError):
        apply_operations(image, FLIP, landmarks=points, scheme="ibug86")


@pytest.mark.parametrize(
    "make",
    [
        lambda: Brightness(change=(0.3, 0.1)),
        lambda: Brightness(probability=1.5),
        lambda: Brightness(levels=(10.0, 61.0)),
        lambda: Brightness(levels=(10.0, 20.0), change=(0.1, 0.3)),
        lambda: GaussianNoise(color="no"),
        lambda: Contrast(change=(0.0, 0.3)),
        lambda: GaussianBlur(sigma=(0.0, 1.0)),
        lambda: GaussianNoise(sigma=(2.0, 400.0)),
        lambda: HorizontalFlip(float("nan")),
    ],
)
def test_declared_ranges_are_checked(make):
    with pytest.raises(OptionError):
        make()
