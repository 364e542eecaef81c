"""A build's `croissant.json`: written from its record, compared with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from ferdata.core.errors import BuildError
from ferdata.core.files import read_json, sha256_file, write_json
from ferdata.formats.card_content import CardContent
from ferdata.formats.croissant import DescribedFile, croissant, listed_hashes
from ferdata.formats.names import CROISSANT_FILE
from ferdata.shards.record import FileRecord


def write_croissant(out: Path, content: CardContent, files: Mapping[str, FileRecord]) -> FileRecord:
    """Write `croissant.json` into a build and return its record.

    Args:
        out: The build directory.
        content: The content of the build's card.
        files: The files of the build; all are listed except `croissant.json` itself.
    """
    described = [
        DescribedFile(path, file.sha256, (out / path).stat().st_size)
        for path, file in sorted(files.items())
        if path != CROISSANT_FILE
    ]
    write_json(out / CROISSANT_FILE, croissant(content, described))
    return FileRecord(sha256=sha256_file(out / CROISSANT_FILE))


def croissant_differences(out: Path, files: Mapping[str, FileRecord]) -> Iterator[str]:
    """Yield how the files that `croissant.json` lists differ from those of the record.

    Args:
        out: The build directory.
        files: The files of the build, by the record.
    """
    try:
        listed = listed_hashes(read_json(out / CROISSANT_FILE))
    except BuildError as error:
        yield str(error)
        return
    recorded = {path: file.sha256 for path, file in files.items() if path != CROISSANT_FILE}
    for path in sorted(listed.keys() | recorded.keys()):
        if path not in listed:
            yield f"does not list {path}"
        elif path not in recorded:
            yield f"lists {path}, which build.json does not"
        elif listed[path] != recorded[path]:
            yield f"lists {path} with another hash than build.json"
