"""A build to look at, with hostile texts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ferdata.viewer.shown import Shown


@pytest.fixture(scope="session")
def viewed_build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small build with copies, findings and hashes; don't change it."""
    from support.viewer import write_viewed_build

    return write_viewed_build(tmp_path_factory.mktemp("viewed") / "build")


@pytest.fixture
def shown(viewed_build: Path, tmp_path: Path) -> Shown:
    """Return what is shown of it, with marks of its own."""
    from support.viewer import shown_of

    return shown_of(viewed_build, tmp_path / "marks.json")
