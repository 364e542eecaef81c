"""Trees of empty files, and what ingest made of a tree."""

from __future__ import annotations

from pathlib import Path

from ferdata.core.manifest import Manifest


def touch(root: Path, *paths: str) -> Path:
    """Create empty files below a folder; ingest opens no images."""
    for folder in {(root / path).parent for path in paths}:
        folder.mkdir(parents=True, exist_ok=True)
    for path in paths:
        (root / path).touch()
    return root


def write(path: Path, *lines: str, end: str = "\n") -> Path:
    """Write a text file line by line; returns its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes("".join(f"{line}{end}" for line in lines).encode())
    return path.parent


def kinds(manifest: Manifest) -> list[str]:
    """Return the kind of each reject."""
    return [each.reason.partition(":")[0] for each in manifest.rejects]


def labels(manifest: Manifest) -> dict[str, str]:
    """Return each row's label by its name inside the dataset."""
    names = [each.partition("/")[2] for each in manifest.column("sample_id")]
    return dict(zip(names, manifest.column("label"), strict=True))


def rows(manifest: Manifest) -> dict[str, dict[str, object]]:
    """Return each row by its name inside the dataset."""
    return {each["sample_id"].partition("/")[2]: each for each in manifest.rows()}
