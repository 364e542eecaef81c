"""How the pictures of a build were framed, so that a new picture can be framed like them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ferdata.core.errors import BuildError

_MANIFEST = "manifest.parquet"


def describe_framing(build: Path) -> dict[str, Any]:
    """Say how the source images of a build were framed, and where faces stand in its crops.

    Args:
        build: Folder of the build.

    Returns:
        `framings`: what the build's images were, of `crop` and `photograph`; empty where the
        build has no manifest. `five_points`: the median place of the five points over the face
        crops of train, copies not counted, shape (5, 2) as nested lists, in shares of the side of
        the square into which a crop is fitted whole (0 is the left or upper edge, 1 the other);
        None where no crop has points.

    Raises:
        BuildError: The manifest is broken.
    """
    path = build / _MANIFEST
    if not path.is_file():
        return {"framings": [], "five_points": None}
    columns = ["framing", "split", "parent_id", "five_points", "width", "height"]
    try:
        rows = pq.read_table(path, columns=columns)
    except (pa.ArrowException, OSError) as error:
        raise BuildError(
            f"{path}: can't be read ({str(error).partition(chr(10))[0]}); build again."
        ) from error
    crops = rows.filter(
        (pc.field("framing") == "crop")
        & (pc.field("split") == "train")
        & pc.field("parent_id").is_null()
        & pc.field("five_points").is_valid()
    )
    return {
        "framings": sorted(pc.unique(rows["framing"]).to_pylist()),
        "five_points": _median_place(crops) if len(crops) else None,
    }


def _median_place(crops: pa.Table) -> list[list[float]]:
    """Return the median five points in shares of the square around each whole crop."""
    flat = crops["five_points"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    points = flat.reshape(-1, 5, 2).astype(np.float64)
    sides = np.stack([crops["width"].to_numpy(), crops["height"].to_numpy()], axis=1)[:, None]
    longest = sides.max(axis=2, keepdims=True)
    # edge to edge as in `ferdata.faces.align`, and centered where the crop is not square
    shares = (points + 0.5 + (longest - sides) / 2) / longest
    median = np.nanmedian(shares, axis=0)
    return [[round(float(x), 5), round(float(y), 5)] for x, y in median]
