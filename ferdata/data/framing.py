"""The framing of a build's source images, so that new images can be framed the same way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ferdata.core.list_columns import vectors
from ferdata.data.manifest_columns import read_manifest_columns
from ferdata.faces.places import median_place


def describe_framing(build: Path) -> dict[str, Any]:
    """Describe the framing of a build's source images, and where the faces are in its crops.

    Args:
        build: Folder of the build.

    Returns:
        `framings`: those of the build's images, `crop` and `photograph`; empty if the build has no
        manifest. `five_points`: the median positions of the five points in the face crops of train
        without augmented copies, shape (5, 2) as nested lists, as fractions of the side of the
        smallest square around the crop (0 is the left or upper edge, 1 the opposite edge); None if
        no crop has landmarks.

    Raises:
        ManifestError: The manifest is broken.
    """
    columns = ["framing", "split", "parent_id", "five_points", "width", "height"]
    rows = read_manifest_columns(build, columns)
    if rows is None:
        return {"framings": [], "five_points": None}
    crops = rows.filter(
        (pc.field("framing") == "crop")
        & (pc.field("split") == "train")
        & pc.field("parent_id").is_null()
        & pc.field("five_points").is_valid()
    )
    return {
        "framings": sorted(pc.unique(rows["framing"]).to_pylist()),
        "five_points": _median_points(crops) if len(crops) else None,
    }


def _median_points(crops: pa.Table) -> list[list[float]]:
    """Return the median five points as fractions of the square around each whole crop."""
    points = vectors(crops["five_points"]).reshape(-1, 5, 2).astype(np.float64)
    sides = np.stack([crops["width"].to_numpy(), crops["height"].to_numpy()], axis=1)
    return [list(point) for point in median_place(points, sides.astype(np.float64))]
