"""Names of images in the published splits: they tell the split, whatever an image is read as."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ferdata.core.schema import SPLITS

_NAMES = {
    "rafdb": {
        "train": r"(^|[^a-z0-9])train_\d{4,5}(_aligned|\.)",
        "test": r"(^|[^a-z0-9])test_\d{3,4}(_aligned|\.)",
    },
    "fer2013": {
        "train": r"(^|[^a-z0-9])training_\d+",
        "validation": r"(^|[^a-z0-9])publictest_\d+",
        "test": r"(^|[^a-z0-9])privatetest_\d+",
    },
    "ferplus": {
        "train": r"(^|/)fer2013train/",
        "validation": r"(^|/)fer2013valid/",
        "test": r"(^|/)fer2013test/",
    },
}
"""Regular expressions (RE2) of lower-case paths, by dataset and official split."""

_SURE = {"rafdb": r"(^|[^a-z0-9])test_\d{3,4}_aligned"}
"""Stricter ones, for images of which nothing else says that they are the dataset's."""


def official_test_names(uris: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    """Tell which images are named like the test images of a dataset, (N,)."""
    lower = pc.utf8_lower(uris)
    found = np.zeros(len(lower), bool)
    for dataset, patterns in _NAMES.items():
        pattern = _SURE.get(dataset, patterns["test"])
        found |= np.asarray(pc.match_substring_regex(lower, pattern).to_numpy())
    return found


def official_splits(uris: pa.ChunkedArray, dataset: str) -> pa.Array:
    """Return the official split that each name says, null where it says none."""
    lower = pc.utf8_lower(uris)
    found: npt.NDArray[np.object_] = np.full(len(lower), None, object)
    for split in SPLITS:
        if pattern := _NAMES.get(dataset, {}).get(split):
            found[pc.match_substring_regex(lower, pattern).to_numpy()] = split
    return pa.array(found, pa.string())
