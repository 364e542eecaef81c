"""The template of a build fits its crops, and rows without points lie at the set's median."""

from __future__ import annotations

import numpy as np
import pytest

from ferdata.core.labels import CANONICAL, LabelSpace
from ferdata.core.manifest import Manifest
from ferdata.faces.align import ARCFACE_TEMPLATE, similarity, template, transform_points
from ferdata.faces.fitting import LEAST_MARGIN, MOST_OUTSIDE, fit_alignment, outside_column
from ferdata.faces.placing import accepts_face, image_matrix
from ferdata.faces.set_alignment import SetAlignment

SPACE = LabelSpace("canonical8", CANONICAL)
SHAPE = (ARCFACE_TEMPLATE - ARCFACE_TEMPLATE.mean(axis=0)) / np.ptp(ARCFACE_TEMPLATE[:2, 0])


def rows_of(
    name: str = "a", eyes: float = 0.48, count: int = 40, spread: float = 0.03, side: int = 100,
    height: float = 0.58, **columns: object
) -> list[dict]:  # fmt: skip
    """Return crops with the eyes `eyes` of the side apart, the points' middle at `height`."""
    random = np.random.default_rng(len(name) + count)
    rows = []
    for index in range(count):
        turn = random.normal(0, spread)
        scale = side * eyes * np.exp(random.normal(0, spread))
        spin = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        middle = np.array([0.5, height]) + random.normal(0, spread / 2, 2)
        points = SHAPE @ spin.T * scale + middle * side - 0.5
        rows.append(
            {
                "sample_id": f"{name}/{index}", "dataset": name, "layout": "flat",
                "uri": f"{index}", "framing": "crop", "label": "anger", "split": "train",
                "width": side, "height": side, "five_points": points.ravel().tolist(), **columns,
            }
        )  # fmt: skip
    return rows


def manifest_of(*parts: list[dict], **provenance: object) -> Manifest:
    rows = [row for part in parts for row in part]
    return Manifest.from_rows(rows, SPACE, provenance=provenance)


def mean_outside(manifest: Manifest, alignment: SetAlignment) -> float:
    return float(outside_column(manifest, alignment, 112).mean())


def test_tight_crops_get_a_template_that_fits_them() -> None:
    manifest = manifest_of(rows_of())
    arcface = SetAlignment(align="five")
    assert mean_outside(manifest, arcface) > 0.5
    fitted = fit_alignment(manifest, "five", None, "reflect")
    assert mean_outside(manifest, fitted) <= MOST_OUTSIDE
    assert -0.2 < fitted.margin < -0.1
    assert fitted.border == "reflect"
    wider = fitted.model_copy(update={"margin": fitted.margin + 0.03})
    assert mean_outside(manifest, wider) > MOST_OUTSIDE  # it is the widest


def test_a_mix_fits_its_tightest_set() -> None:
    wide = rows_of("wide", eyes=0.3, side=48)
    alone = fit_alignment(manifest_of(wide), "five", None, "replicate")
    both = manifest_of(wide, rows_of("tight"))
    fitted = fit_alignment(both, "five", None, "replicate")
    assert alone.margin == 0
    assert fitted.margin < -0.1
    assert mean_outside(both, fitted) <= MOST_OUTSIDE
    assert [place.dataset for place in fitted.places] == ["tight", "wide"]


def test_photographs_keep_the_template() -> None:
    photographs = rows_of("photos", eyes=0.5, framing="photograph")
    for align in ("auto", "five"):
        fitted = fit_alignment(manifest_of(photographs), align, None, "replicate")
        assert (fitted.margin, fitted.shift) == (0, 0)
        assert len(fitted.places) == 1
    crops = fit_alignment(manifest_of(rows_of(), photographs), "auto", None, "replicate")
    assert (crops.margin, crops.shift) == (0, 0)  # crops are not aligned
    assert [place.framing for place in crops.places] == ["photograph"]
    assert fit_alignment(manifest_of(rows_of()), "none", None, "mean").places == ()


