"""Names used by writers and readers of builds; importing them loads no library."""

from __future__ import annotations

from pathlib import Path

BUILD_FILE = "build.json"
"""Name of a build's record, which marks the build as finished."""

CROISSANT_FILE = "croissant.json"
"""Name of a build's description in the Croissant format."""

BUILD_FORMAT = "ferdata-build/2"
"""Value of `format` in `build.json`."""

AUDIT_FILE = "audit.json"
"""Name of what an audit found in a build's directory."""

REPORT_FILE = "report.html"
"""Name of the report that a build writes beside its record; its bytes are not part of the build."""

DEFAULT_FORMATS = ("hdf5", "hf")
"""Shard formats that a build writes by default; `ferdata.formats.registry` has all of them."""

READ_FORMAT = "hdf5"
"""The shard format that `ferdata.data` reads."""

HDF5_FORMAT = "ferdata-h5/1"
"""Value of the root attribute `format` of an HDF5 shard."""

LICENSES_ATTRIBUTE = "licences"
"""Attribute of a shard with the license of each dataset; `ferdata-h5/1` spells it so."""

RAW = "raw"
JPEG = "jpeg"
PNG = "png"

ENCODINGS = (RAW, JPEG, PNG)
"""How an HDF5 shard stores its images."""

STRING_COLUMNS = ("sample_id", "dataset", "subject", "parent_id", "operations")
"""String columns of a shard, in order."""

ROOT_ATTRIBUTES = ("format", "label_space", "split", "encoding", "landmark_scheme")
"""Root attributes of every HDF5 shard; a build adds its own, such as `plan_sha256`."""

SIDECAR_SUFFIX = ".json"
"""Appended to the name of a shard file for the name of its sidecar."""


def shard_name(split: str, index: int, count: int, suffix: str) -> str:
    """Return the file name of a shard, for instance `train-00000-of-00004.h5`.

    Args:
        split: The split of the shard's rows.
        index: Position among the shards of the split, from 0.
        count: Number of shards of the split.
        suffix: File name extension with its dot.
    """
    return f"{split}-{index:05d}-of-{count:05d}{suffix}"


def sidecar(path: Path) -> Path:
    """Return the path of a shard file's sidecar: its hash and what it contains, as JSON."""
    return path.with_name(path.name + SIDECAR_SUFFIX)
