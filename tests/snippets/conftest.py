"""A folder with two small builds, in which every snippet runs."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory, demo_rafdb: Path) -> Path:
    """Return a folder with out/rafdb (augmented copies, landmarks) and out/jaffe (subjects)."""
    import ferdata
    from ferdata.ingesters.demo import write_demo

    root = tmp_path_factory.mktemp("snippets")
    options = {"size": 32, "seed": 0, "quiet": True, "executor": "serial"}
    ferdata.build(
        "rafdb",
        demo_rafdb,
        root / "out/rafdb",
        source="original",  # the photographs, for which RAF-DB has landmarks
        landmarks="dataset",
        augment="balance",
        balance_to="median",
        **options,
    )
    jaffe = write_demo("jaffe", root / "jaffe", scale=0.35).root
    ferdata.build("jaffe", jaffe, root / "out/jaffe", landmarks="none", align="none", **options)
    return root


@pytest.fixture(autouse=True)
def in_workspace(workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the snippet in that folder, without network, with caches of its own."""
    monkeypatch.chdir(workspace)
    with contextlib.suppress(ImportError):
        import datasets

        monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
        monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
        datasets.disable_progress_bars()


@pytest.fixture(autouse=True)
def quiet() -> None:
    """Tell trainers and tokenizers that nobody watches."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
