"""Synthetic copies as HDF5 arrays or Parquet rows: images wait as files until all are drawn."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from ferdata.core.images import read_image
from ferdata.ingesters.synthetic import ROWS_FOLDER, DemoImage, save_image
from ferdata.synth.paint import Pixels


def keep_image(root: Path, image: DemoImage, pixels: Pixels, *, gray: bool = False) -> None:
    """Keep an image until `write_arrays` or `write_parquet`; it may be drawn elsewhere."""
    save_image(root / _kept(image), pixels, gray=gray)


def write_arrays(
    path: Path, root: Path, blocks: Mapping[str, Sequence[DemoImage]], codes: Mapping[str, int]
) -> None:
    """Write NAME_pixel (N, H, W) and NAME_label (N,) for each block of kept gray images.

    Args:
        path: The HDF5 file.
        root: The copy's root.
        blocks: The images by NAME.
        codes: The code of each label.
    """
    import h5py  # noqa: PLC0415 - few copies need it

    with h5py.File(path, "w") as file:
        for name, images in blocks.items():
            pixels = [read_image(root, _kept(each)).pixels[:, :, 0] for each in images]
            file[f"{name}_pixel"] = np.stack(pixels)
            file[f"{name}_label"] = np.array([codes[str(each.label)] for each in images])


def write_parquet(
    path: Path,
    root: Path,
    images: Sequence[DemoImage],
    word: Callable[[DemoImage], str],
    names: Sequence[str] = (),
    *,
    keep_names: bool = True,
) -> None:
    """Write kept images as rows of image (bytes, path) and label, as hubs do.

    Args:
        path: The file.
        root: The copy's root.
        images: The images.
        word: Returns the label: one of `names`, else a code.
        names: Class names, whose positions are the codes; kept in the file's metadata.
        keep_names: Whether the rows hold the images' file names.
    """
    import pyarrow as pa  # noqa: PLC0415 - few copies need it
    import pyarrow.parquet as pq  # noqa: PLC0415

    path.parent.mkdir(parents=True, exist_ok=True)
    paths = [f"{each.stem}.png" if keep_names else None for each in images]
    stored = [(root / _kept(each)).read_bytes() for each in images]
    cells = [{"bytes": data, "path": path} for data, path in zip(stored, paths, strict=True)]
    words = map(word, images)
    labels = [names.index(each) if names else int(each) for each in words]
    table = pa.table({"image": cells, "label": pa.array(labels, pa.int64())})
    if names:
        features = {"label": {"names": list(names), "_type": "ClassLabel"}}
        described = json.dumps({"info": {"features": features}})
        table = table.replace_schema_metadata({"huggingface": described})
    pq.write_table(table, path)


def _kept(image: DemoImage) -> str:
    return f"{ROWS_FOLDER}/{image.stem}.png"