def test_a_given_margin_is_kept() -> None:
    fitted = fit_alignment(manifest_of(rows_of()), "five", 0.2, "replicate")
    assert fitted.margin == 0.2


def test_what_can_not_fit_gets_the_narrowest_template() -> None:
    fitted = fit_alignment(manifest_of(rows_of(eyes=0.9)), "five", None, "replicate")
    assert fitted.margin == LEAST_MARGIN


def test_order_test_images_copies_and_findings_do_not_count() -> None:
    train = rows_of(count=30)
    wanted = fit_alignment(manifest_of(train), "five", None, "replicate")
    others = [
        *rows_of("b", eyes=0.8, split="test", dataset="a"),
        *rows_of("c", eyes=0.8, parent_id="a/0", dataset="a"),
        *rows_of("d", eyes=0.8, face_finding="order of the five points", dataset="a"),
    ]
    mixed = manifest_of(others, train[::-1])
    assert fit_alignment(mixed, "five", None, "replicate") == wanted


def test_a_large_set_is_looked_at_in_part_whatever_its_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ferdata.faces.fitting._ROWS", 10)
    rows = rows_of(spread=0.1)
    there, back = manifest_of(rows), manifest_of(rows[::-1])
    assert fit_alignment(there, "five", None, "mean") == fit_alignment(back, "five", None, "mean")


@pytest.mark.parametrize(("width", "height"), [(100, 100), (50, 50), (60, 90)])
def test_without_points_the_median_place_goes_onto_the_template(width: int, height: int) -> None:
    manifest = manifest_of(rows_of(spread=0.0), rows_of("b", eyes=0.3, spread=0.0))
    fitted = fit_alignment(manifest, "five", None, "replicate")
    for unknown in (None, np.full((5, 2), np.nan)):
        matrix = image_matrix(fitted, unknown, width, height, 64, framing="crop", dataset="a")
        middle = np.array([0.5, 0.58]) * max(width, height)
        offset = (max(width, height) - np.array([width, height])) / 2
        points = SHAPE * 0.48 * max(width, height) + middle - offset - 0.5
        target = template(64, fitted.margin, fitted.shift)
        np.testing.assert_allclose(transform_points(points, matrix), target, atol=0.01)


def test_a_new_crop_without_points_lies_as_in_the_largest_set() -> None:
    manifest = manifest_of(rows_of("few", count=20), rows_of("many", eyes=0.3, count=60))
    fitted = fit_alignment(manifest, "five", None, "replicate")
    new = image_matrix(fitted, None, 80, 80, 64, framing="crop")
    many = image_matrix(fitted, None, 80, 80, 64, framing="crop", dataset="many")
    np.testing.assert_array_equal(new, many)
    assert np.ptp(new[0]) > 0
    whole = image_matrix(SetAlignment(align="five"), None, 80, 80, 64, framing="crop")
    np.testing.assert_allclose(whole[:, :2], np.eye(2) * 0.8)


def test_points_that_are_known_are_used() -> None:
    fitted = fit_alignment(manifest_of(rows_of()), "five", None, "replicate")
    points = SHAPE * 30 + 40
    matrix = image_matrix(fitted, points, 100, 100, 64, framing="crop", dataset="a")
    target = template(64, fitted.margin, fitted.shift)
    np.testing.assert_array_equal(matrix, similarity(points, target))


def test_a_new_face_is_checked_as_the_build_checked_its_own() -> None:
    ranges = {"eye_ranges": {"a crop": [0.3, 0.7]}}
    fitted = fit_alignment(manifest_of(rows_of(), faces=ranges), "five", None, "replicate")
    assert fitted.places[0].eyes == (0.3, 0.7)
    for eyes, framing, accepted in (
        (0.48, "crop", True), (0.2, "crop", False), (0.2, "photograph", True)
    ):  # fmt: skip
        points = SHAPE * eyes * 100 + 50
        assert accepts_face(fitted, points, 100, 100, framing=framing) == accepted
        mirrored = points[[1, 0, 2, 4, 3]]
        assert not accepts_face(fitted, mirrored, 100, 100, framing=framing)
