"""Fixtures of the ingest tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.layout_copies import write_copies
from support.rafdb_trees import COMPOUND, write_folders, write_official


@pytest.fixture
def basic(tmp_path: Path) -> Path:
    """Return the folder `basic` of a small official copy, free to be damaged."""
    return write_official(tmp_path / "basic")


@pytest.fixture
def compound(tmp_path: Path) -> Path:
    return write_official(tmp_path / "compound", COMPOUND)


@pytest.fixture
def kaggle(tmp_path: Path) -> Path:
    """Return the root of a small Kaggle copy: DATASET/ and the lists beside it."""
    root = tmp_path / "archive"
    write_folders(root / "DATASET", lists=root)
    return root


@pytest.fixture(scope="session")
def copies(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Path]:
    """Synthetic copies by name and layout; never write into them."""
    return write_copies(tmp_path_factory.mktemp("copies"))
