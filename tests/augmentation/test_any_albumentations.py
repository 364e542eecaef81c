"""Any albumentations class by name: the same everywhere, with its points, or refused."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from ferdata.augmentation.copies import apply_operations
from ferdata.augmentation.drawing import draw_independently
from ferdata.augmentation.operations import Albumentations, HorizontalFlip
from ferdata.augmentation.operations.albumentations_import import import_albumentations
from ferdata.core.errors import ManifestError, OptionError, UnknownNameError

FIVE = np.array([[42.0, 38.0], [69.0, 36.0], [55.0, 50.0], [45.0, 61.0], [66.0, 62.0]])


def row(transform, seed=5, **parameters):
    return json.dumps(
        [{"op": "albumentations", "transform": transform, "parameters": parameters, "seed": seed}]
    )


RANDOM = [
    row("CLAHE", clip_limit=[1, 4]),
    row("ShotNoise"),
    row("CoarseDropout", fill="random"),
    row("ElasticTransform", alpha=30, sigma=6),
    row("Affine", rotate=[-20, 20], scale={"x": [0.9, 1.1], "y": [0.9, 1.1]}),
]


def test_a_row_renders_the_same_whatever_came_before(image):
    first = [apply_operations(image, text, five_points=FIVE) for text in RANDOM]
    np.random.seed(1)
    random.seed(2)
    cv2.setRNGSeed(3)
    again = [apply_operations(image, text, five_points=FIVE) for text in reversed(RANDOM)]
    for one, other in zip(first, reversed(again), strict=True):
        assert np.array_equal(one.pixels, other.pixels)
        assert np.array_equal(one.five_points, other.five_points)


def test_another_process_renders_the_same_bytes(image, tmp_path):
    np.save(tmp_path / "image.npy", image)
    np.save(tmp_path / "five.npy", FIVE)
    code = (
        "import sys, numpy as np\n"
        "from ferdata.augmentation.copies import apply_operations\n"
        "np.random.seed(9); image, five = (np.load(path) for path in sys.argv[1:3])\n"
        "done = [apply_operations(image, text, five_points=five) for text in sys.argv[4:]]\n"
        "np.savez(sys.argv[3], pixels=[d.pixels for d in done], five=[d.five_points for d in done])"
    )
    paths = [str(tmp_path / name) for name in ("image.npy", "five.npy", "out.npz")]
    subprocess.run([sys.executable, "-c", code, *paths, *RANDOM], check=True)
    there = np.load(paths[2])
    for index, text in enumerate(RANDOM):
        here = apply_operations(image, text, five_points=FIVE)
        assert np.array_equal(there["pixels"][index], here.pixels)
        assert np.array_equal(there["five"][index], here.five_points)


def test_threads_do_not_disturb_each_other(image):
    rows = [row("GaussNoise", seed=seed) for seed in range(24)]
    alone = [apply_operations(image, text).pixels for text in rows]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda text: apply_operations(image, text).pixels, rows))
    assert all(map(np.array_equal, alone, together))


def test_the_seed_decides_and_the_parent_is_untouched(image):
    before = image.copy()
    first, other = (apply_operations(image, row("GaussNoise", seed=seed)).pixels for seed in (1, 2))
    assert not np.array_equal(first, other)
    apply_operations(image, row("InvertImg"))
    assert np.array_equal(image, before)


def test_a_row_is_the_transform_in_a_compose_with_its_seed(image):
    """What a reader of a row can do without ferdata."""
    library = import_albumentations()
    alone = library.Compose([library.RandomGamma((60, 140), p=1.0)], seed=77)
    out = apply_operations(image, row("RandomGamma", seed=77, gamma_limit=[60, 140]))
    assert np.array_equal(out.pixels, alone(image=image)["image"])


@pytest.mark.parametrize(
    ("transform", "parameters"),
    [
        ("Affine", {"rotate": [-20, 20], "shear": [-8, 8], "scale": [0.9, 1.1]}),
        ("Perspective", {"scale": [0.02, 0.06]}),
        ("Rotate", {"limit": [-30, 30]}),
        ("VerticalFlip", {}),
        ("CropAndPad", {"percent": [-0.1, 0.1]}),
        ("CoarseDropout", {}),
        ("CLAHE", {}),
    ],
)
def test_landmarks_stay_on_their_dots(transform, parameters):
    for seed in range(4):
        for index, (x, y) in enumerate(FIVE):
            dot = np.zeros((112, 112, 3), np.uint8)
            cv2.circle(dot, (int(x), int(y)), 2, (255, 255, 255), -1)
            text = row(transform, seed, **parameters)
            out = apply_operations(dot, text, landmarks=FIVE, scheme="five", five_points=FIVE)
            bright = np.argwhere(out.pixels[..., 0] > 100)
            if not len(bright):  # covered by a hole
                continue
            assert np.abs(out.landmarks[index] - bright.mean(axis=0)[::-1]).max() < 0.6
            assert np.array_equal(out.landmarks, out.five_points)


def test_the_box_goes_around_its_moved_corners():
    corners = np.array([[30, 20], [80, 20], [80, 70], [30, 70], [30, 20]], np.float64)
    black = np.zeros((96, 112, 3), np.uint8)
    out = apply_operations(
        black, row("Affine", rotate=[20, 20]), five_points=corners, box=[30.0, 20.0, 80.0, 70.0]
    )
    around = [*out.five_points.min(axis=0), *out.five_points.max(axis=0)]
    assert np.allclose(out.box, around)
    assert out.box[2] - out.box[0] > 55


def test_unknown_and_lost_points_are_unknown_and_the_others_keep_their_places(image):
    points = FIVE.copy()
    points[1] = np.nan
    points[3] = (-30.0, 150.0)  # a distortion can't follow a point outside of the image
    out = apply_operations(image, row("ElasticTransform", alpha=30, sigma=6), five_points=points)
    assert np.isnan(out.five_points).any(axis=1).tolist() == [False, True, False, True, False]
    assert np.abs(out.five_points - points)[[0, 2, 4]].max() < 8
    nothing = apply_operations(image, row("Affine", rotate=[5, 5]))
    assert nothing.landmarks.shape == (0, 2)
    assert np.isnan(nothing.five_points).all()


def test_what_leaves_points_alone_leaves_their_bits_alone(image):
    five = FIVE / 3
    box = np.array([1 / 3, 2, 3, np.nan])
    out = apply_operations(image, row("CLAHE"), five_points=five, box=box)
    assert np.array_equal(out.five_points, five)
    assert np.array_equal(out.box, box, equal_nan=True)


def test_a_draw_keeps_everything_in_the_row(image):
    operation = Albumentations(1.0, transform="CLAHE", parameters={"clip_limit": (1, 4)})
    texts = [draw_independently([operation], 0, "a", copy) for copy in (1, 2)]
    first, second = (json.loads(text)[0] for text in texts)
    assert first["transform"] == "CLAHE"
    assert first["parameters"] == {"clip_limit": [1, 4]}
    assert 0 <= first["seed"] < 2**32
    assert first["seed"] != second["seed"]
    assert apply_operations(image, texts[0]).pixels.shape == image.shape


def test_a_transform_without_random_values_is_no_strength():
    """Two copies with only a gray version would be one image."""
    fixed = Albumentations(1.0, transform="ToGray")
    random_one = Albumentations(0.0, transform="GaussNoise")
    assert not fixed.varies
    text = draw_independently([fixed, HorizontalFlip(0.0), random_one], 0, "a", 1)
    assert [entry.get("transform") for entry in json.loads(text)] == ["ToGray", "GaussNoise"]


@pytest.mark.parametrize(
    ("transform", "parameters", "error", "says"),
    [
        ("Clahe", {}, UnknownNameError, "unknown albumentations transform 'Clahe'"),
        ("RandomGama", {}, UnknownNameError, "Did you mean 'RandomGamma'"),
        ("Compose", {}, UnknownNameError, "unknown albumentations transform"),
        ("BasicTransform", {}, UnknownNameError, "unknown albumentations transform"),
        ("", {}, OptionError, "name of a class"),
        ("CLAHE", {"clip_limits": 3}, UnknownNameError, "Did you mean 'clip_limit'"),
        ("RandomRotate90", {"times": 3}, UnknownNameError, "unknown parameter of RandomRotate90"),
        ("CLAHE", {"clip_limit": "much"}, OptionError, "CLAHE can't be made with"),
        ("CLAHE", {"p": 0.5}, OptionError, "write probability beside transform"),
        ("CLAHE", {"clip_limit": {1, 2}}, OptionError, "must be plain values"),
        ("CLAHE", {"clip_limit": float("inf")}, OptionError, "must be plain values"),
        ("CLAHE", [1], OptionError, "are a mapping"),
        ("HorizontalFlip", {}, OptionError, "use the operation horizontal_flip"),
        ("Transpose", {}, OptionError, "mirrors left and right"),
        ("D4", {}, OptionError, "mirrors left and right"),
        ("SquareSymmetry", {}, OptionError, "mirrors left and right"),
        (
            "Affine",
            {"scale": {"x": [-1.2, -0.8], "y": [1, 1]}},
            OptionError,
            "mirrors left and right",
        ),
        ("Resize", {"height": 64, "width": 64}, OptionError, r"makes uint8 \(64, 64, 3\)"),
        ("RandomCrop", {"height": 100, "width": 100}, OptionError, "must keep the size"),
        ("Normalize", {}, OptionError, "makes float32"),
        ("OverlayElements", {}, OptionError, "need more than an image"),
        ("MaskDropout", {}, OptionError, "need more than an image"),
        ("CoarseDropout3D", {}, OptionError, "need more than an image"),
        ("NoOp", {}, OptionError, "changes nothing"),
    ],
)
def test_what_cannot_be_used_is_named_when_the_operation_is_made(
    transform, parameters, error, says
):
    with pytest.raises(error, match=says):
        Albumentations(transform=transform, parameters=parameters)


@pytest.mark.parametrize(
    "entry",
    [
        {"transform": "CLAHE", "parameters": {}},
        {"transform": "CLAHE", "parameters": [], "seed": 1},
        {"transform": 3, "parameters": {}, "seed": 1},
        {"transform": "CLAHE", "parameters": {}, "seed": -1},
        {"transform": "CLAHE", "parameters": {}, "seed": 1.5},
    ],
    ids=str,
)
def test_rows_that_no_draw_can_have_made_are_named(image, entry):
    with pytest.raises(ManifestError, match="albumentations takes transform, parameters, seed"):
        apply_operations(image, json.dumps([{"op": "albumentations", **entry}]))


def test_a_image_that_changes_its_size_only_here_is_named(image):
    rows = [row("RandomRotate90", seed=seed) for seed in range(8)]
    with pytest.raises(OptionError, match=r"RandomRotate90 makes uint8 \(112, 96, 3\)"):
        for text in rows:  # fine where images are square, as those of a build are
            apply_operations(image, text)


LATER = """
import sys
from ferdata.augmentation.operations.albumentations_import import import_albumentations
import_albumentations()
assert "torch" not in sys.modules
import albumentations as A
print(A.ToTensorV2().__class__.__module__, A.pytorch.ToTensorV2 is A.ToTensorV2)
"""


def test_what_the_import_leaves_out_is_there_for_a_users_own_code() -> None:
    pytest.importorskip("torch")
    done = subprocess.run([sys.executable, "-c", LATER], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["albumentations.pytorch.transforms", "True"]
