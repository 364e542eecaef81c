"""Names that writers and readers of builds share; importing them loads no library."""

from __future__ import annotations

BUILD_FILE = "build.json"
"""Name of the file that says that a build is finished, and what it holds."""

BUILD_FORMAT = "ferdata-build/2"
"""Value of `format` in `build.json`."""

HDF5_FORMAT = "ferdata-h5/1"
"""Value of the root attribute `format` of an HDF5 shard."""

LICENSES_ATTRIBUTE = "licences"
"""Attribute of a shard with the license of each dataset; `ferdata-h5/1` spells it so."""

RAW = "raw"
JPEG = "jpeg"
PNG = "png"

ENCODINGS = (RAW, JPEG, PNG)
"""How an HDF5 shard holds its images."""

STRING_COLUMNS = ("sample_id", "dataset", "subject", "parent_id", "operations")
"""String columns of a shard, in order."""

ROOT_ATTRIBUTES = ("format", "label_space", "split", "encoding", "landmark_scheme")
"""Root attributes that every HDF5 shard has; a build adds its own, such as `plan_sha256`."""

FORMATS = ("hdf5", "hf")
"""Shard formats that a build can write."""

SIDECAR_SUFFIX = ".json"
"""What is added to a shard's name to make the name of its sidecar."""


def shard_name(split: str, index: int, count: int, suffix: str) -> str:
    """Return the file name of a shard, for instance `train-00000-of-00004.h5`.

    Args:
        split: The split whose rows the shard holds.
        index: Position among the shards of the split, from 0.
        count: Number of shards of the split.
        suffix: File name ending with its dot.
    """
    return f"{split}-{index:05d}-of-{count:05d}{suffix}"
