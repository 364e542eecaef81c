"""The notebooks of the documentation run, and give what is stored in them."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "docs/notebooks").glob("*.ipynb"))

nbformat = pytest.importorskip("nbformat")
pytest.importorskip("ipykernel")


def kinds(notebook: Any) -> list[list[str]]:
    """Return the media types of each cell's outputs; `text` for what is printed."""
    return [
        sorted(
            {kind for each in cell.get("outputs", ()) for kind in each.get("data", {"text": ""})}
        )
        for cell in notebook.cells
    ]


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_as_it_is_stored(path: Path) -> None:
    stored = nbformat.read(path, as_version=4)
    execute = runpy.run_path(str(ROOT / "tools/run_notebooks.py"))["execute"]
    assert kinds(execute(path)) == kinds(stored)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_viewable_without_running(path: Path) -> None:
    stored = nbformat.read(path, as_version=4)
    code = [cell for cell in stored.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert sum(bool(cell.outputs) for cell in code) >= len(code) - 2
    assert path.stat().st_size < 200_000


def test_there_are_four() -> None:
    assert len(NOTEBOOKS) == 4
