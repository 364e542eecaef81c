"""What there is to build from: datasets, folders, manifests, synthetic copies."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, overload

from ferdata.api.listing import Listing
from ferdata.api.paths import DataFolders, PathLike, as_folders, as_path

if TYPE_CHECKING:
    from ferdata.core.manifest import Manifest
    from ferdata.ingesters.contract import Layout
    from ferdata.ingesters.demo import DemoCopy
    from ferdata.ingesters.info import DatasetInfo


@overload
def datasets(name: None = None) -> Sequence[DatasetInfo]: ...


@overload
def datasets(name: str) -> DatasetInfo: ...


def datasets(name: str | None = None) -> Sequence[DatasetInfo] | DatasetInfo:
    """Return what is known about a dataset, or about all of them.

    Args:
        name: The dataset; None for a list of all.

    Raises:
        UnknownNameError: There is no such dataset.
    """
    from ferdata.ingesters.lookup import (  # noqa: PLC0415 - reads YAML
        dataset_info,
        dataset_names,
        declared_names,
    )

    if name is not None:
        return dataset_info(name)
    known = [dataset_info(each) for each in (*dataset_names(), *declared_names())]
    heads = ("name", "images", "classes", "title")
    return Listing.of(
        known, heads, [(each.name, each.total, len(each.codes), each.title) for each in known]
    )


def detect(folder: PathLike) -> Sequence[Layout]:
    """Find out which datasets a folder holds, and in which layouts.

    Args:
        folder: The folder, or one slightly above it.

    Returns:
        Every layout that fits, the most likely first; empty if no known dataset is there.

    Raises:
        LayoutError: The folder is missing, empty or can't be read.
    """
    from ferdata.ingesters import detection  # noqa: PLC0415 - loads numpy and pyarrow

    found = detection.detect(as_path(folder, "folder"))
    rows = [(each.dataset, each.name, f"{each.confidence:.0%}", each.root) for each in found]
    return Listing.of(found, ("dataset", "layout", "confidence", "folder"), rows)


def ingest(
    name: str, data: PathLike, *, source: str | None = None, **choices: str | None
) -> Manifest:
    """Read a dataset's labels and annotations into a manifest; no image is opened.

    Args:
        name: The dataset, for instance `"rafdb"`.
        data: The folder that holds it.
        source: Image set, where the dataset ships several, for instance `"original"`.
        **choices: What to read where the dataset offers a choice, for instance `poses="half"`.

    Raises:
        LayoutError: The folder does not hold this dataset in a known layout.
        FerdataError: Annotations are broken, or a name is unknown.
    """
    from ferdata.ingesters import stage  # noqa: PLC0415 - loads numpy and pyarrow

    return stage.ingest(name, as_path(data, "data"), source=source, **choices)


def merge(
    mix: PathLike,
    manifests: Iterable[PathLike | Manifest],
    *,
    data: DataFolders | None = None,
    seed: int = 0,
    workers: int = 1,
    quiet: bool = False,
) -> Manifest:
    """Merge manifests as a mix declares: labels by name, splits by its rules.

    Args:
        mix: A mix, or the path of its YAML file.
        manifests: Manifests of its datasets, open or as Parquet files.
        data: The folders of the images, which are read and hashed so that duplicates across
            datasets end up in one split. None: only hashes that the manifests bring are used.
        seed: Seed of the splits.
        workers: Number of processes that read images.
        quiet: Show no progress.

    Raises:
        FerdataError: Mix, manifests or data don't fit together.
    """
    from ferdata.core.manifest import Manifest, load_manifest  # noqa: PLC0415 - loads pyarrow
    from ferdata.core.parallel import open_executor  # noqa: PLC0415
    from ferdata.recipes.mix import load_mix  # noqa: PLC0415
    from ferdata.shards.merging import merge_manifests  # noqa: PLC0415

    opened = [
        each if isinstance(each, Manifest) else load_manifest(as_path(each, "manifest"))
        for each in manifests
    ]
    folders = None if data is None else as_folders(data)
    with open_executor("processes", workers if folders else 1) as executor:
        return merge_manifests(
            load_mix(str(mix)),
            opened,
            folders,
            seed=seed,
            executor=executor,
            workers=workers,
            quiet=quiet,
        )


def demo(
    name: str,
    out: PathLike,
    *,
    layout: str | None = None,
    scale: float = 0.05,
    seed: int = 0,
    workers: int = 1,
    quiet: bool = False,
) -> DemoCopy:
    """Draw a synthetic copy of a dataset: true layout, file names, codes and class proportions.

    Args:
        name: The dataset, for instance `"rafdb"`.
        out: Folder of the copy, new or empty.
        layout: Its layout, for instance `"kaggle"`; default: the official one.
        scale: Size, as a fraction of the real number of images.
        seed: Another seed draws other faces.
        workers: Number of processes.
        quiet: Show no progress.

    Raises:
        FerdataError: A name or a number is wrong, or the folder holds something else.
    """
    from ferdata.ingesters.demo import write_demo  # noqa: PLC0415 - loads cv2

    folder: Path = as_path(out, "out")
    return write_demo(
        name, folder, layout=layout, scale=scale, seed=seed, workers=workers, quiet=quiet
    )
