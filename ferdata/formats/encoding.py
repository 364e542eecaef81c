"""Image encodings inside shards: lossless PNG, high-quality JPEG. Bytes are deterministic.

PNG settings were measured on 100×100 photographs and drawn faces with OpenCV 5, one core (images/s
and bytes of a noisy photograph): average filter with Huffman coding only 2,600/s and 21.2 kB;
OpenCV's default (sub filter, run lengths) 2,350/s and 22.3 kB; the best filter per line with run
lengths 1,450/s and 20.6 kB; the usual zlib search at level 6 800/s and 21.7 kB. Small faces are
mostly sensor noise, in which a search for repeated strings finds little to save.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from ferdata.core.errors import ImageError, UnknownNameError
from ferdata.formats.names import JPEG, PNG

JPEG_QUALITY = 95
"""JPEG quality, 0–100: the lowest at which an enlarged 100×100 face shows no blocks."""

_SETTINGS: dict[str, tuple[str, list[int]]] = {
    JPEG: (
        ".jpg",
        [
            cv2.IMWRITE_JPEG_QUALITY,
            JPEG_QUALITY,
            # 4:4:4: lips and eyes are a few pixels wide; halved chroma smears their color.
            cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
            cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
        ],
    ),
    PNG: (
        ".png",
        # The order matters: setting the compression level resets strategy and filter.
        [
            cv2.IMWRITE_PNG_COMPRESSION,
            1,
            cv2.IMWRITE_PNG_STRATEGY,
            cv2.IMWRITE_PNG_STRATEGY_HUFFMAN_ONLY,
            cv2.IMWRITE_PNG_FILTER,
            cv2.IMWRITE_PNG_FILTER_AVG,
        ],
    ),
}

# Orientation tags never apply to the images of a shard.
_DECODE = {
    1: cv2.IMREAD_GRAYSCALE | cv2.IMREAD_IGNORE_ORIENTATION,
    3: cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION,
}


def encode(pixels: npt.NDArray[np.uint8], encoding: str) -> bytes:
    """Encode one image.

    Args:
        pixels: uint8, shape (H, W, 3) RGB or (H, W, 1) gray.
        encoding: `jpeg` or `png`.

    Raises:
        UnknownNameError: The encoding is neither of the two.
        ImageError: OpenCV refuses the image.
    """
    if encoding not in _SETTINGS:
        raise UnknownNameError("image encoding", encoding, _SETTINGS)
    suffix, settings = _SETTINGS[encoding]
    color = pixels.shape[2] == 3
    image = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR) if color else np.ascontiguousarray(pixels)
    done, data = cv2.imencode(suffix, image, settings)
    if not done:
        raise ImageError(f"can't be encoded as {encoding}: shape {pixels.shape}")
    return bytes(data)


def decode(data: bytes | npt.NDArray[np.uint8], channels: int) -> npt.NDArray[np.uint8]:
    """Decode one image of a shard.

    Args:
        data: The encoded bytes, or the uint8 array that h5py gives for them.
        channels: 3 for RGB, 1 for gray.

    Returns:
        uint8, shape (H, W, channels).

    Raises:
        ImageError: The bytes are not an image.
    """
    encoded = np.frombuffer(data, np.uint8) if isinstance(data, bytes) else data
    try:
        image = cv2.imdecode(encoded, _DECODE[channels])
    except cv2.error:
        image = None
    if image is None:
        raise ImageError("an encoded image of the shard can't be decoded; run `ferdata verify`")
    return np.asarray(image, dtype=np.uint8).reshape(*image.shape[:2], channels)
