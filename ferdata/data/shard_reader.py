"""One HDF5 shard: its arrays mapped into memory, or its encoded images decoded.

Contiguous arrays are mapped at their offset in the file, so the hot path never enters libhdf5.
Maps and handles are opened on first use in each process and never pickled: fork, forkserver and
spawn all work.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import h5py
import numpy as np
import numpy.typing as npt

from ferdata.core.errors import BuildError
from ferdata.formats.names import HDF5_FORMAT

# Color images are stored as ordinary JPEG or PNG files; orientation tags never apply to them.
_DECODE = {
    1: cv2.IMREAD_GRAYSCALE | cv2.IMREAD_IGNORE_ORIENTATION,
    3: cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION,
}


class ShardReader:
    """Reads one shard.

    Args:
        path: The HDF5 file.
        split: The split it must belong to.
        plan_sha256: The plan it must have been rendered from.
        label_names: The class names its labels must count in.
    """

    def __init__(
        self, path: Path, *, split: str, plan_sha256: str, label_names: tuple[str, ...]
    ) -> None:
        self.path = path
        self._split = split
        self._plan_sha256 = plan_sha256
        self._label_names = label_names
        self._forget()

    def __getstate__(self) -> dict[str, Any]:
        """Pickle where the shard is, without its map and handle."""
        state = self.__dict__.copy()
        del state["_arrays"], state["_file"], state["_owner"]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._forget()

    def _forget(self) -> None:
        self._arrays: dict[str, npt.NDArray[Any]] = {}
        self._file: h5py.File | None = None
        self._owner = 0  # the process that opened `_file`

    def array(self, name: str) -> npt.NDArray[Any]:
        """Return a numeric array of the shard, read-only, mapped where it is contiguous.

        Raises:
            BuildError: The shard is broken, is another one than it should be, or lacks the array.
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
            out: Where the pixels go, uint8, shape (H, W, C).

        Raises:
            BuildError: The image can't be decoded or has another size.
        """
        data = self._handle()["image"][row]
        try:
            pixels = cv2.imdecode(np.asarray(data, np.uint8), _DECODE[out.shape[2]])
        except cv2.error:
            pixels = None
        if pixels is None or pixels.shape[:2] != out.shape[:2]:
            found = "not decodable" if pixels is None else f"of shape {pixels.shape}"
            raise self._broken(f"image {row} is {found}, expected {out.shape}")
        out[...] = pixels.reshape(out.shape)

    def _handle(self) -> h5py.File:
        """Return the file, held open; opened again in a process that inherited it by a fork."""
        if self._file is None or self._owner != os.getpid():
            self._file = self._open()
            self._owner = os.getpid()
        return self._file

    @contextmanager
    def _opened(self) -> Iterator[h5py.File]:
        """Open the file for a moment."""
        file = self._open()
        try:
            yield file
        finally:
            file.close()

    def _open(self) -> h5py.File:
        try:
            file = _open_unlocked(self.path)
        except OSError as error:
            raise self._broken(f"can't be opened as HDF5 ({error})") from error
        try:
            self._check(file)
        except BuildError:
            file.close()
            raise
        return file

    def _check(self, file: h5py.File) -> None:
        """Refuse a file that is not the shard that `build.json` lists."""
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
        if dataset.size == 0 or offset is None:  # empty or chunked: nothing to map
            array = np.asarray(dataset[...])
        else:
            try:
                mapped = np.memmap(
                    self.path, mode="r", dtype=dataset.dtype, offset=offset, shape=dataset.shape
                )
            except (OSError, ValueError) as error:
                raise self._broken(f"{dataset.name} can't be mapped ({error})") from error
            array = mapped.view(np.ndarray)  # plain slices are cheaper than memmap's
        array.flags.writeable = False
        return array

    def _broken(self, what: str) -> BuildError:
        return BuildError(f"{self.path}: {what}; run `ferdata verify` on the build.")


def _open_unlocked(path: Path) -> h5py.File:
    """Open a finished file for reading, without locking it.

    No chunk cache: its default of 8 MiB per dataset adds up over shards and workers, and neither
    contiguous nor variable-length data read once gains anything from it.
    """
    try:
        return h5py.File(path, "r", locking=False, rdcc_nbytes=0)
    except OSError as error:
        # One process can't hold a file open in two ways: someone else here has it open locked.
        if "locking flag" not in str(error):
            raise
        return h5py.File(path, "r", rdcc_nbytes=0)


def _text(value: Any) -> str | None:
    """Return a string attribute, which h5py gives as str or bytes."""
    return value.decode() if isinstance(value, bytes) else value


def _label_names(text: str | None) -> tuple[str, ...] | None:
    """Return the class names of a `label_space` attribute."""
    try:
        return tuple(json.loads(text or "")["names"])
    except (ValueError, KeyError, TypeError):
        return None
