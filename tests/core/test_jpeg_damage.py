"""JPEGs as they come: whole, cut, rotten, with other data behind them; nothing is printed."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from ferdata.core.decoding import DecodedImage, decode
from ferdata.core.errors import ImageError
from ferdata.core.jpeg import read_structure

END = b"\xff\xd9"
KINDS = {
    "baseline": {},
    "gray": {"gray": True},
    "subsampled": {"subsampling": 2},
    "restarts": {"restart_marker_rows": 1},
    "progressive": {"progressive": True},
}


def noise(side: int = 96) -> np.ndarray:
    small = np.random.default_rng(side).integers(30, 220, (side // 4, side // 4, 3), np.uint8)
    return np.asarray(Image.fromarray(small).resize((side, side), Image.Resampling.BICUBIC))


def encode(kind: str = "baseline", side: int = 96) -> bytes:
    options = dict(KINDS[kind])
    image = Image.fromarray(noise(side)).convert("L" if options.pop("gray", False) else "RGB")
    file = io.BytesIO()
    image.save(file, "JPEG", quality=90, **options)
    return file.getvalue()


def names(image: DecodedImage) -> list[str]:
    return [each.partition(":")[0] for each in image.findings]


@pytest.fixture(autouse=True)
def nothing_is_printed(capfd: pytest.CaptureFixture[str]):
    yield
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "tail",
    [
        b"",
        b"MotionPhoto_Data" + np.random.default_rng(1).bytes(50_000),
        b"\xff\xda\x00\x0c" * 40,  # looks like the beginning of scans
        bytes(4096),
        b"\n",
        encode("progressive", 48)[:-40],  # a second image, itself cut off
    ],
    ids=["nothing", "video", "markers", "zeros", "newline", "half a thumbnail"],
)
def test_what_lies_behind_the_end_marker_does_not_matter(kind: str, tail: bytes) -> None:
    whole = decode(encode(kind))
    followed = decode(encode(kind) + tail)
    assert whole.findings == followed.findings == ()
    assert np.array_equal(whole.pixels, followed.pixels)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [0.5, 0.7, 0.9])
@pytest.mark.parametrize(
    "tail", [b"", END, b"video" * 999, bytes(9000)], ids=["cut", "end marker", "video", "zeros"]
)
def test_a_scan_that_ends_early_is_refused(kind: str, share: float, tail: bytes) -> None:
    data = encode(kind)
    cut = data[: int(len(data) * share)] + tail
    if kind == "progressive" and tail == END and share == 0.7:  # falls between two scans
        assert names(decode(cut)) == ["scans-missing"]
        return
    with pytest.raises(ImageError, match="half-written"):
        decode(cut)


def test_a_restart_marker_where_none_belongs_is_refused() -> None:
    """OpenCV fills all that follows with gray, and the end marker is where it should be."""
    data = bytearray(encode())
    data[len(data) // 2 : len(data) // 2 + 2] = b"\xff\xd0"
    with pytest.raises(ImageError, match="a scan ends early"):
        decode(bytes(data))


@pytest.mark.parametrize("kind", KINDS)
def test_zeros_inside_a_scan_are_refused_or_found(kind: str) -> None:
    data = bytearray(encode(kind))
    data[len(data) // 2 : -2] = bytes(len(data) - 2 - len(data) // 2)
    try:
        assert "damaged" in names(decode(bytes(data)))
    except ImageError as error:
        assert "half-written" in error.reason


@pytest.mark.parametrize("kind", KINDS)
def test_bit_rot_inside_a_scan_is_refused_or_found(kind: str) -> None:
    """What the code still fits to can't be seen by any decoder; nearly all of it does not."""
    data = encode(kind)
    start = len(data) // 3
    seen = 0
    for seed in range(12):
        rotten = bytearray(data)
        for position in np.random.default_rng(seed).integers(start, len(data) - 9, 12):
            rotten[position] = (rotten[position] ^ 0x2A) or 1
        try:
            seen += bool(decode(bytes(rotten)).findings)
        except ImageError:
            seen += 1
    assert seen >= 11


def test_damage_between_restart_markers_is_local_and_kept() -> None:
    data = bytearray(encode("restarts"))
    first = data.index(b"\xff\xd0")
    second = data.index(b"\xff\xd1")
    middle = (first + second) // 2
    del data[middle : middle + 20]
    image = decode(bytes(data))
    assert names(image) == ["damaged"]
    whole = decode(encode("restarts")).pixels
    assert np.mean(image.pixels == whole) > 0.8


def test_progressive_scans_that_are_missing_are_found() -> None:
    data = encode("progressive")
    last = data.rindex(b"\xff\xda")
    table = data.rindex(b"\xff\xc4", 0, last)  # the scan's own Huffman table
    image = decode(data[:table] + END)
    assert [each.partition(":")[0] for each in image.findings] == ["scans-missing"]
    assert read_structure(data).scans == int(image.findings[0].partition(":")[2]) + 1


def test_a_thumbnail_in_the_header_is_no_image_of_its_own() -> None:
    thumbnail, data = encode("gray", 48), encode()
    segment = b"\xff\xed" + (len(thumbnail) + 2).to_bytes(2, "big") + thumbnail
    whole = data[:2] + segment + data[2:]
    structure = read_structure(whole)
    assert (structure.end, structure.scans) == (len(whole), 1)
    with pytest.raises(ImageError, match="half-written"):
        decode(whole[:-60] + END)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\xff\xd8", "no end-of-image marker"),
        (b"\xff\xd8" + END, "no scan"),
        (b"\xff\xd8\xff\xe1\xff\xffExif", "inside a segment"),
        (b"\xff\xd8\xff\xda\x00\x01" + END, "inside a segment"),
    ],
)
def test_a_jpeg_of_headers_only_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(ImageError, match=reason):
        decode(data)


def test_any_bytes_behind_a_signature_are_read_or_refused() -> None:
    draws = np.random.default_rng(5)
    data = encode()
    for _ in range(300):
        mutated = bytearray(data)
        for position in draws.integers(2, len(data), draws.integers(1, 6)):
            mutated[position] = draws.integers(256)
        try:
            decode(bytes(mutated))
        except ImageError as error:
            assert error.reason
