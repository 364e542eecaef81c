"""WebDataset: tar files of `KEY.png`, `KEY.cls` and `KEY.json`."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

from ferdata.exports.contract import ExportContent, ExportFormat, ExportRow


def write(folder: Path, content: ExportContent) -> None:
    """Write the shards of each split, `SPLIT-000000.tar` and so on."""
    for split in content.splits:
        shards = _Shards(folder, split, content.shard_bytes)
        for row in content.rows(split):
            shards.add(row)
        shards.close()


class _Shards:
    """The tar files of a split; the next one begins when one is full.

    Args:
        folder: The export.
        split: Name of the split.
        most: Image bytes of a file.
    """

    def __init__(self, folder: Path, split: str, most: int) -> None:
        self._folder, self._split, self._most = folder, split, most
        self._count = self._bytes = 0
        self._tar: tarfile.TarFile | None = None

    def add(self, row: ExportRow) -> None:
        """Add a sample to the current file."""
        if self._tar is None or self._bytes + len(row.png) > self._most:
            self._next()
        self._bytes += len(row.png)
        for suffix, data in _members(row):
            # A TarInfo has neither time, owner nor mode of this machine: equal rows, equal bytes.
            member = tarfile.TarInfo(f"{row.name}.{suffix}")
            member.size = len(data)
            if self._tar is not None:
                self._tar.addfile(member, io.BytesIO(data))

    def close(self) -> None:
        """Close the current file."""
        if self._tar is not None:
            self._tar.close()

    def _next(self) -> None:
        self.close()
        path = self._folder / f"{self._split}-{self._count:06d}.tar"
        self._tar = tarfile.open(path, "w", format=tarfile.USTAR_FORMAT)  # noqa: SIM115 - `close`
        self._count += 1
        self._bytes = 0


def _members(row: ExportRow) -> Iterator[tuple[str, bytes]]:
    yield "png", row.png
    yield "cls", str(row.values["label"]).encode()
    yield "json", json.dumps(row.as_json(), ensure_ascii=False).encode()


WEBDATASET = ExportFormat(
    name="webdataset",
    title="WebDataset shards",
    write=write,
    readers="webdataset, Hugging Face datasets",
    example="""\
from glob import glob

import webdataset as wds

shards = sorted(glob("{out}/{split}-*.tar"))
{split} = wds.WebDataset(shards, shardshuffle=False).decode("rgb8").to_tuple("png", "cls")""",
)
