"""Images as rows of a csv file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ferdata.core.errors import AnnotationError, ImageError
from ferdata.core.images import read_image
from ferdata.core.pixel_rows import PixelRows, parse_pixels


def image(seed: int, side: int = 16) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (side, side)).astype(np.uint8)


def text(pixels: np.ndarray) -> str:
    return " ".join(map(str, pixels.reshape(-1).tolist()))


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "icml.csv"
    rows = [f"{label},Training,{text(image(label))}" for label in range(3)]
    path.write_text("\n".join(["emotion, Usage, pixels", *rows]) + "\n")
    return path


def test_rows_are_read_by_position_whatever_the_order_of_columns(table: Path) -> None:
    rows = PixelRows(table)
    assert rows.header == ("emotion", "usage", "pixels")
    assert len(rows) == 3
    assert [cells["emotion"] for cells in rows.rows() if cells] == ["0", "1", "2"]
    for row in range(3):
        read = read_image(table.parent, f"icml.csv#{row}")
        assert read.channels == 1
        assert np.array_equal(read.pixels[..., 0], image(row))
        assert np.array_equal(read.pixels[..., 2], image(row))


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("last", ["", "end", "blank lines"])
def test_line_ends(tmp_path: Path, end: str, last: str) -> None:
    path = tmp_path / "a.csv"
    lines = ["emotion,pixels", *(f'{row},"{text(image(row))}"' for row in range(2))]
    tail = {"": "", "end": end, "blank lines": 3 * end}[last]
    path.write_bytes((end.join(lines) + tail).encode())
    rows = PixelRows(path)
    assert len(rows) == 2
    assert np.array_equal(read_image(tmp_path, "a.csv#1").pixels[..., 1], image(1))


def test_the_hash_is_that_of_the_row(table: Path) -> None:
    first, second = (read_image(table.parent, f"icml.csv#{row}").file_sha256 for row in (0, 1))
    assert first != second
    changed = table.read_text().replace("1,Training", "2,Training")
    table.write_text(changed)
    assert read_image(table.parent, "icml.csv#0").file_sha256 == first
    assert read_image(table.parent, "icml.csv#1").file_sha256 != second


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("1,2", "malformed row"),
        ("1," + "5 " * 255, "255 numbers make no square"),
        ("1," + "5 " * 255 + "256", "outside 0–255"),
        ("1," + "5 " * 255 + "-1", "outside 0–255"),
        ("1," + "5 " * 255 + "x", "expected numbers"),
        ("1,", "0 numbers"),
        ("1," + "5 " * 9, "3 pixels a side"),
    ],
)
def test_broken_rows(tmp_path: Path, row: str, reason: str) -> None:
    header = "emotion,pixels" if row != "1,2" else "emotion,Usage,pixels"
    (tmp_path / "a.csv").write_text(f"{header}\n{row}\n")
    with pytest.raises(ImageError, match=reason):
        read_image(tmp_path, "a.csv#0")


def test_missing_rows_and_files(table: Path) -> None:
    with pytest.raises(ImageError, match="row is missing: 3; the file has 3"):
        read_image(table.parent, "icml.csv#3")
    with pytest.raises(ImageError, match="file is missing"):
        read_image(table.parent, "other.csv#3")
    with pytest.raises(ImageError, match="leaves the data root"):
        read_image(table.parent, "../icml.csv#0")


def test_a_picture_may_have_a_hash_sign_in_its_name(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="file is missing"):
        read_image(tmp_path, "photo#1.png")


def test_empty_files_and_folders(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").touch()
    with pytest.raises(AnnotationError, match="is empty"):
        PixelRows(tmp_path / "empty.csv")
    with pytest.raises(AnnotationError, match="can't be read"):
        PixelRows(tmp_path / "none.csv")


def test_pixels_are_row_major() -> None:
    assert parse_pixels("1 2 3 4").tolist() == [[1, 2], [3, 4]]
