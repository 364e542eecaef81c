from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from ferdata.core.errors import UnknownNameError
from ferdata.faces.detectors.mediapipe import MEDIAPIPE478
from ferdata.faces.landmark_scheme import LandmarkScheme
from ferdata.faces.schemes import FIVE, IBUG68, scheme, scheme_names
from ferdata.synth import DrawnFace

EVERY = pytest.mark.parametrize("known", [*map(scheme, scheme_names())], ids=scheme_names())
PUBLISHED_PAIRS = [
    (33, 263), (133, 362), (61, 291), (159, 386), (145, 374), (70, 300), (105, 334),
    (234, 454), (78, 308), (50, 280), (468, 473),
]  # fmt: skip
PUBLISHED_MIDDLE = [0, 1, 2, 4, 5, 6, 8, 9, 10, 13, 14, 17, 151, 152, 168, 197, 199]


@EVERY
def test_flip_is_an_involution_of_all_points(known: LandmarkScheme) -> None:
    assert sorted(known.flip) == list(range(known.size))
    assert np.array_equal(known.flip[known.flip], np.arange(known.size))
    assert not known.flip.flags.writeable


@EVERY
def test_the_five_change_places_with_the_flip(known: LandmarkScheme) -> None:
    mirrored = tuple(tuple(sorted(known.flip[list(group)])) for group in known.five)
    there = tuple(tuple(sorted(group)) for group in known.five)
    assert mirrored == tuple(there[i] for i in FIVE.flip)


@EVERY
@given(data=st.data(), width=st.integers(16, 4096))
def test_flip_of_flip_is_the_points_again(
    known: LandmarkScheme, data: st.DataObject, width: int
) -> None:
    coordinate = st.floats(2**-10, 4096, width=32)
    points = data.draw(arrays.arrays(np.float32, (known.size, 2), elements=coordinate))
    twice = known.mirror(known.mirror(points, width), width)
    assert np.array_equal(twice.astype(np.float32), points)
    assert np.array_equal(twice, points)


@EVERY
@given(seed=st.integers(0, 2**32), width=st.integers(16, 1000))
def test_reduction_and_flip_commute(known: LandmarkScheme, seed: int, width: int) -> None:
    points = np.random.default_rng(seed).uniform(0, width, (2, 3, known.size, 2))
    a = known.to_five(known.mirror(points, width))
    b = FIVE.mirror(known.to_five(points), width)
    assert a.shape == (2, 3, 5, 2)
    np.testing.assert_allclose(a, b, atol=1e-9)


@EVERY
def test_reduction_keeps_the_dtype_and_unknown_points(known: LandmarkScheme) -> None:
    points = np.zeros((known.size, 2), np.float32)
    points[known.five[2][0]] = np.nan
    five = known.to_five(points)
    assert five.dtype == np.float32
    assert np.isnan(five).all(axis=-1).tolist() == [False, False, True, False, False]


def test_five_points_of_the_68_are_those_of_the_drawing(drawn: list[DrawnFace]) -> None:
    for face in drawn:
        eye_distance = np.linalg.norm(face.five_points[0] - face.five_points[1])
        error = np.linalg.norm(IBUG68.to_five(face.landmarks) - face.five_points, axis=-1)
        assert error.max() < 0.12 * eye_distance


def test_mediapipe_pairs_are_the_published_ones() -> None:
    for a, b in PUBLISHED_PAIRS:
        assert MEDIAPIPE478.flip[a] == b
    assert all(MEDIAPIPE478.flip[i] == i for i in PUBLISHED_MIDDLE)
    assert np.count_nonzero(MEDIAPIPE478.flip == np.arange(478)) == 28


def test_mediapipe_pairs_map_the_published_outlines_onto_each_other(detectable: Path) -> None:
    from mediapipe.tasks.python.vision import FaceLandmarksConnections as Outlines

    for left, right in [
        (Outlines.FACE_LANDMARKS_LEFT_EYE, Outlines.FACE_LANDMARKS_RIGHT_EYE),
        (Outlines.FACE_LANDMARKS_LEFT_EYEBROW, Outlines.FACE_LANDMARKS_RIGHT_EYEBROW),
        (Outlines.FACE_LANDMARKS_LEFT_IRIS, Outlines.FACE_LANDMARKS_RIGHT_IRIS),
        (Outlines.FACE_LANDMARKS_LIPS, Outlines.FACE_LANDMARKS_LIPS),
        (Outlines.FACE_LANDMARKS_FACE_OVAL, Outlines.FACE_LANDMARKS_FACE_OVAL),
    ]:
        mirrored = {frozenset(MEDIAPIPE478.flip[[edge.start, edge.end]].tolist()) for edge in left}
        assert mirrored == {frozenset((edge.start, edge.end)) for edge in right}


def test_mediapipe_pairs_are_the_symmetry_of_its_canonical_face(landmark_model: Path) -> None:
    vertices, triangles = canonical_face(landmark_model)
    flip = MEDIAPIPE478.flip[:468]
    assert np.array_equal(vertices[flip], vertices * np.array([-1, 1, 1], np.float32))
    mesh = {frozenset(triangle) for triangle in triangles.tolist()}
    assert {frozenset(flip[triangle].tolist()) for triangle in triangles} == mesh
    assert len(mesh) == 898


def test_an_unknown_scheme_is_named_with_those_known() -> None:
    with pytest.raises(UnknownNameError, match="ibug68"):
        scheme("ibug86")


def canonical_face(model: Path) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Read vertices (468, 3) and triangles (898, 3) of the mesh inside the model file.

    A protocol buffer: field 1 of the file is the mesh; its field 3 are floats x, y, z, u, v of each
    vertex, its field 4 the corners of the triangles.
    """
    with zipfile.ZipFile(model) as bundle:
        data = bundle.read("geometry_pipeline_metadata_landmarks.binarypb")
    mesh = next(value for number, value in fields(data) if number == 1)
    floats = [value for number, value in fields(mesh) if number == 3]
    corners = [value for number, value in fields(mesh) if number == 4]
    vertices = np.frombuffer(b"".join(floats), "<f4").reshape(-1, 5)[:, :3]
    return vertices, np.array(corners).reshape(-1, 3)


def fields(data: bytes) -> Iterator[tuple[int, object]]:
    """Yield field number and value of each field of a protocol buffer."""
    position = 0

    def varint() -> int:
        nonlocal position
        value = shift = 0
        while True:
            byte = data[position]
            position += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while position < len(data):
        number, kind = divmod(varint(), 8)
        if kind == 0:
            yield number, varint()
            continue
        length = {5: 4, 2: None}[kind]
        length = varint() if length is None else length
        (value,) = struct.unpack_from(f"{length}s", data, position)
        position += length
        yield number, value
