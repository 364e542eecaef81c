"""A format: one .npz file per shard, which NumPy reads without ferdata."""

from __future__ import annotations

import json
import zipfile
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np

from ferdata.core.errors import BuildError
from ferdata.formats.content import RowBatch, ShardIdentity, ShardSpec
from ferdata.formats.contract import ShardFormat, ShardWriter, library_errors
from ferdata.formats.names import STRING_COLUMNS


class NpzWriter(ShardWriter):
    """Collects the rows of a shard, and writes them at its end."""

    def open(self) -> None:
        """Begin without rows."""
        self._batches: list[RowBatch] = []

    def write(self, batch: RowBatch, rows: slice) -> None:
        """Keep a batch."""
        self._batches.append(batch)

    def finish(self) -> None:
        """Write one array per column, and what the shard is."""
        arrays: dict[str, Any] = {
            name: np.concatenate([getattr(batch, name) for batch in self._batches])
            for name in ("pixels", *self.spec.columns(), *STRING_COLUMNS)
        }
        names, about = self.spec.label_space.names, _describe(self.spec)
        with _errors(self.path, "written"), self.path.open("wb") as file:
            np.savez(file, names=names, about=about, **arrays)

    def close(self) -> None:
        """Forget the rows."""
        self._batches.clear()


def check(path: Path, spec: ShardSpec) -> None:
    """Check that a written shard is what its spec says."""
    with _errors(path, "read"), np.load(path) as file:
        if str(file["about"]) != _describe(spec) or file["pixels"].shape[0] != spec.rows:
            raise BuildError(f"{path}: not the shard that was to be written")


def read_identity(path: Path) -> ShardIdentity:
    """Read which rows a shard holds."""
    with _errors(path, "read"), np.load(path) as file:
        about = json.loads(str(file["about"]))
        columns = {name: file[name].tolist() for name in STRING_COLUMNS}
        columns["label"] = file["names"][file["label"]].tolist()
        return ShardIdentity(about["split"], about["attributes"].get("plan_sha256", ""), columns)


def _describe(spec: ShardSpec) -> str:
    """Return all of a spec that no array holds, as JSON."""
    about: dict[str, Any] = {
        "split": spec.split,
        "image_shape": spec.image_shape,
        "landmarks": [spec.landmark_scheme, spec.points],
        "attributes": dict(spec.attributes),
    }
    return json.dumps(about, sort_keys=True)


def _errors(path: Path, action: str) -> AbstractContextManager[None]:
    return library_errors(path, action, "npz", (zipfile.BadZipFile, EOFError))


NPZ = ShardFormat(
    name="npz",
    title="NumPy",
    folder="npz",
    suffix=".npz",
    writer=NpzWriter,
    check=check,
    read_identity=read_identity,
    example="import glob, numpy; print(numpy.load(glob.glob('{out}/npz/*.npz')[0])['label'])",
)
"""What the entry point names."""
