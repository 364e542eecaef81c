"""HDF5 shards, `ferdata-h5/1`: root-level arrays whose first dimension is the row.

Columns: `image` uint8 (N, H, W, C), or variable-length uint8 (N,) if the encoding is `jpeg` or
`png`; `label` int64; `soft_label` float32 (N, K); `landmarks` float32 (N, P, 2) in output pixels;
`box` float32 (N, 4); `valence`, `arousal` float32; and UTF-8 strings. Unknown numbers are NaN,
unknown strings empty. A build without landmarks has `landmarks` with P = 0.

Every array is contiguous, uncompressed and allocated at once, at an address that is a multiple of
`ALIGNMENT`, so that a reader can map it at `dataset.id.get_offset()`. Equal rows give equal bytes,
however they are batched: no times are stored, and strings (which are in the file's heap) are
written after everything else.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from ferdata.core.errors import BuildError
from ferdata.core.labels import LabelSpace
from ferdata.formats.content import RowBatch, ShardIdentity, ShardSpec
from ferdata.formats.contract import ShardFormat, ShardWriter, library_errors
from ferdata.formats.names import HDF5_FORMAT, RAW, STRING_COLUMNS
from ferdata.formats.sink import Sink

ALIGNMENT = 64
"""Arrays start at multiples of this many bytes in the file: a cache line."""

LIBVER = ("v110", "v114")
"""Oldest and newest HDF5 file format used: HDF5 1.14 can't read what 2.0 writes as `latest`."""

_STRING = h5py.string_dtype("utf-8")
_ENCODED = h5py.vlen_dtype(np.dtype(np.uint8))

_errors = partial(library_errors, library="HDF5", errors=(RuntimeError, AttributeError))


class Hdf5ShardWriter(ShardWriter):
    """Writes one HDF5 shard."""

    def open(self) -> None:
        """Create the file and its arrays."""
        self._strings: dict[str, list[str]] = {name: [] for name in STRING_COLUMNS}
        self._resources = ExitStack()
        with _errors(self.path, "written"), ExitStack() as opened:
            self._sink = opened.enter_context(Sink(self.path))
            self._file = opened.enter_context(
                h5py.File(
                    self._sink,
                    "w",
                    libver=LIBVER,
                    alignment_threshold=1,
                    alignment_interval=ALIGNMENT,
                )
            )
            for name, value in root_attributes(self.spec).items():
                self._file.attrs[name] = value
            for name, (shape, dtype) in _layout(self.spec).items():
                _create(self._file, name, shape, dtype)
            self._sink.check()  # while `opened` would still close the file
            self._resources = opened.pop_all()

    def write(self, batch: RowBatch, rows: slice) -> None:
        """Write a batch, except its strings, which are kept for the end."""
        with _errors(self.path, "written"):
            if self.spec.encoding == RAW:
                self._file["image"][rows] = batch.pixels
            else:
                _write_encoded(self._file["image"], rows, batch.encoded(self.spec.encoding))
            for name in self.spec.columns():
                if self._file[name].size:
                    self._file[name][rows] = getattr(batch, name)
            self._sink.check()
        for name, values in self._strings.items():
            values.extend(getattr(batch, name))

    def finish(self) -> None:
        """Write the strings and close the file."""
        with _errors(self.path, "written"):
            for name, values in self._strings.items():
                self._file[name][:] = values
            self._file.close()
            self._sink.check()

    def close(self) -> None:
        """Close the file; errors of writing are in the sink."""
        self._resources.close()


def root_attributes(spec: ShardSpec) -> dict[str, str]:
    """Return the root attributes of a shard, in the order in which they are written."""
    return {
        "format": HDF5_FORMAT,
        "label_space": spec.label_space.to_json(),
        "split": spec.split,
        "encoding": spec.encoding,
        "landmark_scheme": spec.landmark_scheme or "",
        **dict(sorted(spec.attributes.items())),
    }


