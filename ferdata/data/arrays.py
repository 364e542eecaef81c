"""The arrays of one split, its shards end to end, gathered row by row; needs only NumPy."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ferdata.core.errors import BuildError, UnknownNameError
from ferdata.core.labels import class_weights
from ferdata.data.buffers import BufferPool
from ferdata.data.build import Build
from ferdata.data.selection import Locator, Selection
from ferdata.data.shard_reader import ShardReader
from ferdata.formats.names import RAW, STRING_COLUMNS

WIDE_FIELDS = ("image", "soft_label", "landmarks", "box")
SCALAR_FIELDS = ("index", "label", "valence", "arousal")
FIELDS = (*WIDE_FIELDS, *SCALAR_FIELDS, *STRING_COLUMNS)
"""The fields of a batch; `index` is the row number in the split."""


class _Mapped:
    """One memory-mapped field of all shards, as arrays and as bytes.

    Attributes:
        arrays: The array of each shard, shape (rows, *shape).
        bytes: The same memory as bytes.
        dtype: Type of the elements.
        shape: Shape of one row.
        row_bytes: Bytes of one row.
        pool: Memory for batches.
    """

    def __init__(self, arrays: list[npt.NDArray[Any]]) -> None:
        self.arrays = arrays
        self.bytes = [array.reshape(-1).view(np.uint8).data for array in arrays]
        self.dtype = arrays[0].dtype
        self.shape = arrays[0].shape[1:]
        self.row_bytes = math.prod(self.shape) * self.dtype.itemsize
        self.pool = BufferPool(self.shape, self.dtype)


class SplitArrays:
    """All rows of one split, read from the memory maps of its shards.

    Args:
        build: A build, or its directory.
        split: `"train"`, `"validation"` or `"test"`.

    Raises:
        BuildError: The build or a shard of the split is missing, broken or unfinished.
        UnknownNameError: The build has no such split.
    """

    def __init__(self, build: str | Path | Build, split: str) -> None:
        self.build = Build.open(build)
        self.split = split
        self._readers = [
            ShardReader(
                path,
                split=split,
                plan_sha256=self.build.plan_sha256,
                label_names=self.build.label_space.names,
            )
            for path in self.build.shard_paths(split)
        ]
        self._shard_rows = self._count_rows()
        self.locator = Locator(self._shard_rows)
        self._encoded = self.build.image.encoding != RAW
        self._columns: dict[str, npt.NDArray[Any]] = {}
        self._mapped: dict[str, _Mapped] = {}

    def __repr__(self) -> str:
        return f"SplitArrays({self.summary})"

    def __len__(self) -> int:
        return len(self.locator)

    @property
    def summary(self) -> str:
        """Build, split, rows, image shape and classes in one line."""
        shape = "×".join(map(str, self.build.image.shape))
        names = self.build.label_space.names
        return (
            f"{self.build.name} {self.split}: {len(self):,} images of {shape}, "
            f"{len(names)} classes ({', '.join(names)})"
        )

    def __getstate__(self) -> dict[str, Any]:
        """Pickle without maps and columns, which are read again on use."""
        return {**self.__dict__, "_columns": {}, "_mapped": {}}

    def column(self, field: str) -> npt.NDArray[Any]:
        """Return a whole column; it stays in memory after the first call.

        Args:
            field: One of `index`, `label`, `valence`, `arousal`, or a text field.

        Returns:
            Shape (N,): int64 for `index` and `label`, float32 for `valence` and `arousal`, object
            (`str`) for text.

        Raises:
            UnknownNameError: There is no such column.
        """
        if field not in self._columns:
            self._columns[field] = self._read_column(field)
        return self._columns[field]

    def _read_column(self, field: str) -> npt.NDArray[Any]:
        if field == "index":
            return np.arange(len(self))
        if field in STRING_COLUMNS:
            parts = [reader.strings(field) for reader in self._readers]
        elif field in SCALAR_FIELDS:
            parts = [reader.array(field) for reader in self._readers]
        else:
            raise UnknownNameError("column", field, (*SCALAR_FIELDS, *STRING_COLUMNS))
        return np.concatenate(parts) if parts else np.empty(0, np.int64)

    def class_counts(self) -> npt.NDArray[np.int64]:
        """Count the rows of each class, int64, shape (K,)."""
        labels = self.column("label")
        return np.bincount(labels[labels >= 0], minlength=len(self.build.label_space))

    def class_weights(self) -> npt.NDArray[np.float32]:
        """Return the weight of each class, w_c = N / n_c, float32, shape (K,).

        The weight is 0 for a class without rows.
        """
        return class_weights(self.class_counts()).astype(np.float32)

    def known_landmarks(self) -> npt.NDArray[np.bool_]:
        """Return which rows have landmarks, bool, shape (N,)."""
        mapped = self._mapped.get("landmarks") or self._map("landmarks")
        return np.concatenate([~np.isnan(array[:, 0, 0]) for array in mapped.arrays])

    def gather(
        self,
        rows: Selection | Sequence[int] | npt.NDArray[np.integer],
        fields: Iterable[str] = ("image", "label"),
    ) -> dict[str, Any]:
        """Copy rows out of the shards: one copy per image, in the given order.

        Args:
            rows: Row numbers in the split, or a selection made by `locator`.
            fields: The fields to read, see `FIELDS`.

        Returns:
            A mapping of field to array, first dimension B: `image` uint8 (B, H, W, C), `label`
            int64 (B,), `soft_label` float32 (B, K), `landmarks` float32 (B, P, 2) and `box`
            float32 (B, 4) in output pixels, `valence` and `arousal` float32 (B,), `index` int64
            (B,); text fields as lists of `str`. The caller may change the arrays.

        Raises:
            IndexError: A row number is outside the split.
            BuildError: A shard is damaged or has no such field.
        """
        selection = rows if isinstance(rows, Selection) else self.locator.select(rows)
        return {field: self.gather_field(field, selection) for field in fields}

    def gather_field(self, field: str, selection: Selection) -> Any:
        """Copy one field of located rows, as `gather` does."""
        if field in WIDE_FIELDS:
            encoded = field == "image" and self._encoded
            return self._decode(selection) if encoded else self._copy(field, selection)
        values = self.column(field).take(selection.index)
        return values.tolist() if field in STRING_COLUMNS else values

    def _copy(self, field: str, selection: Selection) -> npt.NDArray[Any]:
        """Copy rows of a mapped field, each exactly once.

        `take` with `out=` and mode "clip" writes directly to its target (mode "raise" uses a
        buffer); the row numbers were checked when they were located. If runs are short (rows in
        random order), joining one view of bytes per row is the cheapest way to copy once.
        """
        mapped = self._mapped.get(field) or self._map(field)
        shape = (len(selection.rows), *mapped.shape)
        if selection.runs is None:
            views, size = mapped.bytes, mapped.row_bytes
            places = zip(selection.shards.tolist(), (selection.rows * size).tolist(), strict=True)
            joined = bytearray().join([views[shard][at : at + size] for shard, at in places])
            return np.frombuffer(joined, mapped.dtype).reshape(shape)
        out = mapped.pool.empty(shape[0])
        for shard, start, stop in selection.runs:
            mapped.arrays[shard].take(selection.rows[start:stop], 0, out[start:stop], "clip")
        return out

    def _decode(self, selection: Selection) -> npt.NDArray[np.uint8]:
        out = np.empty((len(selection.rows), *self.build.image.shape), np.uint8)
        places = zip(selection.shards.tolist(), selection.rows.tolist(), out, strict=True)
        for shard, row, pixels in places:
            self._readers[shard].decode(row, pixels)
        return out

    def _map(self, field: str) -> _Mapped:
        """Map a field in every shard, and check its shapes, which copying does not check."""
        arrays = [reader.array(field) for reader in self._readers]
        inner = self.build.image.shape if field == "image" else arrays[0].shape[1:]
        for reader, array, rows in zip(self._readers, arrays, self._shard_rows, strict=True):
            if array.shape != (rows, *inner) or array.dtype != arrays[0].dtype:
                raise BuildError(
                    f"{reader.path}: {field} is {array.dtype} of shape {array.shape}, expected "
                    f"{arrays[0].dtype} of shape {(rows, *inner)}; run `ferdata verify` on the "
                    "build."
                )
        self._mapped[field] = _Mapped(arrays)
        return self._mapped[field]

    def _count_rows(self) -> list[int]:
        """Return the rows per shard, from `build.json` if it has them, else from the shards."""
        info = self.build.split(self.split)
        files = self.build.record.files
        known = [files[shard].rows if shard in files else None for shard in info.shards]
        rows = [
            reader.rows() if count is None else count
            for reader, count in zip(self._readers, known, strict=True)
        ]
        if sum(rows) != info.rows:
            raise BuildError(
                f"{self.build.root}: the shards of split {self.split!r} contain {sum(rows)} rows, "
                f"but build.json says {info.rows}; run `ferdata verify` on the build."
            )
        return rows
