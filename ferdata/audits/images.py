"""Where the images of rows are: files of a data folder, or the shards of a build."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ferdata.core.errors import BuildError
from ferdata.core.images import read_image
from ferdata.core.manifest import Manifest
from ferdata.data.arrays import SplitArrays
from ferdata.data.build import Build

Pixels = npt.NDArray[np.uint8]

Load = Callable[[], Pixels]
"""Returns one image, uint8 RGB (H, W, 3); can be sent to another process."""


@dataclass(frozen=True)
class ImagePlaces:
    """Where the image of each of N rows is.

    Attributes:
        loads: How each is loaded.
        files: Root and uri of each that is a file or a row of one; None for those in shards.
    """

    loads: Sequence[Load]
    files: Sequence[tuple[Path, str] | None]

    def __len__(self) -> int:
        return len(self.loads)

    def take(self, rows: npt.NDArray[np.integer[Any]]) -> ImagePlaces:
        """Return the places of some rows."""
        chosen = rows.tolist()
        return ImagePlaces([self.loads[k] for k in chosen], [self.files[k] for k in chosen])

    def join(self, other: ImagePlaces) -> ImagePlaces:
        """Return these places and those of another set."""
        return ImagePlaces([*self.loads, *other.loads], [*self.files, *other.files])


def file_places(manifest: Manifest) -> ImagePlaces:
    """Return where the images of a manifest are, whose roots are known."""
    names = manifest.table.column("dataset").to_pylist()
    uris = manifest.table.column("uri").to_pylist()
    files = [(manifest.roots[name], uri) for name, uri in zip(names, uris, strict=True)]
    return ImagePlaces([partial(load_file, root, uri) for root, uri in files], files)


def build_places(build: Build, manifest: Manifest) -> ImagePlaces | None:
    """Return where the images of a build are; None without HDF5 shards.

    Raises:
        BuildError: A shard is missing, or lacks an image of the manifest.
    """
    if not any(name.startswith("hdf5/") for each in build.splits.values() for name in each.shards):
        return None
    places: dict[str, Load] = {}
    for split in build.splits:
        ids = SplitArrays(build, split).column("sample_id").tolist()
        places |= {name: partial(load_stored, build.root, split, k) for k, name in enumerate(ids)}
    try:
        loads = [places[name] for name in manifest.table.column("sample_id").to_pylist()]
    except KeyError as error:
        raise BuildError(
            f"{build.root}: its shards lack {error}, which is in its manifest; see ferdata verify"
        ) from None
    return ImagePlaces(loads, [None] * len(loads))


def load_file(root: Path, uri: str) -> Pixels:
    """Load an image of a data folder.

    Raises:
        ImageError: It can't be read.
    """
    return read_image(root, uri).pixels


def load_stored(build: Path, split: str, row: int) -> Pixels:
    """Load an image of a build's shards, gray ones with three equal channels."""
    image: Pixels = _arrays(build, split).gather([row], ("image",))["image"][0]
    return np.repeat(image, 3, axis=2) if image.shape[2] == 1 else image


@lru_cache(maxsize=4)
def _arrays(build: Path, split: str) -> SplitArrays:
    return SplitArrays(build, split)
