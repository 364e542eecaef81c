"""Copies as arrays or rows: HDF5 with NAME_pixel and NAME_label, Parquet as on hubs (image, label).

Such files rarely say whose images they hold. The names of their arrays, the images' size and the
class shares do, and the names of the images where a Parquet file keeps them.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ferdata.core.stored_images import HDF5_ENDINGS, IMAGE_COLUMNS, PARQUET_ENDING
from ferdata.ingesters.class_folders import class_folder
from ferdata.ingesters.tree import FileTree, file_name, file_stem

_LABEL_COLUMNS = ("label", "labels", "emotion", "expression")
_PIXELS = "_pixel"


@dataclass(frozen=True)
class Block:
    """Images of one split in one file.

    Attributes:
        file: The file, relative to the root.
        split: The copy's word for the split; empty if it says none.
        words: Each image's code or class name.
        array: Name of the HDF5 array; empty for Parquet.
        names: Each image's own path, where a Parquet file keeps it; else empty.
        stored: Whether each image's bytes are in the file.
        shape: Height and width of the images, if known.
    """

    file: str
    split: str
    words: tuple[str, ...]
    array: str = ""
    names: tuple[str, ...] = ()
    stored: tuple[bool, ...] = ()
    shape: tuple[int, int] | None = None

    def uri(self, row: int) -> str:
        """Return the manifest's uri of an image."""
        return f"{self.file}#{self.array}/{row}" if self.array else f"{self.file}#{row}"

    def counts(self) -> Counter[str]:
        """Count the images by code or class name."""
        return Counter(self.words)


def find_blocks(tree: FileTree, kind: str) -> Iterator[Block]:
    """Yield the blocks of all files of a kind, `arrays` (HDF5) or `parquet`, in a tree."""
    endings = HDF5_ENDINGS if kind == "arrays" else (PARQUET_ENDING,)
    for path in tree.files:
        if path.lower().endswith(endings):
            try:
                status = (tree.root / path).stat()
            except OSError:
                continue
            key = (tree.root / path, path, status.st_mtime_ns, status.st_size)
            yield from (_arrays(*key) if kind == "arrays" else _parquet(*key))


@lru_cache(maxsize=16)
def _arrays(file: Path, path: str, _modified: int, _size: int) -> tuple[Block, ...]:
    """Return the pairs of NAME_pixel and NAME_label of an HDF5 file; none if it has none."""
    import h5py  # noqa: PLC0415 - few data sets come as HDF5

    found = []
    try:
        with h5py.File(file, "r") as stored:
            for array in sorted(stored):
                name = array.removesuffix(_PIXELS)
                pixels, labels = stored[array], stored.get(f"{name}_label")
                if name == array or not isinstance(labels, h5py.Dataset):
                    continue
                codes = np.asarray(labels).reshape(-1)
                if pixels.ndim < 2 or len(pixels) != len(codes):
                    continue
                side = round(float(pixels.shape[1]) ** 0.5)
                shape = (side, side) if pixels.ndim == 2 else tuple(pixels.shape[1:3])
                split = "" if name == "data" else name
                found.append(Block(path, split, _words(codes), array, shape=shape))
    except (OSError, ValueError, RuntimeError, AttributeError, TypeError):
        return ()
    return tuple(found)


@lru_cache(maxsize=64)
def _parquet(file: Path, path: str, _modified: int, _size: int) -> tuple[Block, ...]:
    """Return the rows of a Parquet file as a block; none if it has no image and label."""
    import pyarrow as pa  # noqa: PLC0415 - loaded where there are such files
    import pyarrow.compute as pc  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        with pq.ParquetFile(file) as stored:
            schema = stored.schema_arrow
            image = next((name for name in IMAGE_COLUMNS if name in schema.names), None)
            label = next((name for name in _LABEL_COLUMNS if name in schema.names), None)
            if image is None or label is None:
                return ()
            parts = pa.types.is_struct(schema.field(image).type)
            columns = [label, f"{image}.path"] if parts else [label]
            table = stored.read(columns=columns)
            names: tuple[str, ...] = ()
            if parts and image in table.column_names:
                paths = pc.struct_field(table.column(image), "path")
                names = tuple(each or "" for each in paths.to_pylist())
            has_bytes = not parts or "bytes" in {each.name for each in schema.field(image).type}
    except (OSError, ValueError, KeyError, pa.ArrowException):
        return ()
    classes = _class_names(schema.metadata or {}, label)
    words = tuple(_named(each, classes) for each in table.column(label).to_pylist())
    return (Block(path, _split(path), words, names=names, stored=(has_bytes,) * len(words)),)


def _split(path: str) -> str:
    """Return the word that a Parquet file's name or folder begins with: `train-00000-of-00002`."""
    word = re.split(r"[-_.]\d|-", file_stem(path))[0]
    from ferdata.core.given_splits import split_of_word  # noqa: PLC0415 - one use

    return word if split_of_word(word) else class_folder(path)


def _class_names(metadata: dict[bytes, bytes], label: str) -> tuple[str, ...]:
    """Return the class names that a hub keeps in a Parquet file's metadata."""
    try:
        described = json.loads(metadata.get(b"huggingface", b"{}"))
        names = described["info"]["features"][label]["names"]
    except (ValueError, KeyError, TypeError):
        return ()
    return tuple(map(str, names)) if isinstance(names, list) else ()


def _named(value: Any, classes: tuple[str, ...]) -> str:
    if isinstance(value, int) and 0 <= value < len(classes) and not classes[value].isdecimal():
        return classes[value]
    return "" if value is None else str(value)


def _words(codes: Any) -> tuple[str, ...]:
    """Return labels of an HDF5 file as text; whole numbers without a point."""
    found = []
    for each in codes.tolist():
        if isinstance(each, bytes):
            found.append(each.decode("utf-8", "replace"))
        else:
            found.append(str(int(each)) if isinstance(each, float) and each == int(each)
                         else str(each))  # fmt: skip
    return tuple(found)


def key_of(block: Block, row: int) -> str:
    """Return a sample key: the array's name and the row, or the file's stem and the row."""
    name = block.array.removesuffix(_PIXELS) if block.array else file_name(block.file)
    stem = name.rpartition(".")[0] or name if not block.array else name
    return f"{stem}/{row:05d}"
