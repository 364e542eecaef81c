"""File names that say that an image is an altered copy of another: `x_aug0`, `flip_x`, `x (1)`."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

_WORDS = (
    "aug|augmented|augment|flip|flipped|hflip|vflip|fliplr|flipud|mirror|mirrored|rot|rotate|"
    "rotated|rotation|bright|brightness|brighter|dark|darker|contrast|noise|noisy|gauss|gaussian|"
    "blur|blurred|crop|cropped|shift|shifted|translate|translated|zoom|zoomed|shear|sheared|"
    "jitter|gamma|sharpen|sharpened|erased|cutout|copy"
)
_MARK = rf"\b({_WORDS})[ .-]?-?\d*([.]\d+)?\b|\(\d+\)$"
"""A regular expression (RE2) of a word of augmentation with its number."""


def base_names(uris: pa.ChunkedArray) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """Return names of files, and the same without words of augmentation.

    Args:
        uris: Paths, or rows of files such as `a.csv#3`.

    Returns:
        Names in lower case without folder and ending, with spaces for underscores; twice, the
        second time without marks of copies.
    """
    names = pc.replace_substring_regex(uris, pattern="^.*/", replacement="")
    names = pc.utf8_lower(pc.replace_substring_regex(names, pattern=r"\.[^.]*$", replacement=""))
    names = pc.replace_substring(names, pattern="_", replacement=" ")
    plain = pc.replace_substring_regex(names, pattern=_MARK, replacement=" ")
    plain = pc.replace_substring_regex(plain, pattern=" +", replacement=" ")
    return names, pc.utf8_trim(plain, characters=" .-")
