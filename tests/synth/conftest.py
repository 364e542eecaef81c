"""Fixtures of the drawing tests."""

from __future__ import annotations

import pytest

from ferdata.ingesters.demo import DemoCopy, write_demo

SCALE = 0.002
"""Smallest useful copy: one to ten images per class and split."""


@pytest.fixture(scope="session")
def official(tmp_path_factory: pytest.TempPathFactory) -> DemoCopy:
    """A small copy of RAF-DB's basic part in the official tree."""
    return write_demo("rafdb", tmp_path_factory.mktemp("official"), scale=SCALE, quiet=True)


@pytest.fixture(scope="session")
def kaggle(tmp_path_factory: pytest.TempPathFactory) -> DemoCopy:
    """The same copy in Kaggle's layout."""
    root = tmp_path_factory.mktemp("kaggle")
    return write_demo("rafdb", root, layout="kaggle", scale=SCALE, quiet=True)
