"""The files that describe a build to others: its cards and `croissant.json`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from ferdata.core.errors import BuildError, OptionError
from ferdata.core.files import sha256_file
from ferdata.core.manifest import Manifest
from ferdata.formats.card_content import CardContent
from ferdata.formats.names import CROISSANT_FILE
from ferdata.formats.registry import FORMATS
from ferdata.shards.card import card_content
from ferdata.shards.croissant_file import write_croissant
from ferdata.shards.record import BuildRecord, FileRecord
from ferdata.shards.runner import lock


def with_cards(record: BuildRecord, content: CardContent, out: Path) -> BuildRecord:
    """Write the cards of a build's formats and `croissant.json`; return the record with them.

    Args:
        record: The record with all other files.
        content: The content of the cards.
        out: The build directory.
    """
    files = dict(record.files)
    for name, write in _companions(record).items():
        write(out / name, content)
        files[name] = FileRecord(sha256=sha256_file(out / name))
    files[CROISSANT_FILE] = write_croissant(out, content, files)
    return record.model_copy(update={"files": files})


def rewrite_cards(build: Path, *, overwrite: bool = False) -> tuple[BuildRecord, list[Path]]:
    """Write the cards and `croissant.json` of a finished build again, and record their hashes.

    The same version of ferdata writes the same bytes as the build did.

    Args:
        build: The build directory.
        overwrite: Replace files that were edited since they were recorded.

    Returns:
        The record and the files.

    Raises:
        BuildError: There is no finished build, or a file was edited.
        OptionError: The build has no format with a card.
    """
    BuildRecord.open(build)  # before the lock, which would create a missing folder
    with lock(build):
        record = BuildRecord.open(build)
        companions = _companions(record)
        if not companions:
            raise OptionError(
                f"{build}: built without the Hugging Face dataset, which the card describes; build "
                "again with --formats hdf5,hf"
            )
        names = [*companions, CROISSANT_FILE]
        if not overwrite:
            _require_unedited(build, record, names)
        stored = Manifest.load(build / "manifest.parquet")
        described = with_cards(record, card_content(record, stored), build)
        if described != record:
            described.save(build)
    return described, [build / name for name in names]


def _companions(record: BuildRecord) -> Mapping[str, Callable[[Path, CardContent], None]]:
    return {
        file: write
        for name in record.options.formats
        for file, write in FORMATS.get(name).companions.items()
    }


def _require_unedited(build: Path, record: BuildRecord, names: list[str]) -> None:
    for name in names:
        recorded, path = record.files.get(name), build / name
        if path.exists() and (recorded is None or recorded.sha256 != sha256_file(path)):
            raise BuildError(
                f"{path}: was changed by hand since the build wrote it; keep your text elsewhere "
                "and replace the file with --overwrite"
            )
