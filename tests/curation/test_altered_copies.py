"""The same image under several names, altered or not, is found, and nothing else is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import pytest

from ferdata.core.errors import ImageError
from ferdata.curation.altered_copies import AlteredCopies, ImageSource, find_altered_copies
from ferdata.synth import DrawnFace, Expression, draw_expression, draw_face, draw_identity
from ferdata.synth.alterations import ALTERATIONS, AlteredImage

Pixels = npt.NDArray[np.uint8]
Five = npt.NDArray[np.float32]

PERSONS, COPIES = 20, 5
EXPRESSIONS = ("neutral", "happiness", "surprise")
GEOMETRIC = ("rotate", "crop", "shift")


def give(pixels: Pixels) -> Pixels:
    return pixels


def fail() -> Pixels:
    raise ImageError("file is missing")


def source(name: str, pixels: Pixels, five: Five | None = None, **more: str) -> ImageSource:
    return ImageSource(name, partial(give, pixels), five, **more)


@pytest.fixture(scope="module")
def faces() -> list[DrawnFace]:
    """Draw several persons, each with several expressions."""
    drawn = []
    for number in range(PERSONS):
        draws = np.random.default_rng([3, number])
        person = draw_identity(draws)
        drawn += [draw_face(name, draws, 100, identity=person) for name in EXPRESSIONS]
    return drawn


@dataclass(frozen=True)
class Planted:
    """Originals followed by copies.

    Attributes:
        sources: All images.
        origin: The original of each, itself for originals.
        alteration: The name of each copy's alteration, by its position.
    """

    sources: list[ImageSource]
    origin: list[int]
    alteration: dict[int, str]

    def missed(self, found: AlteredCopies) -> list[str]:
        """Return the alteration of each copy that is not in its original's cluster."""
        cluster = found.cluster
        return [
            name
            for row, name in self.alteration.items()
            if cluster[row] != cluster[self.origin[row]]
        ]

    def false(self, found: AlteredCopies) -> list[tuple[int, int]]:
        """Return the pairs that are no copies."""
        return [
            (pair.first, pair.second)
            for pair in found.pairs
            if self.origin[pair.first] != self.origin[pair.second]
        ]


def plant(faces: list[DrawnFace], *, moved: float | None) -> Planted:
    """Plant copies of each alteration; points are moved by some pixels, or None given."""
    draws = np.random.default_rng(5)
    given = moved is not None
    sources = [
        source(f"face{row}", face.pixels, face.five_points if given else None)
        for row, face in enumerate(faces)
    ]
    planted = Planted(sources, list(range(len(faces))), {})
    for name, alter in ALTERATIONS.items():
        for row in draws.choice(len(faces), COPIES, replace=False).tolist():
            copy = alter(faces[row].pixels, draws)
            scale = copy.pixels.shape[0] / 100
            five = copy.move_five(faces[row].five_points)
            five += draws.normal(0, (moved or 0) * scale, (5, 2)).astype(np.float32)
            planted.alteration[len(sources)] = name
            planted.origin.append(row)
            sources.append(source(f"{name}{row}", copy.pixels, five if given else None))
    return planted


@pytest.mark.parametrize("moved", [0.0, 1.5, None])
def test_altered_copies_are_found_and_nothing_else(
    faces: list[DrawnFace], moved: float | None
) -> None:
    planted = plant(faces, moved=moved)
    found = find_altered_copies(planted.sources)
    missed = planted.missed(found)
    assert [name for name in missed if name not in GEOMETRIC] == []
    assert len(missed) <= 1  # of 15 that were rotated, cropped or shifted
    assert planted.false(found) == []


def test_result_is_the_same_for_any_number_of_workers(faces: list[DrawnFace]) -> None:
    few = plant(faces[:9], moved=1.0)
    one, two = (find_altered_copies(few.sources, workers=workers) for workers in (1, 2))
    assert one.pairs == two.pairs
    np.testing.assert_array_equal(one.cluster, two.cluster)