def check(path: Path, spec: ShardSpec) -> None:
    """Reopen a written shard and check that it matches its spec.

    Raises:
        BuildError: The file can't be read, or an array's shape, type or storage or a root attribute
            differs.
    """
    with _open(path) as file:
        for name, value in root_attributes(spec).items():
            if file.attrs.get(name) != value:
                raise BuildError(f"{path}: attribute {name!r} differs from what was written")
        for name, (shape, dtype) in _layout(spec).items():
            dataset = file.get(name)
            if not isinstance(dataset, h5py.Dataset):
                raise BuildError(f"{path}: array {name!r} is missing")
            if dataset.shape != shape or dataset.dtype != dtype:
                raise BuildError(
                    f"{path}: array {name!r} has shape {dataset.shape} and type {dataset.dtype}; "
                    f"expected {shape} and {dtype}"
                )
            if dataset.size and dataset.id.get_offset() is None:
                raise BuildError(f"{path}: array {name!r} is not contiguous")
        if not file["sample_id"].asstr()[-1]:
            raise BuildError(f"{path}: its last row has no sample_id")


def read_identity(path: Path) -> ShardIdentity:
    """Read which rows a shard contains.

    Raises:
        BuildError: The file is not a readable shard of this format.
    """
    with _open(path) as file:
        if file.attrs.get("format") != HDF5_FORMAT:
            raise BuildError(f"{path}: not an HDF5 shard of format {HDF5_FORMAT}")
        names = LabelSpace.from_json(file.attrs["label_space"])
        columns = {name: list(file[name].asstr()[:]) for name in STRING_COLUMNS}
        columns["label"] = names.decode(file["label"][:].tolist())
        if any(file[name].shape[0] != len(columns["sample_id"]) for name in file):
            raise BuildError(f"{path}: its arrays differ in their number of rows")
        return ShardIdentity(file.attrs["split"], file.attrs.get("plan_sha256", ""), columns)


def _layout(spec: ShardSpec) -> dict[str, tuple[tuple[int, ...], Any]]:
    """Return shape and dtype of every array, in their order in the file."""
    layout: dict[str, tuple[tuple[int, ...], Any]] = {}
    if spec.encoding == RAW:
        layout["image"] = ((spec.rows, *spec.image_shape), np.dtype(np.uint8))
    else:
        layout["image"] = ((spec.rows,), _ENCODED)
    for name, (shape, dtype) in spec.columns().items():
        layout[name] = ((spec.rows, *shape), np.dtype(dtype))
    return layout | dict.fromkeys(STRING_COLUMNS, ((spec.rows,), _STRING))


def _create(file: Any, name: str, shape: tuple[int, ...], dtype: Any) -> None:
    """Create an array with its space allocated at once; h5py's own call allocates late."""
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_layout(h5py.h5d.CONTIGUOUS)
    properties.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    properties.set_obj_track_times(False)
    kind = h5py.h5t.py_create(dtype, logical=True)
    h5py.h5d.create(file.id, name.encode(), kind, h5py.h5s.create_simple(shape), properties)


def _write_encoded(dataset: Any, rows: slice, images: list[bytes]) -> None:
    # Row by row: h5py stacks several arrays of equal length into one with two axes, and fails.
    for row, image in enumerate(images, rows.start):
        dataset[row] = np.frombuffer(image, np.uint8)


@contextmanager
def _open(path: Path) -> Iterator[Any]:
    """Open a shard for reading: no locks (network disks lack them) and no chunk cache."""
    with _errors(path, "read"), h5py.File(path, "r", locking=False, rdcc_nbytes=0) as file:
        yield file


HDF5 = ShardFormat(
    name="hdf5",
    title="shards",
    folder="hdf5",
    suffix=".h5",
    writer=Hdf5ShardWriter,
    check=check,
    read_identity=read_identity,
    version=HDF5_FORMAT,
    stores_raw=True,
)
