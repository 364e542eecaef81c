"""Fixtures for training tests."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from small_builds import write_build


@pytest.fixture
def make_build(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a build below the test's folder."""

    def make(name: str = "build", **options) -> Path:
        return write_build(tmp_path / name, **options)

    return make


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Compute on one thread: for tiny models threads cost more than they bring."""
    torch.set_num_threads(1)
