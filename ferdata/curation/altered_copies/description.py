"""What is computed of each image by itself, in one pass over all of them, in several processes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from ferdata.core.decoding import pixel_sha256
from ferdata.core.errors import ImageError
from ferdata.core.parallel import run_in_order
from ferdata.curation.altered_copies.features import (
    Feature,
    face_features,
    probe_features,
    whole_feature,
)
from ferdata.curation.altered_copies.frames import Frames, make_frames
from ferdata.curation.altered_copies.records import ImageSource, Pixels
from ferdata.faces.align import determine_scale

_CHUNK = 64  # images a task


@dataclass(frozen=True, eq=False)
class Description:
    """What the search keeps of an image.

    Attributes:
        pixel_sha256: Hash of its pixels.
        size: Width and height, pixels.
        is_gray: Whether its channels are equal.
        frames: Small versions for comparison.
        face: Its face's features as `face_features` returns them; empty without points.
        whole: The feature of the whole image.
        probes: Features of slightly rotated, shifted and cropped versions, if it has no points;
            float16 (P, LENGTH).
    """

    pixel_sha256: str
    size: tuple[int, int]
    is_gray: bool
    frames: Frames
    face: tuple[Feature | None, ...]
    whole: Feature
    probes: npt.NDArray[np.float16] | None


def describe_all(
    sources: Sequence[ImageSource], executor: Executor, *, ahead: int
) -> Iterator[list[Description | str]]:
    """Describe images, a chunk at a time and in order.

    Args:
        sources: The images.
        executor: Runs the tasks.
        ahead: Most tasks that are submitted at a time, which bounds the memory.

    Yields:
        A description for each image, or why it could not be read.
    """
    chunks: Iterable[list[ImageSource]] = (
        list(sources[start : start + _CHUNK]) for start in range(0, len(sources), _CHUNK)
    )
    yield from run_in_order(executor, _describe_chunk, chunks, ahead=ahead)


def describe(pixels: Pixels, five_points: npt.NDArray[np.floating] | None) -> Description:
    """Describe one image.

    Args:
        pixels: uint8, shape (H, W), (H, W, 1) or (H, W, 3) RGB.
        five_points: The five points, (5, 2); None or not finite if unknown.
    """
    rgb = pixels if pixels.ndim == 3 else pixels[..., None]
    rgb = np.repeat(rgb, 3, axis=2) if rgb.shape[2] == 1 else rgb
    gray = np.asarray(cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2GRAY), np.uint8)
    five = None if five_points is None else np.asarray(five_points, np.float64).reshape(5, 2)
    if five is not None and not determine_scale(five):
        five = None
    return Description(
        pixel_sha256=pixel_sha256(rgb),
        size=(rgb.shape[1], rgb.shape[0]),
        is_gray=bool((rgb[..., :1] == rgb[..., 1:]).all()),
        frames=make_frames(gray, five),
        face=() if five is None else tuple(face_features(gray, five)),
        whole=whole_feature(gray),
        probes=probe_features(gray) if five is None else None,
    )


def _describe_chunk(sources: list[ImageSource]) -> list[Description | str]:
    return [_read(source) for source in sources]


def _read(source: ImageSource) -> Description | str:
    try:
        return describe(source.load(), source.five_points)
    except ImageError as error:
        return str(error)