def test_copies_of_a_photograph_are_found() -> None:
    data = pytest.importorskip("skimage.data")
    photograph = np.ascontiguousarray(data.astronaut()[30:230, 120:320])
    other = np.ascontiguousarray(data.astronaut()[250:450, 200:400])
    draws = np.random.default_rng(1)
    copies = [alter(photograph, draws).pixels for alter in ALTERATIONS.values()]
    images = [photograph, other, *copies]
    found = find_altered_copies([source(f"{row}", image) for row, image in enumerate(images)])
    assert found.clusters == ((0, *range(2, len(images))),)


def test_equal_pixels_are_exact_copies(faces: list[DrawnFace]) -> None:
    pixels, five = faces[0].pixels, faces[0].five_points
    sources = [
        source("a", pixels, five),
        source("b", faces[3].pixels, faces[3].five_points),
        source("c", pixels.copy(), None),
        source("d", pixels.copy(), five),
    ]
    found = find_altered_copies(sources)
    assert [(pair.first, pair.second, pair.kind) for pair in found.pairs] == [
        (0, 2, "exact"),
        (2, 3, "exact"),
    ]
    assert all(pair.score == 1 for pair in found.pairs)
    assert found.clusters == ((0, 2, 3),)


def test_gray_image_is_an_exact_copy_of_its_three_channels(faces: list[DrawnFace]) -> None:
    gray = np.ascontiguousarray(faces[0].pixels[..., 1])
    found = find_altered_copies([source("a", gray), source("b", np.stack([gray] * 3, axis=2))])
    assert [pair.kind for pair in found.pairs] == ["exact"]


def test_family_of_many_copies_is_one_cluster(faces: list[DrawnFace]) -> None:
    draws = np.random.default_rng(2)
    sources = [source(f"{row}", face.pixels, face.five_points) for row, face in enumerate(faces)]
    for number in range(24):
        copy = ALTERATIONS["rotate"](faces[7].pixels, draws)
        noisy = ALTERATIONS["brightness"](copy.pixels, draws)
        sources.append(source(f"copy{number}", noisy.pixels, copy.move_five(faces[7].five_points)))
    found = find_altered_copies(sources)
    assert found.clusters == ((7, *range(len(faces), len(sources))),)


def test_several_alterations_at_once(faces: list[DrawnFace]) -> None:
    draws = np.random.default_rng(8)
    sources = [source(f"{row}", face.pixels, face.five_points) for row, face in enumerate(faces)]
    for row in range(12):
        pixels, five = faces[row].pixels, faces[row].five_points
        for name in ("flip", "rotate", "brightness", "noise", "reencode"):
            pixels, matrix = ALTERATIONS[name](pixels, draws)
            five = AlteredImage(pixels, matrix).move_five(five)
        sources.append(source(f"copy{row}", pixels, five))
    found = find_altered_copies(sources)
    linked = sum(found.cluster[row] == found.cluster[len(faces) + row] for row in range(12))
    assert linked >= 11
    assert all(pair.mirrored for pair in found.pairs)


@pytest.mark.parametrize("point", range(5))
def test_one_point_far_off_hides_no_copy(faces: list[DrawnFace], point: int) -> None:
    sources = [source(f"{row}", face.pixels, face.five_points) for row, face in enumerate(faces)]
    copy = ALTERATIONS["rotate"](faces[4].pixels, np.random.default_rng(3))
    five = copy.move_five(faces[4].five_points)
    five[point] += (9, -7)
    found = find_altered_copies([*sources, source("copy", copy.pixels, five)])
    assert found.clusters == ((4, len(faces)),)


def test_copy_in_which_no_face_was_found(faces: list[DrawnFace]) -> None:
    sources = [source(f"{row}", face.pixels, face.five_points) for row, face in enumerate(faces)]
    draws = np.random.default_rng(4)
    for name in ("flip", "rotate", "crop", "shift"):
        sources.append(source(name, ALTERATIONS[name](faces[4].pixels, draws).pixels))
    assert find_altered_copies(sources).clusters == ((4, *range(len(faces), len(sources))),)


