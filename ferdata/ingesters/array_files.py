"""Copies as arrays or rows: HDF5 or npz with NAME_pixel and NAME_label, Parquet with image, label.

Such files rarely say whose images they hold. The names of their arrays, the images' size and the
class shares do, and the names of the images where a Parquet file keeps them.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from ferdata.core.errors import AnnotationError, ParseError
from ferdata.core.given_splits import split_of_word
from ferdata.core.named_arrays import open_arrays
from ferdata.core.parsing import parse_json, parsing
from ferdata.core.stored_images import ARRAY_SUFFIXES
from ferdata.ingesters.class_folders import class_folder
from ferdata.ingesters.tree import FileTree, file_stem

_IMAGE_COLUMNS = ("image", "img", "images")
_LABEL_COLUMNS = ("label", "labels", "emotion", "expression")
_PIXELS = "_pixel"


@dataclass(frozen=True)
class Block:
    """Images of one split in one file.

    Attributes:
        file: The file, relative to the root.
        column: Name of the array or Parquet column with the images.
        split: The copy's word for the split; empty if it says none.
        words: Each image's code or class name.
        names: Each image's own path, where a Parquet file keeps it; else empty.
        has_images: Whether the images are in the file, and not only their paths.
        shape: Height and width of the images, if known.
    """

    file: str
    column: str
    split: str
    words: tuple[str, ...]
    names: tuple[str, ...] = ()
    has_images: bool = True
    shape: tuple[int, int] | None = None

    def uri(self, row: int) -> str:
        """Return the manifest's uri of an image, see `ferdata.core.images.read_image`."""
        return f"{self.file}#{self.column}/{row}"

    def key(self, row: int) -> str:
        """Return a sample's key: the array's name, or that of the Parquet file, and the row."""
        is_array = self.file.lower().endswith(ARRAY_SUFFIXES)
        name = self.column.removesuffix(_PIXELS) if is_array else file_stem(self.file)
        return f"{name}/{row:05d}"

    def counts(self) -> Counter[str]:
        """Count the images by code or class name."""
        return Counter(self.words)


def find_blocks(tree: FileTree, kind: str) -> Iterator[Block]:
    """Yield the blocks of all files of a kind, `arrays` (HDF5, npz) or `parquet`, in a tree."""
    endings = ARRAY_SUFFIXES if kind == "arrays" else (".parquet",)
    for path in tree.files:
        if path.lower().endswith(endings):
            try:
                status = (tree.root / path).stat()
                key = (tree.root / path, path, status.st_mtime_ns, status.st_size)
                yield from _arrays(*key) if kind == "arrays" else _parquet(*key)
            except (OSError, ParseError, AnnotationError):
                continue  # whoever reads it as a set of one's own is told


@lru_cache(maxsize=16)
def _arrays(file: Path, path: str, _modified: int, _size: int) -> tuple[Block, ...]:
    """Return the pairs of NAME_pixel and NAME_label of a file; none if it has none."""
    found = []
    with open_arrays(file) as arrays:
        lengths = arrays.lengths
        for array in lengths:
            name = array.removesuffix(_PIXELS)
            if name == array or lengths.get(f"{name}_label") != lengths[array]:
                continue
            shape = _shape(arrays.shapes[array])
            split = "" if name == "data" else name
            words = tuple(map(_word, arrays.read(f"{name}_label").reshape(-1).tolist()))
            if shape and len(words) == lengths[array]:
                found.append(Block(path, array, split, words, shape=shape))
    return tuple(found)


def _shape(shape: tuple[int, ...]) -> tuple[int, int] | None:
    """Return height and width of the images in an array; None if it holds no images."""
    if len(shape) == 2:
        return (math.isqrt(shape[1]), math.isqrt(shape[1]))
    return (shape[1], shape[2]) if len(shape) in (3, 4) else None


@lru_cache(maxsize=64)
def _parquet(file: Path, path: str, _modified: int, _size: int) -> tuple[Block, ...]:
    """Return the rows of a Parquet file as a block; none if it has no image and label."""
    import pyarrow as pa  # noqa: PLC0415 - loaded where there are such files
    import pyarrow.compute as pc  # noqa: PLC0415

    from ferdata.core.parquet import open_parquet  # noqa: PLC0415

    with open_parquet(file) as stored, parsing("a whole Parquet file"):
        schema = stored.schema_arrow
        image = next((name for name in _IMAGE_COLUMNS if name in schema.names), None)
        label = next((name for name in _LABEL_COLUMNS if name in schema.names), None)
        if image is None or label is None:
            return ()
        kind = schema.field(image).type
        fields = {each.name for each in kind} if pa.types.is_struct(kind) else set()
        names: tuple[str, ...] = ()
        table = stored.read(columns=[label, *([f"{image}.path"] if "path" in fields else [])])
        if "path" in fields:
            paths = pc.struct_field(table.column(image), "path")
            names = tuple(each or "" for each in paths.to_pylist())
        classes = _class_names(schema.metadata or {}, label)
        words = tuple(_named(each, classes) for each in table.column(label).to_pylist())
    has_images = "bytes" in fields if fields else True
    return (Block(path, image, _split(path), words, names, has_images),)


def _split(path: str) -> str:
    """Return the word that a Parquet file's name or folder begins with: `train-00000-of-00002`."""
    word = re.split(r"[-_.]\d|-", file_stem(path))[0]
    return word if split_of_word(word) else class_folder(path)


def _class_names(metadata: dict[bytes, bytes], label: str) -> tuple[str, ...]:
    """Return the class names that a hub keeps in a Parquet file's metadata."""
    try:
        names = parse_json(metadata.get(b"huggingface", b"{}"))["info"]["features"][label]["names"]
    except (ParseError, KeyError, TypeError):
        return ()
    return tuple(map(str, names)) if isinstance(names, list) else ()


def _named(value: Any, classes: tuple[str, ...]) -> str:
    if isinstance(value, int) and 0 <= value < len(classes) and not classes[value].isdecimal():
        return classes[value]
    return "" if value is None else _word(value)


def _word(value: Any) -> str:
    """Return a label as text; whole numbers without a point."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
