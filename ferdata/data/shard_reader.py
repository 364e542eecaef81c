"""One HDF5 shard: its arrays memory-mapped, or its encoded images decoded.

Contiguous arrays are mapped at their offset in the file, so that reading them doesn't use libhdf5.
Maps and handles are opened on first use in each process and never pickled, so fork, forkserver and
spawn all work.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from ferdata.core.errors import BuildError, ImageError, ParseError
from ferdata.core.parsing import parse_json, parsing
from ferdata.formats.names import HDF5_FORMAT


class ShardReader:
    """Reads one shard.

    Args:
        path: The HDF5 file.
        split: The split that it must belong to.
        plan_sha256: The plan that it must have been rendered from.
        label_names: The class names that its labels must index.
    """

    def __init__(
        self, path: Path, *, split: str, plan_sha256: str, label_names: tuple[str, ...]
    ) -> None:
        self.path = path
        self._split = split
        self._plan_sha256 = plan_sha256
        self._label_names = label_names
        self._reset()

    def __getstate__(self) -> dict[str, Any]:
        """Pickle the path, without maps and handle."""
        state = self.__dict__.copy()
        del state["_arrays"], state["_file"], state["_owner"]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._reset()

    def _reset(self) -> None:
        self._arrays: dict[str, npt.NDArray[Any]] = {}
        self._file: h5py.File | None = None
        self._owner = 0  # the process that opened `_file`

    def array(self, name: str) -> npt.NDArray[Any]:
        """Return a numeric array of the shard, read-only, mapped if it is contiguous.

        Raises:
            BuildError: The shard is damaged, is not the expected one, or has no such array.
        """
        array = self._arrays.get(name)
        if array is None:
            with self._opened() as file:
                array = self._map(self._dataset(file, name))
            self._arrays[name] = array
        return array

    def strings(self, name: str) -> npt.NDArray[np.object_]:
        """Read a column of strings, object array of `str`, shape (N,).

        Raises:
            BuildError: As for `array`.
        """
        with self._opened() as file:
            return np.asarray(self._dataset(file, name).asstr()[...], dtype=object)

    def rows(self) -> int:
        """Return the number of images.

        Raises:
            BuildError: As for `array`.
        """
        with self._opened() as file:
            return int(self._dataset(file, "label").shape[0])

    def decode(self, row: int, out: npt.NDArray[np.uint8]) -> None:
        """Decode one image of a jpeg or png shard.

        Args:
            row: Row number in the shard.
            out: Array for the pixels, uint8, shape (H, W, C).

        Raises:
            BuildError: The image can't be decoded or has another size.
        """
        from ferdata.formats.encoding import decode  # noqa: PLC0415 - raw shards need no OpenCV

        with self._guarded():
            data = self._handle()["image"][row]
        try:
            pixels = decode(data, out.shape[2])
        except ImageError as error:
            raise self._broken(f"image {row} is not decodable") from error
        if pixels.shape != out.shape:
            raise self._broken(f"image {row} is of shape {pixels.shape}, expected {out.shape}")
        out[...] = pixels

    def _handle(self) -> h5py.File:
        """Return the open file; a process that inherited it by a fork opens it again."""
        if self._file is None or self._owner != os.getpid():
            self._file = self._open()
            self._owner = os.getpid()
        return self._file

    @contextmanager
    def _opened(self) -> Iterator[h5py.File]:
        """Open the file temporarily."""
        file = self._open()
        try:
            with self._guarded():
                yield file
        finally:
            file.close()

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Turn what libhdf5 says of a damaged file into one error."""
        try:
            with parsing("a whole HDF5 file"):
                yield
        except ParseError as error:
            raise self._broken(str(error)) from error

    def _open(self) -> h5py.File:
        try:
            file = _open_unlocked(self.path)
        except OSError as error:
            raise self._broken(f"can't be opened as HDF5 ({error})") from error
        try:
            with self._guarded():
                self._check(file)
        except BuildError:
            file.close()
            raise
        return file

    def _check(self, file: h5py.File) -> None:
        """Check that the file is the shard that `build.json` lists."""
        found = {name: _text(file.attrs.get(name)) for name in ("format", "split", "plan_sha256")}
        expected = {
            "format": HDF5_FORMAT,
            "split": self._split,
            "plan_sha256": self._plan_sha256,
        }
        for name, value in expected.items():
            if found[name] != value:
                raise self._broken(f"{name} is {found[name]!r}, build.json says {value!r}")
        names = _label_names(_text(file.attrs.get("label_space")))
        if names != self._label_names:
            raise self._broken(f"label space is {names}, build.json says {self._label_names}")

    def _dataset(self, file: h5py.File, name: str) -> h5py.Dataset:
        dataset = file.get(name)
        if not isinstance(dataset, h5py.Dataset):
            raise BuildError(f"{self.path}: has no array {name!r}; it has {', '.join(file)}.")
        return dataset

    def _map(self, dataset: h5py.Dataset) -> npt.NDArray[Any]:
        offset = dataset.id.get_offset()
        if dataset.size == 0 or offset is None:  # empty or chunked: can't be mapped
            array = np.asarray(dataset[...])
        else:
            try:
                mapped = np.memmap(
                    self.path, mode="r", dtype=dataset.dtype, offset=offset, shape=dataset.shape
                )
            except (OSError, ValueError) as error:
                raise self._broken(f"{dataset.name} can't be mapped ({error})") from error
            array = mapped.view(np.ndarray)  # slicing an ndarray is cheaper than a memmap
        array.flags.writeable = False
        return array

    def _broken(self, what: str) -> BuildError:
        return BuildError(f"{self.path}: {what}; run `ferdata verify` on the build.")


def _open_unlocked(path: Path) -> h5py.File:
    """Open a finished file for reading, without locking it.

    No chunk cache: its default of 8 MiB per dataset adds up over shards and workers, and it helps
    neither contiguous data nor variable-length data that is read once.
    """
    try:
        return h5py.File(path, "r", locking=False, rdcc_nbytes=0)
    except OSError as error:
        # A process can't open a file in two ways: it is open with a lock elsewhere in this process.
        if "locking flag" not in str(error):
            raise
        return h5py.File(path, "r", rdcc_nbytes=0)


def _text(value: Any) -> str | None:
    """Return a string attribute, which h5py gives as str or bytes."""
    return value.decode() if isinstance(value, bytes) else value


def _label_names(text: str | None) -> tuple[str, ...] | None:
    """Return the class names of a `label_space` attribute."""
    try:
        return tuple(parse_json(text or "")["names"])
    except (ParseError, KeyError, TypeError):
        return None