def changes_of(face: DrawnFace, name: str) -> tuple[tuple[str, ...], float]:
    copy = ALTERATIONS[name](face.pixels, np.random.default_rng(6))
    five = copy.move_five(face.five_points)
    images = [source("a", face.pixels, face.five_points), source("b", copy.pixels, five)]
    (pair,) = find_altered_copies(images).pairs
    return pair.changes, pair.degrees


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("flip", "flipped"),
        ("resize", "resized"),
        ("gray", "gray"),
        ("rotate", "rotated"),
        ("crop", "cropped"),
        ("shift", "shifted"),
        ("noise", "reencoded or noisy"),
    ],
)
def test_changes_are_named(faces: list[DrawnFace], name: str, change: str) -> None:
    assert changes_of(faces[1], name)[0] == (change,)


def test_rotation_is_measured(faces: list[DrawnFace]) -> None:
    copy = ALTERATIONS["rotate"](faces[1].pixels, np.random.default_rng(6))
    turned = np.degrees(np.arctan2(copy.matrix[0, 1], copy.matrix[0, 0]))
    assert changes_of(faces[1], "rotate")[1] == pytest.approx(turned, abs=0.3)


def frame(movement: float) -> DrawnFace:
    """Draw a frame of a sequence in which only the expression moves."""
    draws = np.random.default_rng(12)
    person = draw_identity(draws)
    full = draw_expression("happiness", draws, intensity=(1.0, 1.0))
    part = Expression(**{name: movement * value for name, value in vars(full).items()})
    return draw_face(part, np.random.default_rng(13), 100, identity=person)


def test_frames_of_one_sequence_are_not_compared() -> None:
    frames = [frame(movement) for movement in (0.50, 0.52, 0.54)]
    named = [
        source(f"{row}", each.pixels, each.five_points, sequence="S001/002")
        for row, each in enumerate(frames)
    ]
    assert find_altered_copies(named).pairs == ()


def test_frame_with_another_expression_is_no_copy() -> None:
    frames = [frame(movement) for movement in (0.2, 0.6, 1.0)]
    sources = [source(f"{row}", each.pixels, each.five_points) for row, each in enumerate(frames)]
    found = find_altered_copies(sources)
    assert found.compared >= 2
    assert found.pairs == ()


def test_photograph_with_another_expression_is_no_copy() -> None:
    """A face that is a small part of its photograph is compared by itself."""
    from ferdata.synth import SCENE

    def photograph(name: str) -> DrawnFace:
        draws = np.random.default_rng(21)
        person = draw_identity(draws)
        expression = draw_expression(name, np.random.default_rng(1), intensity=(0.6, 0.6))
        return draw_face(expression, np.random.default_rng(22), 400, identity=person, framing=SCENE)

    two = [photograph("neutral"), photograph("anger")]
    sources = [source(f"{row}", each.pixels, each.five_points) for row, each in enumerate(two)]
    assert find_altered_copies(sources).pairs == ()


def test_unreadable_images_are_listed(faces: list[DrawnFace]) -> None:
    sources = [
        source("a", faces[0].pixels),
        ImageSource("b", fail),
        source("c", np.ascontiguousarray(faces[0].pixels[:, ::-1])),
    ]
    found = find_altered_copies(sources)
    assert found.unreadable == {1: "file is missing"}
    assert found.clusters == ((0, 2),)


@pytest.mark.parametrize("number", [0, 1])
def test_few_images(faces: list[DrawnFace], number: int) -> None:
    found = find_altered_copies([source("a", faces[0].pixels)] * number)
    assert found.pairs == ()
    assert found.clusters == ()


def test_images_without_structure_are_no_copies() -> None:
    sources = [
        source(f"{level}", np.full((60, 60, 3), level, np.uint8)) for level in (0, 1, 128, 255)
    ]
    assert find_altered_copies(sources).pairs == ()


def test_points_that_are_none_count_as_unknown(faces: list[DrawnFace]) -> None:
    unknown = np.full((5, 2), np.nan, np.float32)
    flipped = np.ascontiguousarray(faces[0].pixels[:, ::-1])
    sources = [source("a", faces[0].pixels, unknown), source("b", flipped, np.zeros((5, 2)))]
    assert find_altered_copies(sources).clusters == ((0, 1),)
